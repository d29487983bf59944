import TandemMemory

/// Cuts what a person said about how to do something into steps; it adds nothing of its own.
///
/// New lines, bullets, numbering (`1.`, `2)`, `step 3:`), semicolons, sentence ends, commas and `then` part steps. `and`
/// parts only before a word that can begin an action (`find it and take a photo`), so that `call Tom and Anna` stays
/// whole.
enum StepSplitter {
    static let mostSteps = 20

    static func split(_ text: String) -> [String] {
        var pieces: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            for sentence in sentences(line) {
                for clause in sentence.split(whereSeparator: { $0 == "," || $0 == ";" || $0 == "\u{2022}" }) {
                    pieces.append(contentsOf: splitWords(clause))
                }
            }
        }
        var seen = Set<String>()
        return
            pieces.map(clean).filter { !$0.isEmpty && seen.insert($0.lowercased()).inserted }
            .prefix(mostSteps).map { $0 }
    }

    /// The person says that they have no idea.
    static func isDontKnow(_ text: String) -> Bool {
        let words = TextAnalyzer.words(text)
        guard words.count <= 8 else { return false }
        let phrase = words.joined(separator: " ")
        return dontKnow.contains { phrase == $0 || phrase.hasPrefix($0 + " ") }
    }

    private static let dontKnow = [
        "i don't know", "i dont know", "don't know", "dont know", "idk", "dunno", "no idea", "no clue", "not sure",
        "i'm not sure", "im not sure", "i have no idea", "i am not sure", "you tell me", "you decide",
    ]

    /// Parts at `. ` and `! ` and at numbering within a line: `1. find it 2. sign it`.
    private static func sentences(_ line: Substring) -> [Substring] {
        var result: [Substring] = []
        var start = line.startIndex
        var index = line.startIndex
        while index < line.endIndex {
            let next = line.index(after: index)
            let character = line[index]
            let endsSentence =
                (character == "." || character == "!" || character == "?")
                && (next == line.endIndex || line[next] == " ") && !isAbbreviation(line[start..<index])
            if endsSentence {
                let piece = line[start..<index]
                if !piece.allSatisfy({ $0.isNumber || $0 == " " }) {
                    result.append(piece)
                    start = next
                } else {
                    start = next
                }
            } else if character == " ", let after = numberingEnd(line, from: next),
                start != line.startIndex || index > start
            {
                result.append(line[start..<index])
                start = after
                index = after
                continue
            }
            index = next
        }
        if start < line.endIndex { result.append(line[start...]) }
        return result
    }

    private static func isAbbreviation(_ text: Substring) -> Bool {
        guard let last = text.split(separator: " ").last else { return false }
        return ["dr", "mr", "mrs", "ms", "st", "no", "e.g", "i.e", "approx"].contains(last.lowercased())
    }

    /// The end of `2. ` or `2) ` that starts here.
    private static func numberingEnd(_ line: Substring, from start: Substring.Index) -> Substring.Index? {
        var index = start
        var digits = 0
        while index < line.endIndex, line[index].isASCII, line[index].isNumber, digits < 3 {
            index = line.index(after: index)
            digits += 1
        }
        guard digits > 0, digits < 3, index < line.endIndex, line[index] == "." || line[index] == ")" else {
            return nil
        }
        let after = line.index(after: index)
        guard after < line.endIndex, line[after] == " " else { return nil }
        return after
    }

    private static func splitWords(_ clause: Substring) -> [String] {
        let words = clause.split(separator: " ").map(String.init)
        var result: [[String]] = [[]]
        var index = 0
        while index < words.count {
            let word = words[index].lowercased()
            let next = index + 1 < words.count ? words[index + 1].lowercased() : ""
            if word == "then", !(result.last?.isEmpty ?? true) {
                result.append([])
            } else if word == "and", next == "then" {
                result.append([])
                index += 1
            } else if word == "and", !(result.last?.isEmpty ?? true), actionWords.contains(next) {
                result.append([])
            } else if word == "after", next == "that", !(result.last?.isEmpty ?? true) {
                result.append([])
                index += 1
            } else {
                result[result.count - 1].append(words[index])
            }
            index += 1
        }
        return result.map { $0.joined(separator: " ") }
    }

    /// Without bullets, numbering, leading connectives and the final full stop.
    private static func clean(_ piece: String) -> String {
        var text = Substring(Wording.oneLine(piece))
        while let first = text.first, "-*+>.)(\u{2022}\u{2013}\u{2014} ".contains(first) { text = text.dropFirst() }
        text = withoutNumbering(text)
        var isChanged = true
        while isChanged {
            isChanged = false
            let lowered = text.lowercased()
            for lead in leads where lowered.hasPrefix(lead) {
                text = text.dropFirst(lead.count)
                isChanged = true
                break
            }
        }
        while let last = text.last, ".;,:! ".contains(last) { text = text.dropLast() }
        return String(text)
    }

    private static let leads = [
        "and then ", "then ", "and ", "first of all ", "first ", "firstly ", "second ", "secondly ", "third ",
        "thirdly ", "next ", "finally ", "lastly ", "after that ", "to start ", "i'd ", "i would ", "i'll ", "i will ",
        "i need to ", "i have to ", "i should ", "i must ", "i could ", "i can ", "i guess ", "maybe ", "probably ",
    ]

    private static func withoutNumbering(_ text: Substring) -> Substring {
        var rest = text
        if rest.lowercased().hasPrefix("step ") { rest = rest.dropFirst(5) }
        let digits = rest.prefix(while: { $0.isASCII && $0.isNumber })
        guard (1...2).contains(digits.count) else { return text }
        rest = rest.dropFirst(digits.count)
        guard let sign = rest.first, sign == "." || sign == ")" || sign == ":" else { return text }
        return rest.dropFirst().drop(while: { $0 == " " })
    }

    /// Words that usually begin an action.
    static let actionWords: Set<String> = [
        "add", "apply", "arrange", "ask", "attach", "bake", "book", "boil", "bring", "brush", "buy", "call", "cancel",
        "charge", "check", "choose", "clean", "clear", "click", "close", "collect", "compare", "complete", "contact",
        "cook", "copy", "create", "cut", "decide", "delete", "do", "download", "draft", "drive", "drop", "dry", "dust",
        "eat", "email", "empty", "enter", "fetch", "file", "fill", "find", "finish", "fix", "fold", "gather", "get",
        "give", "go", "grab", "hang", "install", "iron", "keep", "leave", "list", "load", "log", "look", "mail", "make",
        "measure", "mop", "move", "note", "open", "order", "organise", "organize", "outline", "pack", "park", "pay",
        "phone", "pick", "plan", "plug", "pour", "prepare", "press", "print", "proofread", "pull", "push", "put",
        "read", "register", "remove", "rename", "renew", "repair", "replace", "reply", "request", "research", "return",
        "review", "rinse", "run", "save", "scan", "schedule", "scrub", "search", "select", "sell", "send", "set",
        "share", "ship", "sign", "sit", "sort", "stack", "stand", "start", "stir", "store", "submit", "sweep", "switch",
        "take", "talk", "tell", "test", "text", "throw", "tidy", "toss", "try", "turn", "type", "unload", "unpack",
        "update", "upload", "use", "vacuum", "visit", "wait", "walk", "wash", "watch", "water", "wear", "weigh", "wipe",
        "wrap", "write",
    ]
}
