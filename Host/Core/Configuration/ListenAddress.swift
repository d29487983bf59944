/// Where the server listens: a host name or address and a port.
public struct ListenAddress: Sendable, Hashable {
    public var host: String
    /// 0 lets the system choose.
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Only this machine can reach it.
    public var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

extension ListenAddress: CustomStringConvertible {
    public var description: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT` (all interfaces); nil otherwise.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ $0 &- 48 < 10 }), let port = Int(digits), port <= 65_535 else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]"), host.utf8.count > 2 {
            host = String(host.dropFirst().dropLast())
        } else if host.utf8.contains(where: { $0 == UInt8(ascii: ":") || $0 <= 0x20 || $0 == UInt8(ascii: "/") }) {
            return nil
        }
        self.init(host: host.isEmpty ? "0.0.0.0" : host, port: port)
    }
}
