import MailCommon
import PluginCommon
import TandemSDK

/// Asks Microsoft Graph v1.0, and says what its refusals mean.
///
/// Every request, also each further page, prefers immutable ids, UTC and plain text: ids outlive a move to another folder,
/// times have one meaning also where clocks are set back, and text needs no reading of HTML. Sources: Microsoft Graph
/// "Throttling", "Outlook immutable identifiers", "Paging", "Delta query".
struct GraphService: Sendable {
    static let grant = "microsoft"
    static let origin = "https://graph.microsoft.com"
    private static let base = origin + "/v1.0/me"

    let context: Context

    init(_ context: Context) { self.context = context }

    private static let prefer =
        "IdType=\"ImmutableId\", outlook.timezone=\"UTC\", outlook.body-content-type=\"text\""

    // MARK: Requests

    func get(
        _ path: String, _ query: [(String, String)] = [], more: [HTTPField] = [],
        cache: HTTPCaching = .allowed(staleFor: .seconds(86_400)), pageSize: Int? = nil
    ) async throws -> (json: JSON, note: String?) {
        try await load(Self.url(path, query), cache: cache, pageSize: pageSize)
    }

    /// A link of an answer is followed as it is: what stands in it is nobody's business. It leads nowhere else.
    func page(_ link: String, pageSize: Int? = nil) async throws -> JSON {
        guard link.hasPrefix(Self.origin + "/v1.0/"), link.utf8.count <= 8000 else { throw Self.unreadable }
        return try await load(link, cache: .none, pageSize: pageSize).json
    }

    private func load(_ url: String, cache: HTTPCaching, pageSize: Int?) async throws -> (json: JSON, note: String?) {
        let size = pageSize.map { ", odata.maxpagesize=\($0)" } ?? ""
        let answer = try await send(
            HTTPRequest(
                .get, url, headers: [HTTPField("Prefer", Self.prefer + size), HTTPField("Accept", "application/json")],
                grant: Self.grant, cache: cache, maxResponseBytes: 6 << 20))
        return (try Self.json(answer), answer.cacheNote)
    }

    /// - Parameter isIdempotent: doing it twice is doing it once.
    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, isIdempotent: Bool = false
    ) async throws -> JSON {
        let answer = try await send(
            HTTPRequest(
                method, Self.url(path, []), headers: [HTTPField("Prefer", Self.prefer)],
                body: body.map { .json($0) }, grant: Self.grant, isIdempotent: isIdempotent))
        return answer.body.isEmpty ? [:] : try Self.json(answer)
    }

    private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let answer = try await context.http.send(request)
        guard answer.isSuccess else { throw GraphRefusal.error(answer) }
        return answer
    }

    /// Names of options keep their `$`; values are encoded, a space as `%20`.
    private static func url(_ path: String, _ query: [(String, String)]) -> String {
        guard !query.isEmpty else { return base + path }
        return base + path + "?" + query.map { "\($0.0)=\(HTTPRequest.percentEncoded($0.1))" }.joined(separator: "&")
    }

    private static func json(_ answer: HTTPResponse) throws -> JSON {
        guard let json = try? answer.json(), json.objectValue != nil else {
            throw ToolError(
                code: "unexpected_answer", "Microsoft answered in a way that I cannot read. Try again later.",
                retryable: true)
        }
        return json
    }

    static let unreadable = ToolError.rejected(
        "Microsoft answered in a way that I cannot read.", code: "unexpected_answer")

    /// The values of a collection over its pages, at most `limit`.
    func all(_ path: String, _ query: [(String, String)], limit: Int) async throws -> (values: [JSON], note: String?) {
        let first = try await get(path, query)
        var values = first.json["value"]?.arrayValue ?? []
        var next = first.json["@odata.nextLink"]?.stringValue
        var seen: Set<String> = []
        while let link = next, values.count < limit, seen.insert(link).inserted {
            let json = try await page(link)
            values += json["value"]?.arrayValue ?? []
            next = json["@odata.nextLink"]?.stringValue
        }
        return (Array(values.prefix(limit)), first.note)
    }

    /// An id as a segment of a path.
    static func segment(_ id: String) throws -> String {
        guard (1...512).contains(id.utf8.count), id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw GraphRefusal.notThere
        }
        return HTTPRequest.percentEncoded(id)
    }

    // MARK: The account

    struct Profile: Object, Hashable {
        var name: String
        var address: String
        var jobTitle: String?
    }

    /// Who the person is there, remembered for a day.
    func profile() async throws -> Profile {
        if let known = try? await context.keyValues.get("profile", as: Profile.self) { return known.value }
        let json = try await get("", [("$select", "displayName,mail,userPrincipalName,jobTitle")]).json
        let address = [json["mail"]?.stringValue, json["userPrincipalName"]?.stringValue].compactMap { $0 }
            .first(where: MailAddress.isAddress)
        guard let address else { throw Self.unreadable }
        let profile = Profile(
            name: json["displayName"]?.stringValue?.singleLine(limit: 80) ?? address, address: address,
            jobTitle: json["jobTitle"]?.stringValue?.singleLine(limit: 80))
        _ = try? await context.keyValues.set("profile", to: profile, expiresIn: .seconds(86_400))
        return profile
    }
}
