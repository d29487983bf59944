/// Wordings of requests that the fixture tools serve. The person's zone is Europe/Berlin, now is Saturday,
/// 2026-11-21T10:00:00Z.
enum CorpusRequests {
    static let grocery = Phrase.parse(
        """
        grocery.add | add bananas to my list | {"items":[{"name":"bananas"}]}
        grocery.add | stick some butter on the shopping list please | {"items":[{"name":"butter"}]}
        grocery.add | could you pop 6 eggs on the grocery list | {"items":[{"name":"eggs","quantity":"6"}]}
        grocery.add | we're out of coffee | {"items":[{"name":"coffee"}]}
        grocery.add | we ran out of toilet paper | {"items":[{"name":"toilet paper"}]}
        grocery.add | i need milk, bread and 3 lemons from the supermarket
        grocery.add | on my shopping list put 2 kg of potatoes and an onion | {"items":[{"name":"potatoes","quantity":"2","unit":"kg"},{"name":"onion"}]}
        grocery.add | pls ad tomatos to the grocery list | {"items":[{"name":"tomatos"}]}
        grocery.add | groceries: apples, pears, rice
        grocery.add | don't forget to add yoghurt to the groceries | {"items":[{"name":"yoghurt"}]}
        grocery.add | throw a dozen eggs and half a pound of butter on the list | {"items":[{"name":"eggs","quantity":"12"},{"name":"butter","quantity":"0.5","unit":"lb"}]}
        grocery.add | can you add 500g minced beef, 2 cans of chopped tomatoes and spaghetti | {"items":[{"name":"minced beef","quantity":"500","unit":"g"},{"name":"chopped tomatoes","quantity":"2","unit":"can"},{"name":"spaghetti"}]}
        grocery.add | need cheese and crackers for the party on my shopping list
        grocery.add | we need more dish soap | {"items":[{"name":"dish soap"}]}
        grocery.add | add to my shopping list: oats, honey, almond milk | {"items":[{"name":"oats"},{"name":"honey"},{"name":"almond milk"}]}
        grocery.add | include two bottles of olive oil in the grocery list | {"items":[{"name":"olive oil","quantity":"2","unit":"bottle"}]}
        grocery.add | put down bread and cheese on the list
        grocery.add | hey, i'd like you to add chicken thighs to our list | {"items":[{"name":"chicken thighs"}]}
        grocery.add | add mac and cheese and ketchup to my list | {"items":[{"name":"mac and cheese"},{"name":"ketchup"}]}
        grocery.add | remember to buy cat food
        grocery.add | we're running low on dishwasher tablets | {"items":[{"name":"dishwasher tablets"}]}
        grocery.add | would you mind adding a bag of rice to the groceries? | {"items":[{"name":"rice","quantity":"1","unit":"bag"}]}
        grocery.add | add\\n- milk\\n- eggs\\n- 2 loaves of bread | {"items":[{"name":"milk"},{"name":"eggs"},{"name":"bread","quantity":"2","unit":"loaf"}]}
        grocery.add | get some oranges and a couple of avocados | {"items":[{"name":"oranges"},{"name":"avocados","quantity":"2"}]}
        grocery.add | the shopping list needs sugar
        grocery.add | please put flour onto my grocery list as well | {"items":[{"name":"flour"}]}
        grocery.add | milk and eggs to the shopping list please | {"items":[{"name":"milk"},{"name":"eggs"}]}
        grocery.add | I want to add orange juice to my list | {"items":[{"name":"orange juice"}]}
        grocery.add | buy 1.5 l of water | {"items":[{"name":"water","quantity":"1.5","unit":"l"}]}
        grocery.add | append peanut butter to the list | {"items":[{"name":"peanut butter"}]}
        grocery.list | what do i still need to get from the store
        grocery.list | show me the groceries
        grocery.list | can i see my shopping list?
        grocery.list | read me my grocery list
        grocery.list | whats on the grocery list
        grocery.list | what is on our shopping list right now?
        grocery.list | display the list please
        grocery.list | which items are on my grocery list
        grocery.list | shopping list?
        grocery.list | could you tell me what's on the list
        grocery.list | pull up my grocery list
        grocery.list | do i have anything on my shopping list
        grocery.list | what groceries do we need
        grocery.list | let me see the shopping list
        grocery.bought | i picked up the milk | {"item":"milk"}
        grocery.bought | got the eggs for 2.80 | {"item":"eggs","price":{"amount":"2.80"}}
        grocery.bought | just bought bread for €3 | {"item":"bread","price":{"amount":"3","currency":"EUR"}}
        grocery.bought | tick off butter | {"item":"butter"}
        grocery.bought | check the milk off my list | {"item":"milk"}
        grocery.bought | cross off the oranges | {"item":"oranges"}
        grocery.bought | i have bought the coffee, it was 6.49 | {"item":"coffee"}
        grocery.bought | we got the oat milk at 1.99 | {"item":"oat milk","price":{"amount":"1.99"}}
        grocery.bought | purchased the cheese for 4 euros 50 | {"item":"cheese","price":{"amount":"4.50","currency":"EUR"}}
        grocery.bought | mark the bananas as bought | {"item":"bananas"}
        grocery.bought+grocery.bought | i bought milk and eggs
        grocery.bought | the tomatoes are bought | {"item":"tomatoes"}
        grocery.remove | take the onions off the list | {"item":"onions"}
        grocery.remove | delete milk from my shopping list | {"item":"milk"}
        grocery.remove | we dont need butter anymore | {"item":"butter"}
        grocery.remove | drop the eggs from the grocery list | {"item":"eggs"}
        grocery.remove | can you remove the oat milk from the list please | {"item":"oat milk"}
        grocery.remove | get rid of the crackers on my grocery list | {"item":"crackers"}
        grocery.remove | scratch the cheese off my list | {"item":"cheese"}
        grocery.remove | erase bananas from the shopping list | {"item":"bananas"}
        grocery.clear | empty the shopping list
        grocery.clear | wipe my grocery list
        grocery.clear | remove everything from my grocery list
        grocery.clear | please clear out the shopping list
        grocery.clear | delete the whole shopping list
        grocery.clear | start over with the grocery list
        grocery.update | change the eggs to 12 | {"item":"eggs","amount":12}
        grocery.update | make the milk 3 | {"item":"milk","amount":3}
        grocery.update | set tomatoes to 5 | {"item":"tomatoes","amount":5}
        grocery.update | update the bananas to six please | {"item":"bananas","amount":6}
        """)

