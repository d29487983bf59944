extension LexiconData {
    /// Things people eat, drink or keep in the house.
    static let wares: StaticString = """
        milk egg bread butter cheese yogurt yoghurt cream flour sugar salt pepper oil vinegar rice pasta spaghetti noodle \
        tomato potato onion garlic carrot cucumber lettuce spinach broccoli cauliflower cabbage mushroom zucchini courgette \
        aubergine eggplant pumpkin celery leek pea bean lentil chickpea corn avocado lemon lime orange apple banana pear \
        grape strawberry raspberry blueberry cherry peach plum mango pineapple melon watermelon kiwi berry fruit vegetable \
        veg salad chicken beef pork ham bacon sausage turkey lamb steak mince meat fish salmon tuna shrimp prawn cod tofu \
        coffee tea juice water soda coke cola beer wine lemonade cocoa chocolate biscuit cookie cake crisps chip cracker \
        cereal oat oatmeal muesli granola honey jam marmalade syrup nutella peanut almond walnut nut raisin date ketchup \
        mustard mayo mayonnaise sauce soy pesto stock broth soup pizza burger sandwich bagel croissant baguette bun roll \
        toast tortilla wrap pancake waffle ice cream yeast baking powder soda vanilla cinnamon basil parsley coriander \
        cilantro thyme oregano rosemary dill mint ginger curry paprika cumin chilli chili spice herb toilet paper tissue \
        napkin towel kitchen foil cling wrap bin bag soap shampoo conditioner toothpaste toothbrush deodorant detergent \
        bleach sponge battery candle lightbulb bulb nappy diaper wipe razor sunscreen plaster food \
        litter snack treat popcorn pretzel olive caper anchovy mozzarella parmesan cheddar feta ricotta gouda brie hummus \
        quinoa couscous bulgur barley margarine lard buttermilk kefir mineral sparkling oatmilk tampon pad cotton bud \
        dishwasher tablet trash sprout radish beet beetroot turnip parsnip kale asparagus artichoke fennel squash pickle \
        kimchi ravioli gnocchi lasagne lasagna penne macaroni ramen udon sushi miso tempeh seitan falafel naan pita sorbet \
        custard pudding mousse brownie muffin cupcake doughnut donut pastry pie tart crumpet scone waffles granulated icing \
        cordial squash smoothie cider vodka gin rum whisky whiskey champagne prosecco espresso decaf latte creamer \
        sultana apricot fig papaya guava pomegranate lychee grapefruit clementine mandarin satsuma nectarine cranberry \
        rhubarb swede okra chard rocket arugula watercress endive bok choy ghee halloumi camembert cottage mascarpone \
        salami chorizo pepperoni prosciutto veal duck venison crab lobster mussel squid sardine mackerel trout haddock \
        tinfoil baking parchment matches lighter insecticide polish cleaner disinfectant lotion moisturiser floss mouthwash \
        ibuprofen paracetamol aspirin vitamin bandage sanitiser charcoal firewood compost flour crouton breadcrumb stuffing \
        gravy bouillon vanilla syrup treacle molasses marzipan marshmallow jelly gelatine cornstarch cornflour semolina \
        gherkin jalapeno scallion shallot chive nutmeg clove saffron seed sesame sunflower pumpkin flax chia
        """

    /// Actions that start a task rather than name a thing.
    static let deeds: StaticString = """
        call phone ring email mail text write book renew pay file submit clean tidy vacuum hoover mop dust iron fold wash \
        fix repair mow water feed walk visit meet see pick collect return exchange cancel schedule arrange organise \
        organize prepare print scan sign send post ship pack unpack move sell donate apply register enrol enroll study \
        learn practise practice read review revise check confirm ask tell talk speak reply respond answer finish start \
        begin build paint install update upgrade download upload backup sort declutter throw take bring drop deliver \
        order reserve research plan find look contact message invite thank apologise apologize follow change replace \
        charge refill empty defrost bake cook train exercise run swim stretch meditate sleep wake go get buy make do \
        attend join host celebrate wrap hang put set test measure weigh vote travel drive park refuel transfer deposit \
        withdraw invest close open hire interview negotiate discuss present edit proofread translate draft complete \
        prep remind remove turn switch try use help teach watch listen play drink eat
        """

    /// Words that are right as they are: not to be read as slips of a similar word.
    static let common: StaticString = """
        able above accept across act age air almost alone along already although among animal answer appear area arm art \
        baby back bad bag ball bank base bath beach bear beautiful become bed been behind believe below best better big \
        bird birthday bit black blue board boat body boil bone book boot born boss bottle bottom bowl boy brain branch \
        bread break bridge bright brother brown brush build burn bus business busy cable calm came camp camera car card \
        care carry cause cell centre center certain chair chance cheap child children choice church circle city class \
        clear clever clock cloth clothes cloud coast coat code cold collect colour color come common company complain \
        computer control cool copy corner correct couch cough country couple course court cover crazy create cross cry \
        cut dad dance danger dark data daughter dead deal death decide deep degree dentist depend describe desk detail \
        did die different difficult dinner dirty doctor dog door doubt down draw dress dry early earth east easy eight \
        either electric else energy engine english enough enter error even event ever exact example except excited \
        expect expensive experience eye face fact fail fair fall family famous far farm fast fat father fear feel feet \
        felt few field fight fill final fine finger fire fit five flat flight floor flow flower fly follow food foot \
        form forward found four free french fresh friday friend front full fun funny future game garden gas gate general \
        gentle german gift girl give glad glass goat gold good grand grass gray great green grey ground group grow guess \
        guest gun guy hair hall hand happen happy hard hat hate head health hear heart heat heavy height held high hill \
        hit hold hole holiday home horse hospital hot hotel house huge human hundred hungry hurry hurt husband ice idea \
        ill important inside interest internet iron island joke joy jump key kid kill kind king kiss kitchen knee knife \
        knock lady lake land landlord language large laugh launch law lawyer lazy lead leaf least leave leg less lesson \
        letter level library lie life lift light line lion lip liver little live local lock long look lose lot loud love \
        low luck lunch machine mad magic main major man manager many map mark match matter mean meat medical member \
        middle mild mile mind mine miss mistake model modern mom moment moon more most mother mountain mouse mouth movie \
        much mum murder museum music must nail narrow nation nature near neat neck neighbour neighbor nervous new news \
        nice nobody noise none normal north nose nothing number ocean odd offer office officer often old once only \
        opinion option order other outside own owner page paid pain pair palm pants paper parent park part partner party \
        pass passport password path peace pen pencil people perfect perhaps person pet phone photo piano picture piece \
        pin pink pipe place plane plant plate play please poem point poison police pool poor pop popular port position \
        power present pretty price prince print private problem proud public pull purple purse push quality queen quiet \
        quite race radio rain raise reach ready real reason red rest restaurant result rich ride ring rise river road \
        rock roof room rope rose rough round row rule sad safe sail salt same sand scared school science sea search seat \
        secret self sense serious seven several shade shake shape share sharp sheep ship shirt shoe short shoulder shout \
        shower shut sick side sight sign silly silver similar simple sing single sister sit six size skin skirt sky sleep \
        slow small smart smell smile smoke snow soft some son song soon sorry soul sound south space speak special speed \
        spell spoon sport spot spring stage stair stamp stand star stay steal steam steel stone story straight strange \
        stranger street strong student stupid such sudden suit summer sun sure surprise sweet swim table tail tall taste \
        taxi teacher team tear tell ten tennis terrible thank thick thin thing think third thirty threat throat ticket \
        tie tight tiny tired today toe together tonight tooth top touch tough tour town toy train tree trip trouble true \
        trust try turn twelve twenty twice two ugly umbrella uncle university upon upset usual valley van very view \
        village visit voice wait wake walk wall warm wash waste watch water wave way weak wear weather wedding week \
        weight welcome west wet wheel white whole wide wife wild win wind window winter wise woman wonder wood word work \
        world worry worse worst wrong yard yellow yes yet young zoo zone zero yeah yep nope sure agree fine nice cool \
        awesome stressed overwhelmed bored lonely anxious feeling capital president taxi uber cab joke song poem weather \
        forecast temperature flight hotel bank account score game movie news stock bitcoin mother sister dad son letter \
        lamp lights heating thermostat door garage alarm timer clock cast coast pasta paste host most lost cost post lose \
        loose chose close cloth spent spend spring sprint stent tent rent went sent cent bent lent vent dent bought \
        brought caught taught fought sought thought show shop snow slow stow chow crow grow flow know list mist fist last \
        lust lost fast past task ask mask bask tank note vote node nose rote dote nope recipe receipt recite plan plant \
        plane plain clan play clay tray pray stay slay turn burn torn tern mail main maid rail tail nail sail fail fire \
        fork form forum from farm firm film file pile mile tile bile wile aisle smile while title battle bottle little \
        litter letter latter later water wafer cater rate rates date dates data late lake make made mad male mate fate \
        gate hate cute code mode rode node rude rule role rope hope cope dope done dune tune june tuna none gone bone \
        zone lone tone save cave wave gave pave have cable table fable label liable step stop stem set get bet let met \
        net pet vet wet yet jet find fund fond bond kind mind wind bind hind blind grind read real ready reed road bread \
        tread dread thread buy guy boy bay by add odd aid sad dad bad mad had lad pad remove improve remote removed \
        delete deleted expand expanse expansive pantry country entry empty simply supply apply reply export expert \
        import sport report support airport budget gadget widget midget share shape shade shake spare square scare stare \
        care dare fare bare mare rare hare scale stale sale tale whale male memory memoir member remember december \
        september split spilt spit split spill spoil soil boil oil toil bill till pill fill hill kill will mill ill \
        track truck trick trace tract crack black clean clear cleat bear fear gear hear near pear tear year wear year \
        currency current urgency agency menu many money monkey honey phone bone stone alone clone price pride prize \
        twice rice dice mice nice slice spice space place pace face race lace grace change chance charge range orange \
        strange large merge forge quiet quite quit suit suite bite site side size wide hide ride tide pride bride count \
        mount court county amount account discount total vital metal petal hotel motel model modal medal pedal
        """
}
