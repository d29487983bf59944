/// A mail of plain text to one address.
public struct Mail: Sendable, Hashable {
    public var to: String
    public var subject: String
    /// Lines end with `\n`.
    public var text: String

    public init(to: String, subject: String, text: String) {
        self.to = to
        self.subject = subject
        self.text = text
    }
}

extension Mail: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "mail" }

    public var debugDescription: String { description }

    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Sends mails.
public protocol Mailer: Sendable {
    /// Returns when the next server has taken the mail.
    ///
    /// Throws `MailError`. The same `id` may come again when it was not known whether the mail had been taken: it is the
    /// left part of its Message-ID.
    func send(_ mail: Mail, id: String) async throws
}

/// Why a mail was not taken. Never its address or text.
public struct MailError: Error, Sendable, Hashable {
    public var message: String
    /// Trying again makes no sense: the server refused this mail (SMTP 5xx), or it cannot be written.
    public var isFinal: Bool

    public init(_ message: String, isFinal: Bool) {
        self.message = message
        self.isFinal = isFinal
    }
}

extension MailError: CustomStringConvertible {
    public var description: String { message }
}
