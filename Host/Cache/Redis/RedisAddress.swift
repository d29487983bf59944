public import TandemCore

/// Where a Redis or Valkey server is and how to sign in to it: `REDIS_URL`.
///
/// - `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`; the port is 6379 unless given.
/// - `rediss://…` the same over TLS; `?ca_file=PATH` names the authorities to trust instead of the machine's.
/// - `unix:[//[[USER]:PASSWORD@]]PATH[?db=DATABASE]`.
///
/// What is not plain in user, password and path is percent-encoded. After the registrations of the schemes with IANA.
public struct RedisAddress: Sendable, Hashable {
    public enum Place: Sendable, Hashable {
        /// An IPv6 address is without brackets.
        case host(String, port: Int)
        case path(String)
    }

    public var place: Place
    public var user: String?
    public var password: Secret?
    public var database: Int
    public var usesTLS: Bool
    /// A PEM file.
    public var authorities: String?

    public init(
        _ place: Place, user: String? = nil, password: Secret? = nil, database: Int = 0, usesTLS: Bool = false,
        authorities: String? = nil
    ) {
        self.place = place
        self.user = user
        self.password = password
        self.database = database
        self.usesTLS = usesTLS
        self.authorities = authorities
    }

    /// What is wrong with an address, without any part of it that may be secret.
    public struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        public let reason: String
        public var description: String { reason }
    }

    public init(_ text: String) throws(Invalid) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Invalid(reason: "it has spaces or letters outside ASCII; write them as %XX")
        }
        guard let colon = text.firstIndex(of: ":") else { throw Invalid(reason: "it has no scheme such as redis:") }
        let scheme = text[..<colon].lowercased()
        var rest = text[text.index(after: colon)...]
        var query: [(String, String)] = []
        if let mark = rest.firstIndex(of: "?") {
            query = try RedisAddress.query(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        guard !rest.contains("#") else { throw Invalid(reason: "it has a '#': write it as %23") }
        switch scheme {
        case "redis", "rediss":
            guard rest.hasPrefix("//") else { throw Invalid(reason: "after the scheme comes //HOST") }
            rest = rest.dropFirst(2)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            let (user, password) = try RedisAddress.credentials(&rest, before: slash)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            place = try RedisAddress.host(rest[..<end])
            self.user = user
            self.password = password
            let path = rest[end...].dropFirst()
            database = path.isEmpty ? 0 : try RedisAddress.database(path)
            usesTLS = scheme == "rediss"
        case "unix":
            var credentials: (user: String?, password: Secret?) = (nil, nil)
            if rest.hasPrefix("//") {
                rest = rest.dropFirst(2)
                let slash = rest.firstIndex(of: "/") ?? rest.endIndex
                credentials = try RedisAddress.credentials(&rest, before: slash)
            }
            let path = try RedisAddress.decoded(rest)
            guard path.hasPrefix("/"), path.utf8.count < 108, !path.utf8.contains(0) else {
                throw Invalid(reason: "the socket's path has to begin with / and have at most 107 bytes")
            }
            place = .path(path)
            (user, password) = credentials
            database = 0
            usesTLS = false
        default: throw Invalid(reason: "it begins with none of redis: rediss: unix:")
        }
        for (name, value) in query {
            switch name {
            case "db": database = try RedisAddress.database(Substring(value))
            case "ca_file" where usesTLS: authorities = value
            default:
                throw Invalid(reason: "it has a parameter that is not known here: only db, and ca_file with rediss:")
            }
        }
    }

    /// `USER:PASSWORD@` before the host, taken off the rest.
    private static func credentials(
        _ rest: inout Substring, before slash: Substring.Index
    ) throws(Invalid) -> (user: String?, password: Secret?) {
        guard let at = rest[..<slash].lastIndex(of: "@") else {
            if rest[slash...].contains("@"), rest[..<slash].contains(":"),
                Int(rest[..<slash].split(separator: ":").last ?? "") == nil
            {
                throw Invalid(reason: "the password has a '/': write it as %2F")
            }
            return (nil, nil)
        }
        let text = rest[..<at]
        rest = rest[rest.index(after: at)...]
        guard let colon = text.firstIndex(of: ":") else {
            throw Invalid(reason: "before the @ is a user without a password; write :PASSWORD@ for a password alone")
        }
        let user = try decoded(text[..<colon])
        let password = try decoded(text[text.index(after: colon)...])
        if password.isEmpty {
            guard user.isEmpty else { throw Invalid(reason: "the password is empty") }
            return (nil, nil)
        }
        return (user.isEmpty ? nil : user, Secret(password))
    }

    private static func host(_ text: Substring) throws(Invalid) -> Place {
        var host = text
        var port = 6379
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ $0 &- 48 < 10 }), let number = Int(digits), (1...65_535).contains(number)
            else {
                throw Invalid(reason: "the port is not within 1-65535")
            }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.utf8.contains(UInt8(ascii: ":")) else {
                throw Invalid(reason: "brackets are for IPv6 addresses")
            }
        } else if host.contains(":") {
            throw Invalid(reason: "an IPv6 address is written in brackets")
        }
        let plain = Set("-._:%".utf8)
        guard host.utf8.count <= 253,
            host.utf8.allSatisfy({ ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || plain.contains($0) })
        else { throw Invalid(reason: "the host is no name or address") }
        return .host(host.isEmpty ? "127.0.0.1" : String(host), port: port)
    }

    private static func database(_ text: Substring) throws(Invalid) -> Int {
        guard let number = Int(text), text.utf8.allSatisfy({ $0 &- 48 < 10 }), number <= 65_535 else {
            throw Invalid(reason: "the database is no number")
        }
        return number
    }

    private static func query(_ text: Substring) throws(Invalid) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for part in text.split(separator: "&") {
            let equals = part.firstIndex(of: "=") ?? part.endIndex
            pairs.append((String(part[..<equals]), try decoded(part[equals...].dropFirst())))
        }
        return pairs
    }

    /// RFC 3986 §2.1.
    private static func decoded(_ text: Substring) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let high = rest.popFirst().flatMap(hexadecimal),
                let low = rest.popFirst().flatMap(hexadecimal)
            else { throw Invalid(reason: "a '%' is not followed by two hex digits; write the sign itself as %25") }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Invalid(reason: "what is percent-encoded is not UTF-8")
        }
        return text
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}

extension RedisAddress: CustomStringConvertible {
    /// Without user and password: `redis://127.0.0.1:6379/0`.
    public var description: String {
        switch place {
        case .host(let host, let port):
            let name = host.contains(":") ? "[\(host)]" : host
            return "\(usesTLS ? "rediss" : "redis")://\(name):\(port)/\(database)"
        case .path(let path): return "unix:\(path)?db=\(database)"
        }
    }
}
