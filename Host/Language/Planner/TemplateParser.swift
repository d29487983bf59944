/// What is wrong with one utterance of a tool; the others stand.
public struct TemplateDiagnostic: Sendable, Hashable {
    public var tool: String
    public var utterance: String
    /// What is wrong and where: `unclosed "[" at 12`.
    public var message: String

    public init(tool: String, utterance: String, message: String) {
        self.tool = tool
        self.utterance = utterance
        self.message = message
    }
}

/// Parses the small grammar of utterances: words, `{slot}`, `[optional]`, `(a|b c)`, nested.
struct TemplateParser {
    struct Failure: Error {
        var message: String
    }

    struct Piece: Sendable {
        /// Alternatives of one word each; empty for a slot.
        var words: [[UInt8]] = []
        var slot: String?
        var isOptional = false
    }

    private indirect enum Node {
        case text([UInt8])
        case slot(String)
        case optional([[Node]])
        case choice([[Node]])
    }

    static let lengthLimit = 400
    static let variantLimit = 32

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0
    private let splitsHeads: Bool

    private init(_ text: String) {
        bytes = Array(text.utf8)
        splitsHeads = Tokenizer.tokens(of: bytes).contains { Lexicon.particles.contains($0.surface) }
    }

    /// All ways to say the template, each a flat sequence; at most `variantLimit`.
    static func variants(of text: String) throws(Failure) -> [[Piece]] {
        var parser = TemplateParser(text)
        guard parser.bytes.count <= lengthLimit else {
            throw Failure(message: "longer than \(lengthLimit) bytes")
        }
        let nodes = try parser.sequence(until: nil)
        let expanded = parser.expand(nodes)
        guard expanded.contains(where: { !$0.isEmpty }) else { throw Failure(message: "empty") }
        for variant in expanded {
            var seen: Set<String> = []
            for piece in variant {
                guard let slot = piece.slot else { continue }
                guard seen.insert(slot).inserted else { throw Failure(message: "slot {\(slot)} twice") }
            }
        }
        return expanded.filter { !$0.isEmpty }
    }

    private mutating func sequence(until closer: UInt8?) throws(Failure) -> [Node] {
        var nodes: [Node] = []
        var text: [UInt8] = []
        func flush(_ nodes: inout [Node], _ text: inout [UInt8]) {
            if !text.isEmpty { nodes.append(.text(text)) }
            text = []
        }
        depth += 1
        defer { depth -= 1 }
        guard depth <= 6 else { throw Failure(message: "groups nested more than 5 deep at \(index)") }
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 123:  // {
                flush(&nodes, &text)
                let start = index
                guard let close = bytes[index...].firstIndex(of: 125) else {
                    throw Failure(message: "unclosed \"{\" at \(start)")
                }
                let name = String(decoding: bytes[(index + 1)..<close], as: UTF8.self)
                guard !name.isEmpty, name.utf8.allSatisfy({ isNameByte($0) }) else {
                    throw Failure(message: "bad slot name \"\(name)\" at \(start)")
                }
                nodes.append(.slot(name))
                index = close + 1
            case 91, 40:  // [ (
                flush(&nodes, &text)
                nodes.append(try group(byte))
            case 93, 41, 124:  // ] ) |
                if let closer, byte == closer || byte == 124 {
                    flush(&nodes, &text)
                    return nodes
                }
                throw Failure(message: "unexpected \"\(Character(UnicodeScalar(byte)))\" at \(index)")
            case 125: throw Failure(message: "unexpected \"}\" at \(index)")
            default:
                text.append(byte)
                index += 1
            }
        }
        flush(&nodes, &text)
        return nodes
    }

    private mutating func group(_ opener: UInt8) throws(Failure) -> Node {
        let start = index
        let closer: UInt8 = opener == 91 ? 93 : 41
        var options: [[Node]] = []
        repeat {
            index += 1
            options.append(try sequence(until: closer))
            guard index < bytes.count else {
                throw Failure(message: "unclosed \"\(Character(UnicodeScalar(opener)))\" at \(start)")
            }
        } while bytes[index] == 124
        index += 1
        return opener == 91 ? .optional(options) : .choice(options)
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 95
    }

    // MARK: Expansion

    private func expand(_ nodes: [Node]) -> [[Piece]] {
        var results: [[Piece]] = [[]]
        for node in nodes {
            let tails = expand(node)
            guard !tails.isEmpty else { continue }
            if tails.count == 1 {
                for index in results.indices { results[index] += tails[0] }
                continue
            }
            var next: [[Piece]] = []
            for tail in tails {
                for head in results where next.count < TemplateParser.variantLimit { next.append(head + tail) }
            }
            results = next
        }
        return results
    }

    private func expand(_ node: Node) -> [[Piece]] {
        switch node {
        case .text(let bytes):
            let tokens = Tokenizer.tokens(of: bytes)
            return [
                tokens.compactMap { token in
                    switch token.kind {
                    case .punctuation where token.byte == 58: Piece(words: [[58]])
                    case .word, .number, .clock:
                        Piece(words: [TemplateParser.spelling(token, in: bytes)])
                    default: nil
                    }
                }
            ]
        case .slot(let name): return [[Piece(slot: name)]]
        case .choice(let options), .optional(let options):
            var isOptional = false
            if case .optional = node { isOptional = true }
            var variants = options.flatMap { expand($0) }
            if variants.contains(where: \.isEmpty) {
                isOptional = true
                variants.removeAll(where: \.isEmpty)
            }
            if variants.count > 1, variants.allSatisfy({ $0.count == 1 && $0[0].slot == nil }),
                !variants.contains(where: { $0[0].words.contains(where: needsOwnVariant) })
            {
                variants = [[Piece(words: variants.flatMap { $0[0].words })]]
            }
            if isOptional {
                for outer in variants.indices {
                    for inner in variants[outer].indices { variants[outer][inner].isOptional = true }
                }
            }
            return variants
        }
    }

    /// A word that may be the first of a phrase with a particle elsewhere in the template.
    private func needsOwnVariant(_ word: [UInt8]) -> Bool {
        let hash = wordHash(word)
        return splitsHeads
            && (Lexicon.particles.contains(hash)
                || Lexicon.shared.phrases[hash]?.contains(where: \.isSeparable) == true)
    }

    /// The folded spelling; of a contraction's second half, its full word.
    static func spelling(_ token: Token, in bytes: [UInt8]) -> [UInt8] {
        let folded = Vocabulary.fold(bytes[token.start..<token.end])
        if token.kind == .word, wordHash(folded) != token.surface {
            for word in ["not", "'s", "is", "are", "have", "will", "would", "am", "us", "can", "will"]
            where wordHash(word.utf8) == token.surface { return Array(word.utf8) }
        }
        return folded
    }
}
