import TandemCore
import TandemJSON

/// Finds what a pointer ("that", "2", "the first one") or a name means among the things just shown or named.
struct ReferenceResolver {
    let context: PlannerContext

    enum Resolution {
        case ids([String])
        /// It points to something, and there is nothing to point to.
        case dangling
        /// Words that name it.
        case words
    }

    private static let it = wordHash("it"), that = wordHash("that"), this = wordHash("this"), them = wordHash("them")
    private static let both = wordHash("both"), all = wordHash("all"), those = wordHash("those")
    private static let these = wordHash("these"), last = wordHash("last"), everything = wordHash("everything")
    private static let one = wordHash("one"), ones = wordHash("ones")

    private func candidates(_ entity: String) -> [ShownEntities.Item] {
        var items = context.touched.filter { $0.type == entity }
        if let shown = context.shown?.items {
            for item in shown where item.type == entity && !items.contains(item) { items.append(item) }
        }
        return items
    }

    /// Something of the kind was shown or named.
    func knows(_ entity: String) -> Bool {
        context.touched.contains { $0.type == entity } || context.shown?.items.contains { $0.type == entity } == true
    }

    func resolve(_ range: Range<Int>, entity: String, in message: Message) -> Resolution {
        let tokens = message.tokens
        let range = message.trimmed(range)
        guard let first = range.first else { return .words }
        let shown = context.shown.map { $0.items } ?? []
        let numbered = context.shown?.isNumbered == true ? shown : []
        func at(_ number: Int) -> Resolution {
            guard number >= 1, number <= numbered.count, entity.isEmpty || numbered[number - 1].type == entity else {
                return .dangling
            }
            return .ids([numbered[number - 1].id])
        }
        if let only = range.last, tokens[only].has(.ordinal), tokens[only].number.units > 0, range.count <= 2,
            range.count == 1 || tokens[first].has(.determiner), !numbered.isEmpty
        {
            return at(Int(tokens[only].number.units))
        }
        let end = message.pointers[first]
        guard end == range.upperBound else { return byLabel(range, entity, message) }
        // The last word that is a number or an ordinal decides.
        for index in range {
            let token = tokens[index]
            if token.kind == .number, let value = token.number.integer { return at(value) }
            if token.kind == .word, token.has(.ordinal), token.surface != ReferenceResolver.last {
                return at(Int(token.number.units))
            }
            if token.has(.cardinal), token.number.units > 0,
                token.surface != ReferenceResolver.one || range.count == 1
            {
                return at(Int(token.number.units))
            }
        }
        if range.contains(where: { tokens[$0].surface == ReferenceResolver.last }), let item = numbered.last {
            return .ids([item.id])
        }
        let near = candidates(entity)
        let isPlural = range.contains { index in
            [
                ReferenceResolver.both, ReferenceResolver.all, ReferenceResolver.them, ReferenceResolver.those,
                ReferenceResolver.these, ReferenceResolver.ones,
            ].contains(tokens[index].surface)
        }
        if isPlural {
            let touched = context.touched.filter { $0.type == entity }
            let isBoth = range.contains { tokens[$0].surface == ReferenceResolver.both }
            let isAll = range.contains { tokens[$0].surface == ReferenceResolver.all }
            let group = isAll ? shown.filter { $0.type == entity } : touched.isEmpty ? shown : touched
            if isBoth {
                let two = touched.count == 2 ? touched : shown.filter { $0.type == entity }
                return two.count == 2 ? .ids(two.map(\.id)) : .dangling
            }
            let ids = group.filter { $0.type == entity }.prefix(20).map(\.id)
            return ids.isEmpty ? .dangling : .ids(Array(ids))
        }
        guard let item = near.first else { return .dangling }
        return .ids([item.id])
    }

    /// The one thing whose label is what was said, article and plural aside.
    private func byLabel(_ range: Range<Int>, _ entity: String, _ message: Message) -> Resolution {
        let items = candidates(entity)
        guard !items.isEmpty else { return .words }
        let said = content(Array(message.tokens[range]), message.source)
        guard !said.isEmpty else { return .words }
        var exact: [String] = []
        var partial: [String] = []
        for item in items.prefix(50) {
            let bytes = Array(item.label.utf8)
            let label = content(Tokenizer.tokens(of: bytes, limit: 200), bytes)
            if label == said { exact.append(item.id) }
            if Set(label).isSuperset(of: said) { partial.append(item.id) }
        }
        if exact.count == 1 { return .ids(exact) }
        if exact.isEmpty, partial.count == 1 { return .ids(partial) }
        return .words
    }

    /// The words of a label that mean something, in the form that the lexicon lists.
    static func lemmas(_ label: String) -> [UInt64] {
        let bytes = Array(label.utf8)
        return Tokenizer.tokens(of: bytes, limit: 200).compactMap { token in
            guard token.kind == .word else { return nil }
            if let info = Lexicon.shared.words[token.surface] {
                return info.flags.contains(.function) ? nil : info.lemma
            }
            return wordHash(Inflection.singular(Vocabulary.fold(bytes[token.start..<token.end])[...]))
        }
    }

    private func content(_ tokens: [Token], _ source: [UInt8]) -> [UInt64] {
        tokens.compactMap { token in
            guard token.kind == .word, Lexicon.shared.words[token.surface]?.flags.contains(.determiner) != true else {
                return nil
            }
            return wordHash(Inflection.singular(Vocabulary.fold(source[token.start..<token.end])[...]))
        }
    }
}
