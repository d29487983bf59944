public import TandemCore
public import TandemEgress
import TandemJSON

/// The part of Twilio's REST interface that sending needs
/// (<https://www.twilio.com/docs/messaging/api/message-resource>). It retries nothing.
public struct TwilioClient: Sendable {
    /// A message as Twilio describes it.
    public struct Message: Sendable, Hashable {
        public var sid: String
        public var status: MessageStatus
        public var body: String
        public var errorCode: Int?
        public var segments: Int?
        /// As told, e.g. `-0.00790`, with its currency; nil while not known.
        public var price: String?
        public var priceUnit: String?
        public var from: String?
        public var to: String?
        public var direction: String
        public var createdAt: Timestamp?
    }

    /// What came of handing a message over.
    public enum SendOutcome: Sendable, Hashable {
        case accepted(Message)
        /// Refused with Twilio's error code and the HTTP status.
        case refused(code: Int, status: Int)
        /// Not taken now; try again, not before the given time if one is given.
        case busy(retryAfter: Duration?, code: Int)
        /// It is not known whether Twilio has it; `isAnswered`: it said that it failed.
        case unknown(reason: String, isAnswered: Bool)
        /// It never reached Twilio.
        case unreachable(reason: String)
    }

    /// A list could not be read.
    public struct ListFailure: Error, Sendable, Hashable {
        public var reason: String
        public var retryAfter: Duration?
    }

    static let maxBodyCharacters = 1600

    private let client: any HTTPClient
    private let account: Configuration.Twilio
    private let base: WebAddress
    private let authorization: String
    private let timeout: Duration

    /// - Parameter base: `TANDEM_TWILIO_URL`, standard `https://api.twilio.com`.
    public init(
        client: any HTTPClient, account: Configuration.Twilio, base: WebAddress, timeout: Duration = .seconds(10)
    ) {
        self.client = client
        self.account = account
        self.base = base
        self.timeout = timeout
        let user = account.apiKey ?? account.accountSID
        let password = account.apiKey == nil ? account.authToken : account.apiSecret ?? account.authToken
        let credentials = base64(Array("\(user):\(password.reveal())".utf8))
        authorization = "Basic " + String(decoding: credentials, as: UTF8.self)
    }

    private var messagesPath: String { "/2010-04-01/Accounts/\(account.accountSID)/Messages" }

