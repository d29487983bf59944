/// The directives of `Cache-Control` that a private cache heeds (RFC 9111 §5.2, RFC 5861).
struct CacheControl: Sendable, Hashable {
    var isNoStore = false
    /// Also with a list of fields: then it is taken to mean the whole answer.
    var isNoCache = false
    var mustRevalidate = false
    var maxAgeSeconds: Int64?
    var staleIfErrorSeconds: Int64?

    init() {}

    init(_ headers: HTTPHeaders) {
        for value in headers.all("cache-control") {
            for part in Self.split(value) {
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(pair[0].filter { $0 != " " && $0 != "\t" }).lowercased()
                let argument = pair.count == 2 ? pair[1].filter { $0 != " " && $0 != "\t" && $0 != "\"" } : ""
                switch name {
                case "no-store": isNoStore = true
                case "no-cache": isNoCache = true
                case "must-revalidate": mustRevalidate = true
                // An age that cannot be read is none: the answer is stale at once (RFC 9111 §4.2.1).
                case "max-age": maxAgeSeconds = min(maxAgeSeconds ?? .max, Self.seconds(argument) ?? 0)
                case "stale-if-error": staleIfErrorSeconds = Self.seconds(argument)
                default: break
                }
            }
        }
    }

    static func seconds(_ text: some StringProtocol) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        return text.utf8.count > 10 ? 2_147_483_648 : min(Int64(text) ?? 2_147_483_648, 2_147_483_648)
    }

    /// At commas outside of quotes.
    private static func split(_ value: String) -> [Substring] {
        var parts: [Substring] = []
        var start = value.startIndex
        var isQuoted = false
        for index in value.indices {
            if value[index] == "\"" { isQuoted.toggle() }
            if value[index] == ",", !isQuoted {
                parts.append(value[start..<index])
                start = value.index(after: index)
            }
        }
        parts.append(value[start...])
        return parts
    }
}
