import Logging
import Synchronization
import TandemCore
import TandemStorage

/// The loops of a process that works on turns, or waits for others to.
extension AgentCore {
    func work() async {
        while let scope = await scheduler.next() {
            let hasMore = await workOff(scope)
            scheduler.finish(scope, hasMore: hasMore)
        }
    }

    /// Looks for turns that nobody works on: left by a dead process at the start, failed ones later.
    func rescan() async {
        while !Task.isCancelled {
            var pause = AgentStore.look
            do {
                try await look()
            } catch is CancellationError {
                return
            } catch {
                logger.error(
                    "could not look for turns left behind", metadata: ["error": "\(AgentCore.description(of: error))"])
                pause = .seconds(1)
            }
            await sleep(for: pause)
        }
    }

    func look() async throws {
        let store = store
        guard try await services.database.read(.system, { try store.hasAnyTurn(in: $0) }) else { return }
        let now = services.clock.now
        let left = try await services.database.write(.system) { try store.takeOver(now: now, in: $0) }
        for user in left { scheduler.wake(UserScope(authenticated: user)) }
    }

    /// Another process says that something waits for this person.
    func heard(of user: UserID?) {
        Task { [self] in
            guard let user else {
                try? await look()
                return
            }
            let store = store
            let now = services.clock.now
            _ = try? await services.database.write(.system) { try store.takeFree(of: user, now: now, in: $0) }
            scheduler.wake(UserScope(authenticated: user))
        }
    }

    /// A process that works on no turns: looks whether others have answered those that are waited for here.
    func watchAnswers() async {
        let store = store
        while !Task.isCancelled {
            for (turn, user) in waiting.withLock({ waiting in waiting.people.map { ($0.key, $0.value) } }) {
                let scope = UserScope(authenticated: user)
                guard let answer = try? await services.database.read(scope, { try store.answer(of: turn, in: $0) })
                else { continue }
                waiting.withLock { $0.answers.removeValue(forKey: turn) }?.give(answer)
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends early when a turn failed meanwhile: the database may have been away.
    func sleep(for pause: Duration) async {
        let end = ContinuousClock.now + pause
        while ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            if hasFailed.exchange(false, ordering: .relaxed) { return }
        }
    }

    /// One turn of a person: then it is other people's turn. True when there are more.
    func workOff(_ scope: UserScope) async -> Bool {
        guard !Task.isCancelled else { return false }
        var current: RecordID?
        do {
            guard let work = try await load(scope) else {
                await waitForOther(scope)
                return false
            }
            current = work.turn
            let (answer, hasMore, joined) = try await process(work, scope: scope)
            if hasMore { tellOthers(scope) }
            for turn in [work.turn] + joined {
                waiting.withLock { $0.answers.removeValue(forKey: turn) }?.give(answer)
            }
            return hasMore
        } catch is CancellationError {
            return false
        } catch let wait as WaitForMore {
            Task { [self] in
                try? await Task.sleep(for: wait.time)
                scheduler.wake(scope)
            }
            return false
        } catch {
            services.metrics.failed()
            if let code = (error as? StorageError)?.code, code == .unavailable || code == .outcomeUnknown {
                hasFailed.store(true, ordering: .relaxed)
            }
            logger.error(
                "a turn failed; it is tried again", metadata: ["error": "\(AgentCore.description(of: error))"])
            let store = store
            if let turn = current {
                try? await services.database.write(scope) { try store.noteFailure(of: turn, in: $0) }
            }
            return false
        }
    }

    /// This process has a turn of the person whose turn it is not yet: another one works on an earlier one. It tells when it
    /// is done; where nobody can be told, this one looks again soon.
    func waitForOther(_ scope: UserScope) async {
        let store = store
        guard (try? await services.database.read(scope, { try store.otherHolder(in: $0) })) ?? nil != nil else {
            return
        }
        Task { [self] in
            try? await Task.sleep(for: services.news == nil ? .milliseconds(25) : .milliseconds(250))
            scheduler.wake(scope)
        }
    }

    /// The person's next turn may be another process's.
    func tellOthers(_ scope: UserScope) {
        guard let news = services.news else { return }
        let store = store
        Task { [self] in
            guard (try? await services.database.read(scope, { try store.otherHolder(in: $0) })) ?? nil != nil else {
                return
            }
            news.tell(scope.user)
        }
    }

    func load(_ scope: UserScope) async throws -> TurnWork? {
        let store = store
        let now = services.clock.now
        return try await services.database.read(scope) { try store.nextTurn(now: now, in: $0) }
    }
}
