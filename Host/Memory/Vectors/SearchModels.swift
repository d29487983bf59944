import Synchronization
import TandemCore
import TandemEmbedding
import TandemStorage

/// Another embedder than the built-in one, where the operator chose one: its vectors of texts are kept, sealed, and made by a
/// job (`VectorKeeping`); a search uses them when all of a person's texts have theirs, and the built-in ones until then.
///
/// Safe from any thread.
public final class SearchModels: Sendable {
    private struct State: Sendable {
        var embedder: (any PersonalEmbedder)?
        /// Whose texts have all their vectors, as far as was seen.
        var ready: [UserID: Bool] = [:]
        /// Not asked before: it failed.
        var pausedUntil: UInt64 = 0
    }

    /// A question is not kept waiting for its vector for longer.
    private static let patience = Duration.milliseconds(1500)
    private static let pause: UInt64 = 60_000_000_000

    private let state = Mutex(State())

    public init() {}

    /// - Parameter embedder: Nil: the built-in one alone.
    public func use(_ embedder: (any PersonalEmbedder)?) {
        state.withLock { state in
            state.embedder = embedder
            state.ready = [:]
        }
    }

    public var embedder: (any PersonalEmbedder)? { state.withLock { $0.embedder } }

    /// What vectors of the chosen embedder are kept as; nil: there is none.
    var model: String? { embedder?.identity.description }

    // MARK: - Questions

    private enum Answer: Sendable {
        case vector([Float])
        /// This person's budget is used up.
        case refused
        case failed
    }

    /// The vector of a question by the other embedder; nil when there is none, when this person's texts have none, or when it
    /// does not come in time.
    func vector(of question: String, for scope: UserScope, in database: any Database) async -> [Float]? {
        let now = monotonicNanoseconds()
        let (embedder, known) = state.withLock { state in
            (state.pausedUntil <= now ? state.embedder : nil, state.ready[scope.user])
        }
        guard let embedder, !question.isEmpty else { return nil }
        if known == nil {
            // The first look at this person's.
            let model = embedder.identity.description
            let found = try? await database.read(scope) { try VectorRows($0).state() }
            let isReady = found.map { $0.model == model && $0.isReady } ?? false
            state.withLock { $0.ready[scope.user] = isReady }
            guard isReady else { return nil }
        } else if known == false {
            return nil
        }
        let asked = String(question.prefix(2000))
        let answer = await withTaskGroup(of: Answer.self) { group in
            group.addTask {
                do {
                    guard let vector = try await embedder.embed([asked], as: .query, for: scope).first else {
                        return .failed
                    }
                    return .vector(vector)
                } catch is EmbeddingRefusal {
                    return .refused
                } catch {
                    return .failed
                }
            }
            group.addTask {
                try? await Task.sleep(for: SearchModels.patience)
                return .failed
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failed
        }
        switch answer {
        case .vector(let vector): return vector
        case .refused: return nil
        case .failed:
            if !Task.isCancelled {
                state.withLock { $0.pausedUntil = monotonicNanoseconds() &+ SearchModels.pause }
            }
            return nil
        }
    }

    // MARK: - Texts

    /// Brings an index's other vectors up to date with what is kept.
    func load(
        _ index: inout RecallIndex<RecordID>, _ model: inout String?, _ upTo: inout Int64, of table: String,
        in transaction: any ReadTransaction
    ) throws {
        guard let embedder, case .user(let scope) = transaction.scope else {
            if model != nil { index.detachAll() }
            (model, upTo) = (nil, 0)
            return
        }
        let name = embedder.identity.description
        let known = try VectorRows(transaction).state()
        let isReady = known.map { $0.model == name && $0.isReady } ?? false
        state.withLock { state in
            // Of very many the first are looked up again.
            if state.ready.count > 100_000 { state.ready = [:] }
            state.ready[scope.user] = isReady
        }
        guard isReady, let last = known?.last else {
            if model != nil { index.detachAll() }
            (model, upTo) = (nil, 0)
            return
        }
        if model != name {
            index.detachAll()
            (model, upTo) = (name, 0)
        }
        guard last > upTo else { return }
        let dimensions = embedder.identity.dimensions
        try VectorRows(transaction).each(of: name, table: table, after: upTo) { row, packed in
            index.attach(packed, dimensions: dimensions, to: row)
        }
        upTo = last
    }
}
