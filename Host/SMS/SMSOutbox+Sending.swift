import Logging
import Synchronization
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

extension SMSOutbox {
    /// Sends until the task is cancelled; then waits for what is being handed over, at most a request's time.
    ///
    /// Messages left by an earlier process are taken up as well. Storage failures are logged and tried again.
    public func run() async {
        let active = ActiveSends()
        var nextPurge = Timestamp(millisecondsSinceEpoch: 0)
        var nextFollowUp = nextPurge
        var nextRelease = nextPurge
        while !Task.isCancelled {
            var wait = timing.poll
            do {
                for invitation in takeInvitations() {
                    active.begin()
                    // Not a child task: a stop must not cut a request whose outcome would then be unknown.
                    Task { [self] in
                        await send(invitation)
                        active.end()
                        signal.signal()
                    }
                }
                if database.store.clock.now >= nextRelease {
                    nextRelease = database.store.clock.now.advanced(by: timing.poll)
                    try await releaseLeasesOfTheDead()
                }
                let free = timing.atOnce - active.count
                let round = try await claim(limit: free)
                for claim in round.claims {
                    active.begin()
                    Task { [self] in
                        await handOver(claim)
                        active.end()
                        signal.signal()
                    }
                }
                let now = database.store.clock.now
                if let due = round.nextDue, free > 0 {
                    // At once when there may be more; a row that somebody else leased is not worth a busy loop.
                    wait = round.claims.isEmpty ? max(.milliseconds(20), min(wait, due.since(now))) : .zero
                }
                if now >= nextFollowUp {
                    nextFollowUp = now.advanced(by: timing.followUpEvery)
                    active.begin()
                    Task { [self] in
                        await followUp()
                        active.end()
                    }
                }
                if now >= nextPurge {
                    nextPurge = now.advanced(by: .seconds(86_400))
                    try await purge()
                }
            } catch is CancellationError {
                break
            } catch {
                logger.error("the outbox cannot be read", error: error)
            }
            if wait > .zero { await signal.wait(atMost: wait) }
        }
        await active.untilNone()
    }

    private func takeInvitations() -> [Invitation] {
        invitations.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
    }

    private func send(_ invitation: Invitation) async {
        let (number, from) = (invitation.number, invitation.from)
        var words =
            account.invitation
            ?? "This is Tandem, a personal assistant. I don't know this number: link it in your settings first."
        if let link = invitation.link {
            let greeting = account.invitation ?? "This is Tandem, a personal assistant. I don't know this number yet."
            words = "\(greeting) An account for it: \(link.reveal())"
        }
        let text = SMSText.prepared(words)
        let sender = account.numbers.contains(from) ? from : account.numbers.first ?? from
        for attempt in 0..<3 {
            let outcome = await client.send(to: number.e164, from: sender, body: text, statusCallback: nil)
            switch outcome {
            case .accepted:
                metrics.handedOver.with("invitation").increment()
                metrics.segments.with("out").increment(by: UInt64(SMSText.segments(of: text)))
                return
            case .refused(let code, _):
                guard TwilioErrorAction(code: code) == .optOut else { return }
                _ = try? await database.write(.system) { [keyring = database.store.keyring] transaction in
                    try SMSConsents.set(
                        .optedOut, for: try SMSConsents.hash(number, keyring), source: "error 21610", in: transaction)
                }
                return
            case .busy(let delay, _):
                try? await Task.sleep(for: min(delay ?? backOff(attempt), .seconds(30)))
            case .unreachable: try? await Task.sleep(for: backOff(attempt))
            // It may have gone out: an invitation is not worth a second one.
            case .unknown: return
            }
        }
    }

    // MARK: - One message

    private func handOver(_ claim: Claim) async {
        do {
            if claim.isDoubtful, try await reconcile(claim) { return }
            let outcome = await client.send(
                to: claim.to, from: claim.sender, body: claim.text, statusCallback: statusCallback)
            try await record(outcome, for: claim)
        } catch {
            // The lease runs out and the outcome counts as unknown.
            logger.error(
                "the outcome of a message could not be stored", error: error,
                metadata: ["sms.outbox": .stringConvertible(claim.id)])
        }
    }

