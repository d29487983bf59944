public import TandemCore
public import TandemJSON

/// What a person says about integrations and permissions in plain words: `only let expenses read`.
///
/// Read by rule, not by likeness: a sentence counts only when it names an integration exactly and every other word of
/// it belongs to one of the forms below. What may act for a person must never hang on a guess.
public struct IntegrationPhrases: Sendable {
    /// What an integration is called, and what its tools are.
    public struct Named: Sendable {
        public var namespace: String
        public var name: String
        public var aliases: [String]
        public var tools: [(id: String, title: String, effect: Effect)]

        public init(
            namespace: String, name: String, aliases: [String] = [],
            tools: [(id: String, title: String, effect: Effect)] = []
        ) {
            self.namespace = namespace
            self.name = name
            self.aliases = aliases
            self.tools = tools
        }
    }

    private struct Place {
        var index: Int
        /// The namespace or the name itself, not one of the other words for it.
        var isOwn: Bool
    }

    private let named: [Named]
    private let names: [String: Place]
    private let longestName: Int

    /// Where two integrations share a word, the namespace comes before a name, a name before an alias, and the earlier
    /// integration before the later one.
    public init(_ named: [Named]) {
        self.named = named
        var names: [String: Place] = [:]
        var longest = 1
        func add(_ text: String, _ index: Int, isOwn: Bool) {
            let words = PhraseWords.split(text)
            let key = words.joined(separator: " ")
            guard !words.isEmpty, names[key] == nil, !IntegrationPhrases.common.contains(key) else { return }
            names[key] = Place(index: index, isOwn: isOwn)
            longest = max(longest, words.count)
        }
        for (index, integration) in named.enumerated() { add(integration.namespace, index, isOwn: true) }
        for (index, integration) in named.enumerated() { add(integration.name, index, isOwn: true) }
        for (index, integration) in named.enumerated() {
            for alias in integration.aliases { add(alias, index, isOwn: false) }
        }
        self.names = names
        longestName = longest
    }

    /// The tool of `integrations.` that a message asks for, with its arguments; nil for everything else.
    public func call(for text: String) -> (tool: String, arguments: JSON)? {
        guard text.utf8.count <= 160 else { return nil }
        var words = PhraseWords.split(text)
        PhraseWords.dropPoliteness(&words)
        guard words.count <= 16 else { return nil }
        for start in words.indices {
            for end in (start + 1...min(start + longestName, words.count)).reversed() {
                guard let place = names[words[start..<end].joined(separator: " ")] else { continue }
                var before = Array(words[..<start])
                var after = Array(words[end...])
                if let last = before.last, ["the", "my"].contains(last) { before.removeLast() }
                if let first = after.first, ["integration", "plugin", "app"].contains(first) { after.removeFirst() }
                if let call = read(before, place, after) { return call }
            }
        }
        return nil
    }

    // MARK: Forms

