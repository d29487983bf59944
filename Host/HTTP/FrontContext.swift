public import Hummingbird
import NIOCore

/// What accompanies one request through the routes.
public struct FrontContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    private let remoteAddress: SocketAddress?
    /// One id throughout logs, errors and the answer.
    public var requestID = ""

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// Of the program at the other end, without port.
    public var peerAddress: String? { remoteAddress?.ipAddress }

    /// The program at the other end runs on this machine; behind a proxy that is the proxy.
    public var isFromLoopback: Bool {
        guard let address = remoteAddress?.ipAddress else {
            if case .unixDomainSocket? = remoteAddress { return true }
            return false
        }
        return address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
    }
}
