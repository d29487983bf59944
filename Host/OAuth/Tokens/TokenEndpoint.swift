import TandemCore
import TandemEgress
import TandemJSON

/// The requests to a service's token and revocation endpoints. Repeats nothing.
struct TokenEndpoint: Sendable {
    let provider: OAuthProvider
    let client: OAuthProvider.Client
    let http: any HTTPClient
    let timeout: Duration

    static let maxAnswerBytes = 256 << 10

    func exchange(
        code: String, redirect: String, verifier: Secret?, scopes: [String]
    ) async throws(TokenFailure) -> TokenAnswer {
        var fields: [(name: String, value: String)] = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect),
        ]
        if let verifier { fields.append(("code_verifier", verifier.reveal())) }
        return try await token(fields, scopes)
    }

    func refresh(_ refresh: Secret, scopes: [String]) async throws(TokenFailure) -> TokenAnswer {
        try await token([("grant_type", "refresh_token"), ("refresh_token", refresh.reveal())], scopes)
    }

    private func token(
        _ fields: [(name: String, value: String)], _ scopes: [String]
    ) async throws(TokenFailure) -> TokenAnswer {
        var fields = fields
        if provider.scopes?.onToken == true, !scopes.isEmpty {
            fields.append(("scope", scopes.joined(separator: " ")))
        }
        let response = try await post(provider.token, fields, isAuthenticated: true)
        let json = try? JSON(parsing: response.body)
        guard (200..<300).contains(response.status), let answer = json.flatMap(TokenAnswer.init) else {
            throw TokenFailure(status: response.status, json: json, headers: response.headers)
        }
        return answer
    }

    /// Gives a token back; nothing when the service does not offer it. A token that it does not know counts as given back
    /// (RFC 7009 §2.2).
    func revoke(_ token: Secret) async throws(TokenFailure) {
        guard let revocation = provider.revocation else { return }
        let response = try await post(
            revocation.address, [("token", token.reveal())], isAuthenticated: revocation.isAuthenticated)
        guard !(200..<300).contains(response.status) else { return }
        let failure = TokenFailure(
            status: response.status, json: try? JSON(parsing: response.body), headers: response.headers)
        if case .dead = failure { return }
        throw failure
    }

    private func post(
        _ address: WebAddress, _ fields: [(name: String, value: String)], isAuthenticated: Bool
    ) async throws(TokenFailure) -> HTTPResponse {
        var fields = fields
        var headers: HTTPHeaders = ["Accept": "application/json"]
        if isAuthenticated {
            switch provider.authentication {
            case .body:
                fields.append(("client_id", client.id))
                if let secret = client.secret { fields.append(("client_secret", secret.reveal())) }
            case .basic:
                let pair = client.id + ":" + (client.secret?.reveal() ?? "")
                headers["Authorization"] = "Basic " + TokenText.base64(Array(pair.utf8))
            }
        }
        let body: [UInt8]
        switch provider.body {
        case .form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = Array(TokenText.form(fields).utf8)
        case .json:
            headers["Content-Type"] = "application/json"
            body = JSON.object(JSONObject(fields.map { ($0.name, JSON.string($0.value)) })).serialized()
        }
        let request = HTTPRequest(
            .post, address.description, headers: headers, body: body, timeout: timeout,
            maxResponseBytes: Self.maxAnswerBytes)
        do throws(HTTPError) {
            return try await http.send(request)
        } catch {
            throw .passing(error.code.rawValue, retryAfter: nil, isUnclear: error.mayHaveBeenProcessed)
        }
    }
}
