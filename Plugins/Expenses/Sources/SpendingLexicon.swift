import PluginCommon

/// Which category money was probably spent on, from the words that describe it.
///
/// The longest known phrase decides, the first one among equals; a food that no phrase names is groceries.
enum SpendingLexicon {
    /// The categories that everybody has, in the order in which they are listed.
    static let categories = [
        "groceries", "eating out", "transport", "housing", "utilities", "health", "household", "clothing",
        "personal care", "entertainment", "subscriptions", "children", "pets", "education", "gifts", "travel", "fees",
        "work", "other",
    ]

    /// The category of a description; nil when nothing in it is known.
    static func category(of text: String) -> String? {
        let stems = Words(text).stems
        if stems.count > 1, FoodLexicon.isKnown(stems) { return category(of: FoodLexicon.aisle(of: text)) }
        for length in stride(from: min(longest, stems.count), through: 1, by: -1) {
            for start in 0...(stems.count - length) {
                if let category = table[stems[start..<(start + length)].joined(separator: " ")] { return category }
            }
        }
        return category(of: FoodLexicon.aisle(of: text))
    }

    private static func category(of aisle: Aisle) -> String? {
        switch aisle {
        case .other: nil
        case .household: "household"
        case .personalCare: "personal care"
        case .baby: "children"
        case .pets: "pets"
        default: "groceries"
        }
    }

    /// Another name of one of the built-in categories: `food` is groceries, `restaurants` is eating out.
    static func builtIn(named name: String) -> String? { names[Words.key(name)] }

    private static let longest = 3

    private static let names: [String: String] = {
        var names: [String: String] = [:]
        for category in categories { names[Words.key(category)] = category }
        for (category, words) in aliases {
            for word in words.split(separator: ",") { names[Words.key(String(word))] = category }
        }
        return names
    }()

    private static let aliases: [(String, String)] = [
        ("groceries", "food,grocery,supermarket,food shopping,grocery shopping"),
        ("eating out", "restaurant,dining,dining out,eat out,takeaway,takeout,meals out,restaurants and cafes"),
        ("transport", "transportation,commuting,public transport,transit,getting around"),
        ("housing", "home,house,accommodation"),
        ("utilities", "bills,utility,utility bills"),
        ("health", "medical,healthcare,health care"),
        ("household", "household items,household goods"),
        ("clothing", "clothes,fashion,apparel"),
        ("personal care", "beauty,toiletries,cosmetics,self care,grooming"),
        ("entertainment", "fun,leisure,going out,culture,free time"),
        ("subscriptions", "memberships,streaming"),
        ("children", "kids,childcare"),
        ("pets", "animals"),
        ("education", "school,learning,studies"),
        ("gifts", "presents,donations,charity,giving"),
        ("travel", "vacation,holiday,trips"),
        ("fees", "bank fees,charges,fees and taxes"),
        ("work", "business,office"),
        ("other", "misc,miscellaneous,various,uncategorized,uncategorised"),
    ]

    private static let table: [String: String] = {
        var table: [String: String] = [:]
        for (category, phrases) in entries {
            for phrase in phrases.split(separator: ",") { table[Words.key(String(phrase))] = category }
        }
        return table
    }()

