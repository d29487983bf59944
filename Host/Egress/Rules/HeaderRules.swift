import TandemCore

/// Which header fields a plugin may put into a request.
enum HeaderRules {
    static let maxFields = 64
    static let maxBytes = 32_768

    /// The first thing that is wrong, for the author; nil when the fields may be sent.
    static func problem(
        _ headers: HTTPHeaders, isCached: Bool, grantHeader: String?
    ) -> String? {
        guard headers.fields.count <= maxFields else { return "more than \(maxFields) header fields" }
        var bytes = 0
        var seen: Set<String> = []
        for field in headers.fields {
            bytes += field.name.utf8.count + field.value.utf8.count + 4
            guard bytes <= maxBytes else { return "more than \(maxBytes) bytes of header fields" }
            guard isToken(field.name), isLine(field.value) else { return "a malformed header field" }
            let name = field.name.lowercased()
            if isForbidden(name) { return "the header \(name) is the host's" }
            if isCached, name == "range" || name.hasPrefix("if-") {
                return "the header \(name) does not go with the cache"
            }
            if let grantHeader, name == "authorization" || name == grantHeader.lowercased() {
                return "the header \(name) does not go with a grant"
            }
            if !seen.insert(name).inserted, !repeatable.contains(name) { return "the header \(name) stands twice" }
        }
        return nil
    }

    /// Framing, routing, and what the host says about itself.
    private static func isForbidden(_ name: String) -> Bool {
        forbidden.contains(name) || name.hasPrefix("proxy-") || name.hasPrefix("sec-") || name.hasPrefix("x-forwarded-")
    }

    private static let forbidden: Set<String> = [
        "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "content-length", "expect", "upgrade",
        "via", "forwarded", "accept-encoding", "cookie", "cookie2", "idempotency-key", "http2-settings", "x-real-ip",
        "x-http-method", "x-http-method-override", "x-method-override",
    ]

    private static let repeatable: Set<String> = ["accept", "accept-language", "prefer"]

    /// What goes along when a redirect leaves the origin: nothing that could be a credential.
    static func mayCrossOrigin(_ name: String) -> Bool {
        crossOrigin.contains(name.lowercased())
    }

    private static let crossOrigin: Set<String> = ["accept", "accept-language", "content-type", "user-agent"]

    /// RFC 9110 §5.6.2.
    static func isToken(_ name: String) -> Bool {
        (1...256).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || "!#$%&'*+-.^_`|~".utf8.contains($0)
            }
    }

    /// RFC 9110 §5.5.
    static func isLine(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 9 }
    }

    /// What of an answer a plugin sees: no cookies, nothing of the connection.
    static func visible(_ headers: HTTPHeaders) -> HTTPHeaders {
        let connection = headers.all("connection").flatMap { value in
            value.lowercased().split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
        }
        let isEncoded = headers["content-encoding"].map { $0.lowercased() != "identity" } ?? false
        var kept = HTTPHeaders()
        for field in headers.fields {
            let name = field.name.lowercased()
            if hidden.contains(name) || name.hasPrefix("proxy-") || connection.contains(name) { continue }
            if isEncoded, name == "content-encoding" || name == "content-length" { continue }
            kept.append(name, field.value)
        }
        return kept
    }

    private static let hidden: Set<String> = [
        "set-cookie", "set-cookie2", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
        "alt-svc", "strict-transport-security",
    ]
}
