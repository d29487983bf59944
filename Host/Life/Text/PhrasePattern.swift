/// A form of sentences that is read word by word: `(delete|erase) [all of] my data <end>`.
///
/// Words stand for themselves; `(a|b c)` is one of several, `[a]` may be left out, `[a]*` comes any number of times, and
/// `<name>` stands for another form. The whole message has to fit: nothing is left over, nothing is guessed. A message of more
/// than `mostWords` has no form.
struct PhrasePattern: Sendable {
    private indirect enum Node: Sendable {
        case word(String)
        case sequence([Node])
        case choice([Node])
        case optional(Node)
        case repeated(Node)
    }

    private let root: Node
    /// Every word of the form: a message with another one cannot have it.
    private let vocabulary: Set<String>

    /// - Parameter forms: What names stand for; they may use those that come earlier in the text of `compile`.
    init(_ text: String, forms: [String: PhrasePattern] = [:]) {
        var tokens = PhrasePattern.tokens(text)[...]
        root = PhrasePattern.choice(&tokens, forms)
        var vocabulary: Set<String> = []
        PhrasePattern.gather(root, &vocabulary)
        self.vocabulary = vocabulary
    }

    static let mostWords = 63

    /// The words as a whole have this form. All ways to read them are followed at once, as one set of places.
    func matches(_ words: [String]) -> Bool {
        guard words.count <= PhrasePattern.mostWords, words.allSatisfy(vocabulary.contains) else { return false }
        return PhrasePattern.ends(root, words, Places(0)).contains(words.count)
    }

    /// Places between words, from 0, before the first, to `mostWords`.
    private struct Places {
        private var bits: UInt64 = 0

        init() {}
        init(_ place: Int) { bits = 1 << UInt64(place) }

        var isEmpty: Bool { bits == 0 }
        func contains(_ place: Int) -> Bool { bits & (1 << UInt64(place)) != 0 }
        mutating func formUnion(_ other: Places) { bits |= other.bits }
        func subtracting(_ other: Places) -> Places {
            var rest = self
            rest.bits &= ~other.bits
            return rest
        }

        /// Those behind a word that stands at one of these places.
        func behind(_ word: String, of words: [String]) -> Places {
            var behind = Places()
            var rest = bits
            while rest != 0 {
                let place = rest.trailingZeroBitCount
                rest &= rest - 1
                if place < words.count, words[place] == word { behind.bits |= 1 << UInt64(place + 1) }
            }
            return behind
        }
    }

    private static func gather(_ node: Node, _ vocabulary: inout Set<String>) {
        switch node {
        case .word(let word): vocabulary.insert(word)
        case .sequence(let nodes), .choice(let nodes): for node in nodes { gather(node, &vocabulary) }
        case .optional(let node), .repeated(let node): gather(node, &vocabulary)
        }
    }

    private static func tokens(_ text: String) -> [String] {
        var tokens: [String] = []
        var word = ""
        for character in text {
            if character.isLetter || character.isNumber || character == "<" || character == ">" {
                word.append(character)
                continue
            }
            if !word.isEmpty { tokens.append(word) }
            word = ""
            if !character.isWhitespace { tokens.append(String(character)) }
        }
        if !word.isEmpty { tokens.append(word) }
        return tokens
    }

    private static func choice(_ tokens: inout ArraySlice<String>, _ forms: [String: PhrasePattern]) -> Node {
        var choices = [sequence(&tokens, forms)]
        while tokens.first == "|" {
            tokens.removeFirst()
            choices.append(sequence(&tokens, forms))
        }
        return choices.count == 1 ? choices[0] : .choice(choices)
    }

    private static func sequence(_ tokens: inout ArraySlice<String>, _ forms: [String: PhrasePattern]) -> Node {
        var nodes: [Node] = []
        while let token = tokens.first, token != "|", token != ")", token != "]" {
            tokens.removeFirst()
            switch token {
            case "(", "[":
                let inner = choice(&tokens, forms)
                // What closes it.
                if !tokens.isEmpty { tokens.removeFirst() }
                if token == "(" {
                    nodes.append(inner)
                } else if tokens.first == "*" {
                    tokens.removeFirst()
                    nodes.append(.repeated(inner))
                } else {
                    nodes.append(.optional(inner))
                }
            default:
                if token.hasPrefix("<"), let form = forms[String(token.dropFirst().dropLast())] {
                    nodes.append(form.root)
                } else {
                    nodes.append(.word(token))
                }
            }
        }
        return .sequence(nodes)
    }

    /// Where the node may end when it begins at one of these places.
    private static func ends(_ node: Node, _ words: [String], _ starts: Places) -> Places {
        if starts.isEmpty { return starts }
        switch node {
        case .word(let word): return starts.behind(word, of: words)
        case .sequence(let nodes): return nodes.reduce(starts) { ends($1, words, $0) }
        case .choice(let nodes): return nodes.reduce(into: Places()) { $0.formUnion(ends($1, words, starts)) }
        case .optional(let node):
            var all = starts
            all.formUnion(ends(node, words, starts))
            return all
        case .repeated(let node):
            var all = starts
            var new = starts
            while !new.isEmpty {
                new = ends(node, words, new).subtracting(all)
                all.formUnion(new)
            }
            return all
        }
    }
}
