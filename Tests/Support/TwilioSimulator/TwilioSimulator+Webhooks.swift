import Crypto
import Foundation

extension TwilioSimulator {
    /// A request that Twilio sends to us.
    public struct WebhookRequest: Sendable {
        public var url: String
        public var parameters: [(String, String)]
        public var signature: String
        public var contentType = "application/x-www-form-urlencoded; charset=UTF-8"

        /// The form, encoded.
        public var body: String {
            parameters.map { TwilioSimulator.encoded($0) + "=" + TwilioSimulator.encoded($1) }.joined(separator: "&")
        }
    }

    /// A message from a person, signed.
    ///
    /// - Parameters:
    ///   - url: Our webhook as Twilio knows it.
    ///   - extra: Further parameters, e.g. `OptOutType`; `NumMedia` replaces the usual 0.
    public func inbound(
        from: String, body: String, url: String, sid: String? = nil, to: String? = nil,
        extra: [(String, String)] = []
    ) -> WebhookRequest {
        let sid = sid ?? "SM" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        var parameters = [
            ("ToCountry", "US"), ("ToState", ""), ("SmsMessageSid", sid), ("NumMedia", "0"), ("ToCity", ""),
            ("FromZip", ""), ("SmsSid", sid), ("FromState", ""), ("SmsStatus", "received"), ("FromCity", ""),
            ("Body", body), ("FromCountry", "US"), ("To", to ?? numbers[0]), ("ToZip", ""), ("NumSegments", "1"),
            ("MessageSid", sid), ("AccountSid", accountSID), ("From", from), ("ApiVersion", "2010-04-01"),
        ]
        for (name, value) in extra {
            parameters.removeAll { $0.0 == name }
            parameters.append((name, value))
        }
        return signed(url, parameters)
    }

    /// A report on a message, signed.
    public func report(_ status: String, of sid: String, errorCode: Int? = nil, url: String) -> WebhookRequest {
        let message = messages.first { $0.sid == sid }
        var parameters = [
            ("SmsSid", sid), ("SmsStatus", status), ("MessageStatus", status), ("To", message?.to ?? "+15555550123"),
            ("MessageSid", sid), ("AccountSid", accountSID), ("From", message?.from ?? numbers[0]),
            ("ApiVersion", "2010-04-01"),
        ]
        if let errorCode { parameters.append(("ErrorCode", String(errorCode))) }
        return signed(url, parameters)
    }

    /// Base64 of HMAC-SHA1 over the URL and the parameters in the order of their names.
    private func signed(_ url: String, _ parameters: [(String, String)]) -> WebhookRequest {
        let text = parameters.sorted { $0.0 < $1.0 }.reduce(into: url) { $0 += $1.0 + $1.1 }
        let code = HMAC<Insecure.SHA1>.authenticationCode(
            for: Data(text.utf8), using: SymmetricKey(data: Data(authToken.utf8)))
        return WebhookRequest(url: url, parameters: parameters, signature: Data(code).base64EncodedString())
    }
}
