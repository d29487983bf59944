import CTandemPlugin
import Synchronization
import TandemEgress

/// The requests and streams of one instance that are under way.
final class HTTPFlights: Sendable {
    private struct Flight {
        var isCancelled = false
        /// By the host, with the call or before its deadline.
        var isCut = false
        /// Nil before it is known, and for a stream.
        var task: Task<Void, Never>?
        var stream: EgressStream?
        /// Called once, when the stream is over.
        var end: (@Sendable () -> Void)?
        var isReading = false
    }

    private struct State {
        var flights: [UInt64: Flight] = [:]
        var next: UInt64 = 1
        /// Streams that the host has cut and whose plugin does not know it yet: they must not look like ones that were
        /// read to their end.
        var cut: [UInt64] = []

        mutating func noteCut(_ number: UInt64) {
            if cut.count == HTTPFlights.maxCut { cut.removeFirst() }
            cut.append(number)
        }
    }

    private let state = Mutex(State())

    static let limit = 16
    private static let maxCut = 64

    var count: Int { state.withLock { $0.flights.count } }

    /// A new number; nil when too many are under way.
    func begin() -> UInt64? {
        state.withLock { state in
            guard state.flights.count < Self.limit else { return nil }
            let number = state.next
            state.next += 1
            state.flights[number] = Flight()
            return number
        }
    }

    func setTask(_ task: Task<Void, Never>, of number: UInt64) {
        let mustCancel = state.withLock { state -> Bool in
            guard let flight = state.flights[number], flight.stream == nil else { return false }
            state.flights[number]?.task = task
            return flight.isCancelled
        }
        if mustCancel { task.cancel() }
    }

    /// The headers are there; `end` is called once, when the stream is over. False when it was cancelled meanwhile.
    func setStream(_ stream: EgressStream, of number: UInt64, end: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard let flight = state.flights[number], !flight.isCancelled else { return false }
            state.flights[number] = Flight(stream: stream, end: end)
            return true
        }
    }

    /// The stream to read from, marked as being read; or why not.
    func beginRead(of number: UInt64) -> Result<EgressStream, StatusError> {
        state.withLock { state in
            guard let flight = state.flights[number], let stream = flight.stream, !flight.isCancelled else {
                guard let place = state.cut.firstIndex(of: number) else {
                    return .failure(StatusError(state.flights[number] == nil ? TANDEM_E_STALE : TANDEM_E_CANCELLED))
                }
                state.cut.remove(at: place)
                return .failure(StatusError(TANDEM_E_CANCELLED))
            }
            guard !flight.isReading else { return .failure(StatusError(TANDEM_E_WRONG_STATE)) }
            state.flights[number]?.isReading = true
            return .success(stream)
        }
    }

    /// - Parameter isLast: nothing follows.
    func endRead(of number: UInt64, isLast: Bool) {
        let ended = state.withLock { state -> (@Sendable () -> Void)? in
            guard let flight = state.flights[number] else { return nil }
            guard isLast || flight.isCancelled else {
                state.flights[number]?.isReading = false
                return nil
            }
            state.flights[number] = nil
            if flight.isCut { state.noteCut(number) }
            return flight.end
        }
        ended?()
    }

    func end(_ number: UInt64) { state.withLock { $0.flights[number] = nil } }

    /// False when there is no such request any more.
    ///
    /// - Parameter byHost: the plugin did not ask for it.
    @discardableResult
    func cancel(_ number: UInt64, byHost: Bool = false) -> Bool {
        var end: (@Sendable () -> Void)?
        let cancelled = state.withLock { state -> Flight? in
            guard let flight = state.flights[number], !flight.isCancelled else { return nil }
            state.flights[number]?.isCancelled = true
            state.flights[number]?.isCut = byHost
            // A read that waits fails, and its end is the end of the stream.
            if flight.stream != nil, !flight.isReading {
                state.flights[number] = nil
                if byHost { state.noteCut(number) }
                end = flight.end
            }
            return flight
        }
        guard let cancelled else { return false }
        cancelled.task?.cancel()
        cancelled.stream?.cancel()
        end?()
        return true
    }

    func cancelAll() {
        for number in state.withLock({ Array($0.flights.keys) }) { cancel(number, byHost: true) }
    }
}
