public import ScriptServer
import Synchronization
import TandemJSON

/// The YouTube Data API v3 and the way of YouTube's own player, stateful and strict, with quotas by a clock of the test's.
///
/// A function from requests to answers, for a scripted client or behind a server. Where the contracts are at hand, requests
/// and answers are held against the discovery document as well.
public final class YouTubeSimulator: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// `www.googleapis.com` or `www.youtube.com`
        public var host: String
        public var path: String
        public var query: [(name: String, value: String)]
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]

        public init(
            method: String, host: String, path: String, query: [(name: String, value: String)],
            headers: [String: String], body: [UInt8]
        ) {
            self.method = method
            self.host = host
            self.path = path
            self.query = query
            self.headers = headers
            self.body = body
        }

        subscript(name: String) -> String? { query.first { $0.name == name }?.value }
    }

    public struct Response: Sendable {
        public var status: Int
        public var headers: [(String, String)]
        public var body: [UInt8]
    }

    public struct Captions: Sendable {
        public var language: String
        public var isAutomatic: Bool
        /// Seconds and what is said then.
        public var lines: [(Double, String)]

        public init(_ language: String, isAutomatic: Bool = false, _ lines: [(Double, String)]) {
            self.language = language
            self.isAutomatic = isAutomatic
            self.lines = lines
        }
    }

    public struct Video: Sendable {
        public var id: String
        public var title: String
        public var channel = "Sample Channel"
        public var description = ""
        /// ISO 8601.
        public var duration = "PT5M"
        public var captions: [Captions] = []
        /// The person's own.
        public var isOwn = false
        /// What the player says instead of OK: status and reason.
        public var refusal: (status: String, reason: String)?
        /// The player alone gets the text.
        public var needsProof = false

        public init(_ id: String, _ title: String) {
            self.id = id
            self.title = title
        }
    }

    public struct Playlist: Sendable {
        public var id: String
        public var title: String
        public var isOwn: Bool
        /// An id that no video has is one that was deleted.
        public var videos: [String]

        public init(_ id: String, _ title: String, isOwn: Bool, _ videos: [String]) {
            self.id = id
            self.title = title
            self.isOwn = isOwn
            self.videos = videos
        }
    }

    public enum Fault: Sendable {
        /// A status with a reason in Google's form.
        case error(Int, String)
        case html(Int)
        /// The player's side takes everybody for a robot.
        case blocked
        case empty
    }

    struct State: Sendable {
        var videos: [Video] = []
        var playlists: [Playlist] = []
        var faults: [(after: Int, fault: Fault)] = []
        var requests: [Request] = []
        var refusals: [String] = []
        var day = ""
        var searches = 0
        var units = 0
    }

    let state = Mutex(State())
    let checker: DiscoveryChecker?
    private let scopes: @Sendable (String) -> [String]?
    private let today: @Sendable () -> String

    public static let key = "SAMPLE-KEY"
    static let playerKey = "SAMPLE-INNERTUBE-KEY"
    /// Calls of `search.list`, and units of all else, in a day.
    public static let searchesADay = 100
    public static let unitsADay = 10_000

    /// - Parameters:
    ///   - today: the day of the quotas.
    ///   - scopes: what a token allows; nil for one that is not good.
    public init(
        checker: DiscoveryChecker? = nil, today: @escaping @Sendable () -> String = { "" },
        scopes: @escaping @Sendable (String) -> [String]? = { _ in [] }
    ) {
        self.checker = checker
        self.today = today
        self.scopes = scopes
    }

    public func add(_ video: Video) { state.withLock { $0.videos.append(video) } }
    public func add(_ playlist: Playlist) { state.withLock { $0.playlists.append(playlist) } }

    /// The next request fails so, or the one after so many good ones.
    public func fail(_ fault: Fault, after count: Int = 0) { state.withLock { $0.faults.append((count, fault)) } }

    public func spend(searches: Int) { state.withLock { $0.searches += searches } }

    public var requests: [Request] { state.withLock(\.requests) }
    public var refusals: [String] { state.withLock(\.refusals) }
    public var searches: Int { state.withLock(\.searches) }

    // MARK: Answering

    struct Refusal: Error {
        var status: Int
        var reason: String
        var message: String
    }

    public func answer(_ request: Request) -> Response {
        let fault = state.withLock { state -> Fault? in
            state.requests.append(request)
            let day = today()
            if state.day != day {
                state.day = day
                state.searches = 0
                state.units = 0
            }
            guard let place = state.faults.firstIndex(where: { $0.after == 0 }) else {
                for place in state.faults.indices { state.faults[place].after -= 1 }
                return nil
            }
            return state.faults.remove(at: place).fault
        }
        switch fault {
        case .error(let status, let reason):
            return failure(Refusal(status: status, reason: reason, message: "Scripted."))
        case .html(let status): return html("<html>Welcome to the hotel's network</html>", status)
        case .blocked:
            return request.path == "/watch"
                ? html("<html><form><div class=\"g-recaptcha\"></div></form></html>", 200) : html("", 429)
        case .empty: return Response(status: 200, headers: [], body: [])
        case nil: break
        }
        do {
            switch request.host {
            case "www.googleapis.com", "youtube.googleapis.com": return try api(request)
            case "www.youtube.com": return try player(request)
            default: throw Refusal(status: 404, reason: "notFound", message: "There is no such host.")
            }
        } catch let refusal as Refusal {
            state.withLock { $0.refusals.append("\(refusal.status) \(refusal.reason): \(refusal.message)") }
            return failure(refusal)
        } catch {
            return failure(Refusal(status: 500, reason: "backendError", message: "\(error)"))
        }
    }

    private func failure(_ refusal: Refusal) -> Response {
        let body: JSON = [
            "error": [
                "code": .integer(Int64(refusal.status)), "message": .string(refusal.message),
                "errors": [
                    ["message": .string(refusal.message), "domain": "youtube", "reason": .string(refusal.reason)]
                ],
            ]
        ]
        return json(body, status: refusal.status)
    }

    func json(_ body: JSON, status: Int = 200) -> Response {
        Response(
            status: status, headers: [("Content-Type", "application/json; charset=UTF-8")], body: body.serialized())
    }

    func html(_ text: String, _ status: Int = 200) -> Response {
        Response(status: status, headers: [("Content-Type", "text/html; charset=utf-8")], body: Array(text.utf8))
    }

    /// Of a good token; nil for a good key.
    func authorize(_ request: Request, needs scope: String? = nil) throws -> [String]? {
        if let bearer = request.headers["authorization"] {
            guard bearer.hasPrefix("Bearer "), let allowed = scopes(String(bearer.dropFirst(7))) else {
                throw Refusal(status: 401, reason: "authError", message: "Invalid Credentials")
            }
            guard request["key"] == nil else {
                throw Refusal(status: 400, reason: "badRequest", message: "a key and a token")
            }
            let prefix = "https://www.googleapis.com/auth/"
            let names = Set(allowed.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 })
            let enough: Set<String> =
                scope == "youtube.force-ssl"
                ? ["youtube.force-ssl"] : ["youtube.readonly", "youtube", "youtube.force-ssl"]
            guard !names.isDisjoint(with: enough) else {
                throw Refusal(status: 403, reason: "insufficientPermissions", message: "Insufficient Permission")
            }
            return allowed
        }
        guard let key = request["key"] else {
            throw Refusal(status: 403, reason: "forbidden", message: "The request is missing a valid API key.")
        }
        guard key == Self.key else {
            throw Refusal(status: 400, reason: "API_KEY_INVALID", message: "API key not valid.")
        }
        guard scope == nil else {
            throw Refusal(status: 401, reason: "required", message: "Login Required.")
        }
        return nil
    }
}

