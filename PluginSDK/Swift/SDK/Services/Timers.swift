internal import CTandemPlugin
public import TandemJSON

/// Being called later, once or again and again (`tandem.timer/1`): a timer calls one of the plugin's handlers. Needs
/// `uses: [.timers]` and `handlers` in the definition.
///
///     try await context.timers.set("milk", Restock.self, at: context.clock.now, repeating: .days(7)) { $0.item = "milk" }
///
/// Timers outlive crashes and are no part of undo. All functions throw `ToolError`: `over_quota`, `not_granted` (a tool of
/// effect `read`), `not_declared` (no such handler) and what `tandem/ext/timer.h` lists.
public struct Timers: Sendable {
    let call: Call

    /// Sets the timer `name`, in place of one of that name, with the handler's arguments, and gives when it is due.
    ///
    /// - Parameter instant: when first; in the past means now, at most ten years ahead.
    @discardableResult
    public func set<H: Handler>(
        _ name: String, _ handler: H.Type, at instant: Instant, repeating: Repetition = .never,
        _ build: (inout H) -> Void = { _ in }
    ) async throws -> Instant {
        var value = H()
        build(&value)
        let data = ToolLayout(H.self).arguments(of: value)
        return try await set(name, handler: H.declaration.name, data: data, at: instant, repeating: repeating)
    }

    /// The same with the handler's name and its arguments in JSON.
    @discardableResult
    public func set(
        _ name: String, handler: String, data: JSON = [:], at instant: Instant, repeating: Repetition = .never
    ) async throws -> Instant {
        let bytes = data.serialized()
        let (unit, every) = repeating.plan
        let answer = await request { host, table, id, context in
            withSlice(name) { name in
                withSlice(handler) { handler in
                    withSlice(bytes) { data in
                        var plan = tandem_timer_plan(
                            header: tandem_header(size: UInt32(MemoryLayout<tandem_timer_plan>.size), flags: 0),
                            handler: handler, data: data, due_ms: instant.milliseconds, repeat_unit: unit,
                            repeat_every: every)
                        return table.set(host, id, name, &plan, context, tandemSDKJSONDone)
                    }
                }
            }
        }
        guard answer.status == TANDEM_OK else { throw ToolError.service(answer.status) }
        return (answer.json?["dueAt"]?.stringValue).flatMap { Instant($0) } ?? instant
    }

    /// Removes a timer; false when there is none of that name. A call that has begun goes on.
    @discardableResult
    public func cancel(_ name: String) async throws -> Bool {
        let answer = await request { host, table, id, context in
            withSlice(name) { table.cancel(host, id, $0, context, tandemSDKJSONDone) }
        }
        if answer.status == TANDEM_E_NOT_FOUND { return false }
        guard answer.status == TANDEM_OK else { throw ToolError.service(answer.status) }
        return true
    }

    /// All timers of the plugin for this person, by name.
    public func all() async throws -> [SetTimer] {
        let answer = await request { host, table, id, context in
            table.list(host, id, context, tandemSDKJSONDone)
        }
        guard answer.status == TANDEM_OK else { throw ToolError.service(answer.status) }
        return (answer.json?["timers"]?.arrayValue ?? []).compactMap { SetTimer($0) }
    }

    private func request(
        _ submit: (UnsafePointer<tandem_host>, tandem_timer, UInt64, UnsafeMutableRawPointer) -> Int32
    ) async -> JSONAnswer {
        let access = call.instance.host
        let id = call.id
        return await access.request(access.timerTable) { submit(access.host, $0, id, $1) }
    }
}

/// How often a timer calls.
public enum Repetition: Sendable, Hashable {
    /// Once.
    case never
    /// Every so many seconds, at least 60.
    case seconds(Int)
    /// Every so many days at the same time of day where the person lives.
    case days(Int)
    /// Every so many months on that day of the month, or on the last one of a shorter month.
    case months(Int)

    /// `TANDEM_TIMER_*` and the number.
    fileprivate var plan: (UInt32, UInt32) {
        switch self {
        case .never: (TANDEM_TIMER_ONCE, 0)
        case .seconds(let every): (TANDEM_TIMER_SECONDS, UInt32(clamping: every))
        case .days(let every): (TANDEM_TIMER_DAYS, UInt32(clamping: every))
        case .months(let every): (TANDEM_TIMER_MONTHS, UInt32(clamping: every))
        }
    }

    fileprivate init(_ json: JSON?) {
        let every = Int(json?["every"]?.int64Value ?? 0)
        switch json?["unit"]?.stringValue {
        case "seconds": self = .seconds(every)
        case "days": self = .days(every)
        case "months": self = .months(every)
        default: self = .never
        }
    }
}

/// A timer that is set.
public struct SetTimer: Sendable, Hashable {
    public var name: String
    /// The name of the handler.
    public var handler: String
    public var dueAt: Instant
    public var repetition: Repetition
    public var data: JSON

    public init(name: String, handler: String, dueAt: Instant, repetition: Repetition = .never, data: JSON = [:]) {
        self.name = name
        self.handler = handler
        self.dueAt = dueAt
        self.repetition = repetition
        self.data = data
    }

    fileprivate init?(_ json: JSON) {
        guard let name = json["name"]?.stringValue, let handler = json["handler"]?.stringValue,
            let dueAt = (json["dueAt"]?.stringValue).flatMap({ Instant($0) })
        else { return nil }
        self.name = name
        self.handler = handler
        self.dueAt = dueAt
        repetition = Repetition(json["repeat"])
        data = json["data"] ?? [:]
    }
}

extension Context {
    /// Being called later.
    public var timers: Timers { Timers(call: call) }
}
