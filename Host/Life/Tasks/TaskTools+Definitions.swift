import TandemCore
import TandemJSON

extension TaskTools {
    static let definitions: [ToolDefinition] = [
        add, addMany, list, next, done, breakDown, smaller, show, due, snooze, priority, reopen, rename, delete, clear,
    ]

    static let titleLimit = 200

    private static let task = SlotDefinition(.reference(entity: TaskItem.entity), required: true)
    private static let laterTask = SlotDefinition(.reference(entity: TaskItem.entity))
    private static let when = SlotDefinition(.dateTime, hints: ["by", "due", "until", "before", "deadline"])
    private static let importance = SlotDefinition(
        .choice([
            SlotKind.Choice("high", ["urgent", "important", "high", "top", "critical", "asap"]),
            SlotKind.Choice("normal", ["normal", "medium", "usual", "regular"]),
            SlotKind.Choice("low", ["low", "unimportant", "whenever", "someday", "minor", "not urgent"]),
        ]), hints: ["priority"])

    private static let taskResult = Shape.object([
        "id": Shape.string, "title": Shape.string, "status": Shape.string, "priority": Shape.string,
        "due": Shape.string, "parent": Shape.string,
    ])
    private static let oneTask = Shape.result(["task": taskResult], required: ["task"])
    private static let severalTasks = Shape.result(["tasks": Shape.array(taskResult)], required: ["tasks"])

    private static let add = ToolDefinition(
        id: "tasks.add", title: "Add a task",
        description:
            "Saves something the person needs or wants to do, with the day or time by which it should be done. Use it for "
            + "any obligation the person mentions, without asking for more.",
        parameters: Shape.object(
            [
                "title": Shape.text("What to do, as said, without the date: renew my passport.", upTo: titleLimit),
                "due": Shape.when("By when."),
                "priority": Shape.choice("How much it matters.", ["low", "normal", "high"]),
                "reminder": Shape.flag("The person asked to be reminded."),
            ], required: ["title"]),
        result: Shape.result(["task": taskResult, "created": Shape.boolean], required: ["task"]), effect: .write,
        utterances: [
            Utterance("I (need|have|want|ought) to {title} [by {due}]"), Utterance("I have to {title} [{due}]"),
            Utterance("I (must|should|gotta) {title} [(by|before|on) {due}]"),
            Utterance("add [a] task {title} [(by|for|due) {due}]"),
            Utterance("add {title} to my (tasks|to-do list|todo list|to-dos) [for {due}]"),
            Utterance("new task {title} [{due}]"), Utterance("add to my (to-do list|todo list|tasks): {title}"),
            Utterance("(todo|to do|task): {title} [{due}]"),
            Utterance("put {title} on my (to-do list|todo list|task list) [for {due}]"),
            Utterance("don't let me forget to {title} [(by|on) {due}]"),
            Utterance("set a reminder to {title} [{due}]", arguments: ["reminder": true]),
            Utterance("(set|give me) a reminder {due} to {title}", arguments: ["reminder": true]),
            Utterance("remind me to {title} [(by|on|at|before) {due}]", arguments: ["reminder": true]),
            Utterance("remind me {due} to {title}", arguments: ["reminder": true]),
            Utterance("add [an] {priority} task {title}"),
        ],
        slots: [
            "title": SlotDefinition(.text, required: true), "due": when, "priority": importance,
        ])

    private static let addMany = ToolDefinition(
        id: "tasks.add_many", title: "Add several tasks",
        description: "Saves a brain dump: several things to do at once.",
        parameters: Shape.object(
            ["titles": Shape.texts("One thing to do each.", upTo: titleLimit, count: 20)], required: ["titles"]),
        result: severalTasks, effect: .write,
        utterances: [
            Utterance("brain dump {titles}"), Utterance("add [these|the following] tasks {titles}"),
            Utterance("my (tasks|to-dos|todos) are {titles}"), Utterance("things (to do|I need to do) {titles}"),
            Utterance("todo list {titles}"), Utterance("add tasks {titles}"),
            Utterance("all I (have|need) to do is in my head {titles}"),
        ],
        slots: ["titles": SlotDefinition(.list, required: true)])

