import HTTPTypes
public import Hummingbird
import NIOCore
public import TandemAccounts
public import TandemCore
public import TandemOAuth
import TandemSMS
import TandemStorage

/// The pages where a person connects an account elsewhere: sign in, see what would be allowed and why, go to the service,
/// come back.
///
/// `GET` and `POST /connect/TICKET`, `GET /oauth/callback/PROVIDER`. Pages hold no script and nothing from elsewhere;
/// addresses that hold a ticket or a code are named to nobody.
public struct ConnectionRoutes: Sendable {
    private let accounts: Accounts
    private let connections: OAuthConnections
    private let origin: String
    private let cookies: BrowserCookies
    private let proxies: ProxyList

    static let maxFormBytes = 16_384

    /// - Parameters:
    ///   - publicURL: how browsers reach us.
    ///   - trustedProxies: addresses besides this machine's whose `X-Forwarded-For` counts.
    public init(
        accounts: Accounts, connections: OAuthConnections, publicURL: WebAddress, trustedProxies: [String] = []
    ) {
        self.accounts = accounts
        self.connections = connections
        origin = publicURL.origin
        cookies = BrowserCookies(isSecure: publicURL.scheme == "https")
        proxies = ProxyList(trustedProxies)
    }

    public func router() -> Router<FrontContext> {
        let router = Router(context: FrontContext.self)
        add(to: router)
        return router
    }

    public func add(to router: Router<FrontContext>) {
        router.get("/connect/:ticket") { request, context in
            try await answering { try await show(context.parameters.get("ticket") ?? "", request) }
        }
        router.post("/connect/:ticket") { request, context in
            try await answering { try await take(context.parameters.get("ticket") ?? "", request, context) }
        }
        router.get("/oauth/callback/:provider") { request, _ in
            try await answering { try await finish(request) }
        }
    }

    /// Errors as pages: whoever is here looks at a browser.
    private func answering(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let error as OAuthError {
            let status =
                switch error.code {
                case .linkInvalid, .unknownProvider, .notConnected: 404
                case .notSetUp, .unavailable: 503
                case .misconfigured: 502
                default: 400
                }
            return message("That did not work", error.message, status: status)
        } catch let error as AccountsError {
            let status =
                switch error.code {
                case .tooManyAttempts: 429
                case .busy: 503
                case .invalidCredentials, .codeRefused, .invalidToken: 401
                default: 403
                }
            var response = message("That did not work", error.message, status: status)
            if let wait = error.retryAfter {
                response.headers[.retryAfter] = String(max(1, wait.milliseconds / 1000))
            }
            return response
        }
    }

    private func message(_ title: String, _ text: String, status: Int = 200) -> Response {
        HTMLPage(title: title, body: "<p>\(HTMLPage.escaped(text))</p>", status: status).response()
    }

    // MARK: Who is there

    private func session(of request: Request) async throws -> LoginSession? {
        guard let token = cookies.value(cookies.session, in: request) else { return nil }
        do {
            let principal = try await accounts.authenticate(token)
            guard let session = principal.session else { return nil }
            return LoginSession(person: principal.scope, id: Secret("session/\(session)"))
        } catch let error as AccountsError where error.code == .invalidToken {
            return nil
        }
    }

    private func source(_ request: Request, _ context: FrontContext) -> ClientSource {
        let address = proxies.client(peer: context.peerAddress, forwarded: request.headers[ProxyList.headerName])
        return ClientSource(address: address, userAgent: request.headers[.userAgent])
    }

    // MARK: The page

    private func show(_ ticket: String, _ request: Request, problem: String? = nil) async throws -> Response {
        guard let session = try await session(of: request) else {
            return signInPage(request, problem: problem)
        }
        let need = try await connections.need(ofLink: ticket, in: session)
        let page = try await connections.consent(for: need, of: session.person)
        let account = try await accounts.user(session.person.user)?.email ?? ""
        return consentPage(page, account, request)
    }

