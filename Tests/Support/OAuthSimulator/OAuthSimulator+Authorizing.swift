import Crypto
import Foundation
import ScriptServer
import Synchronization
import TandemJSON

extension OAuthSimulator {
    /// The page of consent, with the person's decision made: 302 to the redirect address, or an error page.
    func authorize(_ service: Service, _ query: String, _ decision: Decision) -> ScriptServer.Answer {
        func page(_ problem: String) -> ScriptServer.Answer {
            note(service, .authorize, "page")
            return .answer(400, [("Content-Type", "text/plain")], body: Array(problem.utf8))
        }
        guard let fields = Self.fields(query) else { return page("malformed query") }
        let known: Set<String> =
            switch service {
            case .google:
                [
                    "client_id", "redirect_uri", "response_type", "scope", "state", "access_type", "prompt",
                    "include_granted_scopes", "login_hint", "code_challenge", "code_challenge_method",
                ]
            case .microsoft:
                [
                    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt",
                    "login_hint", "domain_hint", "code_challenge", "code_challenge_method",
                ]
            case .notion: ["client_id", "redirect_uri", "response_type", "owner", "state"]
            }
        if let stranger = fields.keys.first(where: { !known.contains($0) }) { return page("unknown field \(stranger)") }
        guard let client = state.withLock({ $0.clients[service] }), fields["client_id"] == client.id else {
            return page("unknown client")
        }
        // Nobody is sent to an address that was not registered, not even with an error.
        guard let redirect = fields["redirect_uri"], client.redirects.contains(redirect) else {
            return page("redirect_uri_mismatch")
        }
        func back(_ more: [(String, String)]) -> ScriptServer.Answer {
            var items = more
            if let given = fields["state"] { items.append(("state", given)) }
            let text = items.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
            return .answer(302, [("Location", redirect + "?" + text)])
        }
        guard fields["response_type"] == "code" else { return back([("error", "unsupported_response_type")]) }
        if service == .notion, fields["owner"] != "user" { return page("owner must be user") }
        let asked = (fields["scope"] ?? "").split(separator: " ").map(String.init)
        if service != .notion {
            guard !asked.isEmpty, asked.allSatisfy({ !$0.contains("nonsense") }) else {
                return back([("error", "invalid_scope")])
            }
            guard fields["code_challenge_method"] == "S256", fields["code_challenge"]?.utf8.count == 43 else {
                return back([("error", "invalid_request"), ("error_description", "PKCE is required")])
            }
        }
        var scopes = asked
        switch decision {
        case .allow: break
        case .allowOnly(let some): scopes = asked.filter { some.contains($0) || $0 == "offline_access" }
        case .refuse(let word):
            note(service, .authorize, word)
            var answer = [("error", word)]
            if service == .microsoft { answer.append(("error_description", "AADSTS65004: User declined to consent.")) }
            return back(answer)
        }
        let code = state.withLock { state -> String in
            let isKnown = !state.granted.isEmpty
            if service == .google {
                if fields["include_granted_scopes"] == "true" {
                    scopes += state.granted.filter { !scopes.contains($0) }
                }
                state.granted += scopes.filter { !state.granted.contains($0) }
            }
            let givesRefresh: Bool =
                switch service {
                case .google: fields["access_type"] == "offline" && (!isKnown || fields["prompt"] == "consent")
                case .microsoft: asked.contains("offline_access")
                case .notion: true
                }
            state.serial += 1
            let code = "4/0CODE-\(service.rawValue)-\(state.serial)"
            state.secrets.insert(code)
            state.codes[code] = Code(
                service: service, redirect: redirect, challenge: fields["code_challenge"], scopes: scopes,
                givesRefresh: givesRefresh && !state.withholdsRefresh.contains(service), expiresAt: now() + 600_000)
            return code
        }
        note(service, .authorize, "code")
        var answer = [("code", code)]
        switch service {
        case .google: answer.append(("scope", scopes.joined(separator: " ")))
        case .microsoft: answer.append(("session_state", "sample"))
        case .notion: break
        }
        return back(answer)
    }

