internal import CTandemPlugin
public import TandemJSON

/// What a tool has besides its arguments: rows, other tools, the clock, settings, the log and the call itself.
///
/// Valid until `run` returns; used later, everything in it throws or does nothing. Cancellation is the task's:
/// `Task.isCancelled`, `Task.checkCancellation()`.
public struct Context: Sendable {
    let call: Call

    /// The rows of one of the plugin's tables.
    public func rows<R: Row>(_ type: R.Type) -> Rows<R> { Rows(call: call) }

    /// Does several row operations in one transaction.
    @discardableResult
    public func batch(_ build: (inout RowBatch) throws -> Void) async throws -> RowBatchResult {
        var batch = RowBatch()
        try build(&batch)
        guard !batch.operations.isEmpty else { return RowBatchResult(results: []) }
        return RowBatchResult(results: try await call.execute(batch.operations))
    }

    /// Row operations in their JSON form (`tandem/ext/rows.h`), for what the typed functions do not offer.
    public func execute(_ operations: [JSON]) async throws -> [JSON] { try await call.execute(operations) }

    /// Calls to other plugins' tools.
    public var tools: OtherTools { OtherTools(call: call) }

    /// The time, the person's zone, currency and language.
    public var clock: PersonClock { PersonClock(call: call) }

    /// The person's currency.
    public var currency: Currency { call.locale.currency }

    /// Lines in the host's log.
    public var log: Log { Log(call: call) }

    /// The plugin's settings for this person, with defaults filled in.
    public func config<C: Configuration>(_ type: C.Type) -> C {
        guard let values = call.instance.host.configuration() else { return C() }
        return (try? C(json: values, reader: Reader())) ?? C()
    }

    /// The arguments as the host sent them: the escape hatch.
    public var arguments: JSON { call.arguments }

    /// What the plugin keeps in memory for this person: the one object of its type.
    ///
    ///     let recent = context.cache(RecentSearches.self)
    ///
    /// It lives as long as the host keeps the plugin at hand for the person, which may end at any time, and is seen by this
    /// process only. What must last belongs in rows or `keyValues`; what is static belongs to all people of the process.
    public func cache<C: InstanceCache>(_ type: C.Type) -> C { call.instance.cache(type) }

    /// The person's answer to an earlier `Ask` of this call.
    public func answer(_ field: String) -> JSON? { call.answers[field] }

    /// The answer, read as a type; nil when there is none. Throws `ToolError` when it has another form.
    public func answer<V: JSONRepresentable>(_ field: String, as type: V.Type) throws -> V? {
        guard let json = call.answers[field] else { return nil }
        do throws(ShapeError) {
            return try V(json: json, reader: call.reader)
        } catch {
            throw ToolError.invalid("I expected \(error.expected).", code: "invalid_answer")
        }
    }

    /// The state of the earlier `Ask`.
    public var resumeState: JSON? { call.resumeState }

    /// The same for every attempt at the same intended effect; for services that take such a key.
    public var idempotencyKey: String { call.idempotencyKey }

    /// How long until the host gives up; zero when it has.
    public var timeRemaining: Duration {
        let now = call.instance.host.monotonicNanoseconds()
        return .nanoseconds(Int64(clamping: call.deadlineNanoseconds > now ? call.deadlineNanoseconds - now : 0))
    }

    /// Says how far the call is: 0–1000, nil for unknown. The host may drop it.
    public func progress(_ permille: Int?, _ note: String = "") {
        call.instance.host.progress(call.id, Int32(min(max(permille ?? -1, -1), 1000)), note)
    }
}

/// What `Context.cache` makes on first use. Several calls use it at the same time.
public protocol InstanceCache: AnyObject, Sendable {
    init()
}
