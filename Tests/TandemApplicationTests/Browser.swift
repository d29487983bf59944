import Foundation
import TandemEgress

/// Keeps cookies, and goes nowhere by itself.
struct Browser {
    private let client = CurlClient.local()
    private var cookies: [String: String] = [:]

    mutating func get(_ url: String) async throws -> HTTPResponse {
        try await send(HTTPRequest(.get, url, headers: headers([:])))
    }

    mutating func post(
        _ url: String, _ fields: [(String, String)], _ more: [String: String] = [:]
    ) async throws -> HTTPResponse {
        let allowed = CharacterSet.alphanumerics
        let body = fields.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")"
        }
        var headers = headers(more)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return try await send(
            HTTPRequest(.post, url, headers: headers, body: Array(body.joined(separator: "&").utf8)))
    }

    private func headers(_ more: [String: String]) -> HTTPHeaders {
        var headers = HTTPHeaders()
        if !cookies.isEmpty { headers["Cookie"] = cookies.map { "\($0)=\($1)" }.joined(separator: "; ") }
        for (name, value) in more { headers[name] = value }
        return headers
    }

    private mutating func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        var request = request
        request.maxRedirects = 0
        let response = try await client.send(request)
        for field in response.headers.fields where field.name.lowercased() == "set-cookie" {
            let pair = field.value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
        }
        return response
    }

    func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    func formValue(_ response: HTTPResponse) -> String? { field("form", response) }

    /// The value of a hidden field.
    func field(_ name: String, _ response: HTTPResponse) -> String? {
        let text = text(response)
        guard let start = text.range(of: "name=\"\(name)\" value=\"")?.upperBound else { return nil }
        return String(text[start...].prefix { $0 != "\"" })
    }

    func close() async { await client.shutdown() }
}
