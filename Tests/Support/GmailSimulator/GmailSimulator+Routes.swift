import Foundation
import Synchronization
import TandemJSON
import VendorSimulator

extension GmailSimulator {
    private static let reading: Set<String> = ["gmail.readonly", "gmail.modify", "mail.google.com"]
    private static let changing: Set<String> = ["gmail.modify", "mail.google.com"]
    private static let composing: Set<String> = ["gmail.modify", "gmail.compose", "mail.google.com"]
    private static let systemLabels = [
        "INBOX", "SENT", "DRAFT", "UNREAD", "STARRED", "IMPORTANT", "SPAM", "TRASH", "CHAT", "CATEGORY_PERSONAL",
        "CATEGORY_SOCIAL", "CATEGORY_PROMOTIONS", "CATEGORY_UPDATES", "CATEGORY_FORUMS",
    ]

    /// What each request costs (Gmail API, "Usage limits").
    private func cost(_ units: Int) { state.withLock { $0.units += units } }

    func routed(_ request: VendorRequest, _ scopes: Set<String>) -> VendorAnswer {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 5, parts[0] == "gmail", parts[1] == "v1", parts[2] == "users" else {
            return refuse("\(request.path) is nothing here", 404)
        }
        guard parts[3] == "me" || parts[3] == address else {
            return Self.error(403, "PERMISSION_DENIED", "forbidden", "Delegation denied for \(parts[3])")
        }
        let rest = Array(parts[4...])
        func allowed(_ needed: Set<String>, _ answer: () -> VendorAnswer) -> VendorAnswer {
            guard !scopes.isDisjoint(with: needed) else { return Self.missingScope(scopes) }
            return answer()
        }
        switch (request.method, rest.count, rest[0], rest.count > 1 ? rest[1] : "", rest.count > 2 ? rest[2] : "") {
        case ("GET", 1, "profile", _, _): return allowed(Self.reading) { profile() }
        case ("GET", 1, "labels", _, _): return allowed(Self.reading) { labelList() }
        case ("POST", 1, "labels", _, _): return allowed(Self.changing) { makeLabel(request) }
        case ("GET", 1, "messages", _, _): return allowed(Self.reading) { list(request) }
        case ("POST", 2, "messages", "send", _): return allowed(Self.composing) { send(request.json ?? [:]) }
        case ("POST", 2, "messages", "batchModify", _): return allowed(Self.changing) { batchModify(request) }
        case ("GET", 2, "messages", let id, _): return allowed(Self.reading) { get(id, request) }
        case ("POST", 3, "messages", let id, "modify"):
            return allowed(Self.changing) { modify([id], request.json ?? [:], cost: 5) }
        case ("POST", 3, "messages", let id, "trash"): return allowed(Self.changing) { trash(id, true) }
        case ("POST", 3, "messages", let id, "untrash"): return allowed(Self.changing) { trash(id, false) }
        case ("GET", 4, "messages", _, "attachments"): return allowed(Self.reading) { attachment(rest[3]) }
        case ("GET", 2, "threads", let id, _): return allowed(Self.reading) { thread(id, request) }
        case ("GET", 1, "history", _, _): return allowed(Self.reading) { historyList(request) }
        case ("GET", 1, "drafts", _, _): return allowed(Self.reading) { draftList(request) }
        case ("POST", 1, "drafts", _, _): return allowed(Self.composing) { makeDraft(request.json ?? [:]) }
        case ("POST", 2, "drafts", "send", _): return allowed(Self.composing) { sendDraft(request.json ?? [:]) }
        case ("GET", 2, "drafts", let id, _): return allowed(Self.reading) { draft(id, request) }
        case ("DELETE", 2, "drafts", let id, _): return allowed(Self.composing) { deleteDraft(id) }
        default: return refuse("\(request.method) \(request.path) is nothing here", 404)
        }
    }

