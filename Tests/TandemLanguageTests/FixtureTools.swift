import TandemCore
import TandemJSON

/// Tools as plugin authors would declare them, for tests of the planner.
enum FixtureTools {
    static func tool(
        _ id: String, _ title: String, _ effect: Effect, _ utterances: [String],
        _ slots: [String: SlotDefinition] = [:],
        actsOn: String? = nil
    ) -> ToolDefinition {
        ToolDefinition(
            id: id, title: title, description: title, parameters: ["type": "object"], effect: effect,
            utterances: utterances.map { Utterance($0) }, slots: slots, actsOn: actsOn)
    }

    static func required(_ kind: SlotKind, _ hints: [String] = []) -> SlotDefinition {
        SlotDefinition(kind, required: true, hints: hints)
    }

    static func optional(_ kind: SlotKind, _ hints: [String] = []) -> SlotDefinition {
        SlotDefinition(kind, hints: hints)
    }

    static let priority = SlotKind.choice([
        .init("high", ["urgent", "important", "top"]), .init("medium", ["normal"]), .init("low", ["whenever"]),
    ])
    static let category = SlotKind.choice([
        .init("groceries", ["grocery", "food", "supermarket"]),
        .init("eating_out", ["restaurant", "restaurants", "lunch", "dinner", "coffee", "takeaway"]),
        .init("transport", ["bus", "train", "taxi", "fuel", "gas", "petrol"]), .init("housing", ["rent"]),
        .init("health", ["pharmacy", "doctor"]), .init("fun", ["entertainment", "cinema", "movies"]),
        .init("clothes", ["clothing", "shoes"]),
    ])

    static let grocery: [ToolDefinition] = [
        tool(
            "grocery.add", "Add to the grocery list", .write,
            [
                "add {items} to (my|the) [grocery|shopping] list", "put {items} on (my|the) [grocery] list",
                "add {items}",
                "buy {items}", "we need {items}", "I need to buy {items}", "we are out of {items}",
                "get {items} from the (store|supermarket)",
            ],
            ["items": required(.items), "priority": optional(priority), "store": optional(.text)]),
        tool(
            "grocery.list", "Show the grocery list", .read,
            [
                "what's on (my|the) [grocery|shopping] list", "show [me] (my|the) (grocery|shopping) list",
                "show my list",
                "what do I need to buy", "grocery list", "what do we need from the (store|supermarket)",
            ]),
        tool(
            "grocery.bought", "Check off a bought item", .write,
            [
                "I bought [the] {item} [for {price}]", "got [the] {item} [for {price}]", "check off {item}",
                "{item} is bought", "cross {item} off (my|the) list", "bought {item}",
            ],
            ["item": required(.reference(entity: "grocery.item")), "price": optional(.money)], actsOn: "grocery.item"),
        tool(
            "grocery.remove", "Remove from the grocery list", .write,
            [
                "remove {item} from (my|the) [grocery] list", "take {item} off (my|the) [grocery] list",
                "remove {item}",
                "we don't need {item} anymore",
            ],
            ["item": required(.reference(entity: "grocery.item"))], actsOn: "grocery.item"),
        tool(
            "grocery.clear", "Clear the grocery list", .delete,
            ["clear (my|the) [grocery|shopping] list", "empty (my|the) (grocery|shopping) list"]),
        tool(
            "grocery.update", "Change an item on the grocery list", .write,
            ["change {item} to {amount}", "make {item} {amount}", "set {item} to {amount}"],
            ["item": required(.reference(entity: "grocery.item")), "amount": required(.number)], actsOn: "grocery.item"),
    ]

