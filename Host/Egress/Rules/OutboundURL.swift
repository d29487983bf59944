import TandemCore

/// An absolute `http` or `https` address, taken apart so that what is checked is what is sent.
///
/// Stricter than RFC 3986: printable ASCII, no user information, no backslash, a host name without a dot at its end. Two
/// readers of one text cannot disagree about its host, since the text that is sent is put together from the parts.
public struct OutboundURL: Sendable, Hashable {
    /// `https` or `http`.
    public let scheme: String
    /// Lower case; an IPv6 address without brackets.
    public let host: String
    /// The scheme's own where none was written.
    public let port: Int
    /// Begins with `/`.
    public let path: String
    /// Without `?`.
    public let query: String?

    public static let maxBytes = 16_384

    /// Nil for anything but such an address.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.maxBytes, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }) else {
            return nil
        }
        self.init(URIReference(text))
    }

    private init?(_ reference: URIReference) {
        guard let scheme = reference.scheme, scheme == "https" || scheme == "http",
            let authority = reference.authority, !authority.utf8.contains(UInt8(ascii: "@")),
            reference.path.isEmpty || reference.path.hasPrefix("/"),
            let (host, port) = Self.split(authority, scheme: scheme)
        else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        path = reference.path.isEmpty ? "/" : reference.path
        query = reference.query
    }

    /// `host`, `host:port`, `[v6]`, `[v6]:port`.
    static func split(_ authority: String, scheme: String) -> (host: String, port: Int)? {
        var name = Substring(authority)
        var port = scheme == "https" ? 443 : 80
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") {
            let digits = name[name.index(after: colon)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 &- 48 < 10 }),
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            port = number
            name = name[..<colon]
        }
        if name.hasPrefix("[") {
            guard name.hasSuffix("]"), let address = IPAddress(String(name.dropFirst().dropLast())), address.isV6 else {
                return nil
            }
            return (address.description, port)
        }
        let host = name.lowercased()
        return isHostName(host) ? (host, port) : nil
    }

    /// Letters, digits, hyphens and underscores in labels of 1 to 63 bytes, 253 in all.
    static func isHostName(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy {
                    $0 &- 48 < 10 || $0 &- 97 < 26 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
    }

    /// What a `Location` names, seen from here (RFC 3986 §5.2); nil when that is no such address.
    public func resolving(_ reference: String) -> OutboundURL? {
        guard reference.utf8.count <= Self.maxBytes,
            reference.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C })
        else { return nil }
        return OutboundURL(URIReference(reference).resolved(against: URIReference(description)))
    }

    private var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == (scheme == "https" ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// `https://host:port`; the port where it is not the scheme's own.
    public var origin: String { "\(scheme)://\(authority)" }

    public func hasSameOrigin(as other: OutboundURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }
}

extension OutboundURL: CustomStringConvertible {
    /// The whole address, with its query: not for logs.
    public var description: String { origin + path + (query.map { "?" + $0 } ?? "") }
}