    private static let list = ToolDefinition(
        id: "tasks.list", title: "List tasks",
        description: "Shows the open tasks, those of today or this week, or what was done lately.",
        parameters: Shape.object([
            "filter": Shape.choice("Which ones; open by default.", ["open", "today", "week", "high", "done"])
        ]),
        result: severalTasks, effect: .read,
        utterances: [
            Utterance("how many tasks do I have"),
            Utterance("[is there] anything overdue"),
            Utterance("what are my tasks"), Utterance("(show|list) [me] my tasks"),
            Utterance("what's on my (to-do list|todo list|task list|plate)"), Utterance("show my (to-do|todo) list"),
            Utterance("what do I (have|need) to do"), Utterance("what's left to do"), Utterance("my tasks"),
            Utterance("what do I (have|need) to do {filter}"), Utterance("what's due {filter}"),
            Utterance("[do I have] anything due {filter}"),
            Utterance("tasks for {filter}"), Utterance("show my {filter} tasks"),
            Utterance("what (did I get|have I gotten) done", arguments: ["filter": "done"]),
            Utterance("what have I (done|finished)", arguments: ["filter": "done"]),
            Utterance("show (done|finished|completed) tasks", arguments: ["filter": "done"]),
        ],
        slots: [
            "filter": SlotDefinition(
                .choice([
                    SlotKind.Choice("today", ["today", "tonight"]), SlotKind.Choice("week", ["week", "this week"]),
                    SlotKind.Choice("high", ["urgent", "important", "high priority"]),
                    SlotKind.Choice("done", ["done", "finished", "completed"]),
                    SlotKind.Choice("open", ["open", "all"]),
                ]))
        ])

    private static let next = ToolDefinition(
        id: "tasks.next", title: "What to do now",
        description:
            "Names one thing to do now: the next small step. Use it when the person is stuck or asks what is next.",
        parameters: Shape.object([:]), result: Shape.result(["task": taskResult]), effect: .read,
        utterances: [
            Utterance("what should I (start|begin) with"),
            Utterance("I can't get started"),
            Utterance("what is the first thing [to do|I should do]"),
            Utterance("what should I do [now|next]"), Utterance("what's next"), Utterance("what now"),
            Utterance("what (can|could) I do [right] now"), Utterance("where (do|should) I start"),
            Utterance("give me one thing [to do]"), Utterance("I'm stuck"), Utterance("I don't know where to start"),
            Utterance("pick (something|a task|one) for me"), Utterance("what's the next step"), Utterance("next step"),
            Utterance("what was I doing"), Utterance("I'm overwhelmed"),
        ])

    private static let done = ToolDefinition(
        id: "tasks.done", title: "Mark as done",
        description: "Marks a task or a step as done and offers the next step.",
        parameters: Shape.object(["task": Shape.reference("task or step")]),
        result: Shape.result(["task": taskResult, "next": taskResult], required: ["task"]), effect: .write,
        utterances: [
            Utterance("(done|finished|completed) [with] {task}"), Utterance("I (did|finished|completed) {task}"),
            Utterance("mark {task} [as] (done|finished|complete)"), Utterance("{task} is (done|finished|complete)"),
            Utterance("{task} done"), Utterance("(check|tick|cross) off {task} [task]"),
            Utterance("I'm done with {task}"),
            Utterance("done"), Utterance("I did it"), Utterance("finished"),
        ],
        slots: ["task": laterTask], actsOn: TaskItem.entity)

    private static let breakDown = ToolDefinition(
        id: "tasks.breakdown", title: "Break a task down",
        description:
            "Splits a task into small physical steps. Without steps it asks the person for the smallest first one; with "
            + "steps it saves them in order after the ones that are there.",
        parameters: Shape.object([
            "task": Shape.reference("task"),
            "steps": Shape.texts("The steps in order, in the person's words.", upTo: titleLimit, count: 20),
        ]),
        result: Shape.result(["task": taskResult, "steps": Shape.array(taskResult)], required: ["task", "steps"]),
        effect: .write,
        utterances: [
            Utterance("break {task} down"), Utterance("break down {task}"),
            Utterance("split {task} [up] into [small|smaller] steps"), Utterance("help me (start|with) {task}"),
            Utterance("how do I start {task}"), Utterance("I can't (start|get started with) {task}"),
            Utterance("make a plan for {task}"), Utterance("{task} feels too big"),
            Utterance("divide {task} into steps"),
            Utterance("the steps (for|of) {task} are {steps}"), Utterance("steps for {task}: {steps}"),
            Utterance("add [the] steps {steps} to {task}"), Utterance("next step (for|of) {task} is {steps}"),
        ],
        slots: ["task": laterTask, "steps": SlotDefinition(.list)], actsOn: TaskItem.entity)

