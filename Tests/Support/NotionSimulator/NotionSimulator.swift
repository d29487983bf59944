import Synchronization
import TandemJSON

/// Notion's REST interface, stateful and strict: what the specification does not know is refused, as Notion refuses it.
///
/// A function from requests to answers, for a scripted client or behind a server. Versions 2025-09-03 and 2026-03-11. Where
/// the contracts are at hand, each body is held against `notion-types.schema.json` as well (`ContractChecker`).
public final class NotionSimulator: Sendable {
    public struct Request: Sendable {
        public var method: String
        public var path: String
        public var query: [(name: String, value: String)]
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]

        public init(
            method: String, path: String, query: [(name: String, value: String)], headers: [String: String],
            body: [UInt8]
        ) {
            self.method = method
            self.path = path
            self.query = query
            self.headers = headers
            self.body = body
        }
    }

    public struct Response: Sendable {
        public var status: Int
        public var headers: [(String, String)]
        public var body: [UInt8]
        /// The line breaks before anything is sent.
        public var isCut = false
    }

    /// What goes wrong with one request, instead of or after what it does.
    public enum Fault: Sendable {
        /// An error in Notion's form; nothing is done.
        case error(Int, String, retryAfter: Int? = nil)
        /// A page of HTML with this status; nothing is done.
        case html(Int)
        /// All is done, and the line breaks.
        case cutAfter
        /// All is done, and half of the answer comes.
        case halfAnswer
    }

    struct Refusal: Error {
        var status: Int
        var code: String
        var message: String

        static func validation(_ message: String) -> Refusal {
            Refusal(status: 400, code: "validation_error", message: "body failed validation: \(message)")
        }
    }

    struct Page: Sendable {
        var id: String
        var parent: JSON
        var properties: JSONObject
        var isInTrash = false
        var isShared = true
        var created: Int64
        var edited: Int64
    }

    struct Block: Sendable {
        var id: String
        /// The page or block that it lies in.
        var parent: String
        var isInPage: Bool
        var type: String
        var content: JSONObject
        var isInTrash = false
        var edited: Int64
    }

    struct Source: Sendable {
        var id: String
        var database: String
        var title: String
        /// By name, in Notion's form.
        var properties: JSONObject
        var edited: Int64
    }

    struct State: Sendable {
        var pages: [String: Page] = [:]
        var blocks: [String: Block] = [:]
        var children: [String: [String]] = [:]
        var sources: [String: Source] = [:]
        var serial = 0
        var clock: Int64 = 1_795_000_000_000
        var faults: [(after: Int, fault: Fault)] = []
        var requests: [Request] = []
        var refusals: [String] = []
    }

    let state = Mutex(State())
    private let authorizes: @Sendable (String) -> Bool
    let now: (@Sendable () -> Int64)?
    let checker: ContractChecker?

    /// - Parameters:
    ///   - checker: of the contracts, where they are at hand.
    ///   - now: milliseconds of its clock, by which pages are edited; nil: a second passes with each request.
    ///   - authorizes: whether a token is good.
    public init(
        checker: ContractChecker? = nil, now: (@Sendable () -> Int64)? = nil,
        authorizes: @escaping @Sendable (String) -> Bool = { !$0.isEmpty }
    ) {
        self.checker = checker
        self.authorizes = authorizes
        self.now = now
        if let now { state.withLock { $0.clock = now() } }
    }

    public static let versions: Set<String> = ["2025-09-03", "2026-03-11"]

    // MARK: What goes wrong

    /// The next request fails so, or the one after so many good ones.
    public func fail(_ fault: Fault, after count: Int = 0) {
        state.withLock { $0.faults.append((count, fault)) }
    }

    public var requests: [Request] { state.withLock(\.requests) }
    /// Why requests were refused, as the simulator's own judgement.
    public var refusals: [String] { state.withLock(\.refusals) }

    // MARK: Answering

    public func answer(_ request: Request) -> Response {
        let fault = state.withLock { state -> Fault? in
            state.requests.append(request)
            state.clock = now.map { max($0(), state.clock + 1) } ?? state.clock + 1000
            guard let place = state.faults.firstIndex(where: { $0.after == 0 }) else {
                for place in state.faults.indices { state.faults[place].after -= 1 }
                return nil
            }
            return state.faults.remove(at: place).fault
        }
        switch fault {
        case .error(let status, let code, let wait):
            var response = failure(Refusal(status: status, code: code, message: "Scripted."))
            if let wait { response.headers.append(("Retry-After", "\(wait)")) }
            return response
        case .html(let status):
            return Response(
                status: status, headers: [("Content-Type", "text/html")],
                body: Array("<html><body>Welcome to the hotel's network</body></html>".utf8))
        case .cutAfter:
            var response = served(request)
            response.isCut = true
            return response
        case .halfAnswer:
            var response = served(request)
            response.body.removeLast(response.body.count / 2)
            return response
        case nil: return served(request)
        }
    }

    private func served(_ request: Request) -> Response {
        do {
            let answer = try state.withLock { try serve(request, &$0) }
            if let problem = checker?.problem(answer.body, response: answer.schema) {
                state.withLock { $0.refusals.append("the simulator's own answer: \(problem)") }
            }
            var body = answer.body
            body["request_id"] = "00000000-0000-4000-8000-000000000099"
            return Response(
                status: 200, headers: [("Content-Type", "application/json; charset=utf-8")], body: body.serialized())
        } catch let refusal as Refusal {
            state.withLock { $0.refusals.append("\(refusal.status) \(refusal.code): \(refusal.message)") }
            return failure(refusal)
        } catch {
            return failure(Refusal(status: 500, code: "internal_server_error", message: "\(error)"))
        }
    }

    private func failure(_ refusal: Refusal) -> Response {
        let body: JSON = [
            "object": "error", "status": .integer(Int64(refusal.status)), "code": .string(refusal.code),
            "message": .string(refusal.message), "request_id": "00000000-0000-4000-8000-000000000094",
        ]
        return Response(
            status: refusal.status, headers: [("Content-Type", "application/json; charset=utf-8")],
            body: body.serialized())
    }

    /// The answer without `request_id`, and the schema of the contract that it has.
    private func serve(_ request: Request, _ state: inout State) throws -> (body: JSON, schema: String) {
        let bearer = request.headers["authorization"] ?? ""
        guard bearer.hasPrefix("Bearer "), authorizes(String(bearer.dropFirst(7))) else {
            throw Refusal(status: 401, code: "unauthorized", message: "API token is invalid.")
        }
        guard let version = request.headers["notion-version"] else {
            throw Refusal(
                status: 400, code: "missing_version",
                message: "Notion-Version header failed validation: it should be defined, instead was `undefined`.")
        }
        guard Self.versions.contains(version) else {
            throw Refusal(status: 400, code: "missing_version", message: "Notion-Version header failed validation.")
        }
        var call = Call(version: version, body: [:], query: [:])
        for (name, value) in request.query {
            guard call.query.updateValue(value, forKey: name) == nil else { throw Refusal.validation("\(name) twice") }
        }
        if request.method == "POST" || request.method == "PATCH" {
            guard request.headers["content-type"]?.hasPrefix("application/json") == true,
                request.body.count <= 500_000,
                let body = try? JSON(parsing: request.body, limits: JSONLimits(maxBytes: 1 << 20)),
                let object = body.objectValue
            else { throw Refusal(status: 400, code: "invalid_json", message: "Error parsing JSON body.") }
            call.body = object
        } else if !request.body.isEmpty {
            throw Refusal(status: 400, code: "invalid_request", message: "A body with a \(request.method).")
        }
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.first == "v1", parts.count >= 2 else { throw Self.noSuchAddress }
        switch (request.method, parts[1], parts.count) {
        case ("POST", "search", 2): return try search(call, &state)
        case ("POST", "pages", 2): return try createPage(call, &state)
        case ("GET", "pages", 3): return try page(call, try Self.id(parts[2]), &state)
        case ("PATCH", "pages", 3): return try updatePage(call, try Self.id(parts[2]), &state)
        case ("GET", "databases", 3): return try database(call, try Self.id(parts[2]), &state)
        case ("GET", "data_sources", 3): return try source(call, try Self.id(parts[2]), &state)
        case ("POST", "data_sources", 4) where parts[3] == "query":
            return try query(call, try Self.id(parts[2]), &state)
        case ("GET", "blocks", 4) where parts[3] == "children": return try children(call, try Self.id(parts[2]), &state)
        case ("PATCH", "blocks", 4) where parts[3] == "children": return try append(call, try Self.id(parts[2]), &state)
        case ("PATCH", "blocks", 3): return try updateBlock(call, try Self.id(parts[2]), &state)
        case ("DELETE", "blocks", 3): return try deleteBlock(call, try Self.id(parts[2]), &state)
        default: throw Self.noSuchAddress
        }
    }

    private static let noSuchAddress = Refusal(
        status: 400, code: "invalid_request_url", message: "Invalid request URL.")

    struct Call {
        var version: String
        var body: JSONObject
        var query: [String: String]

        /// Refuses members that are not among these.
        func only(_ members: Set<String>, query names: Set<String> = []) throws {
            for (name, _) in body where !members.contains(name) {
                throw Refusal.validation("body.\(name) should be not present")
            }
            for name in query.keys where !names.contains(name) {
                throw Refusal.validation("query.\(name) should be not present")
            }
        }
    }

    /// With hyphens; both forms are taken.
    static func id(_ text: String) throws -> String {
        let digits = text.lowercased().filter { $0 != "-" }
        guard digits.count == 32, digits.allSatisfy(\.isHexDigit), text.count == 32 || text.count == 36 else {
            throw Refusal.validation("path failed validation: an id should be a valid uuid, instead was `\"...\"`.")
        }
        var result = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { result.append("-") }
            result.append(digit)
        }
        return result
    }

    static func missing(_ kind: String, _ id: String) -> Refusal {
        Refusal(
            status: 404, code: "object_not_found",
            message: "Could not find \(kind) with ID: \(id). Make sure the relevant pages and databases are shared.")
    }
}