extension YouTubeSimulator {
    /// Answers as a server of this machine would that stands in for both hosts.
    public func answer(_ request: ScriptServer.Request) -> ScriptServer.Answer {
        let response = answer(
            Request(
                method: request.method, host: request["x-forwarded-host"] ?? "", path: request.path,
                query: request.query, headers: request.headerValues, body: request.body))
        return .answer(response.status, response.headers, body: response.body)
    }

    /// Something to look at, for somebody who tries the program.
    public func furnish() {
        var talk = Video("SAMPLEvid01", "Swift & concurrency")
        talk.duration = "PT1H2M3S"
        talk.description = "A talk.\n0:00 Welcome\n2:00 Actors\n30:00 Questions"
        talk.captions = [
            Captions(
                "en",
                [
                    (0, "Hello and welcome to this talk"), (120, "An actor protects its state from data races"),
                    (160, "Only one task at a time runs inside an actor"), (1800, "Are there any questions"),
                ])
        ]
        add(talk)
        var bread = Video("SAMPLEvid02", "Bread in ten minutes")
        bread.duration = "PT10M30S"
        bread.captions = [
            Captions("en", isAutomatic: true, [(0, "today we bake bread"), (30, "the oven must be very hot")])
        ]
        add(bread)
        add(Playlist("PLsample01", "Watch later", isOwn: true, ["SAMPLEvid01", "SAMPLEvid02"]))
    }
}