    private func read(_ before: [String], _ place: Place, _ after: [String]) -> (tool: String, arguments: JSON)? {
        let integration = named[place.index]
        let head = before.joined(separator: " ")
        let tail = after.joined(separator: " ")
        func call(_ tool: String, _ more: JSONObject = [:]) -> (tool: String, arguments: JSON) {
            var arguments: JSONObject = ["integration": .string("#" + integration.namespace)]
            for (name, value) in more { arguments[name] = value }
            return ("integrations." + tool, .object(arguments))
        }
        func level(_ level: IntegrationLevel?) -> (tool: String, arguments: JSON) {
            call("level", level.map { ["level": .string($0.rawValue)] } ?? [:])
        }
        func tool(_ words: [String], _ state: String) -> (tool: String, arguments: JSON)? {
            guard isTool(words, of: integration) else { return nil }
            return call("tool", ["tool": .string(words.joined(separator: " ")), "state": .string(state)])
        }

        switch (head, tail) {
        case ("turn on", ""), ("switch on", ""), ("enable", ""), ("activate", ""), ("turn", "on"), ("switch", "on"),
            ("use", ""), ("to use", ""), ("i want to use", ""):
            return head.hasSuffix("use") && !place.isOwn ? nil : call("on")
        case ("turn off", ""), ("switch off", ""), ("disable", ""), ("deactivate", ""), ("turn", "off"),
            ("switch", "off"):
            return call("off")
        case ("", "on"): return place.isOwn ? call("on") : nil
        case ("", "off"): return place.isOwn ? call("off") : nil
        default: break
        }
        if IntegrationPhrases.describing.contains("\(head)|\(tail)") { return call("describe") }
        if IntegrationPhrases.reviewing.contains("\(head)|\(tail)") { return call("review") }
        if let (words, state) = IntegrationPhrases.namedTool(before, after) { return tool(words, state) }
        guard let wish = IntegrationPhrases.wish(before, after) else { return nil }
        switch wish.verb {
        case .read: return wish.manner == nil || wish.manner == .confirm ? level(.readOnly) : nil
        case .write:
            switch (wish.isAllowed, wish.manner) {
            // `don't let it write without asking`
            case (false, .write): return level(.confirm)
            case (false, nil): return level(.readOnly)
            case (false, _): return nil
            case (true, let manner): return level(manner)
            }
        case .other(let words):
            switch (wish.isAllowed, wish.manner) {
            case (false, .write): return tool(words, "confirm")
            case (false, nil): return tool(words, "off")
            case (false, _): return nil
            case (true, .write): return tool(words, "write")
            case (true, .confirm): return tool(words, "confirm")
            case (true, _): return tool(words, "on")
            }
        }
    }

    /// What comes before and after the name when a person asks what it may do.
    private static let describing: Set<String> = [
        "what can|do", "what may|do", "what does|do", "what is|allowed to do", "whats|allowed to do",
        "what can|access", "what may|access", "what can|see", "what can|reach", "what does|have access to",
        "permissions of|", "permissions for|", "show permissions of|", "show permissions for|",
        "show the permissions of|", "show me the permissions of|", "show me permissions of|", "|permissions",
        "list permissions of|", "list the permissions of|", "what are the permissions of|",
        "what are the permissions for|", "what permissions does|have", "show|permissions", "show me|permissions",
        "how far may|go", "how far can|go",
    ]
    private static let reviewing: Set<String> = [
        "what is new in|", "what is new with|", "whats new in|", "whats new with|", "review|", "review|permissions",
        "review permissions of|", "what does|want", "what does|want now", "what is|asking for", "what does|ask for",
    ]

    /// `turn off the delete tool of …`, `turn the delete tool of … off`, `disable delete in …`
    private static func namedTool(_ before: [String], _ after: [String]) -> (words: [String], state: String)? {
        var words = before
        guard let preposition = words.popLast(), ["of", "in", "from", "for"].contains(preposition) else { return nil }
        var state: String?
        if after.isEmpty {
            if words.count > 2, ["turn", "switch"].contains(words[0]), ["on", "off"].contains(words[1]) {
                state = words[1]
                words.removeFirst(2)
            } else if let first = words.first, let known = ["enable": "on", "disable": "off"][first] {
                state = known
                words.removeFirst()
            }
        } else if after == ["on"] || after == ["off"], let first = words.first, ["turn", "switch"].contains(first) {
            state = after[0]
            words.removeFirst()
        }
        guard let state else { return nil }
        if words.first == "the" { words.removeFirst() }
        if let last = words.last, ["tool", "tools"].contains(last) { words.removeLast() }
        return words.isEmpty ? nil : (words, state)
    }

    /// What the integration is to be allowed or not.
    private struct Wish {
        enum Verb {
            case read, write
            case other([String])
        }

        var verb: Verb
        var isAllowed = true
        /// With or without being asked; nil: nothing was said about it.
        var manner: IntegrationLevel?
    }