    /// Looks for the message among those that Twilio has; true when nothing more is to be done now.
    private func reconcile(_ claim: Claim) async throws -> Bool {
        // Both clocks may be off a little.
        let since = (claim.triedAt ?? claim.createdAt).advanced(by: .seconds(-120))
        let listed: [TwilioClient.Message]
        do throws(TwilioClient.ListFailure) {
            listed = try await client.messages(to: claim.to, since: since)
        } catch {
            metrics.handedOver.with("check_failed").increment()
            try await postpone(claim, .unknown, by: max(error.retryAfter ?? .zero, backOff(claim.attempts)))
            return true
        }
        let body = trimmed(claim.text)
        let candidates = listed.filter { message in
            let theirs = trimmed(message.body)
            // A trial account puts a notice before the text.
            return message.direction.hasPrefix("outbound") && (theirs == body || theirs.hasSuffix(" " + body))
                && (account.messagingServiceSID != nil || message.from == nil || message.from == claim.sender)
        }
        let known = try await database.read(.system) { transaction in
            let sids = candidates.map(\.sid)
            let others = try transaction.query("SELECT sid FROM sms_outbox WHERE sid IN \(list: sids)")
            // A message that is sent a second time has forgotten the first one, which was reported as failed.
            let failed =
                claim.retries == 0
                ? []
                : try transaction.query("SELECT sid, status FROM sms_reports WHERE sid IN \(list: sids)")
                    .filter { MessageStatus(try $0.text("status")).isFailure }
            return Set(try (others + failed).map { try $0.text("sid") })
        }
        if let found = candidates.last(where: { !known.contains($0.sid) }) {
            metrics.handedOver.with("found").increment()
            logger.notice("a message of unknown outcome had been sent", metadata: ["sms.sid": .string(found.sid)])
            try await record(.accepted(found), for: claim)
            return true
        }
        guard claim.checks + 1 < timing.checks.count else { return false }
        try await postpone(claim, .unknown, by: timing.checks[claim.checks + 1], checks: claim.checks + 1)
        return true
    }

    private func trimmed(_ text: String) -> String {
        var bytes = Substring(text).utf8
        while let first = bytes.first, first <= 0x20 { bytes.removeFirst() }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return String(Substring(bytes))
    }

    private func record(_ outcome: TwilioClient.SendOutcome, for claim: Claim) async throws {
        switch outcome {
        case .accepted(let message):
            metrics.handedOver.with("accepted").increment()
            metrics.segments.with("out").increment(by: UInt64(max(0, message.segments ?? claim.segments)))
            try await finish(claim, message)
        case .refused(let code, let status):
            metrics.handedOver.with("refused").increment()
            try await refuse(claim, code: code, status: status)
        case .busy(let delay, _):
            metrics.handedOver.with("busy").increment()
            try await postpone(claim, .pending, by: max(delay ?? .zero, backOff(claim.attempts)))
        case .unreachable(let reason):
            metrics.handedOver.with("unreachable").increment()
            logger.warning("Twilio cannot be reached", metadata: ["sms.reason": .string(reason)])
            try await postpone(claim, .pending, by: backOff(claim.attempts))
        case .unknown(let reason, let isAnswered):
            metrics.handedOver.with("unknown").increment()
            logger.warning(
                "the outcome of a message is not known",
                metadata: ["sms.reason": .string(reason), "sms.outbox": .stringConvertible(claim.id)])
            // After an answer one look is enough: Twilio is done with the request.
            let checks = isAnswered ? max(0, timing.checks.count - 1) : 0
            let first = timing.checks.first ?? .seconds(2)
            try await postpone(
                claim, .unknown, by: isAnswered ? backOff(claim.attempts) : first, checks: checks)
        }
    }

    private func finish(_ claim: Claim, _ message: TwilioClient.Message) async throws {
        try await database.write(UserScope(authenticated: claim.user)) { [self] transaction in
            // When this one was too slow for its lease, another may have found it meanwhile, and it may even have failed
            // since and wait for its second try, which this answer is not about.
            let isOpen =
                try transaction.first(
                    """
                    SELECT 1 AS open FROM sms_outbox
                    WHERE id = \(claim.id) AND state < 3 AND retries = \(claim.retries)
                    """) != nil
            guard isOpen else { return }
            let usage: JSONObject = [
                "direction": "out", "segments": .integer(Int64(message.segments ?? claim.segments)),
                "status": .string(message.status.rawValue), "turn": .id(claim.turn),
            ]
            let usageID = try transaction.insert(SMSSchema.usage, usage)
            try transaction.execute(
                """
                UPDATE sms_outbox SET state = \(OutboxState.sent.rawValue), sid = \(message.sid), sent_at = \(now),
                status = \(message.status.rawValue), usage_id = \(usageID), lease_until = NULL, lease_owner = NULL
                WHERE id = \(claim.id)
                """)
            // Reports that came before this answer.
            let reports = try transaction.query(
                "SELECT status, error_code FROM sms_reports WHERE sid = \(message.sid)")
            let early = try reports.map { (MessageStatus(try $0.text("status")), try $0.int("error_code")) }
            for (status, code) in early.sorted(by: { $0.0.rank < $1.0.rank }) {
                try settle(status, errorCode: code > 0 ? code : nil, sid: message.sid, in: transaction)
            }
        }
    }

