import CCurl
public import TandemCore

/// Hands mails to an SMTP server through libcurl, on a thread of its own (https://curl.se/libcurl/c/CURLOPT_MAIL_FROM.html).
public final class SMTPMailer: Mailer {
    /// Where and how.
    public struct Configuration: Sendable {
        /// `smtps://mail.example.org` (TLS from the start), or `smtp://mail.example.org:587` (STARTTLS).
        public var server: String
        public var user: String?
        public var password: Secret?
        /// The address that mails come from.
        public var sender: String
        public var senderName: String
        /// Without it a server that offers no STARTTLS is refused; for servers on this machine only.
        public var allowsPlainText: Bool
        /// A PEM file of the authorities that may vouch for the server; nil: the system's alone.
        public var authorities: String?
        /// For one mail, from the connection to the server's last word.
        public var patience: Duration = .seconds(30)

        /// Throws `mail_unavailable` with what is wrong.
        public init(
            server: String, user: String? = nil, password: Secret? = nil, sender: String,
            senderName: String = "Tandem", allowsPlainText: Bool = false, authorities: String? = nil
        ) throws {
            guard server.hasPrefix("smtp://") || server.hasPrefix("smtps://"),
                server.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 64 })
            else {
                throw AccountsError(
                    .mailUnavailable, "The mail server is written as smtps://HOST or smtp://HOST:PORT, without a user.")
            }
            guard MailMessage.isAddress(sender) else {
                throw AccountsError(.mailUnavailable, "The sender of mails is no e-mail address.")
            }
            self.server = server
            self.user = user
            self.password = password
            self.sender = sender
            self.senderName = senderName
            self.allowsPlainText = allowsPlainText
            self.authorities = authorities
        }
    }

    private let configuration: Configuration
    private let clock: any WallClock
    private let pool = BlockingPool(threads: 1, queue: 256)

    private static let isStarted = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    public init(_ configuration: Configuration, clock: any WallClock = SystemClock()) {
        self.configuration = configuration
        self.clock = clock
    }

    public func send(_ mail: Mail, id: String) async throws {
        let sender = configuration.sender
        let message = MailMessage.bytes(
            mail, from: sender, name: configuration.senderName, id: id, at: clock.now)
        guard let message else { throw MailError("the mail has a control character in a header", isFinal: true) }
        let configuration = configuration
        try await pool.run { Result { try SMTPMailer.send(message, to: mail.to, configuration) } }.get()
    }

    private static func send(_ message: [UInt8], to recipient: String, _ configuration: Configuration) throws {
        guard isStarted, let handle = curl_easy_init() else {
            throw MailError("libcurl does not start", isFinal: false)
        }
        defer { curl_easy_cleanup(handle) }
        let recipients = curl_slist_append(nil, "<\(recipient)>")
        defer { curl_slist_free_all(recipients) }
        let upload = MailUpload(message)
        _ = tandem_curl_set_text(handle, CURLOPT_URL, configuration.server)
        _ = tandem_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        _ = tandem_curl_set_text(handle, CURLOPT_MAIL_FROM, "<\(configuration.sender)>")
        _ = tandem_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients)
        _ = tandem_curl_set_long(
            handle, CURLOPT_USE_SSL,
            Int(configuration.allowsPlainText ? CURLUSESSL_TRY.rawValue : CURLUSESSL_ALL.rawValue))
        _ = tandem_curl_set_long(handle, CURLOPT_SSLVERSION, tandem_curl_tls_1_2)
        if let user = configuration.user { _ = tandem_curl_set_text(handle, CURLOPT_USERNAME, user) }
        if let password = configuration.password {
            _ = tandem_curl_set_text(handle, CURLOPT_PASSWORD, password.reveal())
        }
        _ = tandem_curl_set_long(handle, CURLOPT_UPLOAD, 1)
        _ = tandem_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        _ = tandem_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, 10_000)
        _ = tandem_curl_set_long(handle, CURLOPT_TIMEOUT_MS, Int(configuration.patience.milliseconds))
        if let authorities = configuration.authorities {
            _ = tandem_curl_set_text(handle, CURLOPT_CAINFO, authorities)
        }
        _ = tandem_curl_set_data_function(handle, CURLOPT_READFUNCTION, readMail)
        _ = tandem_curl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(upload).toOpaque())
        let code = withExtendedLifetime(upload) { curl_easy_perform(handle) }
        guard code != CURLE_OK else { return }
        var answer = 0
        _ = tandem_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &answer)
        // The words of the server may repeat the address: its number is enough.
        let reason = curl_easy_strerror(code).map { String(cString: $0) } ?? "failure"
        throw MailError(
            answer > 0 ? "the mail server answered \(answer): \(reason)" : "the mail server was not reached: \(reason)",
            isFinal: (500...599).contains(answer) && code != CURLE_LOGIN_DENIED)
    }
}

/// What libcurl has read of a message.
private final class MailUpload {
    private let message: [UInt8]
    private var offset = 0

    init(_ message: [UInt8]) { self.message = message }

    func read(into buffer: UnsafeMutablePointer<CChar>, limit: Int) -> Int {
        let count = min(limit, message.count - offset)
        message.withUnsafeBytes { bytes in
            guard count > 0, let start = bytes.baseAddress else { return }
            UnsafeMutableRawPointer(buffer).copyMemory(from: start + offset, byteCount: count)
        }
        offset += count
        return count
    }
}

/// Not a closure within an isolated context: libcurl calls it on the pool's thread.
private func readMail(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let buffer, let context else { return 0 }
    return Unmanaged<MailUpload>.fromOpaque(context).takeUnretainedValue().read(into: buffer, limit: size * count)
}