    private static let smaller = ToolDefinition(
        id: "tasks.smaller", title: "Make the step smaller",
        description: "Cuts the step that is next into smaller ones, by asking the person for the first movement.",
        parameters: Shape.object([
            "task": Shape.reference("task or step"),
            "steps": Shape.texts("The smaller steps, in the person's words.", upTo: titleLimit, count: 20),
        ]),
        result: Shape.result(["task": taskResult, "steps": Shape.array(taskResult)], required: ["task", "steps"]),
        effect: .write,
        utterances: [
            Utterance("smaller"), Utterance("make (it|that) smaller"), Utterance("[that's] (still|too) too big"),
            Utterance("too big"), Utterance("smaller step[s]"), Utterance("make {task} smaller"),
            Utterance("that's too much"), Utterance("a smaller step please"),
        ],
        slots: ["task": laterTask], actsOn: TaskItem.entity)

    private static let show = ToolDefinition(
        id: "tasks.show", title: "Show a task",
        description: "Shows one task: its day, its steps and how far it is.",
        parameters: Shape.object(["task": Shape.reference("task")], required: ["task"]),
        result: Shape.result(["task": taskResult, "steps": Shape.array(taskResult)], required: ["task"]), effect: .read,
        utterances: [
            Utterance("show [me] [the] task {task}"), Utterance("show [me] the steps (of|for) {task}"),
            Utterance("how far along is the task {task}"), Utterance("when is {task} due"),
            Utterance("what's left of {task}"), Utterance("what are the steps (of|for) {task}"),
        ],
        slots: ["task": task], actsOn: TaskItem.entity)

    private static let due = ToolDefinition(
        id: "tasks.due", title: "Set the day of a task",
        description: "Sets, moves or takes away the day or time by which a task should be done.",
        parameters: Shape.object(
            [
                "task": Shape.reference("task"), "due": Shape.when("By when."),
                "clear": Shape.flag("Take the day away."),
                "create": Shape.flag("Add the task when there is none of these words."),
            ], required: ["task"]),
        result: oneTask, effect: .write,
        utterances: [
            Utterance("{task} is due [on|by] {due}", arguments: ["create": true]),
            Utterance("make {task} due [on|by] {due}"),
            Utterance("the deadline for {task} is {due}", arguments: ["create": true]),
            Utterance("move {task} to {due}"),
            Utterance("reschedule {task} to {due}"),
            Utterance("change the (deadline|due date|date) of {task} to {due}"),
            Utterance("set the (deadline|due date) (of|for) {task} to {due}"), Utterance("I'll do {task} {due}"),
            Utterance("{task} has to be done by {due}"), Utterance("{task} by {due}"),
            Utterance("(remove|clear) the (deadline|due date) (of|from) {task}", arguments: ["clear": true]),
            Utterance("{task} has no (deadline|due date)", arguments: ["clear": true]),
        ],
        slots: ["task": task, "due": when], actsOn: TaskItem.entity)

    private static let snooze = ToolDefinition(
        id: "tasks.snooze", title: "Park a task",
        description:
            "Parks a task: it is not suggested before that day or time; tomorrow by default. Its due day stays.",
        parameters: Shape.object(["task": Shape.reference("task"), "until": Shape.when("Until when.")]),
        result: oneTask, effect: .write,
        utterances: [
            Utterance("snooze {task}"), Utterance("snooze {task} (until|to|till) {until}"), Utterance("park {task}"),
            Utterance("park {task} until {until}"), Utterance("postpone {task}"), Utterance("not today"),
            Utterance("{task} not today"), Utterance("later"), Utterance("do {task} later"),
            Utterance("hide {task} until {until}"), Utterance("I'll look at {task} again {until}"),
        ],
        slots: ["task": laterTask, "until": SlotDefinition(.dateTime, hints: ["until", "till"])],
        actsOn: TaskItem.entity)