    private func refuse(_ claim: Claim, code: Int, status: Int) async throws {
        let action = TwilioErrorAction(code: code)
        metrics.failures.with(String(code)).increment()
        // 401, 403 and 404 are about our credentials and addresses, whatever the code: the message is not to blame.
        if action == .configuration || status == 401 || status == 403 || status == 404 {
            logger.error(
                "Twilio refuses our account or settings; the message waits",
                metadata: ["sms.error": .stringConvertible(code), "http.status": .stringConvertible(status)])
            try await postpone(claim, .pending, by: max(.seconds(15), backOff(claim.attempts)))
            return
        }
        if action == .slowDown {
            try await postpone(claim, .pending, by: backOff(claim.attempts))
            return
        }
        logger.warning(
            "Twilio refused a message",
            metadata: [
                "sms.error": .stringConvertible(code), "http.status": .stringConvertible(status),
                "sms.outbox": .stringConvertible(claim.id),
            ])
        try await database.write(UserScope(authenticated: claim.user)) { [self] transaction in
            guard try holds(claim, in: transaction) else { return }
            try close(claim.id, .failed, errorCode: code, in: transaction)
            try react(to: action, number: claim.number, sid: nil, in: transaction)
            if action == .optOut, let number = PhoneNumber(claim.to) {
                try directory?.noteOptOut(number, true, in: transaction)
            }
            try transaction.insert(
                SMSSchema.usage,
                [
                    "direction": "out", "segments": 0, "status": "failed", "error_code": .integer(Int64(code)),
                    "turn": .id(claim.turn),
                ])
        }
    }

    private func postpone(
        _ claim: Claim, _ state: OutboxState, by delay: Duration, checks: Int? = nil
    ) async throws {
        let due = now.advanced(by: delay)
        // Nothing reached Twilio: the next attempt begins without doubt.
        let triedAt = state == .pending ? nil : claim.triedAt ?? now
        try await database.write(.system) { [self] transaction in
            guard try holds(claim, in: transaction) else { return }
            try transaction.execute(
                """
                UPDATE sms_outbox SET state = \(state.rawValue), due_at = \(due), lease_until = NULL,
                lease_owner = NULL, checks = \(checks ?? claim.checks),
                tried_at = \(triedAt.sqlValue)
                WHERE id = \(claim.id)
                """)
        }
    }

    /// Whether the row still is this claim's: nobody took it over when its lease had run out.
    private func holds(_ claim: Claim, in transaction: any WriteTransaction) throws -> Bool {
        try transaction.first(
            """
            SELECT 1 AS held FROM sms_outbox WHERE id = \(claim.id) AND state < 3 AND lease_owner = \(owner)
            AND attempts = \(claim.attempts) AND retries = \(claim.retries)
            """) != nil
    }

    /// Exponential with full jitter in its upper half.
    private func backOff(_ attempt: Int) -> Duration {
        let base = timing.firstBackOff.milliseconds << Int64(min(max(attempt - 1, 0), 20))
        let capped = min(max(base, 1), timing.longestBackOff.milliseconds)
        return .milliseconds(Int64.random(in: (capped / 2)...capped))
    }

    private var now: Timestamp { database.store.clock.now }

    /// Removes what is no longer needed: receipts after a week, finished messages after thirty days.
    private func purge() async throws {
        let week = now.advanced(by: .seconds(-7 * 86_400))
        let month = now.advanced(by: .seconds(-30 * 86_400))
        try await database.write(.system) { transaction in
            try transaction.execute("DELETE FROM sms_receipts WHERE received_at < \(week)")
            try transaction.execute("DELETE FROM sms_reports WHERE received_at < \(week)")
            try transaction.execute(
                "DELETE FROM sms_invitations WHERE day < \(week.millisecondsSinceEpoch / 86_400_000)")
            try transaction.execute("DELETE FROM sms_outbox WHERE created_at < \(month) AND state >= 3")
        }
    }
}
