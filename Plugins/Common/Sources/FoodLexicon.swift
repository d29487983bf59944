/// Which aisle a thing is found in, from its name.
///
/// English names the kind last (`oat milk`, `tomato sauce`), so the longest known phrase that ends latest decides; what
/// follows `for`, `in`, `with` or `without` only describes. A word such as `frozen` anywhere moves the thing.
public enum FoodLexicon {
    /// The aisle; `.other` for names that the lexicon does not know.
    public static func aisle(of name: String) -> Aisle {
        var stems = Words(name).stems
        for (index, stem) in stems.enumerated() where index > 0 && describing.contains(stem) {
            stems = Array(stems[..<index])
            break
        }
        if stems.contains(where: { freezing.contains($0) }) { return .frozen }
        if let phrase = phrase(in: stems) { return phrase.aisle }
        // Grown together: `wholegrainbread`, `hazelnutmilk`.
        guard let last = stems.last, last.utf8.count > 6 else { return .other }
        for (suffix, aisle) in suffixes where last.hasSuffix(suffix) { return aisle }
        return .other
    }

    /// Whether the name as a whole is a known thing of its own: `peanut butter` is, `organic butter` is not.
    @Sendable public static func isKnown(_ stems: [String]) -> Bool {
        stems.count <= longest && table[stems.joined(separator: " ")] != nil
    }

    private static func phrase(in stems: [String]) -> (length: Int, aisle: Aisle)? {
        var end = stems.count
        while end > 0 {
            for length in stride(from: min(longest, end), through: 1, by: -1) {
                let key = stems[(end - length)..<end].joined(separator: " ")
                if let aisle = table[key] { return (length, aisle) }
            }
            end -= 1
        }
        return nil
    }

    private static let describing: Set<String> = Set(["for", "in", "with", "without", "from"].map(Words.stem))
    private static let freezing: Set<String> = Set(["frozen", "freezer"].map(Words.stem))
    private static let longest = 3

    private static let suffixes: [(String, Aisle)] = [
        ("bread", .bakery), ("milk", .dairy), ("chees", .dairy), ("berri", .produce), ("juic", .drinks),
        ("fish", .fish), ("sauc", .pantry), ("noodl", .pantry), ("paper", .household), ("cak", .bakery),
    ]

    private static let table: [String: Aisle] = {
        var table: [String: Aisle] = [:]
        table.reserveCapacity(1200)
        for (aisle, names) in entries {
            for name in names.split(separator: ",") {
                table[Words.key(String(name))] = aisle
            }
        }
        return table
    }()