    static let recipes: [ToolDefinition] = [
        tool(
            "recipes.save", "Save a recipe", .write,
            [
                "save [a|the] recipe for {title} [for {servings} [people]]: {ingredients}",
                "save [a] recipe {title}: {ingredients}",
                "new recipe {title}: {ingredients}", "add a recipe for {title} with {ingredients}",
            ],
            [
                "title": required(.text), "servings": optional(.number, ["serves", "servings", "people"]),
                "ingredients": required(.items),
            ]),
        tool(
            "recipes.find", "Find a recipe", .read,
            [
                "find [me] a recipe with {ingredients}", "what can I cook with {ingredients}",
                "search recipes for {query}",
                "do I have a recipe for {query}", "list my recipes", "what recipes do I have",
            ],
            ["query": optional(.text), "ingredients": optional(.items)]),
        tool(
            "recipes.show", "Show a recipe", .read,
            [
                "show [me] the recipe for {recipe}", "how do I make {recipe}", "open the {recipe} recipe",
                "what's in {recipe}",
            ],
            ["recipe": required(.reference(entity: "recipes.recipe"))], actsOn: "recipes.recipe"),
        tool(
            "recipes.shop", "Put what a recipe lacks on the grocery list", .write,
            [
                "I want to make {recipe} [for {servings}], put what's missing on (the|my) [grocery] list",
                "add the missing ingredients for {recipe} [for {servings}] to my [grocery] list",
                "shop for {recipe} [for {servings}]", "what do I need for {recipe}",
            ],
            [
                "recipe": required(.reference(entity: "recipes.recipe")),
                "servings": optional(.number, ["people", "servings"]),
            ],
            actsOn: "recipes.recipe"),
        tool(
            "recipes.plan", "Plan a meal", .write,
            [
                "plan {recipe} for {date}", "let's have {recipe} [for dinner] on {date}",
                "put {recipe} on the meal plan for {date}",
            ],
            ["recipe": required(.reference(entity: "recipes.recipe")), "date": required(.date)],
            actsOn: "recipes.recipe"),
        tool(
            "recipes.meals", "Show the meal plan", .read,
            ["show my meal plan [for {when}]", "what's for dinner [{when}]", "what are we eating [{when}]"],
            ["when": optional(.period)]),
        tool(
            "recipes.cook", "Cook step by step", .write,
            [
                "start cooking {recipe}", "cook {recipe} step by step", "let's cook {recipe}",
                "guide me through {recipe}",
            ],
            ["recipe": required(.reference(entity: "recipes.recipe"))], actsOn: "recipes.recipe"),
        tool(
            "recipes.scale", "Scale a recipe", .read,
            [
                "scale {recipe} to {servings} [people|servings]", "{recipe} for {servings} people",
                "convert {recipe} to {servings} servings",
            ],
            [
                "recipe": required(.reference(entity: "recipes.recipe")),
                "servings": required(.number, ["people", "servings"]),
            ],
            actsOn: "recipes.recipe"),
        tool(
            "recipes.rate", "Rate a recipe", .write,
            ["rate {recipe} {stars} [stars]", "give {recipe} {stars} stars"],
            ["recipe": required(.reference(entity: "recipes.recipe")), "stars": required(.number, ["stars"])],
            actsOn: "recipes.recipe"),
        tool(
            "recipes.delete", "Delete a recipe", .delete,
            ["delete the recipe for {recipe}", "delete the {recipe} recipe", "remove the {recipe} recipe"],
            ["recipe": required(.reference(entity: "recipes.recipe"))], actsOn: "recipes.recipe"),
    ]

    static let expenses: [ToolDefinition] = [
        tool(
            "expenses.record", "Record an expense", .write,
            [
                "I spent {amount} on {description} [{date}]", "I paid {amount} for {description}",
                "{description} cost [me] {amount}",
                "record an expense of {amount} for {description}", "add an expense {amount} {description}",
            ],
            [
                "amount": required(.money), "description": optional(.text), "category": optional(category),
                "date": optional(.date),
            ]),
        tool(
            "expenses.total", "Total of the expenses", .read,
            [
                "how much did I spend [on {category}] [{period}]", "how much have I spent [on {category}] [{period}]",
                "total expenses [{period}]", "what did I spend [{period}]",
            ],
            ["category": optional(category), "period": optional(.period)]),
        tool(
            "expenses.list", "List expenses", .read,
            [
                "show my expenses [{period}]", "list expenses [{period}]", "what were my last expenses",
                "recent expenses",
            ],
            ["category": optional(category), "period": optional(.period)]),
        tool(
            "expenses.budget", "Set a budget", .write,
            [
                "set a budget of {amount} for {category}", "set my {category} budget to {amount}",
                "limit {category} to {amount} a month",
            ],
            ["category": required(category), "amount": required(.money)]),
        tool(
            "expenses.budgets", "Show budgets", .read,
            ["how is my budget", "show my budgets", "how much is left in my {category} budget", "am I over budget"],
            ["category": optional(category)]),
        tool(
            "expenses.recurring", "Add a recurring expense", .write,
            [
                "{description} costs {amount} every month", "add a monthly expense of {amount} for {description}",
                "recurring expense {description} {amount}",
            ],
            ["description": required(.text), "amount": required(.money)]),
        tool(
            "expenses.trend", "Spending trend", .read,
            [
                "how is my spending developing", "show my spending trend", "compare my spending to last month",
                "am I spending more than last month",
            ]),
        tool(
            "expenses.export", "Export expenses", .read,
            ["export my expenses [{period}]", "give me my expenses as csv"], ["period": optional(.period)]),
        tool(
            "expenses.delete", "Delete an expense", .delete,
            ["delete the expense {expense}", "remove the {expense} expense", "delete my last expense"],
            ["expense": optional(.reference(entity: "expenses.expense"))], actsOn: "expenses.expense"),
    ]

