import Synchronization
public import TandemCore
import TandemJSON
public import TandemStorage

/// The search over everything that a person has: memories, notes, messages, and rows of plugins with searchable columns.
///
/// One index of several parts, one for each table, with one budget: their scores compare, since each is a share of the best
/// that the question could get. Parts are built when something first looks into them. What is found is read from its row, with
/// the row's label. Safe from any thread.
public final class TextSearch: Sendable {
    /// Who has a table, for the search.
    public struct Owner: Sendable, Hashable {
        /// For people: `Recipes`.
        public var name: String
        /// Of rows that have no label of their own: what a plugin brings from elsewhere is others' words.
        public var trust: TrustLabel

        public init(name: String, trust: TrustLabel = .owner) {
            self.name = name
            self.trust = trust
        }
    }

    /// Says whose a plugin's tables are; nil: not to be searched for this person, as the plugin is off.
    public typealias Directory = @Sendable (_ owner: String, _ scope: UserScope) async -> Owner?

    private struct Part: Sendable {
        var index: PersonalIndex
        var kind: String
        /// Made from the definition as it was then.
        var definition: TableDefinition?
    }

    private struct State: Sendable {
        var parts: [String: Part] = [:]
        var directory: Directory?
    }

    public let database: any Database
    /// What the indexes hold together.
    public let budget: SearchBudget
    /// Other embedders than the one that is built in.
    public let models = SearchModels()
    private let state = Mutex(State())

    public init(database: any Database, budget: SearchBudget = SearchBudget()) {
        self.database = database
        self.budget = budget
    }

    /// Has a table of the host searched in its own way.
    ///
    /// - Parameter kind: What a row is: `note`.
    @discardableResult
    public func add(_ source: SearchSource, as kind: String) -> PersonalIndex {
        let index = PersonalIndex(source, of: database, budget: budget, models: models)
        state.withLock { $0.parts[source.table] = Part(index: index, kind: kind) }
        return index
    }

    /// Sets who knows of plugins; without it their tables are not searched.
    public func set(_ directory: @escaping Directory) { state.withLock { $0.directory = directory } }

    // MARK: - Searching

    /// Of a part, so many of its best are compared with those of the others.
    private static let mostOfPart = 24
    /// What is not about as good as the best is left out.
    private static let leastShare = 0.45
    /// A memory was meant to be found, a message was only said.
    private static let standing = ["memory": 1.0, "note": 0.6, "message": -0.6]

    /// What answers a question, best first.
    ///
    /// - Parameters:
    ///   - kinds: Which: `memory`, `note`, `message`, `plugin`; nil: all.
    ///   - before: Messages from this one on are left out: the question itself.
    public func find(
        _ question: String, kinds: Set<String>? = nil, limit: Int, now: Timestamp? = nil, before: RecordID? = nil,
        in scope: UserScope
    ) async throws -> [FoundText] {
        guard limit > 0 else { return [] }
        let parts = await visible(kinds, scope)
        let vector = await models.vector(of: question, for: scope, in: database)
        let found = try await database.read(scope) { transaction in
            var hits: [(part: Int, hit: RecallHit<RecordID>)] = []
            for (number, part) in parts.enumerated() {
                for var hit in try part.part.index.search(
                    question, limit: TextSearch.mostOfPart, now: now, vector: vector, of: scope.user, in: transaction)
                {
                    if part.part.kind == "message", let before, hit.key >= before { continue }
                    hit.score.standing += TextSearch.standing[part.part.kind] ?? 0
                    hits.append((number, hit))
                }
            }
            // What stands around a message helps to choose among messages, and says nothing beside other kinds.
            func worth(_ item: (part: Int, hit: RecallHit<RecordID>)) -> Double {
                item.hit.score.total - item.hit.score.neighbour
            }
            hits.sort { left, right in
                let (a, b) = (worth(left), worth(right))
                return a != b ? a > b : left.hit.key > right.hit.key
            }
            guard let best = hits.first.map(worth), best > 0 else { return [FoundText]() }
            var texts: [FoundText] = []
            for (number, hit) in hits where worth((number, hit)) >= best * TextSearch.leastShare {
                guard texts.count < 3 * limit else { break }
                let (part, owner) = (parts[number].part, parts[number].owner)
                let source = part.index.source
                // As it is now, which the index may not know yet.
                guard let row = try transaction.searchedRow(of: source.table, source.columns, id: hit.key),
                    let (text, time) = source.text(row)
                else { continue }
                let trust = try transaction.trust(of: [hit.key])[hit.key] ?? owner.trust
                texts.append(
                    FoundText(
                        kind: part.kind, table: source.table, owner: owner.name, id: hit.key, text: text, at: time,
                        trust: trust.joined(with: owner.trust), score: hit.score))
            }
            return TextSearch.withoutEchoes(texts, limit: limit)
        }
        if let provenance = CallProvenance.current {
            for text in found where text.trust > .system {
                provenance.read(row: text.id.rawValue, trust: text.trust, texts: [text.text])
            }
        }
        return found
    }