    private static let entries: [(String, String)] = [
        (
            "groceries",
            """
            grocery,supermarket,food shopping,weekly shop,aldi,lidl,tesco,sainsbury,sainsburys,asda,morrisons,waitrose,rewe,\
            edeka,penny markt,carrefour,auchan,leclerc,intermarche,monoprix,walmart,trader joe,whole food,kroger,safeway,\
            costco,publix,migros,coop,spar,mercadona,albert heijn,farmers market,food market,greengrocer,butcher,baker,\
            fishmonger,food
            """
        ),
        (
            "eating out",
            """
            lunch,dinner,breakfast,brunch,supper,restaurant,cafe,coffee,cappuccino,latte,espresso,flat white,takeaway,\
            takeout,take out,take away,pizza,burger,kebab,doner,sushi,ramen,burrito,taco,sandwich,snack bar,canteen,\
            cafeteria,bistro,pub,bar,drink,cocktail,beer at,pint,mcdonald,mcdonalds,burger king,kfc,subway sandwich,\
            starbucks,costa,pret,greggs,domino,deliveroo,uber eats,doordash,lieferando,just eat,grubhub,ice cream parlour,\
            gelato,bubble tea,food truck,food delivery,meal out,curry house,fish and chips,croissant,street food,tapas
            """
        ),
        (
            "transport",
            """
            bus,train,tram,metro,underground,subway,tube,taxi,cab,uber,lyft,bolt,ferry,ticket train,train ticket,bus ticket,\
            bus pass,travel card,transit,commute,petrol,gas,gasoline,diesel,fuel,car,car wash,car repair,car rental,\
            parking,toll,garage,mechanic,oil change,tyre,tire,bike,bike repair,bicycle,scooter,charging station,ev charging,\
            motorway,vignette,rail card,railcard,oyster card,fare,mot,car insurance,driving licence
            """
        ),
        (
            "housing",
            """
            rent,mortgage,landlord,deposit flat,house insurance,home insurance,property tax,ground rent,service charge,\
            plumber,electrician,roof,renovation,locksmith,handyman,moving van,storage unit,council tax
            """
        ),
        (
            "utilities",
            """
            electricity,power bill,electric bill,water bill,gas bill,heating,heating oil,internet,broadband,wifi,phone bill,\
            mobile bill,phone plan,mobile plan,sim card,phone credit,top up,energy bill,utility,sewage,garbage fee,\
            tv licence,landline
            """
        ),
        (
            "health",
            """
            doctor,dentist,pharmacy,chemist,medicine,medication,meds,prescription,hospital,therapy,therapist,psychiatrist,\
            psychologist,physio,physiotherapy,optician,glasses,contact lens,vaccine,vaccination,health insurance,blood test,\
            painkiller,ibuprofen,paracetamol,aspirin,vitamin,osteopath,clinic,x ray,checkup,ritalin,adderall,methylphenidate,\
            copay,massage
            """
        ),
        (
            "household",
            """
            ikea,furniture,sofa,couch,chair,desk,table,lamp,mattress,bed,bedding,pillow,towel,curtain,carpet,rug,vacuum,\
            vacuum cleaner,washing machine,dishwasher,fridge,microwave,kettle,toaster,blender,pan,pot,plate,cutlery,tool,\
            screw,paint,hardware store,diy,garden centre,plant,flower pot,cleaning,cleaner,light bulb,detergent,battery,\
            laundry,laundromat,dry cleaning,hoover,shelf,frying pan
            """
        ),
        (
            "clothing",
            """
            clothes,clothing,shirt,t shirt,tshirt,blouse,trouser,jeans,pants,shorts,skirt,dress,jacket,coat,jumper,sweater,\
            hoodie,suit,tie,sock,underwear,bra,shoe,boot,sneaker,trainers,sandal,hat,cap,scarf,glove,belt,swimsuit,pyjama,\
            pajama,h&m,zara,uniqlo,primark,zalando,tailor,handbag,backpack,umbrella,raincoat
            """
        ),
        (
            "personal care",
            """
            haircut,hairdresser,barber,salon,manicure,pedicure,nails,cosmetic,makeup,make up,perfume,skincare,spa,sauna,\
            waxing,shampoo,razor,toothbrush,deodorant,sunscreen
            """
        ),
        (
            "entertainment",
            """
            cinema,movie,film,theatre,theater,concert,gig,festival,museum,exhibition,zoo,aquarium,theme park,game,video game,\
            board game,playstation,xbox,nintendo,steam,bowling,karaoke,club,nightclub,party,hobby,yarn,craft,lego,puzzle,\
            comic,vinyl,record shop,guitar,football ticket,match ticket,stadium,escape room,swimming pool,swimming,climbing,\
            lottery,ticket,opera,ballet
            """
        ),
        (
            "subscriptions",
            """
            netflix,spotify,disney plus,disney,hulu,hbo,prime video,amazon prime,apple music,apple tv,youtube premium,\
            icloud,dropbox,google one,subscription,membership,gym,gym membership,fitness studio,magazine,newspaper,patreon,\
            audible,kindle unlimited,app,vpn,domain,web hosting,software,licence key,chatgpt,adobe,microsoft 365,office 365
            """
        ),
        (
            "children",
            """
            kid,child,children,baby,nappy,diaper,babysitter,nanny,childcare,daycare,nursery,kindergarten,toy,stroller,pram,\
            school trip,school lunch,pocket money,playground,playgroup,creche,school uniform
            """
        ),
        (
            "pets",
            """
            vet,veterinarian,cat food,dog food,cat litter,cat,dog,puppy,kitten,pet,pet shop,dog groomer,dog walker,hamster,\
            aquarium fish,leash,flea treatment
            """
        ),
        (
            "education",
            """
            book,textbook,course,class,lesson,tuition,tuition fee,school,university,college,workshop,seminar,exam,exam fee,\
            language course,driving lesson,piano lesson,stationery,notebook,pen,library,bookshop,bookstore,udemy,coursera
            """
        ),
        (
            "gifts",
            """
            gift,present,birthday present,wedding present,christmas present,gift card,donation,charity,flower,bouquet,\
            birthday card,greeting card,card for,tip,wedding gift,red cross,unicef
            """
        ),
        (
            "travel",
            """
            hotel,hostel,airbnb,flight,plane ticket,airfare,airline,holiday,vacation,booking com,luggage,suitcase,visa,\
            passport,campsite,camping,travel insurance,cruise,city tax,tour,ryanair,easyjet,lufthansa,airport
            """
        ),
        (
            "fees",
            """
            bank fee,atm fee,fee,fine,parking ticket,parking fine,speeding ticket,tax,income tax,tax advisor,accountant,\
            lawyer,notary,insurance,life insurance,interest,overdraft,overdraft fee,late fee,postage,stamp,post office,\
            shipping,customs,credit card fee,bank charge,id card,registration fee
            """
        ),
        ("work", "printer,printer ink,office supplies,coworking,co working,business card,conference,work laptop"),
    ]
}
