public import Foundation
import Synchronization
public import TandemJSON
public import VendorSimulator

/// Gmail's API for one mailbox, stateful and strict: what is created is found, what the API does not know is refused with
/// the API's own words.
///
/// Shapes are those of the contract samples; requests are checked by the discovery document where it is at hand. Nothing
/// here is copied from the plugin that it tests.
public final class GmailSimulator: Sendable {
    struct Message: Sendable {
        var id: String
        var thread: String
        var labels: [String]
        var date: Int64
        var history: UInt64
        var payload: JSON
        var snippet: String
        /// All of its text, for searching.
        var text: String
        var size: Int
    }

    struct Change: Sendable {
        var history: UInt64
        /// `messagesAdded`, `messagesDeleted`, `labelsAdded`, `labelsRemoved`
        var kind: String
        var message: JSON
        var labels: [String]
    }

    struct State: Sendable {
        var messages: [String: Message] = [:]
        var drafts: [String: String] = [:]
        var labels: [(id: String, name: String)] = []
        var attachments: [String: [UInt8]] = [:]
        var changes: [Change] = []
        var history: UInt64 = 987_000
        /// Older ones are forgotten.
        var oldestHistory: UInt64 = 987_000
        var serial: UInt64 = 0x18c1_a2b3_c4d5_0000
        var faults: [(path: String, fault: VendorFault)] = []
        var requests: [VendorRequest] = []
        var refusals: [String] = []
        var sent: [String] = []
        var units = 0
    }

    public let address: String
    let state = Mutex(State())
    let contract: VendorContract?
    let now: @Sendable () -> Int64
    private let scopes: @Sendable (String) -> [String]?

    /// - Parameters:
    ///   - contract: the discovery document; nil: only what stands in this file is checked.
    ///   - now: milliseconds since 1970.
    ///   - scopes: what a bearer token allows; nil: it is not good.
    public init(
        address: String = "me@example.org", contract: VendorContract? = nil, now: @escaping @Sendable () -> Int64,
        scopes: @escaping @Sendable (String) -> [String]?
    ) {
        self.address = address
        self.contract = contract
        self.now = now
        self.scopes = scopes
    }

    // MARK: What it knows

    /// Requests whose path contains `path` fail so, one each, in this order.
    public func fail(_ path: String = "", _ faults: VendorFault...) {
        state.withLock { $0.faults += faults.map { (path, $0) } }
    }

    /// History before now is forgotten, as after a week.
    public func forgetHistory() {
        state.withLock { state in
            state.history += 1000
            state.oldestHistory = state.history
            state.changes = []
        }
    }

    public var requests: [VendorRequest] { state.withLock { $0.requests } }
    /// Why requests were refused that no test wanted to be.
    public var refusals: [String] { state.withLock { $0.refusals } }
    /// Ids of messages that went out.
    public var sent: [String] { state.withLock { $0.sent } }
    /// Quota units that all requests cost.
    public var units: Int { state.withLock { $0.units } }

    public func labels(of id: String) -> Set<String>? { state.withLock { $0.messages[id].map { Set($0.labels) } } }

    /// Fields of a message's head, by name in lower case.
    public func fields(of id: String) -> [String: String] {
        let payload = state.withLock { $0.messages[id]?.payload }
        return Dictionary(
            (payload?["headers"]?.arrayValue ?? []).map {
                ($0["name"]?.stringValue?.lowercased() ?? "", $0["value"]?.stringValue ?? "")
            }, uniquingKeysWith: { first, _ in first })
    }

    public func text(of id: String) -> String { state.withLock { $0.messages[id]?.text ?? "" } }
    public func thread(of id: String) -> String? { state.withLock { $0.messages[id]?.thread } }
    public var draftIDs: [String] { state.withLock { $0.drafts.keys.sorted() } }

    /// A mail that comes in; gives its id.
    @discardableResult
    public func deliver(
        from: String, to: String = "me@example.org", subject: String, text: String, headers: [(String, String)] = [],
        labels: [String] = ["INBOX", "UNREAD"], minutesAgo: Int64 = 60, thread: String? = nil
    ) -> String {
        let body = Data(text.utf8)
        let payload: JSON = [
            "partId": "", "mimeType": "text/plain", "filename": "",
            "headers": Self.headers(
                [("From", from), ("To", to), ("Subject", subject)] + headers + [
                    ("Content-Type", "text/plain; charset=\"UTF-8\"")
                ]),
            "body": ["size": .integer(Int64(body.count)), "data": .string(Self.encoded(body))],
        ]
        return deliver(payload: payload, text: text, labels: labels, minutesAgo: minutesAgo, thread: thread)
    }

