/// General English for people's errands: which words mean about the same, and what kind of word each is.
///
/// Nothing here names a tool. A line of `clusters` is `v` (verbs) or `n` (nouns), the name, the words that mean it, and
/// after `|` those that can mean it. `pick_up` is a phrase whose parts may stand apart when its second part is a
/// particle.
enum LexiconData {
    static let clusters: StaticString = """
        v must: have_to need_to got_to must gotta ought_to supposed_to has_to | need should
        v add: add create put append include insert throw_in stick pop chuck toss throw stick_on tack_on slip_in put_down | get need want write place bung log enter drop load
        v remove: remove delete drop erase scratch strike take_off scratch_off knock_off get_rid_of ditch scrap bin trash discard eliminate throw_away throw_out take_out strike_off leave_off kill_off drop_off_list kick_off | cross_off cross_out clear lose clean forget cancel
        v clear: clear empty wipe reset purge flush clear_out clean_out start_over wipe_out | delete remove clean erase
        v show: show display list view print present show_up bring_up pull_up go_through read_out read | see tell give look check get open pull remind hear
        v find: find search look_up look_for lookup locate seek hunt query browse search_for hunt_down dig_up dig_out | show see check fetch pull_up get filter look
        v buy: buy purchase pick_up grab obtain shop_for acquire stock_up_on bring_home score | get fetch bring take shop
        v need: need require run_out_of run_low_on out_of low_on short_of lack running_low be_out have_no got_no has_no | want missing
        v spend: spend pay pay_for shell_out fork_out splash_out cough_up | cost blow drop charge set_back
        v cost: cost charge run_to come_to set_back | pay price worth
        v complete: done complete finish accomplish tick_off check_off cross_off tick mark_off strike_through wrap_up knock_out get_done sort_out | do mark check close cross_out achieve handle sort
        v update: update change edit modify adjust alter correct amend fix revise swap replace change_to | set make bump move raise lower increase reduce switch
        v set: set configure define assign establish set_up fix_at | make put change adjust use choose pick
        v create: create make build compose draft set_up start_a | new add write start open begin
        v save: save keep store record log register capture file track hold_on_to put_away | note add enter write put_down write_down
        v jot: jot note jot_down note_down write_down scribble take_down take_a_note make_a_note memo scribble_down write make_note put_down | record log type
        v memorise: remember memorize memorise keep_in_mind bear_in_mind don't_forget learn retain take_note | save note store know
        v remind: remind nudge ping alert notify give_me_a_nudge let_me_forget | remember tell prompt
        v recall: recall recollect remember | know tell say think_back
        v forget: forget unlearn erase_from_memory | delete remove drop
        v enable: enable activate turn_on switch_on put_on reactivate turn_back_on re-enable reenable | start connect use resume allow open
        v disable: disable deactivate turn_off switch_off shut_off mute shut_down put_off_service | stop pause disconnect kill suspend
        v plan: plan schedule organise organize arrange pencil_in pencil plan_out map_out | book set put
        v cook: cook bake prepare fry roast whip_up rustle_up grill boil fix_for make_for | make do try eat
        v scale: scale resize scale_up scale_down double halve triple multiply convert_to | adjust make change
        v rate: rate score review star give_stars rank | give grade mark
        v export: export download dump extract backup back_up | send get output save
        v split: split break_down divide breakdown break_up decompose chunk cut_up subdivide split_up | step break simplify
        v sum: total sum sum_up add_up amount how_much tally tot_up | spend come
        v count: count how_many | number total
        v compare: compare | trend difference versus
        v prioritise: prioritise prioritize rank bump_up | priority urgent important flag star mark
        v rename: rename retitle | change call name
        v postpone: postpone reschedule delay push_back put_off defer snooze push shift | move change move_to
        v send: send email mail text message forward share post | write tell deliver
        v call: call phone ring dial | contact reach
        v undo: undo revert take_back roll_back reverse rollback | back restore
        v suggest: suggest recommend propose advise | think give
        v schedule_recurring: repeat recur | repeating
        v open: open launch start | show
        v have: have own have_got | keep
        v eat: eat have_for | cook
        v help: help assist support | guide
        v stop: stop quit pause | disable end
        v restore: restore recover bring_back unarchive reopen | undo
        v archive: archive shelve file_away | hide
        v pack: pack bring | take
        v measure: measure weigh | log track
        v play: play listen watch | hear
        v go: go travel drive fly | visit
        v read_v: read | show
        v translate: translate | say
        v explain: explain describe clarify | tell
        n grocery: grocery groceries shopping supermarket provisions food_shop pantry foodstuffs | market food store basket fridge trolley
        n list: list checklist lists rota roster | basket cart trolley
        n task: task todo to_do to_dos chore errand assignment action_item todos tasklist | job duty item thing work plate
        n goal: goal objective target aim ambition | plan
        n expense: expense spending expenditure outlay costs spendings finance transaction purchases expenses spend | purchase money cost payment bill receipt cash
        n money: money cash funds | cost
        n budget: budget limit cap allowance ceiling | maximum
        n recurring: recurring subscription regular standing repeating fixed | monthly weekly every yearly rent
        n trend: trend pattern development evolution over_time compared | compare change month_by_month history
        n recipe: recipe recipes cookbook | dish meal cooking
        n meal: meal dinner lunch breakfast supper menu brunch dish | food recipe
        n ingredient: ingredient ingredients | item
        n note: note memo notes jotting jottings | text idea thought
        n memory: memory fact memories | memo remember
        n name: name nickname | call
        n timezone: timezone time_zone tz | zone location
        n quiet: quiet_hours quiet do_not_disturb dnd silence silent quiet_time no_notifications | night sleep disturb
        n currency: currency currencies | money
        n integration: integration plugin plug-in feature app add-on addon module extension integrations connector | service function tool connection
        n setting: setting preference config option configuration settings | profile
        n category: category kind type categories section group tag label | sort class
        n price: price | cost amount value
        n step: step stage subtask sub-task substep | part piece bit chunk
        n deadline: deadline due due_date cutoff | date by
        n priority: priority importance urgency | urgent important high
        n urgent: urgent important critical pressing top asap vital | high priority
        n missing: missing lacking not_have | need lack left
        n left: left remaining outstanding open pending still unfinished undone | remain else
        n serving: serving portion people person guest helping servings eater diner head | plate
        n event: event appointment meeting calendar | date
        n store: store shop supermarket | market
        n everything: everything all whole entire complete_list | full any
        n today_n: today | day now
        n csv: csv spreadsheet excel file | sheet
        n habit: habit routine | streak
        n weight: weight | kilo
        n workout: workout exercise training gym | run sport
        n plant: plant garden | flower
        n book_n: book novel | reading
        n medicine: medicine medication pill tablet meds | drug dose
        n contact: contact person | friend
        n birthday: birthday anniversary | date
        n video: video clip film movie | youtube
        n mail: mail email inbox | message
        n web: web internet online | google
        n travel: trip journey flight travel | holiday
        n mood: mood feeling | feel
        n rating: rating star score | review
        n amount: amount quantity number | total
        n stock: stock inventory | supply
        """