    static let life: [ToolDefinition] = [
        tool(
            "tasks.add", "Add a task", .write,
            [
                "I need to {title} [by {due}]", "remind me to {title} [{due}]", "add a task [to] {title} [{due}]",
                "I have to {title} [by {due}]",
                "new task {title}", "todo {title}", "don't let me forget to {title}", "put {title} on my to-do list",
            ],
            ["title": required(.text), "due": optional(.dateTime), "priority": optional(priority)]),
        tool(
            "tasks.list", "List tasks", .read,
            [
                "what do I have to do [{when}]", "show [me] my tasks [{when}]", "what's on my to-do list",
                "list my tasks",
                "what's next", "what should I do now",
            ],
            ["when": optional(.period)]),
        tool(
            "tasks.done", "Complete a task", .write,
            [
                "{task} is done", "I finished {task}", "done with {task}", "mark {task} as done", "complete {task}",
                "done {task}",
            ],
            ["task": required(.reference(entity: "tasks.task"))], actsOn: "tasks.task"),
        tool(
            "tasks.due", "Change when a task is due", .write,
            [
                "move {task} to {due}", "{task} is due {due}", "set the deadline of {task} to {due}",
                "postpone {task} to {due}",
            ],
            ["task": required(.reference(entity: "tasks.task")), "due": required(.dateTime)], actsOn: "tasks.task"),
        tool(
            "tasks.priority", "Set a task's priority", .write,
            ["{task} is {priority} [priority]", "set the priority of {task} to {priority}", "make {task} {priority}"],
            ["task": required(.reference(entity: "tasks.task")), "priority": required(priority)], actsOn: "tasks.task"),
        tool(
            "tasks.breakdown", "Break a task into steps", .write,
            ["break {task} down", "break down {task}", "split {task} into steps", "{task} is too big"],
            ["task": required(.reference(entity: "tasks.task"))], actsOn: "tasks.task"),
        tool(
            "tasks.delete", "Delete a task", .delete,
            ["delete the task {task}", "remove {task} from my tasks", "drop the task {task}"],
            ["task": required(.reference(entity: "tasks.task"))], actsOn: "tasks.task"),
        tool(
            "notes.add", "Write a note", .write,
            ["note {text}", "note that {text}", "take a note: {text}", "write down {text}", "add a note {text}"],
            ["text": required(.text)]),
        tool(
            "notes.search", "Search notes", .read,
            [
                "search my notes for {query}", "find my note about {query}", "what did I write about {query}",
                "show [me] my notes", "list my notes",
            ],
            ["query": optional(.text)]),
        tool(
            "notes.delete", "Delete a note", .delete, ["delete the note about {note}", "delete my note {note}"],
            ["note": required(.reference(entity: "notes.note"))], actsOn: "notes.note"),
        tool(
            "memory.remember", "Remember a fact", .write,
            ["remember that {fact}", "remember {fact}", "keep in mind that {fact}"], ["fact": required(.text)]),
        tool(
            "memory.recall", "Recall what was remembered", .read,
            [
                "what do you know about {topic}", "what did I tell you about {topic}", "do you remember {topic}",
                "where did I put {topic}",
            ],
            ["topic": required(.text)]),
        tool(
            "memory.forget", "Forget a fact", .delete,
            ["forget that {fact}", "forget what I told you about {fact}", "forget about {fact}"],
            ["fact": required(.text)]),
        tool(
            "settings.set_name", "Set your name", .write,
            ["my name is {name}", "call me {name}", "change my name to {name}"], ["name": required(.text)]),
        tool(
            "settings.time_zone", "Set the time zone", .write,
            [
                "set my time zone to {zone}", "my time zone is {zone}", "I am in the {zone} time zone",
                "I moved to {zone}",
            ], ["zone": required(.text)]),
        tool(
            "settings.quiet_hours", "Set quiet hours", .write,
            [
                "set quiet hours from {start} to {end}", "don't text me between {start} and {end}",
                "no messages from {start} to {end}",
            ],
            ["start": required(.dateTime), "end": required(.dateTime)]),
        tool(
            "settings.currency", "Set the currency", .write,
            ["set my currency to {currency}", "use {currency} as currency", "my currency is {currency}"],
            ["currency": required(.text)]),
        tool("settings.show", "Show settings", .read, ["show my settings", "what are my settings"]),
        tool(
            "integrations.on", "Switch an integration on", .write,
            [
                "turn {integration} on", "turn on {integration}", "enable {integration}", "switch on {integration}",
                "activate [the] {integration} [plugin|integration]",
            ],
            ["integration": required(integration)]),
        tool(
            "integrations.off", "Switch an integration off", .write,
            [
                "turn {integration} off", "turn off {integration}", "disable {integration}", "switch off {integration}",
                "stop using {integration}",
            ],
            ["integration": required(integration)]),
        tool(
            "integrations.list", "List integrations", .read,
            ["what integrations do I have", "list [my] integrations", "which plugins are on", "show my integrations"]),
        tool("assistant.undo", "Undo the last change", .write, ["undo", "undo that", "take that back"]),
        tool(
            "assistant.help", "What it can do", .read, ["what can you do", "help", "how do you work", "what can I say"]),
    ]

    static let integration = SlotKind.choice([
        .init("grocery", ["groceries", "grocery list", "shopping"]), .init("recipes", ["recipe"]),
        .init("expenses", ["expense", "spending"]),
        .init("notion"), .init("gmail", ["mail"]), .init("youtube"),
    ])

    static let all = grocery + recipes + expenses + life
    static let withoutExpenses = grocery + recipes + life
}
