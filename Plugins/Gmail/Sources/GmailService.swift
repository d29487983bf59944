import MailCommon
import PluginCommon
import TandemSDK

/// Asks Gmail (API v1), and says what its refusals mean.
///
/// Sources: the API's discovery document, revision 20261005; Gmail API "Resolve errors" and "Usage limits".
struct GmailService: Sendable {
    static let grant = "mail"
    private static let base = "https://gmail.googleapis.com/gmail/v1/users/me/"

    let context: Context

    init(_ context: Context) { self.context = context }

    // MARK: Requests

    /// - Parameter cache: labels change at any time, so a kept answer serves only when Gmail fails.
    func get(
        _ path: String, _ query: [(String, String)] = [], cache: HTTPCaching = .allowed(staleFor: .seconds(86_400))
    ) async throws -> (json: JSON, note: String?) {
        let url = HTTPRequest.url(Self.base + path, query: query)
        let answer = try await send(
            HTTPRequest(.get, url, grant: Self.grant, cache: cache, maxResponseBytes: 6 << 20))
        return (try Self.json(answer), answer.cacheNote)
    }

    /// - Parameter isIdempotent: doing it twice is doing it once, as for labels.
    @discardableResult
    func post(_ path: String, _ body: JSON? = nil, isIdempotent: Bool = false) async throws -> JSON {
        let answer = try await send(
            HTTPRequest(
                .post, Self.base + path, body: body.map { .json($0) }, grant: Self.grant, isIdempotent: isIdempotent))
        return answer.body.isEmpty ? [:] : try Self.json(answer)
    }

    func delete(_ path: String) async throws {
        try await send(HTTPRequest(.delete, Self.base + path, grant: Self.grant))
    }