    /// Forms that rules do not give: `form lemma`, those of the past marked `*`.
    static let irregular: StaticString = """
        bought* buy,spent* spend,paid* pay,got* get,gotten* get,ate* eat,eaten* eat,made* make,did* do,done* done,went* go,gone* go,\
        took* take,taken* take,wrote* write,written* write,found* find,kept* keep,forgot* forget,forgotten* forget,\
        broke* break,broken* break,shown show,told* tell,said* say,thought* think,knew* know,known know,brought* bring,\
        left* left,lost* lose,had* have,has have,ran* run,was* be,were* be,been* be,is be,are be,am be,being be,\
        cost cost,put put,set set,split split,sent* send,saw* see,seen* see,gave* give,given* give,threw* throw,\
        thrown* throw,struck* strike,chose* choose,chosen* choose,began* begin,sold* sell,felt* feel,drove* drive,\
        does do,doing do,having have,making make,getting get,putting put,setting set,\
        running run,shopping shopping,todos todo,lists list,people people,costing cost,blew* blow,shelled* shell,\
        forked* fork,picked* pick,tasks task,memories memory,needs need,needed need,ended* end,cooked* cook
        """

    static let filler: StaticString = """
        please pls plz plss kindly just really actually basically quickly quick simply maybe_not ok okay okey alright \
        um uh uhm umm er erm hmm hm ah oh eh so well anyway like literally honestly right now asap cheers thanks thx \
        ty thank tandem assistant bot buddy mate pal dude man bro hun dear yo btw fyi fast moment sec also too sorry oops whoops \
        then again ta kk lol haha hehe omg gosh damn somehow somewhere sort kinda gonna wanna gotta lemme gimme \
        always simply super very quite pretty whatsoever anymore nowadays possible rather even ya y'all folks friend love sweetheart
        """

