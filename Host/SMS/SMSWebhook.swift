import Logging
import TandemAccounts
public import TandemAgent
public import TandemCore
import TandemJSON
public import TandemStorage

/// What Twilio tells us: messages of people and reports on ours, whichever HTTP library receives them.
///
/// A message is acknowledged when it is durable: its `MessageSid` and the agent's work are one transaction, so however
/// often and at however many places a message arrives, it has one effect and every arrival gets the same answer.
public struct SMSWebhook: Sendable {
    /// One HTTP request, as received.
    public struct Request: Sendable {
        /// `X-Twilio-Signature`.
        public var signature: String?
        /// `X-Twilio-Webhooks-Signature-Settings`.
        public var signatureSettings: String?
        /// Path and query exactly as received.
        public var target: String
        public var contentType: String?
        public var body: [UInt8]

        public init(
            signature: String?, signatureSettings: String? = nil, target: String, contentType: String?, body: [UInt8]
        ) {
            self.signature = signature
            self.signatureSettings = signatureSettings
            self.target = target
            self.contentType = contentType
            self.body = body
        }
    }

    public enum Answer: Sendable, Hashable {
        /// 200 with `emptyTwiML`.
        case accepted
        /// An HTTP status and a word for the metrics.
        case refused(status: Int, reason: String)
    }

    /// The answer that makes Twilio send nothing.
    public static let emptyTwiML = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>"

    let account: Configuration.Twilio
    let signatures: TwilioSignature
    let publicBase: WebAddress
    /// Scheme, host and port of `publicBase`.
    private let origin: String
    let database: any Database
    let directory: any SenderDirectory
    let inbox: any InboundSink
    let outbox: SMSOutbox
    let limits: SMSLimits
    let metrics: SMSMetrics
    let logger: Logger

    /// - Parameter publicBase: How Twilio reaches us (`TANDEM_PUBLIC_URL`): what it signs.
    public init(
        account: Configuration.Twilio, publicBase: WebAddress, database: any Database, directory: any SenderDirectory,
        inbox: any InboundSink, outbox: SMSOutbox, limits: SMSLimits = SMSLimits(), metrics: MetricsRegistry
    ) {
        self.account = account
        signatures = TwilioSignature(
            authToken: account.authToken, previousAuthToken: account.previousAuthToken, sharedKey: account.signingKey)
        self.publicBase = publicBase
        origin = "\(publicBase.scheme)://\(publicBase.host)\(publicBase.port.map { ":\($0)" } ?? "")"
        self.database = database
        self.directory = directory
        self.inbox = inbox
        self.outbox = outbox
        self.limits = limits
        self.metrics = SMSMetrics(metrics)
        logger = Logger(label: "tandem.sms")
    }

    // MARK: - Messages

    /// Takes a message in (`POST /webhook/sms`).
    public func receive(_ request: Request) async -> Answer {
        let start = monotonicNanoseconds()
        let form: FormParameters
        switch verified(request) {
        case .failure(let refusal): return counted(refusal)
        case .success(let verified): form = verified
        }
        guard isOurs(form) else { return counted(.refused(status: 403, reason: "wrong_account")) }
        guard let sid = form["MessageSid"] ?? form["SmsSid"], isMessageSID(sid), let sender = form["From"] else {
            return counted(.refused(status: 400, reason: "incomplete"))
        }
        // Nobody can answer a short code or a name: acknowledged, so that Twilio does not try again.
        guard let number = PhoneNumber(sender) else { return counted(.accepted, as: "unanswerable") }
        let text = (form["Body"] ?? "").filter { $0 != "\u{0}" }
        let message = Arrival(
            sid: sid, number: number, ourNumber: form["To"] ?? "", text: text,
            mediaCount: form["NumMedia"].flatMap { Int($0) } ?? 0,
            segments: form["NumSegments"].flatMap { Int($0) } ?? 1,
            keyword: CarrierKeyword(optOutType: form["OptOutType"]) ?? CarrierKeyword(text),
            isHandledByTwilio: form["OptOutType"] != nil)
        inbox.beginArrival()
        defer { inbox.endArrival() }
        do {
            let outcome = try await accept(message)
            metrics.acknowledged.observe(sinceNanoseconds: start)
            return counted(.accepted, as: outcome)
        } catch {
            logger.error("a message could not be stored", error: error, metadata: ["sms.sid": .string(sid)])
            return counted(.refused(status: 503, reason: "unavailable"))
        }
    }

