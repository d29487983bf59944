public import TandemJSON

/// What a simulated model says next.
public enum ModelReply: Sendable {
    case text(String)
    /// Calls side by side, by the service's function names, with an optional text before them.
    case calls([(name: String, arguments: JSON)], text: String? = nil)
    /// A status with a body as it is.
    case failure(Int, JSON, headers: [(String, String)] = [])
    /// A whole answer as it is; streamed, it is the only event.
    case answer(JSON)
    /// Events of a stream as they are.
    case events([JSON])
    /// A stream that breaks off after so many events of what the reply would be.
    indirect case cut(ModelReply, after: Int)
    /// A stream with so long between its pieces; a plain answer comes so much later.
    indirect case slow(ModelReply, milliseconds: UInt32)
    /// The connection is closed without a word.
    case hangUp
    /// Nothing ever.
    case silence
}