    private static let entries: [(Aisle, String)] = [
        (
            .produce,
            """
            apple,apricot,artichoke,arugula,asparagus,aubergine,avocado,banana,basil,bean sprout,beet,beetroot,bell pepper,\
            berry,blackberry,blackcurrant,blood orange,blueberry,bok choy,broad bean,broccoli,broccolini,brussels sprout,\
            butternut squash,butternut,cabbage,cantaloupe,capsicum,carrot,cassava,cauliflower,celeriac,celery,chanterelle,\
            chard,cherry,cherry tomato,chestnut,chicory,chili,chilli,chili pepper,chive,cilantro,clementine,clove of garlic,\
            coconut,collard green,coriander,fresh coriander,corn on the cob,courgette,cranberry,cress,cucumber,currant,date,\
            dill,dragon fruit,edamame,eggplant,endive,fennel,fig,fresh herb,fruit,garlic,garlic clove,ginger,gooseberry,\
            grape,grapefruit,green bean,green onion,guava,herb,honeydew,iceberg,jalapeno,kale,kiwi,kohlrabi,kumquat,leek,\
            lemon,lemongrass,lettuce,lime,lychee,mandarin,mango,mangetout,melon,mint,mushroom,nectarine,okra,onion,orange,\
            oregano fresh,pak choi,papaya,parsley,parsnip,passion fruit,pea pod,peach,pear,pepper red,persimmon,pineapple,\
            plantain,plum,pomegranate,pomelo,potato,pumpkin,quince,radicchio,radish,raspberry,red cabbage,red onion,\
            red pepper,green pepper,yellow pepper,sweet pepper,rhubarb,rocket,romaine,rosemary,runner bean,rutabaga,sage,\
            salad,satsuma,scallion,shallot,snow pea,sorrel,spinach,spring onion,sprout,squash,strawberry,sugar snap,swede,\
            sweet corn,sweet potato,sweetcorn,swiss chard,tangerine,tarragon,thyme,tomato,turnip,vegetable,veggie,\
            watercress,watermelon,yam,zucchini,courgettes,microgreen,plum tomato,baby spinach,salad leaf,fresh basil,\
            mixed salad,fresh mint,fresh thyme,turmeric root,mixed fruit,cut flower,flower
            """
        ),
        (
            .bakery,
            """
            bagel,baguette,bap,bread,bread roll,breadstick,brioche,brownie,bun,burger bun,cake,cheesecake,ciabatta,cinnamon roll,\
            cookie dough,croissant,crumpet,cupcake,danish,donut,doughnut,dinner roll,eclair,english muffin,flatbread,\
            focaccia,fruit loaf,garlic bread,gingerbread,hamburger bun,hot dog bun,loaf,muffin,naan,naan bread,\
            pain au chocolat,pancake,pastry,pie,pita,pita bread,pitta,pretzel,pumpernickel,roll,rye bread,sandwich,scone,\
            sourdough,sponge cake,tart,toast,tortilla,tortilla wrap,waffle,white bread,whole wheat bread,wholemeal bread,\
            wrap,panettone,stollen,strudel,birthday cake,apple pie,banana bread,sandwich bread,toast bread
            """
        ),
        (
            .dairy,
            """
            almond milk,blue cheese,brie,butter,buttermilk,burrata,camembert,cheddar,cheese,cheese slice,clotted cream,\
            coconut yogurt,comte,cottage cheese,cream,cream cheese,creme fraiche,curd,custard,double cream,dumpling dairy,\
            edam,egg,egg white,egg yolk,emmental,feta,fromage frais,ghee,goat cheese,gorgonzola,gouda,greek yogurt,gruyere,\
            half and half,halloumi,heavy cream,kefir,lactose free milk,manchego,margarine,mascarpone,milk,mozzarella,\
            oat cream,oat milk,paneer,parmesan,parmesan cheese,pecorino,provolone,quark,rice milk,ricotta,skyr,\
            skimmed milk,skim milk,semi skimmed milk,single cream,sour cream,soy milk,soya milk,soy yogurt,spreadable butter,\
            stilton,string cheese,swiss cheese,tofu,tempeh,whey,whipped cream,whipping cream,whole milk,yoghurt,yogurt,\
            yoghurt drink,chocolate milk,vegan cheese,goat milk,coffee creamer,creamer,pudding,fresh pasta,hummus,houmous,\
            tzatziki,guacamole,pesto fresh,free range egg,seitan
            """
        ),
        (
            .meat,
            """
            bacon,beef,beef mince,bratwurst,burger,burger patty,chicken,chicken breast,chicken drumstick,chicken leg,\
            chicken nugget,chicken thigh,chicken wing,chop,chorizo,cold cut,corned beef,duck,duck breast,frankfurter,\
            goose,gammon,ground beef,ground meat,ground pork,ground turkey,ham,hamburger,hot dog,jerky beef,kebab,kidney,\
            lamb,lamb chop,liver,lunch meat,meat,meatball,mince,minced beef,minced meat,mincemeat,mortadella,oxtail,pancetta,\
            pastrami,pate,pepperoni,pork,pork belly,pork chop,pork loin,pork shoulder,prosciutto,pulled pork,rabbit,ribs,\
            roast beef,roast chicken,rump,salami,sausage,serrano ham,sirloin,sliced ham,sliced turkey,steak,stewing beef,\
            tenderloin,turkey,turkey breast,veal,veggie burger,venison,wiener,fillet steak,lardon,cooked ham,meat substitute
            """
        ),
        (
            .fish,
            """
            anchovy,bass,calamari,carp,caviar,clam,cod,cod fillet,crab,crab stick,crayfish,eel,fish,fish fillet,haddock,\
            hake,halibut,herring,king prawn,kipper,langoustine,lobster,mackerel,monkfish,mullet,mussel,octopus,oyster,\
            plaice,pollock,prawn,salmon,salmon fillet,sardine,scallop,sea bass,sea bream,seafood,shrimp,smoked salmon,\
            sole,squid,surimi,swordfish,tilapia,trout,tuna steak,sushi,turbot,cockle,smoked mackerel
            """
        ),
        (
            .pantry,
            """
            alfredo sauce,almond butter,apple sauce,applesauce,arborio,baked bean,balsamic,balsamic vinegar,barbecue sauce,\
            barley,basmati,basmati rice,bbq sauce,bean,black bean,bouillon,bouillon cube,bran,bran flake,breakfast cereal,\
            broth,brown rice,buckwheat,bulgur,butter bean,canned bean,canned corn,canned tomato,canned tuna,cannellini,\
            caper,cereal,chickpea,chicken broth,chicken stock,chili sauce,chopped tomato,chutney,coconut cream,\
            coconut milk,coconut oil,corn flake,cornflake,couscous,cranberry sauce,crispbread,crouton,curry paste,\
            curry sauce,dried bean,dried fruit,fish sauce,garbanzo,gherkin,gnocchi,granola,gravy,green lentil,grit,harissa,\
            hoisin sauce,honey,horseradish,hot sauce,instant noodle,jam,jelly,kidney bean,ketchup,lasagna,lasagne,\
            lasagna sheet,lentil,linguine,macaroni,maple syrup,marinade,marmalade,marmite,mayo,mayonnaise,mirin,miso,\
            miso paste,molasses,muesli,mustard,noodle,nutella,oat,oatmeal,oil,olive,olive oil,orzo,oyster sauce,pasta,\
            pasta sauce,passata,pea soup,peanut butter,penne,pesto,pickle,pickled onion,pinto bean,polenta,popping corn,\
            porridge,porridge oat,quinoa,ramen,ranch dressing,rapeseed oil,ravioli,red lentil,relish,rice,rice cake,\
            rice noodle,rice vinegar,rigatoni,risotto,risotto rice,salad dressing,dressing,salsa,sardine tin,sauce,\
            sauerkraut,sesame oil,soup,soy sauce,soya sauce,spaghetti,split pea,sriracha,stock,stock cube,sun dried tomato,\
            sunflower oil,sushi rice,syrup,tabasco,taco shell,taco,tagliatelle,tahini,tamari,teriyaki sauce,tinned tomato,\
            tinned tuna,tomato paste,tomato puree,tomato sauce,tomato soup,tortellini,tuna,vegetable broth,vegetable oil,\
            vegetable stock,vermicelli,vinegar,white rice,wild rice,worcestershire sauce,chili oil,cooking oil,canola oil,\
            white bean,black olive,green olive,chocolate spread,spread,preserve,nut butter,jarred pepper,udon,soba,\
            tuna can,corn tin,vegetable soup,chicken soup,spelt,millet,ready meal,tinned fish,weetabix,cheerio,vegemite
            """
        ),
        (
            .baking,
            """
            active yeast,agave,all purpose flour,allspice,almond extract,almond flour,anise,baking powder,baking soda,\
            bay leaf,bicarbonate of soda,bicarb,black pepper,bread flour,breadcrumb,brown sugar,cake mix,caraway,cardamom,\
            caster sugar,cayenne,chili flake,chili powder,chilli powder,chocolate chip,cinnamon,clove,cocoa,cocoa powder,\
            coconut flake,coconut flour,condensed milk,corn starch,corn syrup,cornflour,cornmeal,cornstarch,cream of tartar,\
            cumin,curry powder,custard powder,desiccated coconut,dried basil,dried oregano,dried thyme,evaporated milk,\
            fennel seed,flour,food coloring,food colouring,garam masala,garlic powder,gelatin,gelatine,granulated sugar,\
            ground almond,ground cinnamon,ground cumin,ground ginger,herbes de provence,icing,icing sugar,italian seasoning,\
            mixed spice,mustard seed,nutmeg,onion powder,oregano,paprika,pepper,peppercorn,plain flour,poppy seed,\
            powdered sugar,pudding mix,psyllium,rye flour,saffron,salt,sea salt,seasoning,self raising flour,semolina,\
            sesame,sesame seed,smoked paprika,spice,sprinkle,star anise,starch,stevia,sugar,sugar cube,sweetener,tapioca,\
            turmeric,vanilla,vanilla extract,vanilla sugar,white pepper,whole wheat flour,wholemeal flour,xanthan gum,yeast,\
            white sugar,cane sugar,pancake mix,baking chocolate,pectin,vanilla pod,puff pastry,shortcrust pastry,marzipan
            """
        ),
        (
            .snacks,
            """
            almond,biscuit,bonbon,brazil nut,candy,candy bar,caramel,cashew,cereal bar,cheese puff,chewing gum,chip,\
            chocolate,chocolate bar,cookie,corn chip,cracker,crisp,dark chocolate,dried apricot,dried mango,energy bar,\
            fruit snack,fudge,granola bar,gum,gummy bear,gummy,hazelnut,jerky,beef jerky,licorice,liquorice,lollipop,\
            macadamia,marshmallow,milk chocolate,mixed nut,mint sweet,muesli bar,nacho,nougat,nut,oatcake,peanut,pecan,\
            pine nut,pistachio,popcorn,pork rind,potato chip,pretzels stick,prawn cracker,protein bar,prune,pumpkin seed,\
            raisin,rice cracker,salted peanut,seaweed snack,snack,snack bar,sultana,sunflower seed,sweet,toffee,\
            tortilla chip,trail mix,truffle chocolate,wafer,walnut,white chocolate,chia seed,flax seed,linseed,shortbread
            """
        ),
        (
            .drinks,
            """
            ale,almond drink,apple juice,beer,beverage,black tea,bottled water,bourbon,brandy,champagne,cider,coca cola,\
            cocktail,coconut water,coffee,coffee bean,coffee capsule,coffee pod,cola,coke,cold brew,cordial,\
            cranberry juice,decaf,diet coke,drink,earl grey,energy drink,espresso,fizzy drink,fizzy water,fruit juice,\
            gin,ginger ale,ginger beer,grape juice,green tea,ground coffee,herbal tea,hot chocolate,ice tea,iced tea,\
            instant coffee,juice,kombucha,lager,lemonade,lemon juice,lime juice,liqueur,mate,mineral water,mulled wine,\
            non alcoholic beer,oj,orange juice,pineapple juice,pepsi,port wine,prosecco,red bull,red wine,root beer,\
            rose wine,rum,sake,seltzer,sherry,smoothie,soda,soda water,soft drink,sparkling water,sparkling wine,\
            sports drink,sprite,squash drink,still water,tea,tea bag,tequila,tomato juice,tonic,tonic water,vermouth,vodka,\
            water,water bottle,whiskey,whisky,white wine,wine,chamomile tea,mint tea,protein shake,oat drink,soy drink
            """
        ),
        (
            .frozen,
            """
            fish finger,fish stick,frozen berry,frozen chip,frozen fruit,frozen meal,frozen pea,frozen pizza,\
            frozen vegetable,french fry,fries,gelato,hash brown,ice,ice cream,ice cube,ice lolly,oven chip,pea,pizza,\
            popsicle,potato waffle,sorbet,spring roll,tater tot,dumpling,gyoza,garden pea,ice pop,pizza base
            """
        ),
        (
            .household,
            """
            air freshener,all purpose cleaner,aluminium foil,aluminum foil,baking paper,baking parchment,baking tray,\
            battery,bin bag,bin liner,bleach,broom,bulb,candle,charcoal,cleaner,cleaning spray,cleaning product,\
            cling film,cloth,coffee filter,degreaser,detergent,dish soap,dish sponge,dishwasher salt,dishwasher tablet,\
            dishwashing liquid,disinfectant,disposable glove,drain cleaner,duct tape,dust bag,duster,fabric conditioner,\
            fabric softener,firelighter,floor cleaner,foil,foil tray,freezer bag,furniture polish,garbage bag,glass cleaner,\
            glue,greaseproof paper,kitchen paper,kitchen roll,kitchen towel,lamp,laundry detergent,laundry pod,\
            laundry powder,laundry soap,light bulb,lighter,limescale remover,match,mop,napkin,oven cleaner,\
            oven glove,paper cup,paper plate,paper towel,parchment paper,plastic wrap,rinse aid,rubber glove,sandwich bag,\
            scouring pad,scrubber,scrubbing brush,serviette,sponge,stain remover,straw,tape,tin foil,toilet cleaner,\
            trash bag,trash can liner,vacuum bag,washing liquid,washing powder,washing up liquid,wax paper,window cleaner,\
            wood polish,ziploc bag,ziplock,zip bag,lightbulb,toothpick,skewer,dishcloth,insect spray,envelope,stamp,pen,\
            notebook,wrapping paper,gift card,birthday card,extension cord,plant soil,fertilizer,toilet roll,toilet paper,\
            bathroom tissue,loo roll
            """
        ),
        (
            .personalCare,
            """
            after shave,aftershave,antiperspirant,antihistamine,aspirin,band aid,bandage,bath salt,body lotion,body wash,\
            bubble bath,conditioner,condom,contact lens solution,cotton ball,cotton bud,cotton pad,cotton swab,cough syrup,\
            cough drop,cream face,dental floss,deodorant,face cream,face mask,face wash,facial tissue,floss,foundation,\
            hair brush,hair dye,hair gel,hair spray,hair tie,hairspray,hand cream,hand sanitizer,hand soap,hand wash,\
            ibuprofen,lip balm,lipstick,lotion,makeup,make up remover,mascara,medicine,moisturiser,moisturizer,mouthwash,\
            multivitamin,nail clipper,nail file,nail polish,nail polish remover,pad,paracetamol,painkiller,pantyliner,\
            perfume,plaster,q tip,razor,razor blade,sanitary pad,sanitary towel,shampoo,shaving cream,shaving foam,\
            shower gel,soap,soap bar,sun cream,sun screen,sunscreen,suncream,talcum powder,tampon,tissue,toothbrush,\
            toothpaste,tweezer,vaseline,vitamin,vitamin c,vitamin d,wet wipe,omega 3,magnesium,cold medicine,eye drop,\
            nasal spray,thermometer,melatonin,antacid,menstrual cup,tylenol,advil
            """
        ),
        (
            .baby,
            """
            baby bottle,baby cereal,baby cream,baby food,baby formula,baby milk,baby oil,baby powder,baby shampoo,\
            baby wipe,bib,diaper,diaper cream,diaper rash cream,dummy,formula,formula milk,infant formula,nappy,\
            nappy bag,nappy cream,pacifier,teething ring,pull up,follow on milk
            """
        ),
        (
            .pets,
            """
            bird food,bird seed,cat food,cat litter,cat treat,dog biscuit,dog chew,dog food,dog treat,fish food,flea collar,\
            flea treatment,hamster food,hay,kibble,kitty litter,litter,pet food,poop bag,rabbit food,wet cat food,\
            dry dog food,dog bone,puppy food,kitten food,puppy pad,cat snack
            """
        ),
    ]
}
