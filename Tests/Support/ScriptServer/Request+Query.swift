import Foundation

extension ScriptServer.Request {
    /// The target without its query.
    public var path: String { String(target.prefix { $0 != "?" }) }

    /// The parameters of the query, decoded, in order.
    public var query: [(name: String, value: String)] { Self.pairs(target.drop { $0 != "?" }.dropFirst()) }

    /// The parameters of a form in the body, decoded, in order.
    public var form: [(name: String, value: String)] { Self.pairs(String(decoding: body, as: UTF8.self)[...]) }

    private static func pairs(_ text: Substring) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).replacing("+", with: " ").removingPercentEncoding ?? ""
            }
            return (parts[0], parts.count == 2 ? parts[1] : "")
        }
    }

    /// By their names in lower case.
    public var headerValues: [String: String] {
        Dictionary(headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }
}