    private static let priority = ToolDefinition(
        id: "tasks.priority", title: "Set how much a task matters",
        description: "Marks a task as high, normal or low priority.",
        parameters: Shape.object(
            [
                "task": Shape.reference("task"),
                "priority": Shape.choice("How much it matters.", ["low", "normal", "high"]),
            ], required: ["task", "priority"]),
        result: oneTask, effect: .write,
        utterances: [
            Utterance("{task} is {priority}"), Utterance("make {task} {priority} priority"),
            Utterance("set [the] priority of {task} to {priority}"), Utterance("mark {task} as {priority}"),
            Utterance("{task} is {priority} priority"),
        ],
        slots: ["task": task, "priority": importance.required], actsOn: TaskItem.entity)

    private static let reopen = ToolDefinition(
        id: "tasks.reopen", title: "Reopen a task",
        description: "Takes back that a task or step is done.",
        parameters: Shape.object(["task": Shape.reference("finished task")], required: ["task"]), result: oneTask,
        effect: .write,
        utterances: [
            Utterance("reopen {task}"), Utterance("{task} is not (done|finished) [yet|after all]"),
            Utterance("I (didn't|haven't) (finish|finished|do|done) {task}"), Utterance("mark {task} as not done"),
            Utterance("put {task} back on my (to-do list|todo list|tasks)"),
        ],
        slots: ["task": task], actsOn: TaskItem.entity)

    private static let rename = ToolDefinition(
        id: "tasks.rename", title: "Rename a task",
        description: "Gives a task other words.",
        parameters: Shape.object(
            [
                "task": Shape.reference("task"), "title": Shape.text("The new words.", upTo: titleLimit),
            ], required: ["task", "title"]),
        result: oneTask, effect: .write,
        utterances: [
            Utterance("rename the task {task} to {title}"), Utterance("rename my task {task} as {title}"),
            Utterance("change the (name|title|wording) of {task} to {title}"),
        ],
        slots: ["task": task, "title": SlotDefinition(.text, required: true)], actsOn: TaskItem.entity)

    private static let delete = ToolDefinition(
        id: "tasks.delete", title: "Remove a task",
        description: "Removes one task with its steps. Dropping a task is fine; it can be undone.",
        parameters: Shape.object(["task": Shape.reference("task")], required: ["task"]),
        result: Shape.result(["removed": taskResult], required: ["removed"]), effect: .write,
        utterances: [
            Utterance("(remove|delete|drop) [the|my] task {task}"),
            Utterance("(remove|delete|drop) [the|my] {task} task"),
            Utterance("(remove|delete|take) {task} (from|off) my (tasks|to-do list|todo list)"),
            Utterance("I don't (need|want|have) to {task} any more"), Utterance("forget [about] the task {task}"),
            Utterance("let the task {task} go"), Utterance("scratch {task}"),
        ],
        slots: ["task": task], actsOn: TaskItem.entity)

    private static let clear = ToolDefinition(
        id: "tasks.clear", title: "Remove many tasks",
        description: "Removes all finished tasks, or all tasks.",
        parameters: Shape.object(
            ["which": Shape.choice("Which ones.", ["done", "all"])], required: ["which"]),
        result: Shape.result(["removed": Shape.integer], required: ["removed"]), effect: .delete,
        utterances: [
            Utterance("(clear|delete|remove) [out] everything that is (done|finished)", arguments: ["which": "done"]),
            Utterance("(delete|clear|remove) [all] [my] {which} tasks"),
            Utterance("(clear|empty|wipe) my (to-do list|todo list|tasks|task list)", arguments: ["which": "all"]),
        ],
        slots: [
            "which": SlotDefinition(
                .choice([
                    SlotKind.Choice("done", ["done", "finished", "completed", "old"]),
                    SlotKind.Choice("all", ["all", "every"]),
                ]), required: true)
        ])
}

extension SlotDefinition {
    /// The same slot, without which the tool cannot be planned.
    var required: SlotDefinition {
        var copy = self
        copy.isRequired = true
        return copy
    }
}