    private func consentPage(_ page: ConsentPage, _ account: String, _ request: Request) -> Response {
        let name = HTMLPage.escaped(page.providerName)
        var body = "<p class=\"note\">You are signed in as \(HTMLPage.escaped(account)).</p>"
        if page.isComplete {
            body += "<p>\(name) is connected, and nothing is missing. You can close this page.</p>"
            return HTMLPage(title: "\(page.providerName) is connected", body: body).response()
        }
        body += "<p>You go to \(name) now. There you allow this assistant to:</p><ul>"
        for line in page.lines {
            let done = line.isGranted ? " <span class=\"note\">(allowed already)</span>" : ""
            body += "<li>\(HTMLPage.escaped(line.title))\(done)"
            for reason in line.reasons {
                body +=
                    "<br><span class=\"note\">\(HTMLPage.escaped(reason.plugin)): \(HTMLPage.escaped(reason.text))</span>"
            }
            body += "</li>"
        }
        body += "</ul><p>Nothing else is asked for. You can end it at any time, here or there.</p>"
        let value = formValue(request)
        body += form("continue", value, "Continue to \(page.providerName)")
        return HTMLPage(
            title: "Connect \(page.providerName)", body: body, formTargets: [page.authorizationOrigin]
        ).response(cookies: [cookies.formValue(value)])
    }

    private func signInPage(_ request: Request, problem: String? = nil, status: Int = 200) -> Response {
        let value = formValue(request)
        let fields =
            "<label>E-mail<input name=\"email\" type=\"email\" autocomplete=\"username\" required></label>"
            + "<label>Password<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>"
        return HTMLPage(
            title: "Sign in",
            body: problemLine(problem)
                + "<p>Sign in to this assistant first, so that the account is connected to you and to nobody else.</p>"
                + form("sign_in", value, "Sign in", fields), status: status
        ).response(cookies: [cookies.formValue(value)])
    }

    private func codePage(
        _ challenge: Secret, _ methods: [ProofMethod], _ request: Request, problem: String? = nil, status: Int = 200
    ) -> Response {
        let value = formValue(request)
        let names: [(ProofMethod, String)] = [
            (.totp, "Code of your authenticator app"), (.sms, "Code by text message"), (.recovery, "Recovery code"),
            (.mail, "Code by mail"),
        ]
        let offered = names.filter { methods.contains($0.0) }
        let hidden =
            "<input type=\"hidden\" name=\"challenge\" value=\"\(HTMLPage.escaped(challenge.reveal()))\">"
            + "<input type=\"hidden\" name=\"methods\" value=\"\(offered.map(\.0.rawValue).joined(separator: " "))\">"
        var fields = hidden + "<label>How<select name=\"method\">"
        for (method, name) in offered { fields += "<option value=\"\(method.rawValue)\">\(name)</option>" }
        fields +=
            "</select></label><label>Code<input name=\"code\" autocomplete=\"one-time-code\" required></label>"
        var body = problemLine(problem) + form("code", value, "Sign in", fields)
        if methods.contains(.sms) { body += form("text", value, "Text me a code", hidden) }
        return HTMLPage(title: "One more step", body: body, status: status)
            .response(cookies: [cookies.formValue(value)])
    }

    private func problemLine(_ problem: String?) -> String {
        problem.map { "<p class=\"problem\" role=\"alert\">\(HTMLPage.escaped($0))</p>" } ?? ""
    }

    /// A form to the page's own address.
    private func form(_ step: String, _ value: String, _ button: String, _ fields: String = "") -> String {
        "<form method=\"post\"><input type=\"hidden\" name=\"step\" value=\"\(step)\">"
            + "<input type=\"hidden\" name=\"form\" value=\"\(value)\">\(fields)"
            + "<button type=\"submit\">\(HTMLPage.escaped(button))</button></form>"
    }

    private func formValue(_ request: Request) -> String {
        let known = cookies.value(cookies.form, in: request)
        let isOurs = known.map { $0.utf8.count == 32 && $0.utf8.allSatisfy { $0 &- 48 < 10 || $0 &- 97 < 6 } } ?? false
        return isOurs ? known ?? BrowserCookies.randomValue() : BrowserCookies.randomValue()
    }

    // MARK: What is sent

    private func take(_ ticket: String, _ request: Request, _ context: FrontContext) async throws -> Response {
        let form = try await form(of: request)
        guard let value = form["form"], value == cookies.value(cookies.form, in: request), isFromHere(request) else {
            return message(
                "That did not work", "This form is out of date. Open the link again; your browser must allow cookies.",
                status: 403)
        }
        switch form["step"] {
        case "sign_in": return try await signIn(ticket, form, request, context)
        case "code": return try await secondFactor(ticket, form, request, context)
        case "text":
            let challenge = Secret(form["challenge"] ?? "")
            try await accounts.sendLoginCode(challenge)
            return codePage(challenge, methods(form), request, problem: "A code is on its way to your phone.")
        case "continue":
            guard let session = try await session(of: request) else {
                return signInPage(request, problem: "Your sign-in here has ended.", status: 401)
            }
            let need = try await connections.need(ofLink: ticket, in: session)
            switch try await connections.begin(need, in: session) {
            case .redirect(let address): return redirect(address)
            case .connected: return try await show(ticket, request)
            }
        default: return message("That did not work", "This form is not known here.", status: 400)
        }
    }

