/// An absolute `http` or `https` address without user information, query or fragment, as configured for ourselves and for
/// vendors.
public struct WebAddress: Sendable, Hashable {
    public let scheme: String
    /// Lower case; an IPv6 address keeps its brackets.
    public let host: String
    /// As written; nil where the scheme's own is meant.
    public let port: Int?
    /// Begins with `/` and has no `/` at its end; empty for the root.
    public let path: String

    /// Only this machine.
    public var isLoopback: Bool { host == "localhost" || host == "[::1]" || host.hasPrefix("127.") }

    /// Without path: `https://accounts.example.org`.
    public var origin: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")" }

    /// The address followed by a path that begins with `/`.
    public func appending(_ suffix: String) -> String { description + suffix }
}

extension WebAddress: CustomStringConvertible {
    public var description: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")\(path)" }

    /// Nil for anything but such an address (RFC 3986 §3, narrowed as said above).
    public init?(_ text: String) {
        let rest: Substring
        if text.hasPrefix("https://") {
            scheme = "https"
            rest = text.dropFirst(8)
        } else if text.hasPrefix("http://") {
            scheme = "http"
            rest = text.dropFirst(7)
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" }
        var path = String(rest[authority.endIndex...])
        while path.hasSuffix("/") { path.removeLast() }
        let refused = Set("?#\\\"<>^`{|}@ ".utf8)
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !refused.contains($0) }) else { return nil }
        self.path = path

        var name = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            let digits = authority[authority.index(after: colon)...]
            guard let number = Int(digits), digits.utf8.allSatisfy({ $0 &- 48 < 10 }), (1...65_535).contains(number)
            else { return nil }
            port = number
            name = authority[..<colon]
        } else {
            port = nil
        }
        guard !name.isEmpty else { return nil }
        if name.hasPrefix("[") {
            guard name.hasSuffix("]"), name.utf8.count > 3,
                name.dropFirst().dropLast().utf8.allSatisfy({
                    ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 6) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
                })
            else { return nil }
        } else {
            guard
                name.utf8.allSatisfy({
                    ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
                        || $0 == UInt8(ascii: "_")
                }), !name.hasPrefix("."), !name.contains("..")
            else { return nil }
        }
        host = name.lowercased()
    }
}