    private static func missingScope(_ scopes: Set<String>) -> VendorAnswer {
        .json(
            403,
            [
                "error": [
                    "code": 403, "message": "Request had insufficient authentication scopes.",
                    "errors": [
                        ["message": "Insufficient Permission", "domain": "global", "reason": "insufficientPermissions"]
                    ], "status": "PERMISSION_DENIED",
                    "details": [
                        [
                            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com",
                            "metadata": ["service": "gmail.googleapis.com"],
                        ]
                    ],
                ]
            ],
            [
                (
                    "WWW-Authenticate",
                    "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\", scope=\"\(scopes.sorted().joined(separator: " "))\""
                )
            ])
    }

    // MARK: Reading

    private func profile() -> VendorAnswer {
        cost(1)
        return state.withLock { state in
            .json(
                200,
                [
                    "emailAddress": .string(address), "messagesTotal": .integer(Int64(state.messages.count)),
                    "threadsTotal": .integer(Int64(Set(state.messages.values.map(\.thread)).count)),
                    "historyId": .string(String(state.history)),
                ])
        }
    }

    private func labelList() -> VendorAnswer {
        cost(1)
        let own = state.withLock { $0.labels }
        let system: [JSON] = Self.systemLabels.map { ["id": .string($0), "name": .string($0), "type": "system"] }
        let user: [JSON] = own.map { ["id": .string($0.id), "name": .string($0.name), "type": "user"] }
        return .json(200, ["labels": .array(system + user)])
    }

    private func makeLabel(_ request: VendorRequest) -> VendorAnswer {
        cost(5)
        guard let name = request.json?["name"]?.stringValue, !name.isEmpty, name.utf8.count <= 225 else {
            return refuse("a label needs a name", 400)
        }
        let isThere = state.withLock { $0.labels.contains { $0.name.lowercased() == name.lowercased() } }
        guard !isThere else { return Self.error(409, "ABORTED", "aborted", "Label name exists or conflicts") }
        let id = addLabel(name)
        return .json(200, ["id": .string(id), "name": .string(name), "type": "user"])
    }

    private func list(_ request: VendorRequest) -> VendorAnswer {
        cost(5)
        for (name, _) in request.query
        where !["q", "labelIds", "maxResults", "pageToken", "includeSpamTrash"].contains(name) {
            return refuse("Unknown name \(name)", 400)
        }
        let limit = Int(request.first("maxResults") ?? "100") ?? 0
        guard (1...500).contains(limit) else { return refuse("maxResults must be 1 to 500", 400) }
        let wanted = request.all("labelIds")
        let query = MailSearch(request.first("q") ?? "", now: now())
        let found = state.withLock { state -> [Message] in
            let searchesAll = request.first("includeSpamTrash") == "true" || query.looksEverywhere
            return state.messages.values.filter { message in
                wanted.allSatisfy(message.labels.contains) && query.fits(message)
                    && (searchesAll || !wanted.isEmpty && wanted.contains { ["SPAM", "TRASH"].contains($0) }
                        || !message.labels.contains { ["SPAM", "TRASH"].contains($0) })
            }.sorted { ($0.date, $0.id) > ($1.date, $1.id) }
        }
        guard let start = page(request.first("pageToken"), "list") else { return refuse("Invalid pageToken", 400) }
        var body: JSON = ["resultSizeEstimate": .integer(Int64(found.count))]
        let some = found.dropFirst(start).prefix(limit)
        if !some.isEmpty {
            body["messages"] = .array(some.map { ["id": .string($0.id), "threadId": .string($0.thread)] })
        }
        if found.count > start + limit { body["nextPageToken"] = .string("list\(start + limit)") }
        return .json(200, body)
    }

    private func page(_ token: String?, _ kind: String) -> Int? {
        guard let token else { return 0 }
        return token.hasPrefix(kind) ? Int(token.dropFirst(kind.count)) : nil
    }