    static let recipes = Phrase.parse(
        """
        recipes.save | save a recipe for banana bread: 3 bananas, 200 g flour, 100 g sugar | {"title":"banana bread","ingredients":[{"name":"bananas","quantity":"3"},{"name":"flour","quantity":"200","unit":"g"},{"name":"sugar","quantity":"100","unit":"g"}]}
        recipes.save | store this recipe: omelette: 3 eggs, salt, butter
        recipes.save | new recipe chili for 4 people: 500 g beef, 2 cans of beans, 1 onion | {"title":"chili","servings":4}
        recipes.save | please keep a recipe for hummus: 1 can of chickpeas, 2 tbsp tahini and a lemon | {"title":"hummus"}
        recipes.save | save the recipe for crepes for 2: 125 g flour, 2 eggs, 250 ml milk | {"title":"crepes","servings":2}
        recipes.save | add a recipe for guacamole with 3 avocados, lime and salt | {"title":"guacamole"}
        recipes.save | write down a recipe for soup: 1 l broth, 3 carrots
        recipes.find | do i have any recipes with chicken
        recipes.find | which recipes do i have
        recipes.find | what can i make with eggs and spinach
        recipes.find | look for a recipe with lentils
        recipes.find | show me my recipes
        recipes.find | find recipes that use zucchini
        recipes.find | what could i cook with rice and beans?
        recipes.find/recipes.show | any recipe for lasagne?
        recipes.show | how do i make pancakes | {"recipe":"pancakes"}
        recipes.show | show me the pancake recipe
        recipes.show | open the recipe for chili | {"recipe":"chili"}
        recipes.show/recipes.find | pull up my lasagne recipe
        recipes.show | can you display the recipe for banana bread | {"recipe":"banana bread"}
        recipes.show | what goes in the guacamole
        recipes.show | how do you make hummus again? | {"recipe":"hummus"}
        recipes.show | let me see the crepes recipe
        recipes.shop | add what's missing for lasagne to my grocery list | {"recipe":"lasagne"}
        recipes.shop | i want to cook chili for 8, put the missing ingredients on my list | {"servings":8}
        recipes.shop | add missing ingredients for pancakes to the list | {"recipe":"pancakes"}
        recipes.shop | shop for banana bread for 4 people | {"recipe":"banana bread","servings":4}
        recipes.shop | what do i need to buy for the crepes
        recipes.shop | put the ingredients I lack for curry on the shopping list
        recipes.plan | let's have lasagne on friday | {"recipe":"lasagne","date":"2026-11-27"}
        recipes.plan | plan chili for tuesday | {"recipe":"chili","date":"2026-11-24"}
        recipes.plan | put pancakes on the meal plan for tomorrow | {"recipe":"pancakes","date":"2026-11-22"}
        recipes.plan | schedule curry for monday dinner
        recipes.plan | can we have soup on wednesday for dinner
        recipes.meals | what are we having for dinner tonight
        recipes.meals | show the meal plan for this week
        recipes.meals | whats for dinner
        recipes.meals | what are we eating this week | {"when":{"from":"2026-11-16","to":"2026-11-22"}}
        recipes.meals | what meals are planned
        recipes.cook | let's cook the chili | {"recipe":"chili"}
        recipes.cook | start cooking pancakes
        recipes.cook | walk me through the lasagne step by step
        recipes.cook | guide me through banana bread | {"recipe":"banana bread"}
        recipes.cook | i want to start cooking crepes
        recipes.scale | scale the pancakes to 8 servings | {"recipe":"pancakes","servings":8}
        recipes.scale | pancakes for 10 people | {"recipe":"pancakes","servings":10}
        recipes.scale | convert the chili recipe to 2 servings
        recipes.scale | resize lasagne to six people | {"servings":6}
        recipes.rate | give the chili 5 stars | {"recipe":"chili","stars":5}
        recipes.rate | rate banana bread 4 stars | {"recipe":"banana bread","stars":4}
        recipes.rate | i rate the lasagne four stars
        recipes.delete | delete my hummus recipe
        recipes.delete | remove the recipe for crepes | {"recipe":"crepes"}
        recipes.delete | get rid of the soup recipe
        recipes.delete | please erase the omelette recipe | {"recipe":"omelette"}
        """)

