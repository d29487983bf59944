import Synchronization
public import TandemJSON

/// What the network, other tools and secrets answer in a check: what a transcript says, and nothing else.
///
/// Of several answers to the same request, each serves once, in order, and the last one from then on. Safe from any thread.
public final class CannedAnswers: Sendable {
    /// One answer of the network.
    public struct Answer: Sendable, Hashable {
        public var status: Int
        /// `application/json` unless the transcript says otherwise.
        public var type: String
        public var body: [UInt8]

        public init(status: Int, type: String = "application/json", body: [UInt8]) {
            self.status = status
            self.type = type
            self.body = body
        }
    }

    /// A request of a plugin's, as somebody who answers for the service sees it.
    public struct Request: Sendable {
        public var method: String
        public var url: String
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]
        /// The grant whose token a host would attach; empty: none.
        public var grant: String

        public init(
            method: String, url: String, headers: [String: String] = [:], body: [UInt8] = [], grant: String = ""
        ) {
            self.method = method
            self.url = url
            self.headers = headers
            self.body = body
            self.grant = grant
        }
    }

    /// Answers in the name of the service while calls are recorded; nil: it does not.
    public typealias Live = @Sendable (Request) async -> Answer?

    private struct State {
        var used: Set<Int> = []
        var usedTools: Set<Int> = []
        var learnt: [JSON] = []
    }

    private let http: [JSON]
    private let tools: [JSON]
    private let secrets: JSONObject
    private let live: Live?
    private let state = Mutex(State())

    public init(_ transcript: Transcript?, live: Live? = nil) {
        http = transcript?.http ?? []
        tools = transcript?.tools ?? []
        secrets = transcript?.secrets ?? [:]
        self.live = live
    }

    /// What was learnt from the live service, as a transcript keeps it, in the order of the requests.
    public var learnt: [JSON] { state.withLock { $0.learnt } }

    /// Nil: the network does not answer.
    public func answer(_ request: Request) async -> Answer? {
        let found = state.withLock { state -> JSON? in
            let fitting = http.indices.filter { index in
                http[index]["url"]?.stringValue == request.url
                    && http[index]["method"]?.stringValue.map { $0 == request.method } ?? true
            }
            guard let place = fitting.first(where: { !state.used.contains($0) }) ?? fitting.last else { return nil }
            state.used.insert(place)
            return http[place]
        }
        if let found { return Self.answer(found) }
        guard let live, let answer = await live(request) else { return nil }
        state.withLock { $0.learnt.append(Self.json(answer, to: request)) }
        return answer
    }

    private static func answer(_ item: JSON) -> Answer {
        let body = item["body"]
        return Answer(
            status: Int(item["status"]?.int64Value ?? 200), type: item["type"]?.stringValue ?? "application/json",
            body: body?.stringValue.map { Array($0.utf8) } ?? body?.serialized() ?? [])
    }

    private static func json(_ answer: Answer, to request: Request) -> JSON {
        var item: JSONObject = [
            "method": .string(request.method), "url": .string(request.url), "status": .integer(Int64(answer.status)),
        ]
        let isJSON = answer.type.hasPrefix("application/json")
        if !isJSON { item["type"] = .string(answer.type) }
        // A JSON text alone would be read as one.
        if isJSON, let body = try? JSON(parsing: answer.body), body.stringValue == nil {
            item["body"] = body
        } else {
            item["body"] = .string(String(decoding: answer.body, as: UTF8.self))
        }
        return .object(item)
    }

    /// The value that another tool gives; nil: there is no such tool.
    func value(ofTool tool: String) -> JSON? {
        state.withLock { state in
            let fitting = tools.indices.filter { tools[$0]["tool"]?.stringValue == tool }
            guard let place = fitting.first(where: { !state.usedTools.contains($0) }) ?? fitting.last else {
                return nil
            }
            state.usedTools.insert(place)
            return tools[place]["value"] ?? [:]
        }
    }

    var answersTools: Bool { !tools.isEmpty }

    func secret(_ name: String) -> String? { secrets[name]?.stringValue }
}
