/// Whether somebody says in words of their own that they want no more texts: `please don't text me any more`.
///
/// Carriers act on single words only; what a person means by a sentence is for us to honour (47 CFR 64.1200(a)(10): any
/// reasonable way of saying so). The whole message must say it, politeness aside: `stop texting me about milk` or `don't
/// text me before nine` are wishes about something else, and go to the assistant.
enum OptOutPhrase {
    /// Longer messages say other things too.
    static let longest = 160

    static func says(_ text: String) -> Bool {
        guard text.utf8.count <= longest else { return false }
        // A message of several sentences counts when one says it and the rest is courtesy or anger.
        let sentences = text.split(whereSeparator: { ".!?;\n".contains($0) }).map(words)
        var found = false
        for sentence in sentences where !sentence.isEmpty {
            if isRefusal(sentence) { found = true } else if !isBeside(sentence) { return false }
        }
        return found
    }

    // MARK: Words

    private static func words(_ sentence: Substring) -> [String] {
        var folded = ""
        for character in sentence.lowercased() {
            if character.isLetter || character.isNumber {
                folded.append(character)
            } else if "'\u{2019}`".contains(character) {
                continue
            } else {
                folded.append(" ")
            }
        }
        let split = folded.split(separator: " ").map(String.init)
        // "do not", "opt out", "any more" and the like count as one word each.
        var joined: [String] = []
        var index = 0
        while index < split.count {
            if index + 1 < split.count, let one = pairs["\(split[index]) \(split[index + 1])"] {
                joined.append(one)
                index += 2
            } else {
                joined.append(single[split[index]] ?? split[index])
                index += 1
            }
        }
        return joined
    }

    private static let pairs: [String: String] = [
        "do not": "dont", "opt out": "optout", "any more": "anymore", "no longer": "nolonger", "text messages": "texts",
        "text message": "texts", "thank you": "thanks", "u dont": "dont", "sms messages": "texts",
        "any longer": "anymore",
        "do nt": "dont", "not to": "notto", "dont ever": "dont",
    ]
    private static let single: [String: String] = [
        "message": "text", "msg": "text", "contact": "text", "sms": "texts", "messages": "texts", "msgs": "texts",
        "messaging": "texting", "contacting": "texting", "spamming": "texting", "bothering": "texting",
        "pestering": "texting", "quit": "stop", "cease": "stop", "us": "me", "txt": "text", "txts": "texts",
        "txting": "texting", "bother": "text", "pls": "please", "plz": "please", "never": "dont", "plis": "please",
        "unsub": "unsubscribe", "notifications": "texts", "spam": "texts", "u": "you", "ur": "your", "im": "i",
        "wont": "dont",
    ]

    /// Says nothing of its own, at the beginning or the end.
    private static let fillers: Set<String> = [
        "please", "hey", "hi", "hello", "ok", "okay", "just", "now", "immediately", "thanks", "anymore", "again",
        "ever",
        "forever", "completely", "already", "so", "and", "kindly", "at", "all", "for", "good", "once", "seriously",
        "really",
        "stop", "sorry", "no", "today", "permanently", "fully", "this", "instant", "asap", "right", "away", "dear",
        "sir",
        "madam", "tandem", "i", "said", "would", "like", "want", "you", "to", "can", "could", "will", "need", "ask",
        "am",
        "asking", "wish", "demand", "must", "the", "hell", "fuck", "fucking", "damn", "it", "from", "here", "on", "way",
        "effective",
    ]

    /// A sentence that may stand beside the refusal.
    private static func isBeside(_ words: [String]) -> Bool {
        let beside: Set<String> = fillers.union([
            "wrong", "number", "who", "is", "are", "not", "interested", "dont", "know", "wanted", "busy", "enough",
            "bye",
            "goodbye", "have", "a", "nice", "day", "leave", "me", "alone", "never", "signed", "up", "asked", "changed",
            "my", "mind",
        ])
        return words.allSatisfy(beside.contains)
    }

    // MARK: The grammar

    private static let texts: Set<String> = ["texts", "text", "texting"]
    private static let tail: Set<String> = [
        "anymore", "again", "ever", "please", "now", "thanks", "forever", "immediately", "completely", "at", "all",
        "for", "good",
        "from", "you", "to", "this", "number", "my", "phone", "cell", "your", "side", "already", "asap", "here", "any",
        "more",
        "me", "on", "it", "okay", "ok", "right", "away", "permanently",
    ]

