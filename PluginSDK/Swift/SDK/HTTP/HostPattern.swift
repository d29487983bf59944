/// A host that a plugin declares: `api.example.org`, `*.example.org`, `api.example.org:8443`, `http://printer.local`; `*` is
/// every name on the Internet, by https.
///
/// The same rules as the host's (docs/plugins/http.md), so that a plugin's tests find out what a host would refuse.
@_spi(Testing)
public struct HostPattern: Sendable, Hashable {
    public let scheme: String
    public let name: String
    public let isWildcard: Bool
    public let port: Int

    public init?(_ text: String) {
        if text == "*" {
            self.scheme = "https"
            name = ""
            self.isWildcard = true
            port = 443
            return
        }
        var rest = text[...]
        var scheme = "https"
        if rest.hasPrefix("http://") {
            scheme = "http"
            rest = rest.dropFirst(7)
        } else if rest.hasPrefix("https://") {
            rest = rest.dropFirst(8)
        }
        let isWildcard = rest.hasPrefix("*.")
        if isWildcard { rest = rest.dropFirst(2) }
        guard let (name, port) = Self.split(rest, scheme: scheme) else { return nil }
        let labels = name.split(separator: ".")
        let looksNumeric = labels.last.map { $0.utf8.allSatisfy { $0 &- 48 < 10 } || $0.hasPrefix("0x") } ?? true
        let isV4 =
            labels.count == 4 && labels.allSatisfy { UInt8($0) != nil && ($0.utf8.count == 1 || !$0.hasPrefix("0")) }
        let isAddress = isV4 || name.hasPrefix("[")
        if isWildcard {
            guard !isAddress, labels.count >= 2 else { return nil }
        } else {
            guard isAddress || labels.count >= 2 || name == "localhost" else { return nil }
        }
        guard isAddress || !looksNumeric else { return nil }
        self.scheme = scheme
        self.name = name
        self.isWildcard = isWildcard
        self.port = port
    }

    /// Host in lower case and port of `host`, `host:port`, `[v6]`, `[v6]:port`.
    private static func split(_ authority: Substring, scheme: String) -> (String, Int)? {
        var name = authority
        var port = scheme == "https" ? 443 : 80
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") {
            let digits = name[name.index(after: colon)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 &- 48 < 10 }),
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            port = number
            name = name[..<colon]
        }
        let host = name.lowercased()
        if host.hasPrefix("[") {
            let inner = host.dropFirst().dropLast()
            guard host.hasSuffix("]"), (2...45).contains(inner.utf8.count),
                inner.utf8.allSatisfy({ $0 &- 48 < 10 || $0 &- 97 < 6 || $0 == 58 || $0 == 46 })
            else { return nil }
            return (host, port)
        }
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...253).contains(host.utf8.count),
            labels.allSatisfy({ label in
                (1...63).contains(label.count)
                    && label.allSatisfy { $0 &- 48 < 10 || $0 &- 97 < 26 || $0 == 45 || $0 == 95 }
            })
        else { return nil }
        return (host, port)
    }

    /// Whether an absolute address lies there.
    public func matches(_ url: String) -> Bool {
        guard let slashes = url.firstRange(of: "://") else { return false }
        let authority = url[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let scheme = url[..<slashes.lowerBound].lowercased()
        guard scheme == self.scheme, let (host, port) = Self.split(authority, scheme: scheme), port == self.port else {
            return false
        }
        // Names only: an address is no page of the web.
        if name.isEmpty {
            return HostPattern(host) != nil && !host.hasPrefix("[") && host.contains(".")
                && host.contains { $0.isLetter }
        }
        return isWildcard ? host.hasSuffix("." + name) && host.utf8.count > name.utf8.count + 1 : host == name
    }

    /// `www.example.org` of an address; nil for what is none.
    static func host(of url: String) -> String? {
        guard let slashes = url.firstRange(of: "://") else { return nil }
        let authority = url[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return split(authority, scheme: "https")?.0
    }

    /// `POST /v1/items/*/query`: a request that only reads; `*` stands for one segment.
    public static func isReadingRequest(_ text: String) -> Bool {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, ["POST", "PUT", "PATCH", "DELETE"].contains(parts[0]), parts[1].hasPrefix("/"),
            parts[1].utf8.count <= 512,
            parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3F && $0 != 0x23 && $0 != 0x5C })
        else { return false }
        return parts[1].split(separator: "/", omittingEmptySubsequences: false)
            .allSatisfy { $0 == "*" || !$0.contains("*") && $0 != "." && $0 != ".." }
    }

    /// Whether a request is one that `text`, like above, names.
    public static func isReading(_ method: String, _ url: String, by text: String) -> Bool {
        let parts = text.split(separator: " ")
        guard parts.count == 2, parts[0] == method, let slashes = url.firstRange(of: "://") else { return false }
        let rest = url[slashes.upperBound...].prefix { $0 != "?" && $0 != "#" }
        let path = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        let expected = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        return segments.count == expected.count
            && zip(segments, expected).allSatisfy { $1 == "*" ? !$0.isEmpty : $0 == $1 }
    }
}
