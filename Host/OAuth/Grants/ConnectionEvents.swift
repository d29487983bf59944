public import TandemCore

/// What follows from the state of a person's connections: implemented by whoever pauses plugins and sends messages.
///
/// Each is called at least once, again after a crash in between, never two at a time for one person and provider. Throwing
/// has it called again later.
public protocol ConnectionEvents: Sendable {
    /// The service no longer accepts what the person once allowed: the plugins pause, the person gets the text.
    func lost(_ notice: ConnectionNotice) async throws

    /// There is a connection (again): plugins that waited for it go on.
    func connected(_ provider: String, plugins: [String], of person: UserScope) async throws

    /// The person ended it.
    func disconnected(_ provider: String, plugins: [String], of person: UserScope) async throws
}

/// One message to a person about a connection that was lost.
public struct ConnectionNotice: Sendable, Hashable {
    /// The same for one loss, however often it is delivered: who sends messages makes one of it.
    public var key: String
    public var person: UserScope
    public var provider: String
    /// The plugins that pause.
    public var plugins: [String]
    /// Ready to be sent, in GSM-7, with the link.
    public var text: String
    /// Where the person connects again; needs their login.
    public var link: String

    public init(
        key: String, person: UserScope, provider: String, plugins: [String], text: String, link: String
    ) {
        self.key = key
        self.person = person
        self.provider = provider
        self.plugins = plugins
        self.text = text
        self.link = link
    }
}
