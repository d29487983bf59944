import HTTPTypes
public import TandemAccounts
public import TandemJSON

/// One operation of the interface, declared once: the same value serves requests and describes itself in the OpenAPI
/// document, so that neither can say what the other does not do.
public struct APIRoute: Sendable {
    /// Does the work of one request that was found well-formed and allowed.
    typealias Handler = @Sendable (APICall) async throws -> APIReply

    /// Stable: `createTask`.
    public let id: String
    public let method: APIMethod
    public let path: PathTemplate
    /// The group that it is shown in.
    public let tag: String
    /// A few words.
    public let summary: String
    /// One or two sentences for whoever calls it.
    public let text: String
    public let access: RouteAccess
    public let rate: RateClass
    /// What the path's names, the query and the headers hold, in the order of their declaration.
    public let parameters: [APIParameter]
    public let body: APIBody?
    /// What it answers when all goes well.
    public let answers: [APIAnswer]
    /// What may go wrong besides what its other declarations imply.
    let ownProblems: [ProblemKind]
    /// `Idempotency-Key` is understood.
    public let isIdempotent: Bool
    /// Answering may keep a processor busy for long: not on a connection's event loop, which others wait for.
    let isCostly: Bool
    let handler: Handler

    init(
        _ id: String, _ method: APIMethod, _ path: String, tag: String, summary: String, text: String = "",
        access: RouteAccess, rate: RateClass, parameters: [APIParameter] = [], body: APIBody? = nil,
        answers: [APIAnswer], problems: [ProblemKind] = [], isIdempotent: Bool = false, isCostly: Bool = false,
        handler: @escaping Handler
    ) {
        self.id = id
        self.method = method
        self.path = PathTemplate(path)
        self.tag = tag
        self.summary = summary
        self.text = text
        self.access = access
        self.rate = rate
        self.parameters = parameters + (isIdempotent ? [.idempotencyKey] : [])
        self.body = body
        self.answers = answers
        ownProblems = problems
        self.isIdempotent = isIdempotent
        self.isCostly = isCostly || rate == .heavy || rate == .message
        self.handler = handler
    }

    /// Everything that may go wrong: each answer that the service gives for this route is one of these.
    public var problems: [ProblemKind] {
        var kinds: [ProblemKind] = [.badRequest, .notAcceptable, .tooManyRequests, .methodNotAllowed, .unavailable]
        if case .signedIn(_, let stepUp, let needsSession) = access {
            kinds += [.unauthorized, .forbidden]
            if stepUp != nil { kinds.append(.stepUpRequired) }
            if needsSession { kinds.append(.sessionNeeded) }
        }
        if parameters.contains(where: { $0.place == .path }) { kinds.append(.notFound) }
        if parameters.contains(where: { $0.name == "If-Match" }) {
            kinds.append(.preconditionFailed)
            if parameters.contains(where: { $0.name == "If-Match" && $0.isRequired }) {
                kinds.append(.preconditionRequired)
            }
        }
        if body != nil { kinds += [.tooLarge, .unsupportedMediaType, .invalidBody] }
        if isIdempotent { kinds += [.keyInUse, .keyReused] }
        for kind in ownProblems where !kinds.contains(kind) { kinds.append(kind) }
        return kinds.sorted { ($0.status, $0.name) < ($1.status, $1.name) }
    }

    /// Every status that it may answer with.
    public var statuses: Set<Int> { Set(answers.map(\.status) + problems.map(\.status)) }

    func declares(_ status: Int) -> Bool {
        answers.contains { $0.status == status } || problems.contains { $0.status == status }
    }
}

/// The methods that routes have.
public enum APIMethod: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// Who may call a route: asked in one place, by `APIService`, before anything else is looked at.
public enum RouteAccess: Sendable, Hashable {
    case anybody
    /// Whoever has the permission (`AccessProfile`); with a proof of the last minutes where `stepUp` says so; and with a
    /// session rather than a key where that is asked.
    case signedIn(Permission, stepUp: StepUp? = nil, needsSession: Bool = false)
}

/// What a request may carry in its body.
public struct APIBody: Sendable {
    /// An object schema that names every member; of bytes: that they are some.
    public let schema: JSON
    public let example: JSON
    public let maxBytes: Int
    /// One of these is what the client says that it sends.
    public let mediaTypes: [String]
    /// Not JSON: the route gets the bytes as they came.
    public let isBinary: Bool

    init(_ schema: JSON, example: JSON, maxBytes: Int = 16_384) {
        self.schema = schema
        self.example = example
        self.maxBytes = maxBytes
        mediaTypes = ["application/json"]
        isBinary = false
    }

    /// A file.
    init(file mediaTypes: [String], maxBytes: Int) {
        schema = ["type": "string", "format": "binary"]
        example = "(the bytes of the file)"
        self.maxBytes = maxBytes
        self.mediaTypes = mediaTypes
        isBinary = true
    }
}

/// One good answer.
public struct APIAnswer: Sendable {
    public let status: Int
    public let text: String
    /// Nil: no content.
    public let schema: JSON?
    /// Besides JSON.
    public let mediaTypes: [String]
    public let headers: [APIHeader]
    public let example: JSON?

    init(
        _ status: Int, _ text: String, schema: JSON? = nil, mediaTypes: [String] = ["application/json"],
        headers: [APIHeader] = [], example: JSON? = nil
    ) {
        self.status = status
        self.text = text
        self.schema = schema
        self.mediaTypes = mediaTypes
        self.headers = headers
        self.example = example
    }
}

/// A header of an answer.
public struct APIHeader: Sendable, Hashable {
    public let name: String
    public let text: String
    public let schema: JSON

    static let etag = APIHeader(
        name: "ETag", text: "The version of what is answered, for `If-Match` and `If-None-Match`.",
        schema: ["type": "string"])
    static let location = APIHeader(
        name: "Location", text: "The path of what was made.", schema: ["type": "string", "format": "uri-reference"])
    static let replayed = APIHeader(
        name: "Idempotency-Replayed", text: "`true`: this is the answer of an earlier request with the same key.",
        schema: ["type": "string", "enum": ["true"]])
    static let retryAfter = APIHeader(
        name: "Retry-After", text: "Seconds to wait.", schema: ["type": "integer", "minimum": 1])
    static let rateLimit = APIHeader(
        name: "RateLimit", text: "What is left: `\"read\";r=99;t=1`.", schema: ["type": "string"])
    static let rateLimitPolicy = APIHeader(
        name: "RateLimit-Policy", text: "The limit: `\"read\";q=100;w=1`.", schema: ["type": "string"])
}