    static let greeting: StaticString = """
        hi hello hey hiya howdy yo heya greetings hallo morning evening afternoon sup ciao hola salut bonjour goodnight bye goodbye
        """

    static let determiner: StaticString = """
        a an the my our your his her their this these those some any another both
        """

    static let preposition: StaticString = """
        to on in at for of with from by about into onto off up down out over under between through during before after \
        since until till around near within without per via as than against towards upon inside
        """

    static let pronoun: StaticString = """
        i me we us you he him she they them it its that mine ours yours myself yourself someone anybody anyone somebody
        """

    static let question: StaticString = """
        what which who whom whose when where why how
        """

    static let auxiliary: StaticString = """
        be do have can could will would shall should may might must ought let did does has had is are was were am been
        """

    static let negation: StaticString = """
        not never no none nothing neither nor without hardly cannot
        """

    static let conjunction: StaticString = """
        and or but plus because while though although if unless
        """

    static let hypothetical: StaticString = """
        might maybe perhaps should may wonder wondering imagine suppose supposing wish hypothetically considering \
        probably possibly ought hope if whether thinking consider dream guess unsure
        """

    static let speech: StaticString = """
        say tell ask write mention claim think shout insist text email explain suggest announce believe reckon
        """

    /// What other assistants do: when no tool speaks of it, nothing here serves it.
    static let elsewhere: StaticString = """
        ticket \
        alarm timer stopwatch light lights lamp heating thermostat tv television volume router wifi printer garage door \
        doorbell camera robot vacuum washing dishwasher dryer blinds curtains speaker music song album playlist podcast \
        radio movie film episode show photo picture selfie video weather forecast temperature traffic directions route map \
        maps flight hotel taxi uber cab lyft airport boarding airbnb visa hostel weather email emails inbox sms whatsapp \
        facebook instagram twitter tiktok website browser tab tabs internet google software app download virus computer \
        laptop phone bitcoin stock stocks crypto bank loan mortgage news score match game league president capital \
        population calories dictionary synonym translation joke poem story riddle song lyrics wallpaper ringtone bluetooth \
        screen brightness elevator plumber electrician haircut hairdresser reservation \
        meeting conference zoom voicemail exchange horoscope lottery
        """

    /// What people feel, wish or live through: no errand, nothing to buy. Tools that speak of it are not held back.
    static let inner: StaticString = """
        hug kiss cuddle nap rest sleep break breather vacation rescue escape cry scream laugh smile breathe relax die \
        disappear hide vent dream hope wish love affection attention comfort company friend friendship therapist \
        therapy support sympathy kindness motivation energy strength courage patience confidence luck miracle peace \
        calm silence closure forgiveness happiness joy fun life mind soul heart temper nerve feeling mood anxiety panic \
        anger grief sadness stress pain fear doubt worry shame guilt distraction inspiration advice excuse reason clue \
        talk speak say admit confess chance freedom childhood past future dignity sanity boyfriend girlfriend purpose meaning success
        """

    /// Past forms of speech, which report somebody's words.
    static let reported: StaticString = """
        said says told tells asked asks wrote writes mentioned claimed claims thinks thought texted shouted insisted \
        explained suggested announced believes reckons messaged emailed replied goes
        """

    /// Fillers of number words: `word value`.
    static let cardinals: StaticString = """
        zero 0,one 1,two 2,three 3,four 4,five 5,six 6,seven 7,eight 8,nine 9,ten 10,eleven 11,twelve 12,thirteen 13,\
        fourteen 14,fifteen 15,sixteen 16,seventeen 17,eighteen 18,nineteen 19,twenty 20,thirty 30,forty 40,fourty 40,\
        fifty 50,sixty 60,seventy 70,eighty 80,ninety 90,hundred 100,thousand 1000,dozen 12,dozens 12,half -2,quarter -4
        """

    static let ordinals: StaticString = """
        first 1,second 2,third 3,fourth 4,fifth 5,sixth 6,seventh 7,eighth 8,ninth 9,tenth 10,eleventh 11,twelfth 12,\
        thirteenth 13,fourteenth 14,fifteenth 15,sixteenth 16,seventeenth 17,eighteenth 18,nineteenth 19,twentieth 20,\
        thirtieth 30,last -1
        """