    private static func wish(_ before: [String], _ after: [String]) -> Wish? {
        let head = before.joined(separator: " ")
        switch head {
        case "let", "allow", "permit", "i let", "i allow": return wish(in: after, isAllowed: true)
        case "only let", "just let", "only allow", "let only":
            guard let wish = wish(in: after, isAllowed: true), case .read = wish.verb else { return nil }
            return wish
        case "dont let", "do not let", "never let", "dont allow", "do not allow", "forbid":
            return wish(in: after, isAllowed: false)
        case "make", "set", "switch", "keep", "put", "turn":
            if isReadOnly(after, prefixes: ["to", "on", "into", ""]) { return Wish(verb: .read) }
            guard head == "make", after.first == "ask" else { return nil }
            return asks(Array(after.dropFirst()))
        case "i want", "i would like", "id like":
            if isReadOnly(after, prefixes: ["to be", ""]) { return Wish(verb: .read) }
            guard after.starts(with: ["to", "ask"]) else { return nil }
            return asks(Array(after.dropFirst(2)))
        case "give", "grant":
            guard after == ["full", "access"] || after == ["write", "access"] else {
                return after == ["read", "access"] || after == ["read", "only", "access"] ? Wish(verb: .read) : nil
            }
            return Wish(verb: .write, manner: after == ["full", "access"] ? .write : nil)
        case "ask before", "ask me before", "always ask before", "always ask me before", "ask me first before":
            // `… writes`, `… adds anything`
            guard var verb = after.first, verb.count > 2 else { return nil }
            if verb == "does" { verb = "do" } else if verb.hasSuffix("s") { verb.removeLast() }
            guard let wish = wish(in: [verb] + after.dropFirst(), isAllowed: true), wish.manner == nil else {
                return nil
            }
            if case .read = wish.verb { return nil }
            return Wish(verb: wish.verb, manner: .confirm)
        case "dont ask about", "dont ask me about", "do not ask about", "do not ask me about", "no questions about":
            return after.isEmpty || after == ["any", "more"] || after == ["anymore"]
                ? Wish(verb: .write, manner: .write) : nil
        case "": return said(after)
        default: return nil
        }
    }

    /// The name first: `… may only read`, `… must ask me first`, `… need not ask`.
    private static func said(_ words: [String]) -> Wish? {
        if isReadOnly(words, prefixes: ["", "is"]) { return Wish(verb: .read) }
        if words == ["full", "access"] { return Wish(verb: .write, manner: .write) }
        if words == ["with", "confirmation"] || words == ["write", "with", "confirmation"] {
            return Wish(verb: .write, manner: .confirm)
        }
        for denial in [
            ["may", "not"], ["must", "not"], ["should", "not"], ["cannot"], ["cant"], ["mustnt"],
            ["shouldnt"], ["is", "not", "allowed", "to"],
        ]
        where words.starts(with: denial) {
            return wish(in: Array(words.dropFirst(denial.count)), isAllowed: false)
        }
        for duty in [
            ["must", "ask"], ["should", "ask"], ["has", "to", "ask"], ["needs", "to", "ask"], ["shall", "ask"],
        ]
        where words.starts(with: duty) {
            return asks(Array(words.dropFirst(duty.count)))
        }
        for freedom in [
            ["need", "not", "ask"], ["neednt", "ask"], ["does", "not", "have", "to", "ask"],
            ["doesnt", "have", "to", "ask"], ["does", "not", "need", "to", "ask"], ["doesnt", "need", "to", "ask"],
        ]
        where words.starts(with: freedom) {
            guard var wish = asks(Array(words.dropFirst(freedom.count))) else { return nil }
            wish.manner = .write
            return wish
        }
        for permission in [["is", "allowed", "to"], ["may"], ["can"], ["should"]] where words.starts(with: permission) {
            return wish(in: Array(words.dropFirst(permission.count)), isAllowed: true)
        }
        return nil
    }

    /// What follows `ask`: `me first`, `before writing`, `before each change`.
    private static func asks(_ words: [String]) -> Wish? {
        var words = words[...]
        if words.first == "me" { words = words.dropFirst() }
        if words.first == "first" { words = words.dropFirst() }
        if words.isEmpty { return Wish(verb: .write, manner: .confirm) }
        guard words.first == "before" else { return nil }
        let rest = words.dropFirst().joined(separator: " ")
        let writing: Set<String> = [
            "", "writing", "changing things", "changing anything", "each change", "every change", "it writes",
            "it changes anything", "it changes things", "doing anything", "it does anything", "any change", "changes",
        ]
        return writing.contains(rest) ? Wish(verb: .write, manner: .confirm) : nil
    }

