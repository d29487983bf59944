/// Ten days of one person's messages to their assistant: written for this benchmark, as such days go.
enum TenDays {
    static let messages: [String] = days.flatMap { $0 }

    static let days: [[String]] = [
        [
            "morning. what's next?", "I need to call the dentist tomorrow", "also renew my passport by 31 March",
            "add milk, eggs and bread to my list", "what's on my grocery list?", "remember that my locker code is 4417",
            "I spent 12.40 on lunch", "take a note: the plumber comes on Thursday between 9 and 11",
            "what should I do now",
            "done", "thanks",
        ],
        [
            "what's next", "break down renew my passport", "smaller", "done", "next step", "add coffee to my list",
            "how much did I spend this month?", "no wait, lunch was 11.40", "undo", "I spent 11.40 on lunch",
            "what tasks do I have today?", "call the dentist is done",
        ],
        [
            "I can't get started", "give me one thing", "ok", "done", "I bought milk and eggs for 7.80",
            "what's left on the list", "the plumber came, 180 euros", "note: boiler pressure should be 1.5 bar",
            "remind me to pay the plumber on Friday", "what do my notes say about the boiler",
        ],
        [
            "what's on today?", "brain dump: water the plants, answer Tom, book the train, find the charger",
            "which one first?", "1", "done", "skip", "what's next?", "find the charger is done",
            "remember that Tom likes climbing", "what do you know about Tom?",
        ],
        [
            "good morning", "add pasta, tomatoes and basil to my groceries", "do I have a recipe with tomatoes?",
            "how long does pasta take", "I spent 23.10 on groceries", "set a budget of 300 for groceries",
            "how much is left for groceries?", "what's next", "book the train for Saturday 8 am", "done",
        ],
        [
            "I slept badly. low day", "what is the one thing that must be done?", "later", "park it until Monday",
            "what's on my list", "clear what I bought", "note the number of the shop is 555 0134", "good night",
        ],
        [
            "what's next?", "I'm stuck with the tax papers", "break it down", "first step done",
            "how many steps are left", "I paid 9.99 for music", "what did I spend this week?", "show my notes",
            "delete the note about the shop", "no", "more",
        ],
        [
            "hi", "pay the plumber is done", "I spent 180 on the plumber", "what's left today", "tax papers",
            "done", "next", "add dish soap and sponges", "what is my locker code?",
            "remember that I take my pills at 9", "thank you",
        ],
        [
            "what's next", "Tom answered, so that one is done", "add a task: buy a present for Tom by next Friday",
            "what does Tom like?", "note: present idea climbing chalk", "I bought pasta, tomatoes and basil for 8.60",
            "how much did I spend on groceries this month?", "undo", "what tasks are due next week?", "ok",
        ],
        [
            "good morning, what's on?", "renew my passport is done!", "what did I finish this week?",
            "clear the done tasks", "what do my notes say about the present?", "I spent 14 on climbing chalk",
            "present for Tom is done", "what's next?", "forget my locker code", "that was all, thanks",
        ],
    ]
}
