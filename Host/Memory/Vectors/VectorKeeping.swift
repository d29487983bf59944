public import TandemCore
import TandemEmbedding
import TandemStorage

/// Moves a person's texts to the embedder that is chosen, and keeps up with them: embeds what has no vector of it or has
/// changed, drops vectors of what is gone, and of other embedders in the end.
///
/// In small steps, each a transaction with its place, so that whoever is killed in the middle is followed by one that goes on
/// there. Searches work meanwhile, with the vectors of the built-in embedder.
public struct VectorKeeping: Sendable {
    private let search: TextSearch

    /// Texts that are embedded in one request.
    public static let batch = 96
    /// … or so many bytes, so that a request fits into the budget of a day.
    private static let batchBytes = 32_768
    private static let page = 400
    /// Bytes of a text that are embedded.
    private static let longest = 8000

    public init(_ search: TextSearch) { self.search = search }

    /// What one step did.
    public struct Step: Sendable, Hashable {
        public var embedded = 0
        public var dropped = 0
        /// The round is over: everything has its vector.
        public var isOver = false
    }

    /// What is embedded next, and where the round then stands.
    private struct Work: Sendable {
        var state: VectorRows.State
        var texts: [(row: RecordID, stamp: RowStamp, text: String)] = []
        var gone: [RecordID] = []
        var table = ""
    }

    /// Does a part of a round; to be called until `isOver`.
    ///
    /// - Throws: `EmbeddingRefusal` when this person's budget is used up; what keeps the embedder or the storage from answering: nothing of this step is kept then.
    public func step(in scope: UserScope) async throws -> Step {
        let database = search.database
        guard let embedder = search.models.embedder else {
            // Back to the built-in one.
            let isMore = try await database.write(scope) { transaction in
                let rows = VectorRows(transaction)
                let isMore = try rows.dropSome(except: nil)
                if !isMore { try rows.dropState() }
                return isMore
            }
            return Step(isOver: !isMore)
        }
        let model = embedder.identity.description
        let sources = search.sources()
        let work = try await database.read(scope) { transaction in
            try VectorKeeping.next(model, sources, in: transaction)
        }
        let vectors =
            work.texts.isEmpty ? [] : try await embedder.embed(work.texts.map(\.text), as: .document, for: scope)
        guard vectors.count == work.texts.count else {
            throw StorageError(.internalFailure, "the embedder gave another number of vectors")
        }
        let (isOver, isMore) = try await database.write(scope) { transaction in
            let rows = VectorRows(transaction)
            var state = work.state
            for (text, vector) in zip(work.texts, vectors) {
                state.last = try rows.keep(
                    VectorStore.packed(vector), of: text.row, stamp: text.stamp.rawValue, table: work.table,
                    model: model)
            }
            try rows.drop(work.gone, of: model)
            let isOver = state.source.isEmpty
            if isOver { state.isReady = true }
            try rows.keep(state)
            return (isOver, isOver ? try rows.dropSome(except: model) : false)
        }
        var isDropping = isMore
        while isDropping {
            try Task.checkCancellation()
            isDropping = try await database.write(scope) { try VectorRows($0).dropSome(except: model) }
        }
        return Step(embedded: work.texts.count, dropped: work.gone.count, isOver: isOver)
    }

    private static func next(
        _ model: String, _ sources: [SearchSource], in transaction: any ReadTransaction
    ) throws -> Work {
        let rows = VectorRows(transaction)
        var state = try rows.state().flatMap { $0.model == model ? $0 : nil } ?? VectorRows.State(model: model)
        // A table that is gone since is passed over.
        guard
            let source = sources.first(where: { $0.table == state.source })
                ?? sources.first(where: {
                    $0.table > state.source
                })
        else {
            (state.source, state.after) = ("", RecordID(rawValue: 0))
            return Work(state: state)
        }
        if source.table != state.source { state.after = RecordID(rawValue: 0) }
        var work = Work(state: state, table: source.table)
        let stamps = try transaction.stamps(of: source.table, after: state.after, limit: page)
        let isLast = stamps.count < page
        let end = isLast ? RecordID(rawValue: .max) : stamps.last?.id ?? state.after
        let known = try rows.stamps(of: model, table: source.table, after: state.after, upTo: end)
        var reached = end
        var present: Set<RecordID> = []
        var bytes = 0
        for (id, stamp) in stamps {
            if work.texts.count == batch || bytes >= batchBytes {
                // The rest in the next step.
                reached = work.texts.last?.row ?? end
                break
            }
            present.insert(id)
            guard known[id] != stamp.rawValue else { continue }
            if let row = try transaction.searchedRow(of: source.table, source.columns, id: id),
                let (text, _) = source.text(row), !text.isEmpty
            {
                let cut = text.utf8.count > longest ? String(decoding: text.utf8.prefix(longest), as: UTF8.self) : text
                work.texts.append((id, row.stamp, cut))
                bytes += cut.utf8.count
            } else if known[id] != nil {
                work.gone.append(id)
            }
        }
        work.gone += known.keys.filter { $0 <= reached && !present.contains($0) }.sorted()
        if reached == RecordID(rawValue: .max) {
            let following = sources.first { $0.table > source.table }
            (work.state.source, work.state.after) = (following?.table ?? "", RecordID(rawValue: 0))
        } else {
            (work.state.source, work.state.after) = (source.table, reached)
        }
        return work
    }
}