    /// A mail of any shape.
    @discardableResult
    public func deliver(
        payload: JSON, text: String, labels: [String] = ["INBOX", "UNREAD"], minutesAgo: Int64 = 60,
        thread: String? = nil
    ) -> String {
        state.withLock { state in
            state.add(payload, text, labels, now() - minutesAgo * 60_000, thread, address).id
        }
    }

    public func delete(_ id: String) {
        state.withLock { state in
            guard let message = state.messages.removeValue(forKey: id) else { return }
            state.note("messagesDeleted", message)
        }
    }

    public func addLabel(_ name: String) -> String {
        state.withLock { state in
            let id = "Label_\(state.labels.count + 12)"
            state.labels.append((id, name))
            return id
        }
    }

    public func attach(_ id: String, _ bytes: [UInt8]) { state.withLock { $0.attachments[id] = bytes } }

    public static func headers(_ fields: [(String, String)]) -> JSON {
        .array(fields.map { ["name": .string($0.0), "value": .string($0.1)] })
    }

    /// Base64 of the alphabet for addresses.
    public static func encoded(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
    }

    // MARK: Answering

    public func answer(_ request: VendorRequest) -> VendorAnswer {
        let fault = state.withLock { state -> VendorFault? in
            state.requests.append(request)
            guard let place = state.faults.firstIndex(where: { $0.path.isEmpty || request.path.contains($0.path) })
            else { return nil }
            return state.faults.remove(at: place).fault
        }
        var cut = VendorAnswer(status: 0)
        cut.isCut = true
        switch fault {
        case .answer(let answer): return answer
        case .cutBefore: return cut
        case .cutAfter:
            _ = judged(request)
            return cut
        case .html:
            return VendorAnswer(
                status: 200, headers: [("Content-Type", "text/html")],
                body: Array("<html>Welcome to the hotel</html>".utf8))
        case .slow(let milliseconds):
            var answer = judged(request)
            answer.milliseconds = milliseconds
            return answer
        case nil: return judged(request)
        }
    }

    private func judged(_ request: VendorRequest) -> VendorAnswer {
        guard let bearer = request.bearer, let granted = scopes(bearer) else {
            return Self.error(
                401, "UNAUTHENTICATED", "authError", "Invalid Credentials",
                [("WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"")])
        }
        if let contract {
            guard let faults = contract.faults(request) else { return refuse("\(request.path) is nothing here", 404) }
            guard faults.isEmpty else { return refuse(faults.joined(separator: "; "), 400) }
        }
        return routed(request, Set(granted.map { $0.split(separator: "/").last.map(String.init) ?? $0 }))
    }

    /// Something that the plugin must never send: noted.
    func refuse(_ reason: String, _ status: Int) -> VendorAnswer {
        state.withLock { $0.refusals.append(reason) }
        return Self.error(status, status == 404 ? "NOT_FOUND" : "INVALID_ARGUMENT", "badRequest", reason)
    }

    static func error(
        _ status: Int, _ word: String, _ reason: String, _ message: String, _ headers: [(String, String)] = []
    ) -> VendorAnswer {
        .json(
            status,
            [
                "error": [
                    "code": .integer(Int64(status)), "message": .string(message),
                    "errors": [["message": .string(message), "domain": "global", "reason": .string(reason)]],
                    "status": .string(word),
                ]
            ], headers)
    }

    static let notFound = error(404, "NOT_FOUND", "notFound", "Requested entity was not found.")
}

extension GmailSimulator.State {
    mutating func note(_ kind: String, _ message: GmailSimulator.Message, _ labels: [String] = []) {
        history += 3
        messages[message.id]?.history = history
        var entry: JSON = ["id": .string(message.id), "threadId": .string(message.thread)]
        if let current = messages[message.id] { entry["labelIds"] = .array(current.labels.map { .string($0) }) }
        changes.append(GmailSimulator.Change(history: history, kind: kind, message: entry, labels: labels))
    }

    mutating func add(
        _ payload: JSON, _ text: String, _ labels: [String], _ date: Int64, _ thread: String?, _ address: String
    ) -> GmailSimulator.Message {
        serial += 1
        let id = String(serial, radix: 16)
        var payload = payload
        let named = (payload["headers"]?.arrayValue ?? []).contains {
            $0["name"]?.stringValue?.lowercased() == "message-id"
        }
        if !named {
            payload["headers"] = .array(
                (payload["headers"]?.arrayValue ?? []) + [
                    ["name": "Message-ID", "value": .string("<\(id)@mail.example.com>")]
                ])
        }
        let message = GmailSimulator.Message(
            id: id, thread: thread ?? id, labels: labels, date: date, history: history, payload: payload,
            snippet: String(text.prefix(120)).replacingOccurrences(of: "\n", with: " ").replacingOccurrences(
                of: "&", with: "&amp;"),
            text: text, size: text.utf8.count + 500)
        messages[id] = message
        note("messagesAdded", message)
        return message
    }
}
