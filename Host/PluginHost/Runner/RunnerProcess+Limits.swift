import CRunner
import CTandemPlugin
import Glibc
import Synchronization
import TandemCore

// How much a runner may say and burn.
extension RunnerProcess {
    // MARK: Limits on what it says
    /// How much of the second's requests may come at once, as time.
    private static let burst: UInt64 = 500_000_000
    private static let dropInterval: UInt64 = 5_000_000
    /// The same for a runner that has sent so many bytes more without waiting for answers: several times what the 64 requests
    /// are that a call may have open at once.
    private static let floodInterval: UInt64 = 40_000_000
    private static let floodBytes = 32 << 10
    /// How much of the second's idle frames may come at once, as time, how long a runner waits that sent more, and after which
    /// time without any such wait the next one counts as the first.
    private static let idleBurst: UInt64 = 60_000_000
    private static let idleInterval: UInt64 = 20_000_000
    private static let idleCalm: UInt64 = 200_000_000
    private static let maxBadAnswers = 3
    /// How long after such a wait a runner counts as one that says too much.
    private static let loudness: UInt64 = 1_000_000_000

    /// - Parameter backlog: bytes that have been received after it: who waits for answers leaves few.
    func noteRequest(followedBy backlog: Int) {
        let count = openRequests.wrappingAdd(1, ordering: .relaxed).newValue
        if count >= link.configuration.maxOpenRequests { pause() }
        // A burst of half a second's requests is served; the rest comes in drops, which nobody else notices.
        let most = max(link.configuration.maxRequests, 10)
        let price = 1_000_000_000 / UInt64(most)
        let (now, isTooMuch) = health.withLock { health -> (UInt64, Bool) in
            let now = monotonicNanoseconds()
            // The instant until which requests are paid for.
            health.paidUntil = max(health.paidUntil, now > Self.burst ? now - Self.burst : 0) + price
            return (now, health.paidUntil > now)
        }
        guard isTooMuch else { return }
        noteThrottled(now)
        var interval = Self.dropInterval
        if backlog > 0, backlog + tandem_unread(socket) > Self.floodBytes {
            interval = Self.floodInterval
            // A longer wait is no reason to take more afterwards.
            health.withLock { $0.paidUntil += Self.floodInterval - Self.dropInterval }
        }
        pause(until: now + interval)
    }
    /// A request has been answered.
    func requestEnded() {
        let count = openRequests.wrappingSubtract(1, ordering: .relaxed).newValue
        if count < link.configuration.maxOpenRequests / 2 { resume() }
    }
    /// Counts a frame that asks for nothing or that nobody waits for. Too many at once, and the runner is not read from for a
    /// while; more for long than any runner sends by itself, and it is told apart as a plugin that writes frames.
    ///
    /// - Parameter isBounded: a runner sends few of its kind, whatever its plugin does.
    func noteIdleFrame(isBounded: Bool = true) -> String? {
        let price = 1_000_000_000 / UInt64(max(link.configuration.maxIdleFrames, 10))
        let (now, isTooMuch, isForged) = health.withLock { health -> (UInt64, Bool, Bool) in
            // Within the lock: frames with a file are counted by other threads.
            let now = monotonicNanoseconds()
            if isBounded { health.idleFrames += 1 }
            health.idlePaidUntil = max(health.idlePaidUntil, now > Self.idleBurst ? now - Self.idleBurst : 0) + price
            guard health.idlePaidUntil > now else { return (now, false, false) }
            if now > health.lastThrottled + Self.idleCalm {
                health.idleSinceBegun = now
                health.idleFrames = 0
            }
            health.lastThrottled = now
            let tenths = Int((now - min(now, health.idleSinceBegun)) / 100_000_000)
            return (now, true, health.idleFrames > RunnerFrame.idleBurst + RunnerFrame.idleTenth * tenths)
        }
        if isForged { return "sent thousands of frames that nobody waits for" }
        if isTooMuch {
            noteThrottled(now)
            pause(until: now + Self.idleInterval)
        }
        return nil
    }
    /// A runner that only ever answers with what cannot be read is ended like one that crashes: not what it is asked for is
    /// wrong, but it.
    func noteAnswer(isReadable: Bool) {
        guard !isReadable else {
            if badAnswers.load(ordering: .relaxed) != 0 { badAnswers.store(0, ordering: .relaxed) }
            return
        }
        let count = badAnswers.wrappingAdd(1, ordering: .relaxed).newValue
        if count == Self.maxBadAnswers { kill("answered \(count) calls in a row with something that cannot be read") }
    }
    private func noteThrottled(_ now: UInt64) {
        throttledAt.store(now, ordering: .relaxed)
        link.noteThrottled()
    }
    func pause(until instant: UInt64 = 0) {
        health.withLock { health in
            health.isPaused = true
            health.pausedUntil = max(health.pausedUntil, instant)
        }
        updateWatch()
        guard instant > 0 else { return resume() }
        DeadlineTimer.shared.schedule(at: instant) { [self] in resume() }
    }
    func resume() {
        let now = monotonicNanoseconds()
        let was = health.withLock { health -> Bool in
            // Within the lock: whoever pauses looks again, so what ended meanwhile is seen by one of the two.
            guard openBodies.load(ordering: .relaxed) < Self.maxOpenBodies,
                openRequests.load(ordering: .relaxed) < link.configuration.maxOpenRequests
            else { return false }
            guard now >= health.pausedUntil else { return false }
            defer { health.isPaused = false }
            // What it answered meanwhile has not been read yet.
            if health.isPaused { health.pingAt = monotonicNanoseconds() }
            return health.isPaused
        }
        if was { updateWatch() }
    }
    // MARK: Health
    /// The library is loaded; from now on the runner is looked after.
    func serve() { isServing.store(true, ordering: .releasing) }
    /// On the loop's thread, many times a second: cheap.
    func glance(now: UInt64, _ aside: inout SetAside) {
        let used = tandem_processor_ns(pid)
        guard used > 0 else { return }
        let throttled = throttledAt.load(ordering: .relaxed)
        let isTooLoud = throttled > 0 && now < throttled + Self.loudness
        let (change, place, isAtWork, took) = processor.withLock { processor in
            let before = processor.used
            let change = processor.note(
                now: now, used: used, answers: answers.load(ordering: .relaxed),
                isStarting: !isServing.load(ordering: .acquiring), isTooLoud: isTooLoud)
            return (change, processor.place, processor.isAtWork, used - min(before, used))
        }
        aside.note(took, isBehind: place != .equal && isAtWork)
        if !isAtWork { isWarm.store(false, ordering: .relaxed) }
        guard let change else {
            // It was being started while the others were moved.
            if place == .equal, aside.changes != changesSeen { tandem_place_runner(pid, place.rawValue) }
            changesSeen = aside.changes
            return
        }
        changesSeen = aside.changes
        tandem_place_runner(pid, change.rawValue)
        if change == .last { link.noteYielded() }
    }
    /// On the loop's thread, now and then.
    func look(now: UInt64) {
        let configuration = link.configuration
        let isReady = state.withLock { !$0.isDead }
        guard isReady else {
            // A process that outlives the end of its stream.
            tandem_kill_runner(pid, descriptor)
            exited()
            return
        }
        // Threads that began while the others were told.
        let place = processor.withLock { $0.place }
        if place != .equal { tandem_place_runner(pid, place.rawValue) }
        // Loading may take long; a runner that says nothing is ended by the one who waits for its start.
        guard isServing.load(ordering: .acquiring) else { return }
        let usage = ProcessUsage(of: pid)
        var reason: String?
        var mustPing = false
        var mustStop = false
        let allowance = health.withLock { health -> Double? in
            if health.isPinged, !health.isPaused, now > health.pingAt + configuration.pingTimeout.nanoseconds {
                reason = "did not answer for \(configuration.pingTimeout)"
            }
            if !health.isPinged, now > health.pingAt + 1_000_000_000 {
                health.isPinged = true
                health.pingAt = now
                owed.pings.wrappingAdd(1, ordering: .releasing)
                mustPing = true
            }
            if instanceCount > 0 {
                health.idleSince = 0
            } else if health.idleSince == 0 {
                health.idleSince = now
            } else if now > health.idleSince + configuration.idleAfter.nanoseconds {
                mustStop = true
            }
            guard let usage else { return nil }
            let answers = answers.load(ordering: .relaxed)
            let earned = Double(answers - health.answers) * Double(ProcessorWatch.answerNanoseconds) / 1e9
            let used = max(usage.processorSeconds - health.processor - earned, 0)
            health.processor = usage.processorSeconds
            health.answers = answers
            health.processorLeft = min(
                configuration.processorBurst, health.processorLeft - used + configuration.processorShare / 2)
            // The signal of the limit reaches only who wants it: the first process of a namespace does without.
            if health.processorLeft <= 0 { reason = "used up its processor time" }
            return usage.processorSeconds + max(health.processorLeft, 0)
        }
        if let usage {
            residentBytes.store(usage.residentBytes, ordering: .relaxed)
            link.boundMemory()
        }
        if let usage, usage.threads > Int(configuration.threads) + 16 { reason = "has \(usage.threads) threads" }
        if let allowance { tandem_limit_processor(pid, UInt64(allowance.rounded(.up)) + 1) }
        if let reason { return kill(reason) }
        if mustStop { stopWhenEmpty() }
        if mustPing { send(TANDEM_F_PING, isUrgent: true) }
    }
}