    private func json(_ message: Message, _ format: String, _ names: [String]) -> JSON {
        var body: JSON = [
            "id": .string(message.id), "threadId": .string(message.thread),
            "labelIds": .array(message.labels.map { .string($0) }), "snippet": .string(message.snippet),
            "historyId": .string(String(message.history)), "internalDate": .string(String(message.date)),
            "sizeEstimate": .integer(Int64(message.size)),
        ]
        switch format {
        case "minimal": break
        case "metadata":
            let wanted = Set(names.map { $0.lowercased() })
            let headers = (message.payload["headers"]?.arrayValue ?? []).filter {
                wanted.isEmpty || wanted.contains($0["name"]?.stringValue?.lowercased() ?? "")
            }
            body["payload"] = ["mimeType": message.payload["mimeType"] ?? "text/plain", "headers": .array(headers)]
        default: body["payload"] = message.payload
        }
        return body
    }

    private static func isID(_ id: String) -> Bool { id.count <= 20 && !id.isEmpty && id.allSatisfy(\.isHexDigit) }

    private func get(_ id: String, _ request: VendorRequest) -> VendorAnswer {
        cost(5)
        for (name, _) in request.query where !["format", "metadataHeaders"].contains(name) {
            return refuse("Unknown name \(name)", 400)
        }
        let format = request.first("format") ?? "full"
        guard ["minimal", "full", "raw", "metadata"].contains(format) else { return refuse("Invalid format", 400) }
        guard Self.isID(id) else {
            return Self.error(400, "INVALID_ARGUMENT", "invalidArgument", "Invalid id value")
        }
        guard let message = state.withLock({ $0.messages[id] }) else { return Self.notFound }
        return .json(200, json(message, format, request.all("metadataHeaders")))
    }

    private func thread(_ id: String, _ request: VendorRequest) -> VendorAnswer {
        cost(10)
        let messages = state.withLock { state in
            state.messages.values.filter { $0.thread == id }.sorted { ($0.date, $0.id) < ($1.date, $1.id) }
        }
        guard !messages.isEmpty else { return Self.notFound }
        let format = request.first("format") ?? "full"
        return .json(
            200,
            [
                "id": .string(id), "historyId": .string(String(messages.map(\.history).max() ?? 0)),
                "messages": .array(messages.map { json($0, format, request.all("metadataHeaders")) }),
            ])
    }

    private func attachment(_ id: String) -> VendorAnswer {
        cost(5)
        guard let bytes = state.withLock({ $0.attachments[id] }) else { return Self.notFound }
        return .json(200, ["size": .integer(Int64(bytes.count)), "data": .string(Self.encoded(Data(bytes)))])
    }

    private func historyList(_ request: VendorRequest) -> VendorAnswer {
        cost(2)
        guard let start = request.first("startHistoryId").flatMap(UInt64.init) else {
            return refuse("Missing startHistoryId", 400)
        }
        let limit = Int(request.first("maxResults") ?? "100") ?? 100
        guard let from = page(request.first("pageToken"), "history") else { return refuse("Invalid pageToken", 400) }
        return state.withLock { state in
            guard start >= state.oldestHistory, start <= state.history else { return Self.notFound }
            let changes = state.changes.filter { $0.history > start }
            var body: JSON = ["historyId": .string(String(state.history))]
            let some = changes.dropFirst(from).prefix(limit)
            if !some.isEmpty {
                body["history"] = .array(
                    some.map { change in
                        var entry: JSON = ["message": change.message]
                        if !change.labels.isEmpty { entry["labelIds"] = .array(change.labels.map { .string($0) }) }
                        return [
                            "id": .string(String(change.history)),
                            "messages": [
                                ["id": change.message["id"] ?? "", "threadId": change.message["threadId"] ?? ""]
                            ], change.kind: [entry],
                        ]
                    })
            }
            if changes.count > from + limit { body["nextPageToken"] = .string("history\(from + limit)") }
            return .json(200, body)
        }
    }

    // MARK: Changing