    private static func isReadOnly(_ words: [String], prefixes: [String]) -> Bool {
        let text = words.joined(separator: " ")
        return prefixes.contains { prefix in
            ["read only", "readonly", "only read", "only reading", "reading only"].contains {
                text == (prefix.isEmpty ? $0 : prefix + " " + $0)
            }
        }
    }

    /// `[to] [only] read`, `write without asking`, `add but ask me first`.
    private static func wish(in words: [String], isAllowed: Bool) -> Wish? {
        var words = words
        if words.first == "to" { words.removeFirst() }
        var isOnly = false
        if words.first == "only" {
            isOnly = true
            words.removeFirst()
        } else if words.last == "only" {
            isOnly = true
            words.removeLast()
        }
        var manner: IntegrationLevel?
        for (ending, meaning) in manners where words.count > ending.count && words.suffix(ending.count) == ending[...] {
            manner = meaning
            words.removeLast(ending.count)
            break
        }
        guard !words.isEmpty else { return nil }
        let text = words.joined(separator: " ")
        if reading.contains(text) { return isAllowed ? Wish(verb: .read, manner: manner) : nil }
        guard !isOnly else { return nil }
        if writing.contains(text) { return Wish(verb: .write, isAllowed: isAllowed, manner: manner) }
        return Wish(verb: .other(words), isAllowed: isAllowed, manner: manner)
    }

    /// The longest first.
    private static let manners: [(words: [String], meaning: IntegrationLevel)] =
        [
            "without asking me first", "without asking me", "without asking first", "without asking",
            "without confirmation", "freely",
        ].map { (PhraseWords.split($0), IntegrationLevel.write) }
        + [
            "but ask me every time", "but ask me first", "but ask me before", "but ask first", "but ask me",
            "but always ask me", "but always ask", "but ask before", "and ask me first", "after asking me",
            "after asking", "with confirmation",
        ].map { (PhraseWords.split($0), IntegrationLevel.confirm) }
    private static let reading: Set<String> = [
        "read", "look", "look up", "look things up", "look up things", "read things",
    ]
    private static let writing: Set<String> = [
        "write", "write things", "change things", "change anything", "change everything", "make changes", "change",
        "do everything", "do anything", "do things", "work", "act", "read and write",
    ]

    /// The words name a tool: by the verb in its id, by words of its title, or by what it does.
    private func isTool(_ words: [String], of integration: Named) -> Bool {
        guard let verb = words.first else { return false }
        let deeds: [String: [Effect]] = [
            "delete": [.delete], "remove": [.delete], "send": [.send], "spend": [.spend], "pay": [.spend],
        ]
        let filler: Set<String> = ["a", "an", "the", "my", "things", "anything", "stuff", "something", "to", "it"]
        let others = words.dropFirst().filter { !filler.contains($0) }
        return integration.tools.contains { tool in
            let id = String(tool.id.drop { $0 != "." }.dropFirst())
            if id == words.joined(separator: "_") { return true }
            let title = Set(PhraseWords.split(tool.title).map(IntegrationPhrases.stem))
            let isMeant =
                id.split(separator: "_").first.map { $0 == verb } == true
                || title.contains(IntegrationPhrases.stem(verb))
                || deeds[verb]?.contains(tool.effect) == true
            return isMeant && others.allSatisfy { title.contains(IntegrationPhrases.stem($0)) }
        }
    }

    // MARK: Words

    /// What a name must not be to be understood here: words that stand in such sentences for something else.
    private static let common: Set<String> = [
        "me", "it", "them", "him", "her", "us", "you", "this", "that", "these", "those", "i", "we", "they", "the", "my",
        "all", "everything", "everyone", "anything", "nothing", "something", "one", "tool", "tools", "integration",
        "integrations", "plugin", "plugins", "app", "apps", "permissions", "read", "write", "ask", "on", "off", "only",
    ]

    private static func stem(_ word: String) -> String {
        word.count > 3 && word.hasSuffix("s") ? String(word.dropLast()) : word
    }
}