    /// Asks whoever is in front of the browser; `decision` is added to the query by their choice.
    func page(_ service: Service, _ path: String, _ query: String) -> ScriptServer.Answer {
        let decided: [(String, Decision)] = [
            ("&decision=allow", .allow), ("&decision=refuse", .refuse("access_denied")),
        ]
        for (suffix, decision) in decided where query.hasSuffix(suffix) {
            return authorize(service, String(query.dropLast(suffix.count)), decision)
        }
        let scopes = (Self.fields(query)?["scope"] ?? "what you share").split(separator: " ")
        func escaped(_ text: some StringProtocol) -> String {
            text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
                .replacingOccurrences(of: "\"", with: "&quot;")
        }
        let list = scopes.map { "<li>\(escaped($0))</li>" }.joined()
        let links = ["allow", "refuse"].map { word in
            "<p><a href=\"\(escaped(path))?\(escaped(query))&amp;decision=\(word)\">\(word)</a></p>"
        }
        return .text(
            "<!doctype html><title>\(service.rawValue)</title><h1>\(service.rawValue), simulated</h1><ul>\(list)</ul>"
                + links.joined(), [("Content-Type", "text/html; charset=utf-8")])
    }

    // MARK: Tokens

    func token(_ service: Service, _ request: ScriptServer.Request) -> ScriptServer.Answer {
        let fields: [String: String]
        switch body(service, request) {
        case .success(let read): fields = read
        case .failure(let refusal): return refusal.answer
        }
        if let refusal = refusalOfClient(service, request, fields) { return refusal }
        switch fields["grant_type"] {
        case "authorization_code": return exchanged(service, fields)
        case "refresh_token": return refreshed(service, fields)
        default: return refuse(service, 400, "unsupported_grant_type", "unknown grant type", 70003)
        }
    }

    private struct Refusal: Error { let answer: ScriptServer.Answer }

    private func body(_ service: Service, _ request: ScriptServer.Request) -> Result<[String: String], Refusal> {
        let type = request["content-type"] ?? ""
        let wanted = service == .notion ? "application/json" : "application/x-www-form-urlencoded"
        guard type.hasPrefix(wanted) else {
            return .failure(
                Refusal(answer: refuse(service, 400, "invalid_request", "wrong content type", 900_144)))
        }
        var fields: [String: String]?
        if service == .notion {
            let object = (try? JSON(parsing: request.body))?.objectValue
            fields = object.map { object in
                Dictionary(object.map { ($0.key, $0.value.stringValue ?? "") }, uniquingKeysWith: { first, _ in first })
            }
        } else {
            fields = Self.fields(String(decoding: request.body, as: UTF8.self))
        }
        let common: Set<String> = ["grant_type", "code", "redirect_uri", "refresh_token"]
        let known =
            service == .notion
            ? common : common.union(["client_id", "client_secret", "code_verifier", "scope"])
        guard let fields, fields.keys.allSatisfy(known.contains) else {
            return .failure(Refusal(answer: refuse(service, 400, "invalid_request", "unknown field", 900_144)))
        }
        state.withLock { state in
            for name in ["code", "refresh_token", "code_verifier"] {
                if let value = fields[name] { state.secrets.insert(value) }
            }
        }
        return .success(fields)
    }

    private func refusalOfClient(
        _ service: Service, _ request: ScriptServer.Request, _ fields: [String: String]
    ) -> ScriptServer.Answer? {
        guard let client = state.withLock({ $0.clients[service] }) else { return .close }
        let isRight: Bool
        if service == .notion {
            let pair = Data("\(client.id):\(client.secret)".utf8).base64EncodedString()
            isRight = request["authorization"] == "Basic \(pair)"
        } else {
            isRight = fields["client_id"] == client.id && fields["client_secret"] == client.secret
        }
        return isRight ? nil : refuse(service, 401, "invalid_client", "Unauthorized", 7_000_215)
    }