    private func modify(_ ids: [String], _ body: JSON, cost units: Int) -> VendorAnswer {
        cost(units)
        let add = (body["addLabelIds"]?.arrayValue ?? []).compactMap(\.stringValue)
        let remove = (body["removeLabelIds"]?.arrayValue ?? []).compactMap(\.stringValue)
        for id in ids where !Self.isID(id) {
            return Self.error(400, "INVALID_ARGUMENT", "invalidArgument", "Invalid id value")
        }
        return state.withLock { state in
            let known = Set(Self.systemLabels).union(state.labels.map(\.id))
            for label in add + remove {
                guard known.contains(label) else {
                    return Self.error(400, "INVALID_ARGUMENT", "invalidArgument", "Invalid label: \(label)")
                }
                guard !["SENT", "DRAFT", "CHAT"].contains(label) else {
                    state.refusals.append("the label \(label) cannot be set")
                    return Self.error(400, "INVALID_ARGUMENT", "invalidArgument", "Cannot modify label: \(label)")
                }
            }
            guard !(add.isEmpty && remove.isEmpty) else {
                state.refusals.append("nothing to modify")
                return Self.error(400, "INVALID_ARGUMENT", "invalidArgument", "No label add or removes specified")
            }
            for id in ids {
                guard var message = state.messages[id] else {
                    if ids.count == 1 { return Self.notFound }
                    continue
                }
                let added = add.filter { !message.labels.contains($0) }
                let removed = remove.filter(message.labels.contains)
                message.labels = message.labels.filter { !removed.contains($0) } + added
                state.messages[id] = message
                if !added.isEmpty { state.note("labelsAdded", message, added) }
                if !removed.isEmpty { state.note("labelsRemoved", message, removed) }
            }
            guard units == 5, let message = state.messages[ids[0]] else { return VendorAnswer(status: 204) }
            return .json(
                200,
                [
                    "id": .string(message.id), "threadId": .string(message.thread),
                    "labelIds": .array(message.labels.map { .string($0) }),
                ])
        }
    }

