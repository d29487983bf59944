public import TandemCore
public import TandemStorage

/// What the accounts need of the rest of the host; each may be absent.
public struct AccountServices: Sendable {
    /// Without one, what needs mail throws `mail_unavailable`.
    public var mailer: (any Mailer)?
    /// Without one, what needs a text message throws `texts_unavailable`.
    public var texts: (any TextSender)?
    public var audit: any AuditSink
    /// Without one, a session's place is its network.
    public var places: (any PlaceResolver)?
    /// Without one, other processes notice changes within two seconds.
    public var news: (any AccountNews)?
    /// Called at the end of the transaction that erases a person; throwing undoes it all.
    public var onErasure: (@Sendable (UserID, AuditEvent.Actor, ErasureReport, any WriteTransaction) throws -> Void)?

    public init(
        mailer: (any Mailer)? = nil, texts: (any TextSender)? = nil, audit: any AuditSink = NoAudit(),
        places: (any PlaceResolver)? = nil, news: (any AccountNews)? = nil,
        onErasure: (@Sendable (UserID, AuditEvent.Actor, ErasureReport, any WriteTransaction) throws -> Void)? = nil
    ) {
        self.mailer = mailer
        self.texts = texts
        self.audit = audit
        self.places = places
        self.news = news
        self.onErasure = onErasure
    }
}

/// Sends text messages: the SMS outbox.
public protocol TextSender: Sendable {
    /// Queues a message in the transaction that made it, so that both are durable or none. The transaction's scope is the
    /// person's, whose number it need not be yet.
    ///
    /// The body of the transaction may run more than once. A number that opted out gets nothing; that is not told.
    func send(_ text: String, to number: PhoneNumber, of scope: UserScope, in transaction: any WriteTransaction) throws
}

/// Says in words where a network is: `Lyon, France`. From a database on this machine, never by asking others.
public protocol PlaceResolver: Sendable {
    /// - Parameter network: As in a session's list: `203.0.113.0/24`.
    func place(of network: String) -> String?
}
