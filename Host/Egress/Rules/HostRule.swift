/// One host, or all below a domain, at one port, by https or http: `api.example.org`, `*.example.org`,
/// `api.example.org:8443`, `http://printer.local:8080`, `192.168.1.20`, `[fd00::1]`; `*` is every name, by https at port 443.
public struct HostRule: Sendable, Hashable {
    /// `https` unless the rule says `http://`.
    public let scheme: String
    /// Lower case, without `*.` and brackets; empty for `*`.
    public let name: String
    /// `*.`: every name below, at any depth, but not the domain itself.
    public let isWildcard: Bool
    public let port: Int

    /// `*`: the whole web.
    public var isEverywhere: Bool { isWildcard && name.isEmpty }

    /// Nil for anything else: a path, a bare top-level domain, `*` in the middle.
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
        guard let (name, port) = OutboundURL.split(String(rest), scheme: scheme) else { return nil }
        let labels = name.split(separator: ".")
        let isAddress = IPAddress(name) != nil
        if isWildcard {
            guard !isAddress, labels.count >= 2 else { return nil }
        } else {
            guard isAddress || labels.count >= 2 || name == "localhost" else { return nil }
        }
        // What looks like a number is read as an IPv4 address by resolvers: only the plain form may stand here.
        if !isAddress, let last = labels.last, last.utf8.allSatisfy({ $0 &- 48 < 10 }) || last.hasPrefix("0x") {
            return nil
        }
        self.scheme = scheme
        self.name = name
        self.isWildcard = isWildcard
        self.port = port
    }

    /// Matches nothing.
    static let none = HostRule()

    private init() {
        scheme = ""
        name = ""
        isWildcard = false
        port = 0
    }

    public func matches(_ url: OutboundURL) -> Bool {
        guard url.scheme == scheme, url.port == port else { return false }
        guard isWildcard else { return url.host == name }
        // Names only: who lists an address says so.
        if isEverywhere { return url.host.utf8.contains(UInt8(ascii: ".")) && IPAddress(url.host) == nil }
        return url.host.utf8.count > name.utf8.count + 1 && url.host.hasSuffix("." + name)
    }
}

extension HostRule: CustomStringConvertible {
    public var description: String {
        if isEverywhere { return "*" }
        let shown = name.utf8.contains(UInt8(ascii: ":")) ? "[\(name)]" : name
        let suffix = port == (scheme == "https" ? 443 : 80) ? "" : ":\(port)"
        return (scheme == "http" ? "http://" : "") + (isWildcard ? "*." : "") + shown + suffix
    }
}

/// A request by another method than GET or HEAD that only reads: `POST /v1/databases/*/query`. `*` stands for one
/// segment of the path.
public struct ReadingRequest: Sendable, Hashable {
    public let method: HTTPRequest.Method
    let segments: [String]

    public init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let method = HTTPRequest.Method(rawValue: String(parts[0])), method != .get,
            method != .head, parts[1].hasPrefix("/"), parts[1].utf8.count <= 512,
            parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3F && $0 != 0x23 && $0 != 0x5C })
        else { return nil }
        self.method = method
        segments = parts[1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard segments.allSatisfy({ $0 == "*" || !$0.utf8.contains(UInt8(ascii: "*")) && $0 != ".." && $0 != "." })
        else { return nil }
    }

    func matches(_ method: HTTPRequest.Method, _ path: String) -> Bool {
        guard method == self.method else { return false }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == segments.count
            && zip(parts, segments).allSatisfy { part, segment in
                segment == "*" ? !part.isEmpty && part != "." && part != ".." : part == segment
            }
    }
}

/// A host that a manifest declares.
public struct DeclaredHost: Sendable, Hashable {
    public var rule: HostRule
    /// For people: why it is needed.
    public var reason: String
    public var reads: [ReadingRequest]

    public init(_ rule: HostRule, reason: String, reads: [ReadingRequest] = []) {
        self.rule = rule
        self.reason = reason
        self.reads = reads
    }
}
