import HTTPTypes
public import Hummingbird
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
    private let signIn: BrowserSignIn
    private let connections: OAuthConnections

    private var accounts: Accounts { signIn.accounts }

    /// - Parameters:
    ///   - publicURL: how browsers reach us.
    ///   - trustedProxies: addresses besides this machine's whose `X-Forwarded-For` counts.
    public init(
        accounts: Accounts, connections: OAuthConnections, publicURL: WebAddress, trustedProxies: [String] = []
    ) {
        self.connections = connections
        signIn = BrowserSignIn(
            accounts: accounts, publicURL: publicURL, trustedProxies: trustedProxies,
            reason: "Sign in to this assistant first, so that the account is connected to you and to nobody else.")
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
            return signIn.message("That did not work", error.message, status: status)
        } catch let error as AccountsError {
            return signIn.refusal(error)
        } catch let error as StorageError where error.isPassing {
            return signIn.outage
        }
    }

    private func session(of request: Request) async throws -> LoginSession? {
        guard let principal = try await signIn.principal(of: request), let session = principal.session else {
            return nil
        }
        return LoginSession(person: principal.scope, id: Secret("session/\(session)"))
    }

    // MARK: The page

    private func show(_ ticket: String, _ request: Request, problem: String? = nil) async throws -> Response {
        guard let session = try await session(of: request) else {
            return signIn.page(request, problem: problem)
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
        let value = signIn.formValue(request)
        body += signIn.form("continue", value, "Continue to \(page.providerName)")
        return HTMLPage(
            title: "Connect \(page.providerName)", body: body, formTargets: [page.authorizationOrigin]
        ).response(cookies: [signIn.cookies.formValue(value)])
    }

    // MARK: What is sent

    private func take(_ ticket: String, _ request: Request, _ context: FrontContext) async throws -> Response {
        let (sent, refusal) = try await signIn.form(of: request)
        guard let form = sent else { return refusal }
        if let response = try await signIn.take(form, ticket, request, context) { return response }
        switch form["step"] {
        case "continue":
            guard let session = try await session(of: request) else {
                return signIn.page(request, problem: "Your sign-in here has ended.", status: 401)
            }
            let need = try await connections.need(ofLink: ticket, in: session)
            switch try await connections.begin(need, in: session) {
            case .redirect(let address): return signIn.redirect(address)
            case .connected: return try await show(ticket, request)
            }
        default: return signIn.message("That did not work", "This form is not known here.", status: 400)
        }
    }

    // MARK: Back from the service

    private func finish(_ request: Request) async throws -> Response {
        guard let session = try await session(of: request) else {
            return signIn.message(
                "Sign in again",
                "Your sign-in here has ended meanwhile, so nothing was connected. Open the link once more.", status: 401
            )
        }
        let target = request.head.path ?? ""
        let callback = AuthorizationCallback(
            path: String(target.prefix { $0 != "?" }), query: String(target.drop { $0 != "?" }.dropFirst()))
        let connection = try await connections.finish(callback, in: session)
        guard connection.missing.isEmpty else {
            return signIn.message(
                "\(connection.providerName) is connected in part",
                "What you left out there will not work. Open the link again if you want to change that.")
        }
        return signIn.message(
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
