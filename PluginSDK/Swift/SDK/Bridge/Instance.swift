internal import CTandemPlugin
internal import Synchronization
internal import TandemJSON

/// One plugin for one person: calls in flight and their tasks.
///
/// The C table owns a reference until `destroy`; every running task owns another, so that nothing is freed under a call
/// that the host gave up on.
final class Instance: @unchecked Sendable {
    // Sendable: `table` is written in init and freed in deinit only; everything that changes is in the mutex.
    private struct Flight {
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    private struct State {
        var flights: [UInt64: Flight] = [:]
        var isActive = false
        var isQuiescing = false
        /// Calls that are no longer in flight and whose completion has not returned.
        var completing = 0
    }

    let host: HostAccess
    let table: UnsafeMutablePointer<tandem_instance>
    let registration: Registration
    private let caches = Mutex<[ObjectIdentifier: any InstanceCache]>([:])
    private let state = Mutex(State())

    init(_ registration: Registration, _ host: HostAccess) {
        self.registration = registration
        self.host = host
        table = .allocate(capacity: 1)
        table.initialize(
            to: tandem_instance(
                header: tandem_header(size: UInt32(MemoryLayout<tandem_instance>.size), flags: 0), context: nil,
                activate: tandemSDKActivate, invoke: tandemSDKInvoke, cancel: tandemSDKCancel,
                quiesce: tandemSDKQuiesce, destroy: tandemSDKDestroy, get_extension: tandemSDKGetExtension))
        table.pointee.context = Unmanaged.passRetained(self).toOpaque()
    }

    deinit {
        table.deinitialize(count: 1)
        table.deallocate()
    }

    /// The one of its type, made on first use.
    func cache<C: InstanceCache>(_ type: C.Type) -> C {
        caches.withLock { caches in
            if let known = caches[ObjectIdentifier(type)] as? C { return known }
            let made = C()
            caches[ObjectIdentifier(type)] = made
            return made
        }
    }

    func activate() -> Int32 {
        state.withLock { state in
            guard !state.isActive, !state.isQuiescing else { return TANDEM_E_WRONG_STATE }
            state.isActive = true
            return TANDEM_OK
        }
    }

    static func of(_ table: UnsafeMutablePointer<tandem_instance>?) -> Instance? {
        guard let context = table?.pointee.context else { return nil }
        return Unmanaged<Instance>.fromOpaque(context).takeUnretainedValue()
    }

    /// The table of an extension of the plugin's side; nil when the plugin does not have it.
    func extensionTable(_ id: String) -> UnsafeRawPointer? {
        registration.consultations[id] == nil ? nil : PluginTables.table(id)?.pointer
    }

    /// An extension of the plugin's side: a call like any other.
    func consult(_ request: UnsafePointer<tandem_request>, _ id: String) -> Int32 {
        guard let consultation = registration.consultations[id] else { return TANDEM_E_UNSUPPORTED }
        return invoke(request, consultation)
    }

    /// Calls `tool`, or the one that the request names.
    func invoke(_ request: UnsafePointer<tandem_request>, _ tool: (any AnyRegisteredTool)? = nil) -> Int32 {
        guard request.pointee.header.size >= TANDEM_REQUEST_SIZE_1_0 else { return TANDEM_E_SIZE_TOO_SMALL }
        guard request.pointee.header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0 else { return TANDEM_E_UNSUPPORTED }
        let id = request.pointee.call
        guard id != 0 else { return TANDEM_E_INVALID_ARGUMENT }
        guard let tool = tool ?? registration.tools[text(request.pointee.tool)] else { return TANDEM_E_UNSUPPORTED }
        guard let arguments = parse(request.pointee.arguments), case .object = arguments else {
            return TANDEM_E_INVALID_ARGUMENT
        }
        let call = Call(
            instance: self, id: id, deadlineNanoseconds: request.pointee.deadline_ns, arguments: arguments,
            idempotencyKey: text(request.pointee.idempotency_key),
            answers: parse(request.pointee.answers)?.objectValue ?? [:],
            resumeState: parse(request.pointee.resume_state))
        let refusal: Int32 = state.withLock { state in
            guard state.isActive, !state.isQuiescing else { return TANDEM_E_WRONG_STATE }
            guard state.flights[id] == nil else { return TANDEM_E_INVALID_ARGUMENT }
            guard state.flights.count < registration.maxInFlight else { return TANDEM_E_BUSY }
            state.flights[id] = Flight()
            return TANDEM_OK
        }
        guard refusal == TANDEM_OK else { return refusal }
        // Detached: a host in the same process may call from one of its tasks, whose locals and priority are its own.
        // Immediate: a tool that never suspends ends here, without a hop to another thread.
        let task =
            tool.startsInline
            ? Task.immediateDetached { await self.run(tool, call) } : Task.detached { await self.run(tool, call) }
        let isCancelled = state.withLock { state in
            state.flights[id]?.task = task
            return state.flights[id]?.isCancelled ?? false
        }
        if isCancelled { task.cancel() }
        return TANDEM_OK
    }

    /// Runs the tool and completes the call: the only place that does, and it always does.
    private nonisolated(nonsending) func run(_ tool: any AnyRegisteredTool, _ call: Call) async {
        let outcome = await tool.run(call)
        // First: the host may send the next call from within complete. It is not quiet before that has returned.
        state.withLock { state in
            state.flights.removeValue(forKey: call.id)
            state.completing += 1
        }
        _ = outcome.withTable { host.complete(call.id, $0) }
        state.withLock { $0.completing -= 1 }
    }

    func cancel(_ id: UInt64) {
        let task = state.withLock { state in
            state.flights[id]?.isCancelled = true
            return state.flights[id]?.task
        }
        task?.cancel()
    }

    func quiesce() -> Int32 {
        let (tasks, isIdle) = state.withLock { state in
            state.isQuiescing = true
            return (state.flights.values.compactMap(\.task), state.flights.isEmpty && state.completing == 0)
        }
        for task in tasks { task.cancel() }
        return isIdle ? TANDEM_OK : TANDEM_E_BUSY
    }

    /// Tasks that still run keep the instance alive, but reach the host no more.
    func destroy() {
        host.close()
        let tasks = state.withLock { state in
            state.isQuiescing = true
            return state.flights.values.compactMap(\.task)
        }
        for task in tasks { task.cancel() }
    }
}