    private func form(of request: Request) async throws -> FormParameters {
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true else {
            throw Problem(415, "Unsupported media type", detail: "Send application/x-www-form-urlencoded.")
        }
        do {
            let body = try await request.body.collect(upTo: Self.maxFormBytes)
            return try FormParameters(parsing: body.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem(413, "Too large")
        } catch is FormParameters.Fault {
            throw Problem(400, "Bad request", detail: "The form is malformed.")
        }
    }

    /// Browsers say where a form stands; those that do not are old, and bound by the cookie all the same.
    private func isFromHere(_ request: Request) -> Bool {
        if let name = HTTPField.Name("Sec-Fetch-Site"), let site = request.headers[name], site != "same-origin" {
            return false
        }
        // Under our referrer policy browsers send null.
        let sender = request.headers[.origin]
        return sender == nil || sender == "null" || sender == origin
    }

    private func methods(_ form: FormParameters) -> [ProofMethod] {
        (form["methods"] ?? "").split(separator: " ").compactMap { ProofMethod(rawValue: String($0)) }
    }

    private func signIn(
        _ ticket: String, _ form: FormParameters, _ request: Request, _ context: FrontContext
    ) async throws -> Response {
        let outcome: LoginOutcome
        do {
            outcome = try await accounts.logIn(
                email: form["email"] ?? "", password: form["password"] ?? "", from: source(request, context))
        } catch let error as AccountsError where error.code == .invalidCredentials {
            return signInPage(request, problem: error.message, status: 401)
        }
        switch outcome {
        case .signedIn(let tokens): return signedIn(ticket, tokens)
        case .secondFactorNeeded(let challenge): return codePage(challenge.token, challenge.methods, request)
        }
    }

    private func secondFactor(
        _ ticket: String, _ form: FormParameters, _ request: Request, _ context: FrontContext
    ) async throws -> Response {
        let challenge = Secret(form["challenge"] ?? "")
        let code = (form["code"] ?? "").filter { !$0.isWhitespace }
        let proof: Proof =
            switch form["method"] {
            case "sms": .sms(code)
            case "recovery": .recovery(code)
            case "mail": .mail(code)
            default: .totp(code)
            }
        do {
            return signedIn(
                ticket, try await accounts.finishLogIn(challenge, with: proof, from: source(request, context)))
        } catch let error as AccountsError where error.code == .codeRefused {
            return codePage(challenge, methods(form), request, problem: error.message, status: 401)
        } catch let error as AccountsError where error.code == .invalidCredentials {
            return signInPage(request, problem: error.message, status: 401)
        }
    }

    private func signedIn(_ ticket: String, _ tokens: SessionTokens) -> Response {
        let seconds = tokens.accessExpiresAt.since(accounts.database.store.clock.now).milliseconds / 1000
        var response = redirect("")
        // To the page itself, which is now another.
        response.headers[.location] = HTMLPage.isPlain(ticket) ? ticket : "."
        response.headers.append(
            HTTPField(name: .setCookie, value: cookies.signedIn(tokens.accessToken, for: seconds)))
        return response
    }

    private func redirect(_ address: String) -> Response {
        Response(status: .seeOther, headers: [.location: address])
    }

    // MARK: Back from the service

    private func finish(_ request: Request) async throws -> Response {
        guard let session = try await session(of: request) else {
            return message(
                "Sign in again",
                "Your sign-in here has ended meanwhile, so nothing was connected. Open the link once more.", status: 401
            )
        }
        let target = request.head.path ?? ""
        let callback = AuthorizationCallback(
            path: String(target.prefix { $0 != "?" }), query: String(target.drop { $0 != "?" }.dropFirst()))
        let connection = try await connections.finish(callback, in: session)
        guard connection.missing.isEmpty else {
            return message(
                "\(connection.providerName) is connected in part",
                "What you left out there will not work. Open the link again if you want to change that.")
        }
        return message(
            "\(connection.providerName) is connected", "Everything that waited for it goes on. You can close this page."
        )
    }
}

extension HTMLPage {
    /// Safe in an address as it is: base64url.
    static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 45 || $0 == 95 }
    }
}
