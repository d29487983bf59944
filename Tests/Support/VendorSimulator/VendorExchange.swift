import Foundation
public import ScriptServer
public import TandemJSON

/// A request to a simulated service, from a scripted client or from the network.
public struct VendorRequest: Sendable {
    public var method: String
    /// Decoded but for `%2F`; begins with `/`.
    public var path: String
    public var query: [(name: String, value: String)]
    /// Names in lower case.
    public var headers: [String: String]
    public var body: [UInt8]

    /// - Parameter target: path and query as they stand in the request.
    public init(method: String, target: String, headers: [String: String], body: [UInt8]) {
        self.method = method
        let path = String(target.prefix { $0 != "?" })
        self.path = path.replacingOccurrences(of: "%2F", with: "%252F").removingPercentEncoding ?? path
        let rest = target.firstIndex(of: "?").map { target[target.index(after: $0)...] } ?? ""
        query = rest.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func decoded(_ text: Substring) -> String {
                text.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? String(text)
            }
            return (decoded(parts[0]), parts.count == 2 ? decoded(parts[1]) : "")
        }
        self.headers = headers
        self.body = body
    }

    public init(_ request: ScriptServer.Request) {
        self.init(
            method: request.method, target: request.target,
            headers: Dictionary(request.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }),
            body: request.body)
    }

    public func first(_ name: String) -> String? { query.first { $0.name == name }?.value }
    public func all(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

    public var bearer: String? {
        headers["authorization"].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
    }

    public var json: JSON? { try? JSON(parsing: body) }
}

public struct VendorAnswer: Sendable {
    public var status: Int
    public var headers: [(String, String)]
    public var body: [UInt8]
    /// The connection ends instead.
    public var isCut = false
    /// Before the answer.
    public var milliseconds: UInt32 = 0

    public init(status: Int, headers: [(String, String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public static func json(_ status: Int, _ body: JSON, _ headers: [(String, String)] = []) -> VendorAnswer {
        VendorAnswer(
            status: status, headers: [("Content-Type", "application/json; charset=UTF-8")] + headers,
            body: body.serialized())
    }

    /// As a server sends it.
    public var scripted: ScriptServer.Answer {
        if milliseconds > 0 { usleep(milliseconds * 1000) }
        return isCut ? .close : .answer(status, headers, body: body)
    }
}

/// What goes wrong with one request.
public enum VendorFault: Sendable {
    /// This answer, and nothing is done.
    case answer(VendorAnswer)
    /// Nothing is done, the connection is closed.
    case cutBefore
    /// All is done, the answer is lost.
    case cutAfter
    /// 200 and a page of HTML.
    case html
    /// The right answer, late.
    case slow(milliseconds: UInt32)

    /// The answer of a golden sample (`../shared/contracts/*/samples`), byte for byte.
    public static func sample(_ sample: JSON) -> VendorFault {
        let response = sample["response"] ?? [:]
        let headers = (response["headers"]?.objectValue ?? [:]).map { ($0.key, $0.value.stringValue ?? "") }
        return .answer(
            VendorAnswer(
                status: Int(response["status"]?.int64Value ?? 500), headers: headers,
                body: response["json"].map { $0.serialized() } ?? []))
    }
}
