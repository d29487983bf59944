import CRunner
import CTandemPlugin
import Glibc
import Synchronization
import TandemCore

// What a runner says, on the thread that has the right to read: the loop's, or a caller's (`RunnerProcess+Own`).
extension RunnerProcess {
    /// On the loop's thread, with the right to read.
    func ready(_ events: UInt32) {
        if events & RunnerLoop.writing != 0 {
            let mustGoOn = out.withLock { out -> Bool in
                guard out.isBlocked else { return false }
                out.isBlocked = false
                return true
            }
            if mustGoOn {
                drain()
                updateWatch()
            }
        }
        if let ownFault { return end(ownFault) }
        let isOver = events & ~(RunnerLoop.writing | RunnerLoop.reading) != 0
        if hasLeftover.load(ordering: .relaxed), isOver || !health.withLock({ $0.isPaused }) {
            if let fault = handleFrames(isOver: isOver) { return end(fault) }
            if !isOver { return }
        }
        guard events & ~RunnerLoop.writing != 0 else { return }
        if case .over(let fault) = receive() { end(fault) }
    }

    enum Received {
        case frames, nothing
        /// The stream ended, or something was wrong with it.
        case over(String?)
    }

    /// Takes what there is, without waiting, and handles it.
    func receive() -> Received {
        let room = min(helping, RunnerProcess.inboxSize - inboxCount)
        guard room > 0 else { return .nothing }
        let began = monotonicNanoseconds()
        var taken = [Int32](repeating: -1, count: 16)
        var count: Int32 = 0
        let amount = tandem_receive(
            socket, inbox + inboxCount, room, &taken, Int32(taken.count), &count)
        if amount < 0, errno == EAGAIN || errno == EWOULDBLOCK { return .nothing }
        guard amount > 0, count >= 0 else { return .over(count < 0 ? "sent too many descriptors" : nil) }
        files.append(contentsOf: taken.prefix(Int(count)))
        guard files.count <= 64 else { return .over("sent descriptors that belong to nothing") }
        inboxCount += amount
        lastHeard.store(began, ordering: .relaxed)
        if let fault = handleFrames(isOver: false) { return .over(fault) }
        if amount == room { measure(monotonicNanoseconds() - began) }
        return .frames
    }

    /// Many small frames are dear to receive: a helping takes no longer than a turn, whatever it consists of.
    private func measure(_ time: UInt64) {
        if time > Self.turnNanoseconds {
            helping = max(helping / 2, Self.smallestHelping)
        } else if time < Self.turnNanoseconds / 2, !hasLeftover.load(ordering: .relaxed) {
            helping = min(helping * 2, Self.inboxSize)
        }
    }

    /// What has been received, until the runner has to wait or its turn is over. Nil, or why the runner is not to be
    /// listened to any more.
    ///
    /// - Parameter isOver: nothing comes any more: all at once.
    private func handleFrames(isOver: Bool) -> String? {
        var offset = 0
        var isLeft = false
        let turnEnd = isOver ? UInt64.max : monotonicNanoseconds() + Self.turnNanoseconds
        let headSize = MemoryLayout<tandem_frame>.size
        while inboxCount - offset >= headSize {
            let frame = inbox.load(fromByteOffset: offset, as: tandem_frame.self)
            guard frame.length <= TANDEM_FRAME_INLINE else { return "sent a frame that is too long" }
            let whole = headSize + (Int(frame.length) + 7) & ~7
            guard inboxCount - offset >= whole else { break }
            if offset > 0, !isOver, monotonicNanoseconds() > turnEnd || health.withLock({ $0.isPaused }) {
                isLeft = true
                break
            }
            let payload = UnsafeRawBufferPointer(start: inbox + offset + headSize, count: Int(frame.length))
            offset += whole
            if answersTooMuch(frame) { return "sent more answers than it was asked for" }
            if frame.flags & UInt16(TANDEM_FRAME_FILE) != 0 {
                if let fault = handleFile(frame, payload) { return fault }
            } else if let fault = handle(frame, payload, followedBy: inboxCount - offset) {
                return fault
            }
        }
        if offset > 0 {
            if offset < inboxCount { inbox.copyMemory(from: inbox + offset, byteCount: inboxCount - offset) }
            inboxCount -= offset
        }
        if hasLeftover.exchange(isLeft, ordering: .acquiringAndReleasing) != isLeft { updateWatch() }
        return nil
    }