    static let expenses = Phrase.parse(
        """
        expenses.record | I spent 8.50 on coffee | {"amount":{"amount":"8.50"}}
        expenses.record | paid 20 euros for the taxi | {"amount":{"amount":"20","currency":"EUR"}}
        expenses.record | lunch was 14 euros | {"amount":{"amount":"14","currency":"EUR"}}
        expenses.record | just paid €42.10 for petrol | {"amount":{"amount":"42.10","currency":"EUR"}}
        expenses.record | i spent $30 at the cinema yesterday | {"amount":{"amount":"30","currency":"USD"},"date":"2026-11-20"}
        expenses.record | the train ticket cost me 56 euros | {"amount":{"amount":"56","currency":"EUR"}}
        expenses.record | log an expense of 9.99 for a book | {"amount":{"amount":"9.99"},"description":"book"}
        expenses.record | 12 euros for parking | {"amount":{"amount":"12","currency":"EUR"}}
        expenses.record | record 75 euros for new shoes | {"amount":{"amount":"75","currency":"EUR"}}
        expenses.record | i payed 15 bucks for a haircut | {"amount":{"amount":"15","currency":"USD"}}
        expenses.record | spent 20 quid on drinks last night | {"amount":{"amount":"20","currency":"GBP"}}
        expenses.record | dinner cost us 64,50 € | {"amount":{"amount":"64.50","currency":"EUR"}}
        expenses.record | on monday i spent 33 euros on groceries | {"amount":{"amount":"33","currency":"EUR"},"date":"2026-11-16"}
        expenses.record | add an expense: 5 euros for a sandwich
        expenses.record | i've spent 1,299.99 on a laptop | {"amount":{"amount":"1299.99"}}
        expenses.record | coffee 3.50€ | {"amount":{"amount":"3.50","currency":"EUR"}}
        expenses.record | bus ticket cost 2 euros 80 | {"amount":{"amount":"2.80","currency":"EUR"}}
        expenses.record | I blew 50 euros on a game
        expenses.record/notes.add | please note that I paid 18 euros for the pharmacy
        expenses.record | forked out 120 euros for the doctor
        expenses.total | how much money have i spent this week | {"period":{"from":"2026-11-16","to":"2026-11-22"}}
        expenses.total | what did i spend last month | {"period":{"from":"2026-10-01","to":"2026-10-31"}}
        expenses.total | how much did we spend on restaurants in october | {"category":"eating_out","period":{"from":"2026-10-01","to":"2026-10-31"}}
        expenses.total | total spending this year | {"period":{"from":"2026-01-01","to":"2026-12-31"}}
        expenses.total | how much went on transport since monday | {"category":"transport","period":{"from":"2026-11-16","to":"2026-11-21"}}
        expenses.total | what have I spent on clothes this year? | {"category":"clothes"}
        expenses.total | tell me how much I spent yesterday | {"period":{"from":"2026-11-20","to":"2026-11-20"}}
        expenses.total | sum of my expenses for the last 30 days
        expenses.total | how mcuh did i spent on food this month | {"category":"groceries","period":{"from":"2026-11-01","to":"2026-11-30"}}
        expenses.total | what's my total spend on fun
        expenses.list | show all spending from this week
        expenses.list | list all my expenses from last week | {"period":{"from":"2026-11-09","to":"2026-11-15"}}
        expenses.list | can you show my recent expenses
        expenses.list | what were my latest expenses
        expenses.list | display the expenses of october
        expenses.list | show expenses
        expenses.budget | set my food budget to 300 euros | {"category":"groceries","amount":{"amount":"300","currency":"EUR"}}
        expenses.budget | i want a budget of 100 euros for restaurants | {"category":"eating_out","amount":{"amount":"100","currency":"EUR"}}
        expenses.budget | limit transport to €80 a month | {"category":"transport"}
        expenses.budget | make the clothes budget 150 euros
        expenses.budget | budget 50 euros for entertainment
        expenses.budgets | how am i doing on my budget
        expenses.budgets | show me the budgets
        expenses.budgets | how much is left of my food budget | {"category":"groceries"}
        expenses.budgets | am i over my budget
        expenses.budgets | what's left in the restaurant budget
        expenses.recurring | rent costs 850 euros every month | {"amount":{"amount":"850","currency":"EUR"}}
        expenses.recurring | add a recurring expense of 12.99 for netflix | {"description":"netflix"}
        expenses.recurring | i pay 30 euros every month for the gym
        expenses.recurring | set up a monthly expense of 45 euros for my phone
        expenses.trend | how is my spending trending
        expenses.trend | am i spending more than before
        expenses.trend | compare this month's spending to last month
        expenses.trend | show the trend of my expenses
        expenses.export | export all expenses of this year
        expenses.export | can i get my expenses as a csv file
        expenses.export | download my expenses
        expenses.export | send me a csv of my spending
        expenses.delete | delete the last expense
        expenses.delete | remove the taxi expense | {"expense":"taxi"}
        expenses.delete | erase the expense for parking
        """)