    private static func isRefusal(_ all: [String]) -> Bool {
        var words = all[...]
        while let last = words.last, words.count > 1, ["please", "thanks", "now", "asap", "ok", "okay"].contains(last) {
            words.removeLast()
        }
        // The core may begin after any number of words that say nothing.
        while true {
            if matches(words) { return true }
            guard let first = words.first, fillers.contains(first) else { return false }
            words.removeFirst()
        }
    }

    private static func rest(_ words: ArraySlice<String>, _ count: Int) -> Bool {
        words.dropFirst(count).allSatisfy(tail.contains)
    }

    private static func matches(_ words: ArraySlice<String>) -> Bool {
        func word(_ index: Int) -> String { index < words.count ? words[words.startIndex + index] : "" }
        /// Skips determiners from a place on.
        func skip(_ from: Int, _ set: Set<String>) -> Int {
            var index = from
            while set.contains(word(index)) { index += 1 }
            return index
        }
        let determiners: Set<String> = [
            "these", "the", "your", "any", "more", "me", "all", "those", "such", "stupid", "anymore", "getting",
            "receiving", "sending",
        ]
        switch word(0) {
        case "stop":
            if word(1) == "texting" { return ["me", "this", "my", "here", ""].contains(word(2)) && rest(words, 2) }
            if ["sending", "with", "the", "these", "your", "all"].contains(word(1)) {
                let place = skip(1, determiners.union(["with"]))
                return word(place) == "texts" && rest(words, place + 1)
            }
            return false
        case "dont":
            if word(1) == "text" { return ["me", "this", "my"].contains(word(2)) && rest(words, 2) }
            if word(1) == "send" || word(1) == "want" {
                if word(1) == "want", word(2) == "to" || word(2) == "you" { return wishes(words.dropFirst(2)) }
                let place = skip(2, determiners)
                return texts.contains(word(place)) && (place > 2 || word(1) == "want") && rest(words, place + 1)
            }
            return false
        case "nolonger":
            guard word(1) == "want" || word(1) == "wish" else { return false }
            if word(2) == "to" { return wishes(words.dropFirst(2)) }
            let place = skip(2, determiners)
            return texts.contains(word(place)) && rest(words, place + 1)
        case "no":
            let place = skip(1, ["more", "further"])
            return place > 1 && word(place) == "texts" && rest(words, place + 1)
        case "take", "remove", "get", "delete":
            let who = skip(1, ["me", "my", "this", "number"])
            let whom = words.prefix(who)
            guard who > 1, whom.contains("me") || whom.contains("number") else { return false }
            if who == words.count { return word(0) == "remove" || (word(0) == "delete" && words.contains("number")) }
            let place = skip(
                who, ["off", "from", "out", "of", "your", "this", "the", "any", "all", "mailing", "contact", "sms"])
            return place > who
                && ["list", "lists", "database", "system", "texts", "service", "contacts"].contains(word(place))
                && rest(words, place + 1)
        case "unsubscribe", "optout", "opt":
            let place = skip(
                1, ["me", "my", "number", "out", "from", "this", "your", "all", "the", "of", "any", "these", "please"])
            return place == words.count
                || (["list", "texts", "service", "service"].contains(word(place)) && rest(words, place + 1))
        case "leave": return word(1) == "me" && word(2) == "alone" && rest(words, 3)
        case "lose": return ["my", "this"].contains(word(1)) && word(2) == "number" && rest(words, 3)
        case "revoke", "withdraw", "revoking", "withdrawing":
            let place = skip(1, ["my", "the", "consent", "permission"])
            return place > 1 && (words.contains("consent") || words.contains("permission"))
                && words.dropFirst(place).allSatisfy {
                    tail.contains($0) || ["be", "texted", "receive", "texts", "text", "contacted"].contains($0)
                }
        case "be", "receive", "hear", "removed":
            return word(0) == "be" && word(1) == "removed"
                && (words.count == 2 || matches(["remove", "me"] + words.dropFirst(2)))
        default: return false
        }
    }

    /// What follows `I don't want to` or `I don't want you to`.
    private static func wishes(_ words: ArraySlice<String>) -> Bool {
        var words = words
        while let first = words.first,
            [
                "to", "you", "get", "receive", "be", "have", "any", "more", "these", "your", "keep", "getting",
                "receiving", "the", "hear", "from",
            ].contains(first)
        {
            if first == "hear" {
                return words.dropFirst().first == "from" && words.dropFirst(2).first == "you" && rest(words, 3)
            }
            words.removeFirst()
        }
        guard let first = words.first else { return false }
        return (texts.contains(first) || first == "texted" || first == "contacted" || first == "messaged")
            && rest(words, 1)
    }
}
