public import TandemCore
public import TandemJSON

/// How long calls took, one after the other.
public struct CallTimings: Sendable, Hashable {
    public var medianNanoseconds: UInt64
    public var p99Nanoseconds: UInt64
    /// Calls that did not end with a value.
    public var failures: Int
}

extension PluginHost {
    /// Times whole calls: grants, validation of arguments and result, both JSON conversions, the plugin.
    ///
    /// A thousand calls that are not counted come first: instances are made, and the tool earns the direct way.
    public func timeCalls(
        of tool: String, arguments: JSON, count: Int, in scope: UserScope
    ) async -> CallTimings {
        let turn = RecordID(rawValue: 1)
        var durations: [UInt64] = []
        durations.reserveCapacity(count)
        var failures = 0
        for round in 0..<(1000 + count) {
            let started = monotonicNanoseconds()
            let call = ToolCall(
                tool: tool, arguments: arguments, origin: WriteOrigin(turn: turn, step: 1),
                deadlineNanoseconds: started + 10_000_000_000, idempotencyKey: "timing", allowedEffect: .spend)
            let outcome = await self.call(call, in: scope)
            let duration = monotonicNanoseconds() &- started
            guard round >= 1000 else { continue }
            durations.append(duration)
            if case .value = outcome { continue }
            failures += 1
        }
        durations.sort()
        guard !durations.isEmpty else { return CallTimings(medianNanoseconds: 0, p99Nanoseconds: 0, failures: 0) }
        return CallTimings(
            medianNanoseconds: durations[durations.count / 2],
            p99Nanoseconds: durations[min(durations.count * 99 / 100, durations.count - 1)], failures: failures)
    }
}