    private func batchModify(_ request: VendorRequest) -> VendorAnswer {
        let ids = (request.json?["ids"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard (1...1000).contains(ids.count) else { return refuse("1 to 1000 ids", 400) }
        return modify(ids, request.json ?? [:], cost: 50)
    }

    private func trash(_ id: String, _ isIn: Bool) -> VendorAnswer {
        cost(5)
        return state.withLock { state in
            guard var message = state.messages[id] else { return Self.notFound }
            message.labels =
                message.labels.filter { $0 != "TRASH" && (!isIn || $0 != "INBOX") } + (isIn ? ["TRASH"] : [])
            state.messages[id] = message
            state.note(isIn ? "labelsAdded" : "labelsRemoved", message, ["TRASH"])
            return .json(
                200,
                [
                    "id": .string(id), "threadId": .string(message.thread),
                    "labelIds": .array(message.labels.map { .string($0) }),
                ])
        }
    }

    // MARK: Writing

    private func accepted(_ message: JSON, labels: [String]) -> Result<Message, Refused> {
        guard let raw = message["raw"]?.stringValue else { return .failure(Refused(reason: "raw is missing")) }
        switch RawMail.read(raw) {
        case .failure(let refused): return .failure(refused)
        case .success(let mail):
            let thread = message["threadId"]?.stringValue
            return state.withLock { state in
                if let thread {
                    let there = state.messages.values.filter { $0.thread == thread }
                    guard !there.isEmpty else { return .failure(Refused(reason: "no thread \(thread)")) }
                    // "threadId alone does not thread: References and Subject must match."
                    let ids = there.compactMap { message in
                        message.payload["headers"]?.arrayValue?.first {
                            $0["name"]?.stringValue?.lowercased() == "message-id"
                        }?["value"]?.stringValue
                    }
                    let chain = (mail.fields["references"] ?? "") + " " + (mail.fields["in-reply-to"] ?? "")
                    let fits = ids.contains { chain.contains($0) }
                    guard fits else { return .failure(Refused(reason: "the references do not lead to the thread")) }
                }
                let payload: JSON = [
                    "partId": "", "mimeType": "text/plain", "filename": "", "headers": Self.headers(mail.list),
                    "body": [
                        "size": .integer(Int64(mail.text.utf8.count)),
                        "data": .string(Self.encoded(Data(mail.text.utf8))),
                    ],
                ]
                return .success(state.add(payload, mail.text, labels, now(), thread, address))
            }
        }
    }

    private func send(_ body: JSON) -> VendorAnswer {
        cost(100)
        switch accepted(body, labels: ["SENT"]) {
        case .failure(let refused): return refuse(refused.reason, 400)
        case .success(let message):
            guard hasRecipient(message) else { return refuse("Recipient address required", 400) }
            state.withLock { $0.sent.append(message.id) }
            return sentAnswer(message)
        }
    }

    private func hasRecipient(_ message: Message) -> Bool {
        (message.payload["headers"]?.arrayValue ?? []).contains {
            ["to", "cc", "bcc"].contains($0["name"]?.stringValue?.lowercased() ?? "")
                && $0["value"]?.stringValue?.contains("@") == true
        }
    }

    private func sentAnswer(_ message: Message) -> VendorAnswer {
        .json(
            200, ["id": .string(message.id), "threadId": .string(message.thread), "labelIds": ["SENT"]])
    }

    private func makeDraft(_ body: JSON) -> VendorAnswer {
        cost(10)
        switch accepted(body["message"] ?? [:], labels: ["DRAFT"]) {
        case .failure(let refused): return refuse(refused.reason, 400)
        case .success(let message):
            let id = "r-\(message.id.utf8.reduce(17) { $0 &* 31 &+ Int($1) } & 0xFFFF_FFFF)"
            state.withLock { $0.drafts[id] = message.id }
            return .json(
                200,
                [
                    "id": .string(id),
                    "message": [
                        "id": .string(message.id), "threadId": .string(message.thread), "labelIds": ["DRAFT"],
                    ],
                ])
        }
    }

    private func draftList(_ request: VendorRequest) -> VendorAnswer {
        cost(5)
        let limit = Int(request.first("maxResults") ?? "100") ?? 100
        return state.withLock { state in
            let all = state.drafts.sorted { $0.value > $1.value }
            var body: JSON = ["resultSizeEstimate": .integer(Int64(all.count))]
            if !all.isEmpty {
                body["drafts"] = .array(
                    all.prefix(limit).map { id, message in
                        [
                            "id": .string(id),
                            "message": [
                                "id": .string(message),
                                "threadId": .string(state.messages[message]?.thread ?? message),
                            ],
                        ]
                    })
            }
            return .json(200, body)
        }
    }

    private func draft(_ id: String, _ request: VendorRequest) -> VendorAnswer {
        cost(5)
        let message = state.withLock { state in state.drafts[id].flatMap { state.messages[$0] } }
        guard let message else { return Self.notFound }
        return .json(
            200,
            ["id": .string(id), "message": json(message, request.first("format") ?? "full", [])])
    }

    private func deleteDraft(_ id: String) -> VendorAnswer {
        cost(10)
        return state.withLock { state in
            guard let message = state.drafts.removeValue(forKey: id) else { return Self.notFound }
            state.messages[message] = nil
            return VendorAnswer(status: 204)
        }
    }

    private func sendDraft(_ body: JSON) -> VendorAnswer {
        cost(100)
        guard let id = body["id"]?.stringValue else { return refuse("a draft's id is missing", 400) }
        let found = state.withLock { state in state.drafts[id].flatMap { state.messages[$0] } }
        guard let found else { return Self.notFound }
        guard hasRecipient(found) else { return refuse("Recipient address required", 400) }
        return state.withLock { state in
            state.drafts[id] = nil
            var message = found
            message.labels = ["SENT"]
            state.messages[message.id] = message
            state.sent.append(message.id)
            state.note("labelsAdded", message, ["SENT"])
            return sentAnswer(message)
        }
    }
}
