internal import CTandemPlugin
internal import Synchronization
internal import TandemSDK

/// A `tandem_host` for one instance, made of closures: it keeps the contract of `tandem/host.h` and counts what the
/// plugin does with it.
///
/// The table is valid as long as this object.
public final class HostTable: @unchecked Sendable {
    // Sendable: the pointers are written in init and freed in deinit only; everything that changes is in the mutex.
    private enum Flight {
        case waiting(CheckedContinuation<WireOutcome, Never>)
        case done
        case givenUp
    }

    private struct State {
        var flights: [UInt64: Flight] = [:]
        var cancelled: Set<UInt64> = []
        var progress: [(call: UInt64, permille: Int32, note: String)] = []
        var counts = HostCounts()
    }

    let services: HostServices
    let http = HTTPStreams()
    private let host: UnsafeMutablePointer<tandem_host>
    private let extensions: ExtensionTables
    private let state = Mutex(State())

    /// `size` makes the table claim another size than it has, to test how a plugin reads it.
    public init(_ services: HostServices, size: Int? = nil) {
        self.services = services
        extensions = ExtensionTables()
        host = .allocate(capacity: 1)
        host.initialize(
            to: tandem_host(
                header: tandem_header(size: UInt32(size ?? MemoryLayout<tandem_host>.size), flags: 0),
                abi_major: TANDEM_ABI_MAJOR, abi_minor: TANDEM_ABI_MINOR, context: nil,
                get_extension: testHostGetExtension, complete: testHostComplete, is_cancelled: testHostIsCancelled,
                progress: testHostProgress))
        host.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        host.deinitialize(count: 1)
        host.deallocate()
    }

    /// The `tandem_host`.
    public var pointer: UnsafeRawPointer { UnsafeRawPointer(host) }

    public var counts: HostCounts { state.withLock(\.counts) }

    /// What calls said about how far they are.
    public var progressNotes: [(call: UInt64, permille: Int32, note: String)] { state.withLock(\.progress) }

    /// Makes the call known, lets `start` hand it to the plugin, and waits for its completion. A status other than 0
    /// from `start` means that the plugin refused it.
    public func outcome(of call: UInt64, start: () -> Int32) async -> WireOutcome {
        await withCheckedContinuation { continuation in
            state.withLock { $0.flights[call] = .waiting(continuation) }
            let status = start()
            guard status != TANDEM_OK else { return }
            let waiting = state.withLock { state in
                let flight = state.flights.removeValue(forKey: call)
                // Refused and completed all the same.
                if case .done = flight { state.counts.staleCompletions += 1 }
                return flight
            }
            if case .waiting(let continuation) = waiting {
                continuation.resume(returning: .refused(status, "refused", "The plugin refused the call (\(status))."))
            }
        }
    }

    /// Stops waiting for a call; a completion that comes later is stale.
    public func giveUp(_ call: UInt64) {
        let flight = state.withLock { state in
            guard case .waiting = state.flights[call] else { return nil as Flight? }
            return state.flights.updateValue(.givenUp, forKey: call)
        }
        if case .waiting(let continuation) = flight {
            continuation.resume(returning: .refused(TANDEM_E_DEADLINE_EXCEEDED, "timeout", "That took too long."))
        }
    }

    func markCancelled(_ call: UInt64) { state.withLock { _ = $0.cancelled.insert(call) } }

    func extensionTable(_ id: String) -> UnsafeRawPointer? {
        services.extensions.contains(id) ? extensions.pointer(id) : nil
    }

    func complete(_ call: UInt64, _ outcome: UnsafePointer<tandem_outcome>?) -> Int32 {
        let taken = take(outcome)
        let (status, waiting) = state.withLock { state in
            state.counts.buffersReceived += taken.buffers
            state.counts.buffersReleased += taken.buffers
            switch state.flights[call] {
            case .waiting(let continuation):
                state.flights[call] = .done
                state.counts.completions += 1
                if taken.status != TANDEM_OK { state.counts.malformedOutcomes += 1 }
                return (taken.status, Optional(continuation))
            case .done:
                state.counts.doubleCompletions += 1
                return (TANDEM_E_ALREADY_DONE, nil)
            case .givenUp, .none:
                state.counts.staleCompletions += 1
                return (TANDEM_E_STALE, nil)
            }
        }
        waiting?.resume(returning: taken.outcome)
        return status
    }

    /// Copies what an outcome holds and releases its buffers, whatever else is wrong with it.
    private func take(
        _ pointer: UnsafePointer<tandem_outcome>?
    ) -> (outcome: WireOutcome, status: Int32, buffers: Int) {
        guard let pointer else {
            return (.refused(TANDEM_E_INVALID_ARGUMENT, "no_outcome", "No outcome."), TANDEM_E_INVALID_ARGUMENT, 0)
        }
        guard Int(pointer.pointee.header.size) >= MemoryLayout<tandem_outcome>.size else {
            return (.refused(TANDEM_E_SIZE_TOO_SMALL, "short_outcome", "Short outcome."), TANDEM_E_SIZE_TOO_SMALL, 0)
        }
        let table = pointer.pointee
        var buffers = 0
        func take(_ buffer: tandem_buffer) -> [UInt8] {
            let bytes = buffer.ptr.map { Array(UnsafeBufferPointer(start: $0, count: Int(buffer.len))) } ?? []
            if let release = buffer.release {
                buffers += 1
                release(buffer.owner)
            }
            return bytes
        }
        let outcome = WireOutcome(
            kind: table.kind, status: table.status, trust: table.trust, retryAfterMilliseconds: table.retry_after_ms,
            value: take(table.value), message: String(decoding: take(table.message), as: UTF8.self),
            shown: take(table.shown), resumeState: take(table.resume_state))
        guard (TANDEM_OUTCOME_VALUE...TANDEM_OUTCOME_ACCEPTED).contains(table.kind) else {
            let refused = WireOutcome.refused(TANDEM_E_UNSUPPORTED, "unknown_kind", "Unknown kind of outcome.")
            return (refused, TANDEM_E_INVALID_ARGUMENT, buffers)
        }
        return (outcome, TANDEM_OK, buffers)
    }

    func isCancelled(_ call: UInt64) -> Int32 {
        state.withLock { state in
            guard case .waiting = state.flights[call] else { return TANDEM_E_STALE }
            return state.cancelled.contains(call) ? 1 : 0
        }
    }

    /// Whether the call was made and has not ended.
    public func isInFlight(_ call: UInt64) -> Bool {
        state.withLock { state in
            if case .waiting = state.flights[call] { return true }
            return false
        }
    }

    func progress(_ call: UInt64, _ permille: Int32, _ note: String) -> Int32 {
        state.withLock { state in
            guard case .waiting = state.flights[call] else { return TANDEM_E_STALE }
            state.progress.append((call, permille, note))
            return TANDEM_OK
        }
    }
}