    private func accept(_ message: Arrival) async throws -> String {
        let number = try SMSConsents.hash(message.number, database.store.keyring)
        let scope: UserScope
        switch try await directory.recognise(phone: message.number.e164) {
        case .owner(let owner): scope = owner
        // Whoever has the number now is a stranger, and the answer to both is the same.
        case .unproven, .stranger: return try await acceptFromStranger(message, number)
        }
        let receivedAt = database.store.clock.now
        let inbox = inbox
        let outbox = outbox
        let directory = directory
        let outcome = try await database.write(scope) { transaction -> Outcome in
            guard try Self.isNew(message.sid, at: receivedAt, transaction) else { return .duplicate }
            let state = try SMSConsents.state(of: number, in: transaction)
            if let outcome = try Self.mirror(message, number, state, directory, transaction) { return outcome }
            if OptOutPhrase.says(message.text) {
                // First the state, which drops what waits; then the one text that confirms it.
                try SMSConsents.set(
                    .optedOut, for: number, source: "message \(message.sid)", in: transaction)
                try directory.noteOptOut(message.number, true, in: transaction)
                if state == .welcome { try outbox.enqueueFarewell(to: message.number, of: scope, in: transaction) }
                return .refusal
            }
            let address = ReplyAddress(
                to: message.number, from: message.ourNumber, mediaCount: message.mediaCount,
                segments: message.segments)
            guard message.text.utf8.contains(where: { $0 > 0x20 }) else {
                guard message.mediaCount > 0 else { return .empty }
                try outbox.enqueue(
                    OutboundMessage(
                        scope: scope, turn: transaction.nextID(), ordinal: 0,
                        address: ReplyAddress(
                            to: message.number, from: message.ourNumber, segments: message.segments
                        ).text,
                        text: SMSOutbox.mediaNotice),
                    in: transaction)
                return .mediaOnly
            }
            try inbox.accept(
                InboundMessage(
                    scope: scope, text: message.text, channel: SMSOutbox.channelName, address: address.text,
                    externalID: message.sid, receivedAt: receivedAt),
                in: transaction)
            return .accepted
        }
        switch outcome {
        case .accepted: inbox.wake(scope)
        case .mediaOnly, .refusal: outbox.wake()
        default: break
        }
        if outcome != .duplicate {
            metrics.segments.with("in").increment(by: UInt64(max(0, min(message.segments, 100))))
        }
        return outcome.rawValue
    }

    /// An unknown number gets one answer a day, as long as not too many others got one that day.
    private func acceptFromStranger(_ message: Arrival, _ number: [UInt8]) async throws -> String {
        let now = database.store.clock.now
        let limits = limits
        let directory = directory
        let (outcome, link) = try await database.write(.system) { transaction -> (Outcome, Secret?) in
            guard try Self.isNew(message.sid, at: now, transaction) else { return (.duplicate, nil) }
            let state = try SMSConsents.state(of: number, in: transaction)
            if let outcome = try Self.mirror(message, number, state, directory, transaction) { return (outcome, nil) }
            guard state != .optedOut else { return (.stranger, nil) }
            if OptOutPhrase.says(message.text) {
                try SMSConsents.set(.optedOut, for: number, source: "message \(message.sid)", in: transaction)
                try directory.noteOptOut(message.number, true, in: transaction)
                return (.refusal, nil)
            }
            let day = now.millisecondsSinceEpoch / 86_400_000
            let answered = try transaction.first(
                "SELECT COUNT(*) AS answered FROM sms_invitations WHERE day = \(day)")
            guard try answered?.int("answered") ?? 0 < limits.invitationsPerDay else { return (.stranger, nil) }
            let added = try transaction.execute(
                "INSERT INTO sms_invitations (day, number) VALUES (\(day), \(number)) ON CONFLICT DO NOTHING")
            guard added == 1 else { return (.stranger, nil) }
            return (.invited, try directory.invite(message.number, in: transaction))
        }
        if outcome == .invited { outbox.invite(message.number, from: message.ourNumber, link: link) }
        return outcome.rawValue
    }

    private static func isNew(_ sid: String, at time: Timestamp, _ transaction: any WriteTransaction) throws -> Bool {
        let key = compactSID(sid)
        return try transaction.execute(
            "INSERT INTO sms_receipts (sid, received_at) VALUES (\(key), \(time)) ON CONFLICT DO NOTHING") == 1
    }