    static let life = Phrase.parse(
        """
        tasks.add | remind me to call mom tomorrow | {"title":"call mom","due":"2026-11-22"}
        tasks.add | i gotta pay the electricity bill by friday | {"title":"pay the electricity bill","due":"2026-11-27"}
        tasks.add | remind me at 5pm to take out the trash | {"title":"take out the trash","due":"2026-11-21T16:00:00.000Z"}
        tasks.add | I have to finish the report by next tuesday | {"title":"finish the report","due":"2026-11-24"}
        tasks.add | add a task to book a dentist appointment | {"title":"book a dentist appointment"}
        tasks.add | put call the landlord on my todo list | {"title":"call the landlord"}
        tasks.add | could you remind me to water the plants in 3 days | {"title":"water the plants","due":"2026-11-24"}
        tasks.add | please dont let me forget to send the invoice | {"title":"send the invoice"}
        tasks.add | new task: clean the kitchen | {"title":"clean the kitchen"}
        tasks.add | i must return the library books before the 30th | {"title":"return the library books","due":"2026-11-30"}
        tasks.add | todo buy a birthday present for tom
        tasks.add | tomorrow I need to pick up the parcel | {"title":"pick up the parcel","due":"2026-11-22"}
        tasks.add | remind me on 3 december at 9am to email the tax office | {"title":"email the tax office","due":"2026-12-03T08:00:00.000Z"}
        tasks.add | don't let me forget to fix the bike | {"title":"fix the bike"}
        tasks.add | create a task for renewing the insurance
        tasks.add | urgent: i need to call the bank today | {"due":"2026-11-21"}
        tasks.add | i should really remember to do my taxes, add it as a task
        tasks.add | remind me in half an hour to check the oven | {"title":"check the oven","due":"2026-11-21T10:30:00.000Z"}
        tasks.add | need to vacuum the living room tonight | {"title":"vacuum the living room"}
        tasks.add | add "prepare slides" to my tasks | {"title":"prepare slides"}
        tasks.list | what do i need to do today
        tasks.list | show my tasks
        tasks.list | whats on my todo list
        tasks.list | which tasks are open
        tasks.list | what's on my plate this week
        tasks.list | list the tasks for tomorrow | {"when":{"from":"2026-11-22","to":"2026-11-22"}}
        tasks.list | what should i do next
        tasks.list | do i have any tasks left
        tasks.list | my to-dos please
        tasks.list | what are my tasks for today?
        tasks.done | i finished the report | {"task":"report"}
        tasks.done | mark clean the kitchen as done | {"task":"clean the kitchen"}
        tasks.done | i'm done with the taxes | {"task":"taxes"}
        tasks.done | the invoice is done | {"task":"invoice"}
        tasks.done | finished calling mom
        tasks.done | complete the task water the plants
        tasks.done | tick off pay the bill
        tasks.due | move the dentist appointment to monday | {"task":"dentist appointment","due":"2026-11-23"}
        tasks.due | postpone the report to next week | {"task":"report"}
        tasks.due | the taxes are due on december 15 | {"task":"taxes","due":"2026-12-15"}
        tasks.due | push the kitchen cleaning to sunday
        tasks.due | reschedule the landlord call for thursday at 10 | {"due":"2026-11-26T09:00:00.000Z"}
        tasks.priority | make the tax return high priority | {"priority":"high"}
        tasks.priority | the report is urgent | {"task":"report","priority":"high"}
        tasks.priority | set the priority of the invoice to low | {"task":"invoice","priority":"low"}
        tasks.priority | taxes are important
        tasks.breakdown | break down the tax return | {"task":"tax return"}
        tasks.breakdown | split the report into smaller steps | {"task":"report"}
        tasks.breakdown | moving house is too big, break it down
        tasks.breakdown | can you break the passport thing into steps
        tasks.delete | delete the task call the landlord | {"task":"call the landlord"}
        tasks.delete | remove fix the bike from my tasks | {"task":"fix the bike"}
        tasks.delete | drop the task about the garage
        notes.add | note that the wifi password is hunter2 | {"text":"the wifi password is hunter2"}
        notes.add | take a note: ideas for the garden | {"text":"ideas for the garden"}
        notes.add | jot down that the meeting moved to room 4
        notes.add | write this down: license plate B AB 123
        notes.add | make a note the plumber comes at 3
        notes.add | note to self: buy less coffee
        notes.search | search my notes for wifi | {"query":"wifi"}
        notes.search | find the note about the garden | {"query":"garden"}
        notes.search | what did i write about the plumber
        notes.search | look up my notes on insurance
        notes.search | show me all my notes
        notes.delete | delete the note about the plumber | {"note":"plumber"}
        notes.delete | remove my note about wifi
        memory.remember | remember that my sister is allergic to nuts | {"fact":"my sister is allergic to nuts"}
        memory.remember | keep in mind that I park on level 3 | {"fact":"I park on level 3"}
        memory.remember | please remember I like my tea without sugar
        memory.remember | memorize that my locker number is 81
        memory.recall | what do you know about my sister | {"topic":"my sister"}
        memory.recall | what did i tell you about my locker
        memory.recall | do you remember where I parked
        memory.recall | where did i put the spare key
        memory.forget | forget that I like tea
        memory.forget | forget what i told you about my locker
        settings.set_name | call me Sam | {"name":"Sam"}
        settings.set_name | my name is Alex | {"name":"Alex"}
        settings.set_name | please change my name to Robin | {"name":"Robin"}
        settings.time_zone | set the timezone to Europe/Paris | {"zone":"Europe/Paris"}
        settings.time_zone | my time zone is America/New_York | {"zone":"America/New_York"}
        settings.quiet_hours | set quiet hours from 10pm to 7am
        settings.quiet_hours | no messages between 22:00 and 07:00
        settings.quiet_hours | don't text me from 9pm to 8am please
        settings.currency | set the currency to dollars
        settings.currency | use euro as my currency
        settings.show | what are my settings
        settings.show | show me the settings
        integrations.on | turn on recipes | {"integration":"recipes"}
        integrations.on | switch notion on | {"integration":"notion"}
        integrations.on | please enable the youtube plugin | {"integration":"youtube"}
        integrations.on | activate gmail | {"integration":"gmail"}
        integrations.off | turn off groceries | {"integration":"grocery"}
        integrations.off | switch the expenses off | {"integration":"expenses"}
        integrations.off | disable the recipes integration | {"integration":"recipes"}
        integrations.off | deactivate notion please | {"integration":"notion"}
        integrations.off | can you turn youtube off | {"integration":"youtube"}
        integrations.list | which integrations are on
        integrations.list | what plugins do i have
        integrations.list | list all integrations
        assistant.undo | undo that please
        assistant.undo | take that back
        assistant.undo | please undo the last thing
        assistant.help | what can you do for me
        assistant.help | what are you able to do
        """)

    static let several = Phrase.parse(
        """
        grocery.add+tasks.add | add milk to the list and remind me to call the bank
        integrations.off+grocery.list | turn expenses off, then show my grocery list
        tasks.add+tasks.add | remind me to water the plants tomorrow and remind me to call Tom
        grocery.bought+grocery.list | I bought the milk. What else is on my list?
        grocery.add+recipes.show | put eggs on the list and show me the pancake recipe
        expenses.record+grocery.add | i spent 12 euros on lunch. also add butter to my grocery list
        notes.add+tasks.list | note: the code is 4411\\nshow my tasks
        integrations.on+expenses.total | enable recipes and tell me how much I spent this week
        integrations.off+integrations.off | turn off recipes and notion
        tasks.done+tasks.list | i finished the report, what's next
        grocery.add+grocery.list | add bread then show me the shopping list
        grocery.remove+grocery.add | remove the butter from my list and add margarine
        tasks.add | remind me to call Anna and buy milk
        grocery.add | hi! thanks for yesterday. please add salt to my grocery list
        tasks.add | ugh, so tired today. I need to call the dentist by monday
        """)
}
