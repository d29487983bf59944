internal import CTandemPlugin
internal import Synchronization
internal import TandemSDK

/// Drives one instance of a plugin through its C tables and nothing else, so that it tests any plugin in any language
/// and the bridge of the Swift SDK.
///
/// `activate`, `invoke`, `quiesce` and `destroy` are not to be called at the same time for one driver (`[worker]`).
public final class PluginDriver: @unchecked Sendable {
    // Sendable: the table is thread-safe as far as the contract demands; the rest is in the mutex.
    public let host: HostTable
    private struct Table: @unchecked Sendable {
        // Sendable: the contract says which functions may be called at the same time.
        var pointer: UnsafeMutablePointer<tandem_instance>?
    }

    private let instance: Mutex<Table>
    private static let nextCall = Atomic<UInt64>(1)

    /// Makes an instance of a `tandem_plugin`; nil when `create` fails or leaves no instance.
    public init?(plugin: UnsafeRawPointer, host: HostTable) {
        self.host = host
        var made: UnsafeMutablePointer<tandem_instance>?
        let table = plugin.assumingMemoryBound(to: tandem_plugin.self)
        let status = table.pointee.create?(table, host.pointer.assumingMemoryBound(to: tandem_host.self), &made)
        guard status == TANDEM_OK, let made else { return nil }
        instance = Mutex(Table(pointer: made))
    }

    init(instance: UnsafeMutableRawPointer, host: HostTable) {
        self.host = host
        self.instance = Mutex(Table(pointer: instance.assumingMemoryBound(to: tandem_instance.self)))
    }

    deinit { destroy() }

    /// The manifest of a `tandem_plugin`.
    public static func manifest(of plugin: UnsafeRawPointer) -> [UInt8] {
        let table = plugin.assumingMemoryBound(to: tandem_plugin.self)
        guard let slice = table.pointee.manifest?(table),
            let pointer = slice.ptr
        else { return [] }
        return Array(UnsafeBufferPointer(start: pointer, count: Int(clamping: slice.len)))
    }

    private var table: UnsafeMutablePointer<tandem_instance>? { instance.withLock { $0 }.pointer }

    @discardableResult
    public func activate() -> Int32 {
        guard let table else { return TANDEM_E_WRONG_STATE }
        return table.pointee.activate?(table) ?? TANDEM_E_UNSUPPORTED
    }

    /// A call id that no other call of this process has.
    public static func makeCallID() -> UInt64 { nextCall.add(1, ordering: .relaxed).oldValue }

    /// Calls a tool and waits for the completion. Cancelling the task cancels the call. `requestSize` makes the request
    /// claim another size than it has.
    public func invoke(
        _ tool: String, _ arguments: [UInt8], call: UInt64 = makeCallID(), answers: [UInt8] = [],
        resumeState: [UInt8] = [], idempotencyKey: String = "", timeout: Duration = .seconds(60),
        requestSize: Int? = nil, flags: UInt32 = 0
    ) async -> WireOutcome {
        let deadline = monotonicNanoseconds() &+ UInt64(clamping: timeout.components.seconds) &* 1_000_000_000
        return await withTaskCancellationHandler {
            await host.outcome(of: call) {
                let status = submit(
                    tool, arguments, call: call, answers: answers, resumeState: resumeState,
                    idempotencyKey: idempotencyKey, deadlineNanoseconds: deadline, requestSize: requestSize,
                    flags: flags)
                // A cancellation before the call was known had nothing to cancel.
                if Task.isCancelled { cancel(call) }
                return status
            }
        } onCancel: {
            cancel(call)
        }
    }

    /// Calls a function of an extension of the plugin's side (`tandem.health/1` and its like) and waits for the
    /// completion.
    public func consult(
        _ id: String, _ arguments: [UInt8], call: UInt64 = makeCallID(), timeout: Duration = .seconds(10)
    ) async -> WireOutcome {
        let deadline = monotonicNanoseconds() &+ UInt64(clamping: timeout.components.seconds) &* 1_000_000_000
        return await host.outcome(of: call) {
            // All of these tables have one function behind their header.
            guard let table = pluginExtension(id)?.assumingMemoryBound(to: tandem_health.self),
                Int(table.pointee.header.size) >= MemoryLayout<tandem_health>.size, let function = table.pointee.check
            else { return TANDEM_E_UNSUPPORTED }
            return submit(
                id, arguments, call: call, idempotencyKey: id, deadlineNanoseconds: deadline, function: function)
        }
    }

