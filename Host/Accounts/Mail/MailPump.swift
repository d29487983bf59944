/// Sees that one delivery runs at a time, and another after it when one was asked for meanwhile.
actor MailPump {
    private var running: Task<Int, Never>?

    /// Returns what was delivered by the run that began after the call.
    func run(_ deliver: @escaping @Sendable () async -> Int) async -> Int {
        while let running {
            _ = await running.value
            if self.running == running { self.running = nil }
        }
        let task = Task { await deliver() }
        running = task
        let count = await task.value
        if running == task { running = nil }
        return count
    }
}
