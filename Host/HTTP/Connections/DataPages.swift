import HTTPTypes
public import Hummingbird
import NIOCore
public import TandemAPI
public import TandemAccounts
public import TandemCore
import TandemSMS
import TandemStorage

/// The pages behind the links that people ask for by text: everything as a file, and the end of the account.
///
/// `GET` and `POST /data/TOKEN`. A link works for the person it was made for, who signed in within the last minutes, once;
/// looking at the page uses nothing up, so that what fetches links in advance does no harm.
public struct DataPages: Sendable {
    private let signIn: BrowserSignIn
    private let people: any PersonKeeper

    private var accounts: Accounts { signIn.accounts }

    /// - Parameters:
    ///   - publicURL: how browsers reach us.
    ///   - trustedProxies: addresses besides this machine's whose `X-Forwarded-For` counts.
    public init(
        accounts: Accounts, people: any PersonKeeper, publicURL: WebAddress, trustedProxies: [String] = []
    ) {
        self.people = people
        signIn = BrowserSignIn(
            accounts: accounts, publicURL: publicURL, trustedProxies: trustedProxies,
            reason: "Sign in to this assistant now, so that what is yours is given to you and to nobody else.")
    }

    public func add(to router: Router<FrontContext>) {
        let path = RouterPath(Accounts.dataPath + ":token")
        router.get(path) { request, context in
            try await answering { try await show(context.parameters.get("token") ?? "", request, context) }
        }
        router.post(path) { request, context in
            try await answering { try await take(context.parameters.get("token") ?? "", request, context) }
        }
    }

    private func answering(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let error as AccountsError where error.code == .codeRefused {
            return signIn.message(
                "This link is over",
                "It is out of date, was used already, or belongs to another login. Text your assistant again for a new one.",
                status: 404)
        } catch let error as AccountsError {
            return signIn.refusal(error)
        } catch let error as StorageError where error.isPassing {
            return signIn.outage
        }
    }

    // MARK: The pages

    private func show(
        _ token: String, _ request: Request, _ context: FrontContext, problem: String? = nil
    ) async throws -> Response {
        guard let person = try await signIn.principal(of: request) else { return signIn.page(request) }
        let link = try await accounts.dataRequest(
            ofLink: Secret(token), by: person, from: signIn.source(request, context))
        guard isFresh(person, link) else {
            return signIn.page(request, problem: "You signed in a while ago. Once more, please: it matters here.")
        }
        return page(link, try await accounts.user(person.user)?.email ?? "", request, problem: problem)
    }

    private func isFresh(_ person: Principal, _ link: DataRequest) -> Bool {
        (try? accounts.requireProof(of: person, for: link.stepUp)) != nil
    }

    private func page(
        _ link: DataRequest, _ email: String, _ request: Request, problem: String?
    ) -> Response {
        let value = signIn.formValue(request)
        let who = HTMLPage.escaped(email)
        var body = signIn.problemLine(problem) + "<p class=\"note\">You are signed in as \(who).</p>"
        let title: String
        switch link {
        case .export:
            title = "Everything that is kept of you"
            body +=
                "<p>A ZIP archive of JSON and CSV: your tasks, notes, memories, messages, what integrations keep, and "
                + "what was done to your account. It works once, and the file is readable for whoever has it.</p>"
                + signIn.form("download", value, "Download it")
        case .erasure:
            title = "Erase your account?"
            body +=
                "<p>Everything that is kept of you is erased now, here and for good: messages, tasks, notes, memories, what "
                + "integrations keep, connections, numbers, and the key that sealed them. Nobody can bring it back. If you want "
                + "a copy, text \"send me my data\" first.</p>"
                + signIn.form(
                    "erase", value, "Erase everything",
                    "<label>Your e-mail, to show that you mean it<input name=\"confirm\" type=\"email\" autocomplete=\"off\" "
                        + "required></label>")
        }
        return HTMLPage(title: title, body: body).response(cookies: [signIn.cookies.formValue(value)])
    }

    // MARK: What is sent

    private func take(_ token: String, _ request: Request, _ context: FrontContext) async throws -> Response {
        let (sent, refusal) = try await signIn.form(of: request)
        guard let form = sent else { return refusal }
        if let response = try await signIn.take(form, token, request, context) { return response }
        guard let person = try await signIn.principal(of: request) else {
            return signIn.page(request, problem: "Your sign-in here has ended.", status: 401)
        }
        let link = try await accounts.dataRequest(
            ofLink: Secret(token), by: person, from: signIn.source(request, context))
        guard isFresh(person, link) else { return try await show(token, request, context) }
        switch (link, form["step"]) {
        case (.export, "download"):
            try await accounts.useDataLink(Secret(token), for: link, by: person)
            let archive = try await people.archive(of: person.scope, by: .person(person.user))
            return Response(
                status: .ok,
                headers: [
                    .contentType: "application/zip",
                    .contentDisposition: "attachment; filename=\"tandem-export.zip\"", .cacheControl: "no-store",
                ], body: .init(byteBuffer: ByteBuffer(bytes: archive)))
        case (.erasure, "erase"):
            let typed = (form["confirm"] ?? "").filter { !$0.isWhitespace }.lowercased()
            guard let account = try await accounts.user(person.user), account.email.lowercased() == typed else {
                return try await show(
                    token, request, context, problem: "That is not the account's address, so nothing was erased.")
            }
            try await accounts.useDataLink(Secret(token), for: link, by: person)
            let erasure = try await people.erase(person.scope, by: .person(person.user))
            return signIn.message(
                "Everything is erased",
                "Nothing of yours is kept here any more. The proof of it has the number \(erasure.proof). "
                    + "Take care, and come back any time.")
        default: return signIn.message("That did not work", "This form is not known here.", status: 400)
        }
    }
}