    static let months: StaticString = """
        january 1,jan 1,february 2,feb 2,march 3,april 4,apr 4,may 5,june 6,jun 6,july 7,jul 7,august 8,aug 8,\
        september 9,sept 9,sep 9,october 10,oct 10,november 11,nov 11,december 12,dec 12
        """

    static let weekdays: StaticString = """
        monday 1,mon 1,tuesday 2,tue 2,tues 2,wednesday 3,weds 3,thursday 4,thu 4,thurs 4,thur 4,friday 5,fri 5,\
        saturday 6,sunday 7,mondays 1,tuesdays 2,wednesdays 3,thursdays 4,fridays 5,saturdays 6,sundays 7
        """

    /// Words of the calendar that the date reader knows by spelling; listed so that slips are corrected to them.
    static let calendar: StaticString = """
        today tomorrow yesterday tonight weekend week month year day hour minute second noon midnight morning afternoon \
        evening night fortnight quarter next last previous past coming following ago later later_on lunchtime end start \
        beginning middle mid early late weeks months years days hours minutes weekly monthly daily yearly mins hrs min hr \
        tmrw tmr tomoz tonite overmorrow weekends evenings mornings eod eow eom \
        much many what when where which please could would should have delete remove
        """

    /// `word code minor`: currency words; the symbol table is in the money reader.
    static let currencies: StaticString = """
        euro EUR,euros EUR,eur EUR,dollar USD,dollars USD,usd USD,buck USD,bucks USD,pound GBP,pounds GBP,gbp GBP,\
        quid GBP,sterling GBP,chf CHF,franc CHF,francs CHF,yen JPY,jpy JPY,zloty PLN,pln PLN,sek SEK,nok NOK,dkk DKK,\
        krona SEK,kronor SEK,kroner DKK,rupee INR,rupees INR,inr INR,cad CAD,aud AUD,nzd NZD,yuan CNY,cny CNY,czk CZK,\
        huf HUF,forint HUF,try TRY,lira TRY,brl BRL,mxn MXN,peso MXN,pesos MXN,zar ZAR,rand ZAR,fiver -5,tenner -10
        """

    /// `word unit factor`: spellings of units of amount.
    static let units: StaticString = """
        g g,gr g,gram g,grams g,gramme g,grammes g,kg kg,kgs kg,kilo kg,kilos kg,kilogram kg,kilograms kg,mg mg,\
        milligram mg,milligrams mg,ml ml,mls ml,millilitre ml,millilitres ml,milliliter ml,milliliters ml,cl cl,\
        centilitre cl,centilitres cl,centiliter cl,centiliters cl,dl dl,decilitre dl,decilitres dl,deciliter dl,\
        deciliters dl,l l,ltr l,ltrs l,litre l,litres l,liter l,liters l,tsp tsp,tsps tsp,teaspoon tsp,teaspoons tsp,\
        teaspoonful tsp,tbsp tbsp,tbsps tbsp,tbs tbsp,tablespoon tbsp,tablespoons tbsp,cup cup,cups cup,oz oz,ounce oz,\
        ounces oz,lb lb,lbs lb,pound lb,pounds lb,piece piece,pieces piece,pcs piece,pc piece,pack pack,packs pack,\
        packet pack,packets pack,pkt pack,package pack,packages pack,can can,cans can,tin can,tins can,bottle bottle,\
        bottles bottle,bunch bunch,bunches bunch,clove clove,cloves clove,slice slice,slices slice,jar jar,jars jar,\
        bag bag,bags bag,box box,boxes box,carton carton,cartons carton,loaf loaf,loaves loaf,stick stick,sticks stick,\
        head head,heads head,pinch pinch,pinches pinch,pint pint,pints pint,quart quart,quarts quart,gallon gallon,\
        gallons gallon,roll roll,rolls roll,tub tub,tubs tub,bar bar,bars bar,tube tube,tubes tube,crate crate,\
        crates crate,tray tray,trays tray,sheet sheet,sheets sheet,handful handful,handfuls handful,dash dash,\
        dashes dash,sachet sachet,sachets sachet,punnet punnet,punnets punnet,sprig sprig,sprigs sprig,stalk stalk,\
        stalks stalk,block block,blocks block,fillet fillet,fillets fillet,knob knob,pair pair,pairs pair,case case,\
        cases case,floz floz,pot pot,pots pot,sack sack,sacks sack,net net,multipack pack,bulb bulb,bulbs bulb,\
        wedge wedge,wedges wedge,glass glass,glasses glass,spoon spoon,spoons spoon
        """
}
