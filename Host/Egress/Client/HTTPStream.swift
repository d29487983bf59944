import Synchronization

/// An answer whose body is fetched piece by piece; the server is slowed down to the reader's pace.
///
/// One `read` at a time. Letting go of the stream ends it.
public final class HTTPStream: Sendable {
    public let status: Int
    public let headers: HTTPHeaders
    private let buffer: StreamBuffer
    private let resume: @Sendable () -> Void
    private let onCancel: @Sendable () -> Void

    init(
        status: Int, headers: HTTPHeaders, buffer: StreamBuffer, resume: @escaping @Sendable () -> Void,
        cancel: @escaping @Sendable () -> Void
    ) {
        self.status = status
        self.headers = headers
        self.buffer = buffer
        self.resume = resume
        onCancel = cancel
    }

    deinit { if !buffer.isOver { onCancel() } }

    /// The next bytes, as soon as there are any; empty at the end. Cancelling the task ends the stream.
    public func read(atMost limit: Int) async throws(HTTPError) -> [UInt8] {
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if buffer.take(atMost: max(1, limit), continuation) { resume() }
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }

    /// Ends it: a `read` that waits fails with `cancelled`.
    public func cancel() {
        buffer.end(HTTPError(.cancelled, operation: "stream"))
        onCancel()
    }
}

/// Bytes on their way from the loop's thread to a reader.
final class StreamBuffer: Sendable {
    typealias Reader = UnsafeContinuation<Result<[UInt8], HTTPError>, Never>

    private struct State {
        var bytes: [UInt8] = []
        /// How many of `bytes` have been taken.
        var taken = 0
        var isPaused = false
        var isOver = false
        var failure: HTTPError?
        var reader: (Reader, limit: Int)?
    }

    private let state = Mutex(State())

    /// No more is asked of the server while this much waits.
    static let highWater = 256 << 10
    static let lowWater = 64 << 10

    var isOver: Bool { state.withLock { $0.isOver } }

    /// On the loop's thread: false is noted, and `take` says when there is room again.
    func hasRoom() -> Bool {
        state.withLock { state in
            if state.bytes.count - state.taken < Self.highWater || state.isOver { return true }
            state.isPaused = true
            return false
        }
    }

    func append(_ new: UnsafeRawBufferPointer) {
        let waiting = state.withLock { state -> (Reader, [UInt8])? in
            guard !state.isOver, !new.isEmpty else { return nil }
            state.bytes.append(contentsOf: new)
            guard let (reader, limit) = state.reader else { return nil }
            state.reader = nil
            return (reader, Self.cut(&state, limit))
        }
        if let (reader, bytes) = waiting { reader.resume(returning: .success(bytes)) }
    }

    /// The body is complete, or nothing follows any more; what has arrived can still be read when it is complete.
    func end(_ failure: HTTPError?) {
        let waiting = state.withLock { state -> Reader? in
            guard !state.isOver else { return nil }
            state.isOver = true
            state.failure = failure
            defer { state.reader = nil }
            return state.reader?.0
        }
        waiting?.resume(returning: failure.map { .failure($0) } ?? .success([]))
    }

    /// Answers the reader now or later; true when the server may go on.
    func take(atMost limit: Int, _ reader: Reader) -> Bool {
        var answer: Result<[UInt8], HTTPError>?
        let mayResume = state.withLock { state -> Bool in
            if let failure = state.failure {
                answer = .failure(failure)
            } else if state.bytes.count > state.taken {
                answer = .success(Self.cut(&state, limit))
            } else if state.isOver {
                answer = .success([])
            } else if state.reader != nil {
                answer = .failure(HTTPError(.invalidRequest, operation: "stream"))
            } else {
                state.reader = (reader, limit)
            }
            guard state.isPaused, state.bytes.count - state.taken <= Self.lowWater else { return false }
            state.isPaused = false
            return true
        }
        if let answer { reader.resume(returning: answer) }
        return mayResume
    }

    private static func cut(_ state: inout State, _ limit: Int) -> [UInt8] {
        let count = min(limit, state.bytes.count - state.taken)
        let piece = Array(state.bytes[state.taken..<(state.taken + count)])
        state.taken += count
        if state.taken == state.bytes.count {
            state.bytes.removeAll(keepingCapacity: true)
            state.taken = 0
        } else if state.taken > lowWater {
            state.bytes.removeFirst(state.taken)
            state.taken = 0
        }
        return piece
    }
}
