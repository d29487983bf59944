/// A day in messages, the one that the assistant must be able to live through.
enum Day {
    static let messages = [
        "add 2 litres of milk, eggs and some bread to my grocery list",
        "what's on my list?",
        "I bought the milk for 3.20",
        "how much did I spend on groceries this month?",
        "undo",
        "save a recipe for pancakes for 4: 250 g flour, 3 eggs, 500 ml milk",
        "I want to make pancakes for 6, put what's missing on the list",
        "I need to renew my passport by the end of March",
        "break it down",
        "turn expenses off",
        "I spent 12 euros on lunch",
    ]
}