    private func exchanged(_ service: Service, _ fields: [String: String]) -> ScriptServer.Answer {
        guard let code = fields["code"], fields["refresh_token"] == nil else {
            return refuse(service, 400, "invalid_request", "code is missing", 900_144)
        }
        let found = state.withLock { state -> Code? in
            guard let found = state.codes[code], found.service == service, !found.isUsed else { return nil }
            state.codes[code]?.isUsed = true
            return found
        }
        guard let found, found.expiresAt > now() else {
            return refuse(service, 400, "invalid_grant", "Bad Request", 54005)
        }
        guard fields["redirect_uri"] == found.redirect else {
            let word = service == .google ? "redirect_uri_mismatch" : "invalid_grant"
            return refuse(service, 400, word, "Bad Request", 50011)
        }
        if let challenge = found.challenge {
            let verifier = fields["code_verifier"] ?? ""
            let digest = Data(SHA256.hash(data: Data(verifier.utf8))).base64EncodedString()
                .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
                .replacingOccurrences(of: "=", with: "")
            guard (43...128).contains(verifier.utf8.count), digest == challenge else {
                return refuse(service, 400, "invalid_grant", "Bad Request", 501_481)
            }
        }
        let family = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        return issue(
            service, family, found.scopes, refresh: found.givesRefresh ? newRefresh(service) : nil, "exchanged")
    }

    private func newRefresh(_ service: Service) -> String {
        state.withLock { state in
            state.serial += 1
            let prefix = service == .notion ? "nrt_" : service == .google ? "1//" : "0."
            return "\(prefix)REFRESH-\(service.rawValue)-\(state.serial)"
        }
    }

    private func refreshed(_ service: Service, _ fields: [String: String]) -> ScriptServer.Answer {
        guard let given = fields["refresh_token"], fields["code"] == nil, fields["redirect_uri"] == nil,
            fields["code_verifier"] == nil
        else { return refuse(service, 400, "invalid_request", "refresh_token is missing", 900_144) }
        if state.withLock({ $0.needsInteraction.contains(service) }) {
            return refuse(
                service, 400, service == .microsoft ? "interaction_required" : "invalid_grant",
                "Due to a configuration change made by your administrator, you must use multi-factor authentication.",
                50076, suberror: "basic_action")
        }
        let found = state.withLock { state -> Refresh? in
            guard let found = state.refreshes[given], found.service == service, !found.isDead,
                !found.isReplaced || state.acceptsReplaced.contains(service)
            else { return nil }
            guard service != .google else { return found }
            state.refreshes[given]?.isReplaced = true
            if service == .notion {
                for (key, value) in state.accesses where value.family == found.family {
                    state.accesses[key]?.isDead = true
                }
            }
            return found
        }
        guard let found else {
            return refuse(service, 400, "invalid_grant", "Token has been expired or revoked.", 50173)
        }
        if let scope = fields["scope"] {
            let asked = scope.split(separator: " ").map(String.init)
            guard asked.allSatisfy({ found.scopes.contains($0) || $0 == "offline_access" }) else {
                return refuse(
                    service, 400, "invalid_grant",
                    "The user or administrator has not consented to use the application.",
                    65001, suberror: "consent_required")
            }
        }
        return issue(
            service, found.family, found.scopes, refresh: service == .google ? nil : newRefresh(service), "refreshed")
    }

    private func issue(
        _ service: Service, _ family: Int, _ scopes: [String], refresh: String?, _ outcome: String
    ) -> ScriptServer.Answer {
        let (access, life) = state.withLock { state -> (String, Int?) in
            state.serial += 1
            let prefix = service == .notion ? "ntn_" : service == .google ? "ya29." : "eyJ0eXAi."
            let access = "\(prefix)ACCESS-\(service.rawValue)-\(state.serial)"
            let life = state.lives[service]
            state.accesses[access] = Access(
                service: service, family: family, scopes: scopes, expiresAt: life.map { now() + Int64($0) * 1000 })
            state.secrets.insert(access)
            if let refresh {
                state.refreshes[refresh] = Refresh(service: service, family: family, scopes: scopes)
                state.secrets.insert(refresh)
            }
            return (access, life)
        }
        note(service, .token, outcome)
        var body: JSONObject
        switch service {
        case .google:
            body = [
                "access_token": .string(access), "expires_in": .integer(Int64(life ?? 3599)),
                "scope": .string(scopes.joined(separator: " ")), "token_type": "Bearer",
            ]
        case .microsoft:
            let listed = scopes.filter { $0 != "offline_access" }.map { "https://graph.microsoft.com/\($0)" }
            body = [
                "token_type": "Bearer", "scope": .string(listed.joined(separator: " ")),
                "expires_in": .integer(Int64(life ?? 4321)), "ext_expires_in": .integer(Int64(life ?? 4321)),
                "access_token": .string(access),
            ]
        case .notion:
            body = [
                "access_token": .string(access), "token_type": "bearer",
                "bot_id": "00000000-0000-4000-8000-000000000002", "workspace_icon": .null,
                "workspace_name": "Sample workspace", "workspace_id": "00000000-0000-4000-8000-000000000003",
                "owner": ["type": "user"], "duplicated_template_id": .null,
                "request_id": "00000000-0000-4000-8000-000000000098",
            ]
            body["refresh_token"] = refresh.map { .string($0) } ?? .null
        }
        if service != .notion, let refresh { body["refresh_token"] = .string(refresh) }
        return Self.json(200, .object(body))
    }