    /// Leaves out what says the same as something better, and messages that only say what a memory, a note or a row holds.
    private static func withoutEchoes(_ texts: [FoundText], limit: Int) -> [FoundText] {
        let stems = texts.map { Set(TextAnalyzer.stems($0.text.prefix(400))) }
        let kept = texts.indices.filter { texts[$0].kind != "message" }
        var said: Set<Set<String>> = []
        return texts.indices.filter { index in
            guard said.insert(stems[index]).inserted else { return false }
            guard texts[index].kind == "message" else { return true }
            return !kept.contains { stems[$0].count >= 2 && stems[$0].isSubset(of: stems[index]) }
        }.prefix(limit).map { texts[$0] }
    }

    // MARK: - Parts

    /// Everything that is searched of anybody, by table.
    func sources() -> [SearchSource] {
        database.store.tables.definitions.flatMap { owner, tables in
            tables.compactMap { part(of: $0, isHost: owner.utf8.starts(with: "host.".utf8))?.index.source }
        }.sorted { $0.table < $1.table }
    }

    private func visible(_ kinds: Set<String>?, _ scope: UserScope) async -> [(part: Part, owner: Owner)] {
        let directory = state.withLock { $0.directory }
        var visible: [(part: Part, owner: Owner)] = []
        for (owner, tables) in database.store.tables.definitions.sorted(by: { $0.key < $1.key }) {
            let isHost = owner.utf8.starts(with: "host.".utf8)
            let parts = tables.compactMap { part(of: $0, isHost: isHost) }
                .filter { kinds?.contains($0.kind) ?? true }
            guard !parts.isEmpty else { continue }
            if isHost {
                visible += parts.map { ($0, Owner(name: "")) }
            } else if let known = await directory?(owner, scope) {
                visible += parts.map { ($0, known) }
            }
        }
        return visible
    }

    private func part(of definition: TableDefinition, isHost: Bool) -> Part? {
        state.withLock { state in
            if let part = state.parts[definition.name], part.definition == nil || part.definition == definition {
                return part
            }
            guard let source = SearchSource(of: definition) else {
                state.parts[definition.name] = nil
                return nil
            }
            let part = Part(
                index: PersonalIndex(source, of: database, budget: budget, models: models),
                kind: isHost ? "other" : "plugin",
                definition: definition)
            state.parts[definition.name] = part
            return part
        }
    }
}

/// One text that answers a question, and where it is.
public struct FoundText: Sendable {
    /// `memory`, `note`, `message`, `plugin`.
    public var kind: String
    public var table: String
    /// Of a plugin's row, its name for people; else empty.
    public var owner: String
    public var id: RecordID
    /// The texts of the row that are searched.
    public var text: String
    public var at: Timestamp
    /// Whose words these are.
    public var trust: TrustLabel
    public var score: RecallScore

    /// The sentence or line that has the most of a question, cut.
    public func excerpt(for question: String, length: Int = 160) -> String {
        let wanted = Set(TextAnalyzer.stems(question))
        var best = (share: -1, line: text[...])
        for line in text.split(omittingEmptySubsequences: true, whereSeparator: { $0.isNewline }).prefix(200) {
            let share = wanted.intersection(TextAnalyzer.stems(line.prefix(600))).count
            if share > best.share { best = (share, line) }
        }
        let words = best.line.split(whereSeparator: \.isWhitespace)
        guard best.line.count > length else { return words.joined(separator: " ") }
        // From a little before the first word that was asked for.
        let first = words.firstIndex { word in !wanted.isDisjoint(with: TextAnalyzer.stems(word)) } ?? 0
        let start = max(0, first - 4)
        var line = start > 0 ? "..." : ""
        for word in words[start...] {
            guard line.count + word.count < length - 3 else { return line + "..." }
            if !line.isEmpty, line != "..." { line += " " }
            line += word
        }
        return line
    }
}
