/// A form of sentences that is read word by word: `(delete|erase) [all of] my data <end>`.
///
/// Words stand for themselves; `(a|b c)` is one of several, `[a]` may be left out, `[a]*` comes any number of times, and
/// `<name>` stands for another form. The whole message has to fit: nothing is left over, nothing is guessed.
struct PhrasePattern: Sendable {
    private indirect enum Node: Sendable {
        case word(String)
        case sequence([Node])
        case choice([Node])
        case optional(Node)
        case repeated(Node)
    }

    private let root: Node

    /// - Parameter forms: What names stand for; they may use those that come earlier in the text of `compile`.
    init(_ text: String, forms: [String: PhrasePattern] = [:]) {
        var tokens = PhrasePattern.tokens(text)[...]
        root = PhrasePattern.choice(&tokens, forms)
    }

    /// The words as a whole have this form.
    func matches(_ words: [String]) -> Bool { PhrasePattern.ends(root, words, [0]).contains(words.count) }

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
    private static func ends(_ node: Node, _ words: [String], _ starts: Set<Int>) -> Set<Int> {
        if starts.isEmpty { return [] }
        switch node {
        case .word(let word):
            return Set(starts.compactMap { $0 < words.count && words[$0] == word ? $0 + 1 : nil })
        case .sequence(let nodes): return nodes.reduce(starts) { ends($1, words, $0) }
        case .choice(let nodes): return nodes.reduce(into: []) { $0.formUnion(ends($1, words, starts)) }
        case .optional(let node): return starts.union(ends(node, words, starts))
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