    /// Hands one message over.
    ///
    /// - Parameters:
    ///   - from: One of our numbers.
    ///   - statusCallback: Where Twilio reports what becomes of it; nil for nowhere.
    public func send(to: String, from: String, body: String, statusCallback: String?) async -> SendOutcome {
        var form = [UInt8]()
        appendFormParameter("To", to, to: &form)
        appendFormParameter("From", from, to: &form)
        if let service = account.messagingServiceSID { appendFormParameter("MessagingServiceSid", service, to: &form) }
        appendFormParameter("Body", body, to: &form)
        if let statusCallback { appendFormParameter("StatusCallback", statusCallback, to: &form) }
        appendFormParameter("SmartEncoded", "true", to: &form)
        let request = HTTPRequest(
            .post, base.appending(messagesPath + ".json"),
            headers: ["Authorization": authorization, "Content-Type": "application/x-www-form-urlencoded"], body: form,
            timeout: timeout, maxResponseBytes: 256 << 10)
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await client.send(request)
        } catch {
            return error.mayHaveBeenProcessed
                ? .unknown(reason: error.code.rawValue, isAnswered: false) : .unreachable(reason: error.code.rawValue)
        }
        let json = try? JSON(parsing: response.body)
        let code = json?["code"]?.int64Value.map(Int.init(truncatingIfNeeded:)) ?? 0
        switch response.status {
        case 200..<300:
            if let message = json.flatMap(TwilioClient.message) { return .accepted(message) }
            return .unknown(reason: "unreadable answer", isAnswered: false)
        case 429: return .busy(retryAfter: retryAfter(response), code: code)
        case 500...: return .unknown(reason: "status \(response.status)", isAnswered: true)
        default: return .refused(code: code, status: response.status)
        }
    }

    /// The messages to a number that were made at or after an instant, newest first, at most a few hundred.
    ///
    /// Twilio filters by the day of sending only, and a queued message has none, so the time is compared here.
    public func messages(to: String, since: Timestamp) async throws(ListFailure) -> [Message] {
        var query = [UInt8]()
        appendFormParameter("To", to, to: &query)
        appendFormParameter("PageSize", "50", to: &query)
        var next: String? = messagesPath + ".json?" + String(decoding: query, as: UTF8.self)
        var found: [Message] = []
        var pages = 0
        while let path = next, pages < 6 {
            pages += 1
            let json = try await get(path)
            guard let list = json["messages"]?.arrayValue else { throw ListFailure(reason: "unreadable answer") }
            var isPast = false
            for message in list.compactMap(TwilioClient.message) {
                if let created = message.createdAt, created < since {
                    isPast = true
                } else {
                    found.append(message)
                }
            }
            // Relative to the host; anything else would send our credentials elsewhere.
            next = json["next_page_uri"]?.stringValue.flatMap { $0.hasPrefix("/2010-04-01/Accounts/") ? $0 : nil }
            if isPast || list.isEmpty { break }
        }
        return found
    }

    /// One message by its id; nil when Twilio does not have it.
    public func message(sid: String) async throws(ListFailure) -> Message? {
        do {
            return TwilioClient.message(try await get("\(messagesPath)/\(sid).json"))
        } catch {
            if error.reason == "status 404" { return nil }
            throw error
        }
    }

    private func get(_ path: String) async throws(ListFailure) -> JSON {
        let request = HTTPRequest(
            .get, base.appending(path), headers: ["Authorization": authorization], timeout: timeout,
            maxResponseBytes: 4 << 20)
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await client.send(request)
        } catch {
            throw ListFailure(reason: error.code.rawValue)
        }
        guard response.isSuccess, let json = try? JSON(parsing: response.body) else {
            throw ListFailure(reason: "status \(response.status)", retryAfter: retryAfter(response))
        }
        return json
    }

    /// `Retry-After` in seconds, at most an hour; the form with a date is not used by Twilio.
    private func retryAfter(_ response: HTTPResponse) -> Duration? {
        guard let text = response.headers["Retry-After"], let seconds = Int(text), seconds >= 0 else { return nil }
        return .seconds(min(seconds, 3600))
    }

    private static func message(_ json: JSON) -> Message? {
        guard let sid = json["sid"]?.stringValue, isMessageSID(sid) else { return nil }
        return Message(
            sid: sid, status: MessageStatus(json["status"]?.stringValue ?? ""), body: json["body"]?.stringValue ?? "",
            errorCode: json["error_code"]?.int64Value.map(Int.init(truncatingIfNeeded:)),
            segments: json["num_segments"]?.stringValue.flatMap { Int($0) }, price: json["price"]?.stringValue,
            priceUnit: json["price_unit"]?.stringValue, from: json["from"]?.stringValue, to: json["to"]?.stringValue,
            direction: json["direction"]?.stringValue ?? "",
            createdAt: json["date_created"]?.stringValue.flatMap(timestamp(rfc2822:)))
    }
}

/// `SM` or `MM` and 32 hex digits.
func isMessageSID(_ text: String) -> Bool {
    let bytes = text.utf8
    return bytes.count == 34 && (text.hasPrefix("SM") || text.hasPrefix("MM"))
        && bytes.dropFirst(2).allSatisfy { hexDigit($0) != nil }
}

/// A message's id in 17 bytes: the first letter, which tells SMS from MMS, and the digits.
func compactSID(_ sid: String) -> [UInt8] {
    var bytes: [UInt8] = [sid.utf8.first ?? 0]
    bytes.reserveCapacity(17)
    var high: UInt8?
    for character in sid.utf8.dropFirst(2) {
        let digit = hexDigit(character) ?? 0
        if let first = high {
            bytes.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return bytes
}

/// Reads `Sat, 21 Nov 2026 09:00:00 +0000` (RFC 2822 §3.3); nil otherwise.
func timestamp(rfc2822 text: String) -> Timestamp? {
    let parts = text.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])),
        let year = Int(parts[3]), let date = CivilDate(year: year, month: month + 1, day: day), parts[5].utf8.count == 5
    else { return nil }
    return Timestamp("\(date)T\(parts[4])\(parts[5].prefix(3)):\(parts[5].suffix(2))")
}
