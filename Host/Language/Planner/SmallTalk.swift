/// Recognises talk that asks for nothing, and has a short kind answer for it.
struct SmallTalk {
    private static let thanks = Set(
        ["thanks", "thank", "thx", "ty", "cheers", "appreciated"].map { wordHash($0.utf8) })
    private static let byes = Set(["bye", "goodbye", "goodnight", "night", "cya"].map { wordHash($0.utf8) })
    private static let hellos = Set(
        [
            "hi", "hello", "hey", "hiya", "howdy", "yo", "heya", "greetings", "hallo", "morning", "afternoon",
            "evening",
            "sup", "hola", "ciao", "salut", "bonjour",
        ].map { wordHash($0.utf8) })
    private static let praise = Set(
        [
            "great", "good", "awesome", "amazing", "perfect", "nice", "cool", "wonderful", "brilliant", "best", "love",
            "lovely", "fantastic", "excellent", "sweet", "well", "fine", "super",
        ].map { wordHash($0.utf8) })
    private static let hard = Set(
        [
            "tired", "sad", "overwhelmed", "stressed", "anxious", "bored", "lonely", "exhausted", "depressed", "upset",
            "frustrated", "stuck", "distracted", "unmotivated", "worried", "scared", "sick", "angry", "nervous",
            "burned", "burnt", "drained", "unfocused", "terrible", "awful", "horrible", "bad", "rough", "ill",
        ].map { wordHash($0.utf8) })
    private static let loose = Set(
        [
            "you", "u", "are", "is", "am", "i", "me", "so", "very", "much", "a", "an", "the", "to", "there", "today",
            "how",
            "doing", "going", "it", "was", "that", "this", "for", "your", "my", "and", "all", "of", "lot", "one", "day",
            "been", "have", "job", "work", "feel", "feeling", "do", "what", "up", "'s", "really", "now", "again", "new",
            "everything", "things", "life", "just", "bit", "not", "know", "see", "time", "person", "help", "i'm", "be",
            "who", "too", "right", "sleep", "dreams", "having", "what's", "long", "week", "in", "on", "with", "at",
            "good", "yes", "no", "yeah", "yep", "nope", "sure", "welcome", "nothing", "joke", "funny", "lol", "haha",
            "mood", "from", "lately", "today", "did", "more", "such", "star", "legend", "hero",
        ].map { wordHash($0.utf8) })
    private static let how = wordHash("how"), you = wordHash("you"), are = wordHash("are")

    /// The answer, when every word is of that kind; nil when something may have been asked.
    static func reply(to tokens: [Token], in segment: Range<Int>) -> String? {
        var hasThanks = false
        var hasBye = false
        var hasHello = false
        var hasPraise = false
        var hasHard = false
        var hasHow = false
        var count = 0
        for index in segment where tokens[index].kind == .word {
            let word = tokens[index].surface
            count += 1
            if thanks.contains(word) || thanks.contains(tokens[index].lemma) {
                hasThanks = true
            } else if hellos.contains(word) {
                hasHello = true
            } else if byes.contains(word) {
                hasBye = true
            } else if hard.contains(word) {
                hasHard = true
            } else if praise.contains(word) {
                hasPraise = true
            } else if loose.contains(word) || tokens[index].has(.filler) || tokens[index].has(.greeting) {
                if word == how { hasHow = true }
            } else {
                return nil
            }
        }
        guard segment.allSatisfy({ tokens[$0].kind == .word || tokens[$0].isBreak }) else { return nil }
        if count == 0 { return nil }
        if hasHard { return "That sounds hard. Do you want to tell me one small thing I can take off your plate?" }
        if hasThanks { return "You are welcome." }
        if hasBye, !hasHow { return "Take care. I am here when you need me." }
        if hasHow { return "I am fine, thank you. What can I do for you?" }
        if hasHello { return "Hi! What can I do for you?" }
        if hasPraise { return "Glad to hear that." }
        return count <= 2 ? "I am here. What can I do for you?" : nil
    }

    private static let ignore = Set(["ignore", "disregard", "override", "bypass"].map { wordHash($0.utf8) })
    private static let orders = Set(
        ["instructions", "instruction", "prompt", "prompts", "rules", "guidelines", "directives"].map {
            wordHash($0.utf8)
        })
    private static let system = Set(["system", "developer", "jailbreak"].map { wordHash($0.utf8) })

    /// Text that addresses the machinery rather than asks for something: nothing in it is planned.
    static func looksInjected(_ tokens: [Token], source: [UInt8]) -> Bool {
        var sawIgnore = -100
        for index in tokens.indices where tokens[index].kind == .word {
            let word = tokens[index].surface
            if ignore.contains(word) { sawIgnore = index }
            if orders.contains(word), index - sawIgnore <= 8 { return true }
            if system.contains(word), index + 1 < tokens.count,
                tokens[index + 1].byte == 58 || orders.contains(tokens[index + 1].surface)
            {
                return true
            }
        }
        var previous: UInt8 = 0
        for byte in source.prefix(4096) {
            if byte == 124, previous == 60 { return true }  // <|
            if byte == 123, previous == 123 { return true }  // {{
            previous = byte
        }
        return false
    }
}
