import Foundation
public import Hummingbird
import Synchronization

/// What is refused, in Twilio's form.
struct TwilioRefusal: Error {
    var status: Int
    var code: Int
    var message: String
    var retryAfter: Int?
}

extension TwilioSimulator {
    private static let sendParameters: Set<String> = [
        "To", "StatusCallback", "ApplicationSid", "MaxPrice", "ProvideFeedback", "Attempt", "ValidityPeriod",
        "ForceDelivery", "ContentRetention", "AddressRetention", "SmartEncoded", "PersistentAction", "TrafficType",
        "ShortenUrls", "ScheduleType", "SendAt", "SendAsMms", "ContentVariables", "RiskCheck", "From", "FallbackFrom",
        "MessagingServiceSid", "Body", "MediaUrl", "ContentSid",
    ]
    private static let listParameters: Set<String> = [
        "To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken",
    ]

    /// The routes, for a server of one's own.
    public func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.on("/2010-04-01/Accounts/:account/**", method: .post) { request, context in
            await self.answer(request, context) { try await self.send(request) }
        }
        router.on("/2010-04-01/Accounts/:account/**", method: .get) { request, context in
            await self.answer(request, context) { try await self.read(request) }
        }
        for method: HTTPRequest.Method in [.put, .patch, .delete] {
            router.on("/2010-04-01/**", method: method) { request, context in
                await self.answer(request, context) {
                    throw TwilioRefusal(status: 405, code: 20004, message: "Method not allowed")
                }
            }
        }
        return router
    }

    private func answer(
        _ request: Request, _ context: BasicRequestContext, _ body: () async throws -> Response
    ) async -> Response {
        do {
            try checkAccess(request, context)
            return try await body()
        } catch {
            let refusal =
                error as? TwilioRefusal ?? TwilioRefusal(status: 500, code: 20500, message: "\(type(of: error))")
            if refusal.status != 429, refusal.status < 500 {
                state.withLock { $0.refusals.append("\(refusal.code) \(refusal.message)") }
            }
            return json(
                [
                    "code": refusal.code, "message": refusal.message, "status": refusal.status,
                    "more_info": "https://www.twilio.com/docs/errors/\(refusal.code)",
                ], status: refusal.status, retryAfter: refusal.retryAfter)
        }
    }

    private func checkAccess(_ request: Request, _ context: BasicRequestContext) throws {
        let expected = "Basic " + Data("\(accountSID):\(authToken)".utf8).base64EncodedString()
        guard request.headers[.authorization] == expected else {
            throw TwilioRefusal(status: 401, code: 20003, message: "Authenticate")
        }
        guard context.parameters.get("account") == accountSID else {
            throw TwilioRefusal(status: 404, code: 20404, message: "The requested resource was not found")
        }
    }

    // MARK: - Sending

    private func send(_ request: Request) async throws -> Response {
        guard request.uri.path == "/2010-04-01/Accounts/\(accountSID)/Messages.json" else {
            throw TwilioRefusal(status: 404, code: 20404, message: "The requested resource was not found")
        }
        guard request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true else {
            throw TwilioRefusal(status: 400, code: 20001, message: "The body is no form")
        }
        let body = try await request.body.collect(upTo: 65_536)
        let form = try pairs(String(buffer: body))
        if let unknown = form.first(where: { !Self.sendParameters.contains($0.0) }) {
            throw TwilioRefusal(status: 400, code: 20001, message: "Parameter \(unknown.0) is not valid")
        }
        let fault: Fault? = state.withLock { state in
            state.posts += 1
            return state.faults.isEmpty ? nil : state.faults.removeFirst()
        }
        if case .refuse(let status, let code, let retryAfter) = fault {
            throw TwilioRefusal(status: status, code: code, message: "Scripted", retryAfter: retryAfter)
        }
        if case .hang = fault {
            try await Task.sleep(for: .seconds(60))
        }
        let message = try accept(Dictionary(form, uniquingKeysWith: { first, _ in first }))
        switch fault {
        case .slow(let duration): try await Task.sleep(for: duration)
        case .failAfterAccepting(let status):
            throw TwilioRefusal(status: status, code: 20500, message: "Scripted")
        case .cutAfterAccepting:
            return Response(
                status: .created,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "{\"sid\":"))
                    throw CancellationError()
                })
        default: break
        }
        return json(dictionary(message), status: 201)
    }

    private func accept(_ form: [String: String]) throws -> Message {
        guard let to = form["To"], !to.isEmpty else {
            throw TwilioRefusal(status: 400, code: 21604, message: "A 'To' phone number is required.")
        }
        guard to.first == "+", (8...16).contains(to.count), to.dropFirst().allSatisfy({ ("0"..."9").contains($0) })
        else { throw TwilioRefusal(status: 400, code: 21211, message: "The 'To' number is not a valid phone number.") }
        guard form["From"] != nil || form["MessagingServiceSid"] != nil else {
            throw TwilioRefusal(status: 400, code: 21603, message: "A 'From' phone number is required.")
        }
        if let from = form["From"], !numbers.contains(from) {
            throw TwilioRefusal(status: 400, code: 21606, message: "The 'From' phone number provided is not valid.")
        }
        guard let body = form["Body"], !body.isEmpty else {
            throw TwilioRefusal(status: 400, code: 21602, message: "Message body is required.")
        }
        guard body.utf16.count <= 1600 else {
            throw TwilioRefusal(
                status: 400, code: 21617, message: "The concatenated message body exceeds the 1600 character limit.")
        }
        if let callback = form["StatusCallback"], URL(string: callback)?.host == nil {
            throw TwilioRefusal(status: 400, code: 21609, message: "The 'StatusCallback' URL is not valid.")
        }
        if let flag = form["SmartEncoded"], flag != "true", flag != "false" {
            throw TwilioRefusal(status: 400, code: 20001, message: "Parameter SmartEncoded is not valid")
        }
        if state.withLock({ $0.optedOut.contains(to) }) {
            throw TwilioRefusal(status: 400, code: 21610, message: "Attempt to send to unsubscribed recipient")
        }
        return add(to: to, from: form["From"] ?? numbers[0], body: body, callback: form["StatusCallback"])
    }

    // MARK: - Reading

    private func read(_ request: Request) async throws -> Response {
        let base = "/2010-04-01/Accounts/\(accountSID)/Messages"
        let path = request.uri.path
        if path == base + ".json" { return try list(request) }
        let all = messages
        guard path.hasPrefix(base + "/"), path.hasSuffix(".json"),
            let message = all.first(where: { path == "\(base)/\($0.sid).json" })
        else { throw TwilioRefusal(status: 404, code: 20404, message: "The requested resource was not found") }
        return json(dictionary(message), status: 200)
    }

    private func list(_ request: Request) throws -> Response {
        state.withLock { $0.lists += 1 }
        let query = try pairs(request.uri.query ?? "")
        if let unknown = query.first(where: { !Self.listParameters.contains($0.0) }) {
            throw TwilioRefusal(status: 400, code: 20001, message: "Parameter \(unknown.0) is not valid")
        }
        let values = Dictionary(query, uniquingKeysWith: { first, _ in first })
        let size = values["PageSize"].flatMap { Int($0) } ?? 50
        let page = values["Page"].flatMap { Int($0) } ?? 0
        guard (1...1000).contains(size), page >= 0 else {
            throw TwilioRefusal(status: 400, code: 20001, message: "Page size or page is not valid")
        }
        let matching = messages.reversed().filter { message in
            let day = Self.day(message.createdAt)
            return (values["To"].map { $0 == message.to } ?? true)
                && (values["From"].map { $0 == message.from } ?? true)
                && (values["DateSent"].map { $0.prefix(10) == day } ?? true)
                && (values["DateSent>"].map { day >= $0.prefix(10) } ?? true)
                && (values["DateSent<"].map { day <= $0.prefix(10) } ?? true)
        }
        let shown = matching.dropFirst(page * size).prefix(size)
        let hasMore = matching.count > (page + 1) * size
        let uri = { (page: Int) in
            var rest = query.filter { !["Page", "PageToken"].contains($0.0) }.map { name, value in
                Self.encoded(name) + "=" + Self.encoded(value)
            }
            rest.append("Page=\(page)&PageToken=PA\(page)")
            return "/2010-04-01/Accounts/\(self.accountSID)/Messages.json?" + rest.joined(separator: "&")
        }
        return json(
            [
                "messages": shown.map(dictionary), "page": page, "page_size": size, "start": page * size,
                "end": page * size + max(0, shown.count - 1), "uri": uri(page), "first_page_uri": uri(0),
                "next_page_uri": hasMore ? uri(page + 1) : NSNull(),
                "previous_page_uri": page > 0 ? uri(page - 1) : NSNull(),
            ], status: 200)
    }

    // MARK: - Forms

    private func dictionary(_ message: Message) -> [String: Any] {
        let base = "/2010-04-01/Accounts/\(accountSID)/Messages/\(message.sid)"
        let isQueued = ["queued", "accepted", "scheduled"].contains(message.status)
        return [
            "account_sid": accountSID, "api_version": "2010-04-01", "body": message.body,
            "date_created": Self.date(message.createdAt), "date_updated": Self.date(message.createdAt),
            "date_sent": isQueued ? NSNull() : Self.date(message.createdAt) as Any, "direction": "outbound-api",
            "error_code": message.errorCode.map { $0 as Any } ?? NSNull(), "error_message": NSNull(),
            "from": message.from, "messaging_service_sid": NSNull(), "num_media": "0", "num_segments": "1",
            "price": message.price.map { $0 as Any } ?? NSNull(), "price_unit": "USD", "sid": message.sid,
            "status": message.status, "subresource_uris": ["media": base + "/Media.json"], "to": message.to,
            "uri": base + ".json",
        ]
    }

    private func json(_ object: [String: Any], status: Int, retryAfter: Int? = nil) -> Response {
        let data = (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
        var headers: HTTPFields = [.contentType: "application/json; charset=UTF-8"]
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        return Response(
            status: .init(code: status), headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    private func pairs(_ text: String) throws -> [(String, String)] {
        try text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { $0.replacingOccurrences(of: "+", with: " ").removingPercentEncoding }
            guard decoded.count == 2, let name = decoded[0], let value = decoded[1] else {
                throw TwilioRefusal(status: 400, code: 20001, message: "The form is malformed")
            }
            return (name, value)
        }
    }

    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    private static func day(_ date: Date) -> String { String(date.ISO8601Format().prefix(10)) }

    /// `Sat, 21 Nov 2026 09:00:00 +0000`.
    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss Z"
        return formatter.string(from: date)
    }
}
