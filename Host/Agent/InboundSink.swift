public import TandemCore
public import TandemStorage

/// Where fronts hand in messages: within their own transaction, so that "received" and "will be answered" are one fact.
public protocol InboundSink: Sendable {
    /// Makes the message durable work. Runs on the writer, inside the front's transaction on the message's user scope.
    func accept(_ message: InboundMessage, in transaction: any WriteTransaction) throws

    /// The transaction is durable: the work may begin. Never blocks.
    func wake(_ scope: UserScope)

    /// A message is being taken in, and whoever sent it waits for the acknowledgement: until `endArrival`, new turns
    /// give way. Never blocks.
    func beginArrival()

    func endArrival()
}

extension InboundSink {
    public func beginArrival() {}
    public func endArrival() {}
}