    /// Sends it, and again after a pause when Gmail says "too fast" by its 403, which the host takes for a refusal.
    @discardableResult
    private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        var pause: Int64 = 300
        while true {
            let answer = try await context.http.send(request)
            if answer.isSuccess { return answer }
            let error = GmailRefusal.error(answer, now: context.clock.now)
            // Nothing was done for it, whatever the method.
            let hasTime = context.timeRemaining >= .milliseconds(pause + 3000)
            guard GmailRefusal.isRate(answer), answer.status == 403, pause <= 1000, hasTime else { throw error }
            try await Task.sleep(for: .milliseconds(pause + Int64.random(in: 0...pause)))
            pause *= 3
        }
    }

    private static func json(_ answer: HTTPResponse) throws -> JSON {
        guard let json = try? answer.json(), json.objectValue != nil else {
            // A page of something between us and Gmail.
            throw ToolError(
                code: "unexpected_answer", "Gmail answered in a way that I cannot read. Try again later.",
                retryable: true)
        }
        return json
    }

    // MARK: Messages

    struct Page: Sendable {
        var ids: [String]
        var next: String?
        var note: String?
    }

    /// One page of ids, newest first.
    func list(
        _ query: String, labels: [String] = [], limit: Int = 10, page: String? = nil,
        cache: HTTPCaching = .allowed(staleFor: .seconds(86_400))
    ) async throws -> Page {
        var fields: [(String, String)] = []
        if !query.isEmpty { fields.append(("q", query)) }
        fields += labels.map { ("labelIds", $0) }
        fields.append(("maxResults", String(limit)))
        if let page { fields.append(("pageToken", page)) }
        let (json, note) = try await get("messages", fields, cache: cache)
        let ids = (json["messages"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
        return Page(ids: ids.filter(Self.isID), next: json["nextPageToken"]?.stringValue, note: note)
    }

    /// The headers that lists, triage and answers need.
    static let headNames = [
        "From", "To", "Cc", "Reply-To", "Subject", "Date", "List-Id", "List-Unsubscribe", "Precedence",
        "Auto-Submitted",
    ]

    func head(_ id: String) async throws -> (head: MailHead, note: String?) {
        let names = Self.headNames.map { ("metadataHeaders", $0) }
        let (json, note) = try await get(try Self.path(id), [("format", "metadata")] + names)
        guard let message = GmailMessage(json) else { throw Self.unreadable }
        return (message.head, note)
    }

    /// The heads of several, in their order, at most six at once; those that are gone by now are left out.
    func heads(_ ids: [String]) async throws -> (heads: [MailHead], note: String?) {
        var found: [String: MailHead] = [:]
        var note: String?
        try await withThrowingTaskGroup(of: (head: MailHead, note: String?)?.self) { group in
            var rest = ids[...]
            func add(to group: inout ThrowingTaskGroup<(head: MailHead, note: String?)?, any Error>) {
                guard let id = rest.popFirst() else { return }
                group.addTask {
                    do {
                        return try await head(id)
                    } catch let error as ToolError where error.code == GmailRefusal.gone {
                        return nil
                    }
                }
            }
            for _ in 0..<6 { add(to: &group) }
            while let result = try await group.next() {
                if let result {
                    found[result.head.id] = result.head
                    note = note ?? result.note
                }
                add(to: &group)
            }
        }
        return (ids.compactMap { found[$0] }, note)
    }

    func message(_ id: String) async throws -> (message: GmailMessage, note: String?) {
        let (json, note) = try await get(try Self.path(id), [("format", "full")])
        guard var message = GmailMessage(json) else { throw Self.unreadable }
        // Long texts come apart from the message.
        for part in message.textsElsewhere.prefix(3) where part.size <= 1 << 20 {
            let path = try Self.path(id) + "/attachments/" + HTTPRequest.percentEncoded(part.attachment)
            let body = try await get(path).json
            message.fill(part.attachment, TransferEncoding.base64((body["data"]?.stringValue ?? "").utf8))
        }
        return (message, note)
    }

    static func path(_ id: String) throws -> String {
        guard isID(id) else { throw GmailRefusal.notThere }
        return "messages/" + id
    }

    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 45 || $0 == 95 }
    }

    static let unreadable = ToolError.rejected(
        "Gmail answered in a way that I cannot read.", code: "unexpected_answer")

    // MARK: Changes

    func modify(_ ids: [String], add: [String], remove: [String]) async throws {
        guard !ids.isEmpty, !(add.isEmpty && remove.isEmpty) else { return }
        var body = JSONObject()
        if !add.isEmpty { body["addLabelIds"] = add.json }
        if !remove.isEmpty { body["removeLabelIds"] = remove.json }
        if ids.count == 1, let id = ids.first {
            try await post(try Self.path(id) + "/modify", .object(body), isIdempotent: true)
            return
        }
        // At most a thousand in one request.
        for start in stride(from: 0, to: ids.count, by: 1000) {
            body["ids"] = Array(ids[start..<min(start + 1000, ids.count)]).json
            try await post("messages/batchModify", .object(body), isIdempotent: true)
        }
    }

    // MARK: The account

    /// The person's address, remembered for a day.
    func ownAddress() async throws -> String {
        if let known = try? await context.keyValues.get("address", as: String.self) { return known.value }
        let json = try await get("profile").json
        guard let address = json["emailAddress"]?.stringValue, MailAddress.isAddress(address) else {
            throw Self.unreadable
        }
        _ = try? await context.keyValues.set("address", to: address, expiresIn: .seconds(86_400))
        return address
    }

    struct Label: Object, Hashable {
        var id: String
        var name: String
        /// Made by the person, not by Gmail.
        var isOwn: Bool
    }

    func labels() async throws -> [Label] {
        let json = try await get("labels").json
        return (json["labels"]?.arrayValue ?? []).compactMap { label in
            guard let id = label["id"]?.stringValue, let name = label["name"]?.stringValue else { return nil }
            return Label(id: id, name: name.singleLine(limit: 60), isOwn: label["type"]?.stringValue == "user")
        }
    }
}