    /// Hands a call to the plugin and gives the status of `invoke`; the completion goes to `host`.
    public func submit(
        _ tool: String, _ arguments: [UInt8], call: UInt64, answers: [UInt8] = [], resumeState: [UInt8] = [],
        idempotencyKey: String = "", deadlineNanoseconds: UInt64 = .max, requestSize: Int? = nil, flags: UInt32 = 0
    ) -> Int32 {
        submit(
            tool, arguments, call: call, answers: answers, resumeState: resumeState, idempotencyKey: idempotencyKey,
            deadlineNanoseconds: deadlineNanoseconds, requestSize: requestSize, flags: flags,
            function: table?.pointee.invoke)
    }

    /// What takes a request: `invoke`, or a function of an extension.
    private typealias Function =
        @convention(c) (
            UnsafeMutablePointer<tandem_instance>, UnsafePointer<tandem_request>
        ) -> Int32

    private func submit(
        _ tool: String, _ arguments: [UInt8], call: UInt64, answers: [UInt8] = [], resumeState: [UInt8] = [],
        idempotencyKey: String, deadlineNanoseconds: UInt64, requestSize: Int? = nil, flags: UInt32 = 0,
        function: Function?
    ) -> Int32 {
        guard let table else { return TANDEM_E_WRONG_STATE }
        func slice(_ bytes: UnsafeBufferPointer<UInt8>) -> tandem_slice {
            tandem_slice(ptr: bytes.baseAddress, len: UInt64(bytes.count))
        }
        // One block of memory, overwritten after the call: a plugin that keeps a borrowed slice is found out.
        let parts = [Array(tool.utf8), arguments, Array(idempotencyKey.utf8), resumeState, answers]
        var block = parts.flatMap { $0 }
        return block.withUnsafeMutableBufferPointer { block in
            var offset = 0
            var slices: [tandem_slice] = []
            for part in parts {
                slices.append(slice(UnsafeBufferPointer(rebasing: block[offset..<offset + part.count])))
                offset += part.count
            }
            var request = tandem_request(
                header: tandem_header(size: UInt32(requestSize ?? MemoryLayout<tandem_request>.size), flags: flags),
                call: call, deadline_ns: deadlineNanoseconds,
                tool: slices[0], arguments: slices[1], trace_parent: tandem_slice(), idempotency_key: slices[2],
                resume_state: slices[3], answers: slices[4])
            let status = function?(table, &request) ?? TANDEM_E_UNSUPPORTED
            block.update(repeating: 0xFF)
            return status
        }
    }

    /// `reason` is `TANDEM_CANCEL_*`: 1 user, 2 deadline, 3 shutdown.
    public func cancel(_ call: UInt64, reason: UInt32 = 1) {
        host.markCancelled(call)
        guard let table else { return }
        table.pointee.cancel?(table, call, reason)
    }

    public func quiesce() -> Int32 {
        guard let table else { return TANDEM_E_WRONG_STATE }
        return table.pointee.quiesce?(table) ?? TANDEM_E_UNSUPPORTED
    }

    /// Asks until no call is in flight; false when some still are after the given number of polls.
    public func drain(polls: Int = 10_000) async -> Bool {
        for _ in 0..<polls {
            if quiesce() == TANDEM_OK { return true }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return false
    }

    /// Frees the instance; what is called afterwards is refused here.
    public func destroy() {
        let table = instance.withLock { instance in
            defer { instance = Table() }
            return instance
        }
        if let table = table.pointer { table.pointee.destroy?(table) }
    }

    /// The extension of the plugin's side, if it has one.
    public func pluginExtension(_ id: String) -> UnsafeRawPointer? {
        guard let table else { return nil }
        return id.withCString { table.pointee.get_extension?(table, $0) ?? nil }
    }
}
