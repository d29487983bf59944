import TandemSDK
public import TandemTesting
public import VendorSimulator

extension TestHost {
    /// Answers a plugin's requests to a service as its simulator does, with the token of the grant attached as the host does.
    ///
    /// - Parameters:
    ///   - origin: `https://gmail.googleapis.com`
    ///   - grant: what the plugin calls the account; requests that do not name it get no token.
    public func connect(
        _ origin: String, grant: String, to answer: @escaping @Sendable (VendorRequest) -> VendorAnswer
    ) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            http.on(method, origin + "/*") { request in
                var headers = Dictionary(
                    request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
                if request.grant == grant { headers["authorization"] = "Bearer TOKEN" }
                if !request.body.isEmpty { headers["content-type"] = "application/json" }
                let answer = answer(
                    VendorRequest(
                        method: request.method, target: String(request.url.dropFirst(origin.count)), headers: headers,
                        body: request.body))
                guard !answer.isCut else { return .failure(-62, code: "interrupted") }
                return .response(
                    HTTPResponse(
                        status: answer.status, headers: answer.headers.map { HTTPField($0.0, $0.1) }, body: answer.body,
                        retryAfter: answer.headers.first { $0.0 == "Retry-After" }.flatMap { Int($0.1) }.map {
                            .seconds($0)
                        }))
            }
        }
    }
}
