import HTTPTypes
import Hummingbird
import NIOCore
import TandemAccounts
import TandemCore
import TandemSMS
import TandemStorage

/// Signing in on a page of ours, and what all pages share: forms that only our own pages can send, and errors that a person
/// can read.
struct BrowserSignIn: Sendable {
    let accounts: Accounts
    let cookies: BrowserCookies
    private let origin: String
    private let proxies: ProxyList
    /// Why one has to sign in here; one sentence.
    private let reason: String

    static let maxFormBytes = 16_384

    init(accounts: Accounts, publicURL: WebAddress, trustedProxies: [String], reason: String) {
        self.accounts = accounts
        self.reason = reason
        origin = publicURL.origin
        cookies = BrowserCookies(isSecure: publicURL.scheme == "https")
        proxies = ProxyList(trustedProxies)
    }

    // MARK: Who is there

    /// Nil: nobody, or no longer.
    func principal(of request: Request) async throws -> Principal? {
        guard let token = cookies.value(cookies.session, in: request) else { return nil }
        do {
            let principal = try await accounts.authenticate(token)
            return principal.session == nil ? nil : principal
        } catch let error as AccountsError where error.code == .invalidToken {
            return nil
        }
    }

    func source(_ request: Request, _ context: FrontContext) -> ClientSource {
        let address = proxies.client(peer: context.peerAddress, forwarded: request.headers[ProxyList.headerName])
        return ClientSource(address: address, userAgent: request.headers[.userAgent])
    }

    // MARK: Pages

    func page(_ request: Request, problem: String? = nil, status: Int = 200) -> Response {
        let value = formValue(request)
        let fields =
            "<label>E-mail<input name=\"email\" type=\"email\" autocomplete=\"username\" required></label>"
            + "<label>Password<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>"
        return HTMLPage(
            title: "Sign in",
            body: problemLine(problem) + "<p>\(HTMLPage.escaped(reason))</p>"
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

    func problemLine(_ problem: String?) -> String {
        problem.map { "<p class=\"problem\" role=\"alert\">\(HTMLPage.escaped($0))</p>" } ?? ""
    }

    func message(_ title: String, _ text: String, status: Int = 200) -> Response {
        HTMLPage(title: title, body: "<p>\(HTMLPage.escaped(text))</p>", status: status).response()
    }

    func redirect(_ address: String) -> Response { Response(status: .seeOther, headers: [.location: address]) }

    /// Errors as pages: whoever is here looks at a browser.
    func refusal(_ error: AccountsError) -> Response {
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

    /// What the page needs is away.
    var outage: Response {
        var response = message(
            "Not just now", "Something that this needs cannot be reached. Open the page again in a moment.", status: 503
        )
        response.headers[.retryAfter] = "2"
        return response
    }

    // MARK: Forms

    /// A form to the page's own address.
    func form(_ step: String, _ value: String, _ button: String, _ fields: String = "") -> String {
        "<form method=\"post\"><input type=\"hidden\" name=\"step\" value=\"\(step)\">"
            + "<input type=\"hidden\" name=\"form\" value=\"\(value)\">\(fields)"
            + "<button type=\"submit\">\(HTMLPage.escaped(button))</button></form>"
    }

    func formValue(_ request: Request) -> String {
        let known = cookies.value(cookies.form, in: request)
        let isOurs = known.map { $0.utf8.count == 32 && $0.utf8.allSatisfy { $0 &- 48 < 10 || $0 &- 97 < 6 } } ?? false
        return isOurs ? known ?? BrowserCookies.randomValue() : BrowserCookies.randomValue()
    }

    /// What was sent, when it was sent by a form of ours; else a page that says so.
    func form(of request: Request) async throws -> (form: FormParameters?, refusal: Response) {
        let form = try await read(request)
        let refusal = message(
            "That did not work", "This form is out of date. Open the link again; your browser must allow cookies.",
            status: 403)
        guard let value = form["form"], value == cookies.value(cookies.form, in: request), isFromHere(request) else {
            return (nil, refusal)
        }
        return (form, refusal)
    }

    private func read(_ request: Request) async throws -> FormParameters {
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

    // MARK: Steps

    /// Takes a step of signing in; nil when the form is none. Afterwards the browser comes to the page again, whose last
    /// part is the ticket.
    func take(
        _ form: FormParameters, _ ticket: String, _ request: Request, _ context: FrontContext
    ) async throws -> Response? {
        switch form["step"] {
        case "sign_in": return try await signIn(ticket, form, request, context)
        case "code": return try await secondFactor(ticket, form, request, context)
        case "text":
            let challenge = Secret(form["challenge"] ?? "")
            try await accounts.sendLoginCode(challenge)
            return codePage(challenge, methods(form), request, problem: "A code is on its way to your phone.")
        default: return nil
        }
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
            return page(request, problem: error.message, status: 401)
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
            return page(request, problem: error.message, status: 401)
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
}