    /// Mirrors what the carrier does with its keywords. Nil: the message is for the agent.
    private static func mirror(
        _ message: Arrival, _ number: [UInt8], _ state: ConsentState, _ directory: any SenderDirectory,
        _ transaction: any WriteTransaction
    ) throws -> Outcome? {
        let source = "message \(message.sid)"
        switch message.keyword {
        case .stop:
            try SMSConsents.set(.optedOut, for: number, source: source, in: transaction)
            try directory.noteOptOut(message.number, true, in: transaction)
            return .keyword
        case .start(let isYes):
            // A "yes" of somebody who never opted out is an answer to a question.
            if isYes, state != .optedOut, !message.isHandledByTwilio { break }
            try SMSConsents.set(.welcome, for: number, source: source, in: transaction)
            try directory.noteOptOut(message.number, false, in: transaction)
            return .keyword
        case .help: return .keyword
        case nil: break
        }
        if state == .unreachable {
            try SMSConsents.set(.welcome, for: number, source: source, in: transaction)
        }
        return nil
    }

    // MARK: - Reports

    /// Takes a report on one of our messages in (`POST /webhook/sms/status`).
    public func report(_ request: Request) async -> Answer {
        let form: FormParameters
        switch verified(request) {
        case .failure(let refusal): return counted(refusal)
        case .success(let verified): form = verified
        }
        guard form["AccountSid"] == account.accountSID else {
            return counted(.refused(status: 403, reason: "wrong_account"))
        }
        guard let sid = form["MessageSid"] ?? form["SmsSid"], isMessageSID(sid),
            let word = form["MessageStatus"] ?? form["SmsStatus"], !word.isEmpty
        else { return counted(.refused(status: 400, reason: "incomplete")) }
        let status = MessageStatus(word)
        do {
            try await outbox.apply(
                status, errorCode: form["ErrorCode"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }, to: sid)
        } catch {
            logger.error("a status report could not be stored", error: error, metadata: ["sms.sid": .string(sid)])
            return counted(.refused(status: 503, reason: "unavailable"))
        }
        metrics.reports.with(status.rawValue).increment()
        return .accepted
    }

    // MARK: - Checks

    private func verified(_ request: Request) -> Verified {
        guard let type = request.contentType, isForm(type) else {
            return .failure(.refused(status: 415, reason: "content_type"))
        }
        guard let signature = request.signature else {
            return .failure(.refused(status: 403, reason: "unsigned"))
        }
        let form: FormParameters
        do throws(FormParameters.Fault) {
            form = try FormParameters(parsing: request.body)
        } catch {
            return .failure(.refused(status: error == .tooLarge ? 413 : 400, reason: "malformed"))
        }
        guard
            signatures.isValid(
                signature, settings: request.signatureSettings, url: signedURL(request.target), form: form)
        else { return .failure(.refused(status: 403, reason: "signature")) }
        return .success(form)
    }

    /// The URL as Twilio called it: a proxy may have taken the public path's beginning away.
    private func signedURL(_ target: String) -> String {
        target.hasPrefix(publicBase.path + "/") ? origin + target : origin + publicBase.path + target
    }

    private func isForm(_ type: String) -> Bool {
        let expected: StaticString = "application/x-www-form-urlencoded"
        var place = 0
        for byte in type.utf8 {
            if byte == UInt8(ascii: ";") { break }
            if byte == UInt8(ascii: " ") { continue }
            let letter = byte &- 65 < 26 ? byte | 0x20 : byte
            guard place < expected.utf8CodeUnitCount, letter == expected.utf8Start[place] else { return false }
            place += 1
        }
        return place == expected.utf8CodeUnitCount
    }

    private func isOurs(_ form: FormParameters) -> Bool {
        guard form["AccountSid"] == account.accountSID else { return false }
        if let service = account.messagingServiceSID, form["MessagingServiceSid"] == service { return true }
        return form["To"].map(account.numbers.contains) ?? false
    }

    private func counted(_ answer: Answer, as outcome: String? = nil) -> Answer {
        switch answer {
        case .accepted: metrics.received.with(outcome ?? "accepted").increment()
        case .refused(_, let reason): metrics.received.with(reason).increment()
        }
        return answer
    }
}

extension SMSWebhook {
    private enum Verified {
        case success(FormParameters)
        case failure(Answer)
    }

    private struct Arrival: Sendable {
        var sid: String
        var number: PhoneNumber
        var ourNumber: String
        var text: String
        var mediaCount: Int
        var segments: Int
        var keyword: CarrierKeyword?
        var isHandledByTwilio: Bool
    }

    private enum Outcome: String, Sendable {
        case accepted, duplicate, keyword, empty, invited, stranger, refusal
        case mediaOnly = "media_only"
    }
}

/// What the channel allows.
public struct SMSLimits: Sendable {
    /// Unknown numbers that are answered within one day (UTC), all together.
    public var invitationsPerDay = 200

    public init() {}
}