    private func handleFile(_ frame: tandem_frame, _ payload: UnsafeRawBufferPointer) -> String? {
        var reader = FrameReader(payload)
        let size: UInt64 = reader.number()
        guard reader.isIntact, size <= UInt64(RunnerFrame.maxLength), !files.isEmpty else {
            return "sent a frame without its file"
        }
        let file = files.removeFirst()
        let bytes = tandem_map_sealed(file, size)
        // Before anybody else has it: whoever lets go of it last frees its pages.
        close(file)
        guard let bytes else { return "sent a file that is not sealed" }
        let body = RunnerBody(bytes: bytes, count: Int(size))
        // Reading a large document takes milliseconds: the loop has other runners to listen to.
        if openBodies.wrappingAdd(1, ordering: .relaxed).newValue >= Self.maxOpenBodies { pause() }
        WorkerPool.shared.submit { [self] in
            if let fault = handle(frame, body.bytes, followedBy: 0) { kill(fault) }
            if openBodies.wrappingSubtract(1, ordering: .relaxed).newValue < Self.maxOpenBodies { resume() }
        }
        return nil
    }

    /// Whether more has been answered than was asked, which only a plugin that writes frames itself does. With the right to
    /// read.
    private func answersTooMuch(_ frame: tandem_frame) -> Bool {
        switch UInt32(frame.kind) {
        case TANDEM_F_COMPLETE: answered.completions += 1
        case TANDEM_F_RETURNED: answered.returns += 1
        case TANDEM_F_DONE: answered.questions += 1
        case TANDEM_F_PONG: answered.pings += 1
        default: return false
        }
        let calls = owed.calls.load(ordering: .acquiring)
        return answered.completions > calls || answered.returns > calls
            || answered.questions > owed.questions.load(ordering: .acquiring)
            || answered.pings > owed.pings.load(ordering: .acquiring)
    }

    /// A frame of an instance that there is not: what it said last may come when it is gone.
    private func noteStray(_ frame: tandem_frame) -> String? {
        hasHadInstance(frame.instance) ? noteIdleFrame() : "sent a frame for an instance that it never had"
    }

    /// - Parameter backlog: bytes that have been received after it; 0 without the right to read.
    private func handle(
        _ frame: tandem_frame, _ payload: UnsafeRawBufferPointer, followedBy backlog: Int
    ) -> String? {
        switch UInt32(frame.kind) {
        case TANDEM_F_COMPLETE:
            guard let instance = instance(frame.instance) else { return noteStray(frame) }
            guard let status = instance.complete(frame.id, payload) else {
                return "sent a completion that is not whole"
            }
            if status == TANDEM_E_STALE || status == TANDEM_E_ALREADY_DONE { return noteIdleFrame() }
            answers.wrappingAdd(1, ordering: .relaxed)
        case TANDEM_F_REQUEST:
            guard let instance = instance(frame.instance) else { return noteStray(frame) }
            if frame.id == 0 {
                // Metrics and cancelled requests are as many as the plugin likes.
                let isLogLine = frame.code >> 16 == TANDEM_X_LOG
                if let fault = noteIdleFrame(isBounded: isLogLine) { return fault }
            } else {
                noteRequest(followedBy: backlog)
            }
            let request = RunnerRequest(
                instance: instance, function: frame.code & 0xFFFF, number: frame.id, payload: payload)
            guard RunnerStubs.handle(extension: frame.code >> 16, request) else {
                return "sent a request that means nothing"
            }
        case TANDEM_F_RETURNED:
            guard let instance = instance(frame.instance) else { return noteStray(frame) }
            var reader = FrameReader(payload)
            let isOfCall = instance.returned(
                frame.id, status: Int32(bitPattern: frame.code), duration: payload.isEmpty ? 0 : reader.number())
            if !isOfCall { return noteIdleFrame() }
        case TANDEM_F_DONE, TANDEM_F_PONG:
            let wasAsked =
                UInt32(frame.kind) == TANDEM_F_PONG
                ? health.withLock { health in
                    defer { health.isPinged = false }
                    return health.isPinged
                } : answer(frame, payload)
            if !wasAsked { return noteIdleFrame() }
        case TANDEM_F_READY, TANDEM_F_FAILED:
            guard !isServing.load(ordering: .acquiring) else { return noteIdleFrame() }
            state.withLock { $0.hello }.set(Answer(kind: frame.kind, code: frame.code, bytes: Array(payload)))
        case TANDEM_F_NOTE:
            guard let instance = instance(frame.instance) else { return noteStray(frame) }
            instance.completedLate(frame.id, status: Int32(bitPattern: frame.code))
            return noteIdleFrame()
        case TANDEM_F_PROGRESS:
            guard let instance = instance(frame.instance) else { return noteStray(frame) }
            instance.progress(frame.id, permille: Int32(bitPattern: frame.code), payload)
            return noteIdleFrame()
        default: return "sent a frame of an unknown kind"
        }
        return nil
    }
}

/// A payload that came as a file, mapped as long as this lives.
private final class RunnerBody: @unchecked Sendable {
    // Read-only memory of a sealed file.
    let bytes: UnsafeRawBufferPointer

    init(bytes: UnsafeRawPointer, count: Int) { self.bytes = UnsafeRawBufferPointer(start: bytes, count: count) }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