    // MARK: Giving back

    func revoke(_ service: Service, _ request: ScriptServer.Request) -> ScriptServer.Answer {
        let token: String?
        if service == .notion {
            if let refusal = refusalOfClient(service, request, [:]) { return refusal }
            let object = (try? JSON(parsing: request.body))?.objectValue
            token = object?.keys == ["token"] ? object?["token"]?.stringValue : nil
        } else {
            let fields = Self.fields(String(decoding: request.body, as: UTF8.self))
            token = fields?.count == 1 ? fields?["token"] : nil
        }
        guard let token else { return refuse(service, 400, "invalid_request", "token is missing", 0) }
        let isKnown = state.withLock { state -> Bool in
            let family = state.accesses[token]?.family ?? state.refreshes[token]?.family
            guard let family, !(state.refreshes[token]?.isDead ?? state.accesses[token]?.isDead ?? true) else {
                return false
            }
            // Google ends all that the person allowed to this client; Notion this connection.
            for (key, value) in state.refreshes
            where value.service == service && (service == .google || value.family == family) {
                state.refreshes[key]?.isDead = true
            }
            for (key, value) in state.accesses
            where value.service == service && (service == .google || value.family == family) {
                state.accesses[key]?.isDead = true
            }
            if service == .google { state.granted = [] }
            return true
        }
        guard isKnown || service == .notion else {
            return refuse(service, 400, "invalid_token", "Token expired or revoked", 0, endpoint: .revoke)
        }
        note(service, .revoke, isKnown ? "revoked" : "unknown")
        return Self.json(200, service == .notion ? ["request_id": "00000000-0000-4000-8000-000000000095"] : [:])
    }

    // MARK: Errors, in each service's form

    private func refuse(
        _ service: Service, _ status: Int, _ word: String, _ text: String, _ number: Int, suberror: String? = nil,
        endpoint: Endpoint = .token
    ) -> ScriptServer.Answer {
        note(service, endpoint, word)
        var body: JSONObject = ["error": .string(word)]
        switch service {
        case .google: body["error_description"] = .string(text)
        case .microsoft:
            let id = "00000000-0000-4000-8000-00000000000"
            body["error_description"] = .string(
                "AADSTS\(number): \(text) Trace ID: \(id)1 Correlation ID: \(id)2 Timestamp: 2026-11-21 09:00:00Z")
            body["error_codes"] = [.integer(Int64(number))]
            body["timestamp"] = "2026-11-21 09:00:00Z"
            body["trace_id"] = .string(id + "1")
            body["correlation_id"] = .string(id + "2")
            body["error_uri"] = .string("https://login.microsoftonline.com/error?code=\(number)")
            if let suberror { body["suberror"] = .string(suberror) }
        case .notion:
            if word != "invalid_client" { body["error_description"] = .string(text) }
            body["request_id"] = "00000000-0000-4000-8000-000000000097"
        }
        return Self.json(status, .object(body))
    }

    // MARK: Forms

    /// Nil when malformed or when a name stands twice.
    static func fields(_ text: String) -> [String: String]? {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2,
                let name = String(parts[0]).replacingOccurrences(of: "+", with: " ").removingPercentEncoding,
                let value = String(parts[1]).replacingOccurrences(of: "+", with: " ").removingPercentEncoding,
                fields.updateValue(value, forKey: name) == nil
            else { return nil }
        }
        return fields
    }

    static func escaped(_ text: String) -> String {
        // RFC 3986 §2.3.
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }
}
