import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// An error on its way to the client (RFC 9457): a declared kind, and words about this occurrence that hold nothing of the
/// inside.
struct APIProblem: Error, Sendable {
    var kind: ProblemKind
    var detail: String?
    /// Where and why: `{"pointer":"/title","reason":"must not be empty"}`.
    var errors: [JSON] = []
    var retryAfter: Duration?
    var headers: HTTPFields = [:]

    init(_ kind: ProblemKind, _ detail: String? = nil) {
        self.kind = kind
        self.detail = detail
    }

    static let notFound = APIProblem(.notFound)

    /// A fault of a parameter.
    static func parameter(_ parameter: APIParameter, _ reason: String) -> APIProblem {
        fault(parameter.place.rawValue, parameter.name, reason)
    }

    static func fault(_ place: String, _ name: String, _ reason: String) -> APIProblem {
        var problem = APIProblem(.badRequest, "The \(place) is not as described.")
        problem.errors = [["in": .string(place), "name": .string(name), "reason": .string(reason)]]
        return problem
    }

    func reply(requestID: String) -> APIReply {
        var object: JSONObject = [
            "type": .string(kind.type), "title": .string(kind.title), "status": .integer(Int64(kind.status)),
        ]
        object["detail"] = .string(detail ?? kind.text)
        if !errors.isEmpty { object["errors"] = .array(errors) }
        object["request_id"] = .string(requestID)
        var reply = APIReply(
            kind.status, headers: headers, body: .bytes(JSON.object(object).serialized()))
        reply.headers[.contentType] = "application/problem+json"
        if let retryAfter {
            reply.headers[.retryAfter] = String(max(1, (retryAfter.milliseconds + 999) / 1000))
        } else if kind.status == 503 || kind.status == 429 {
            reply.headers[.retryAfter] = "2"
        }
        if kind.status == 401 {
            reply.headers[.wwwAuthenticate] =
                kind == .unauthorized ? "Bearer realm=\"tandem\", error=\"invalid_token\"" : "Bearer realm=\"tandem\""
        }
        return reply
    }
}

extension APIProblem {
    /// What an error of the other parts is to a client; nil for a fault of the program.
    init?(_ error: any Error) {
        switch error {
        case let problem as APIProblem: self = problem
        case let error as AccountsError: self.init(error)
        case let error as StorageError:
            guard let problem = APIProblem(error) else { return nil }
            self = problem
        case let error as ToolFailure:
            switch error.code {
            case "not_found": self.init(.notFound)
            case "too_many": self.init(.overQuota, error.message)
            case "empty", "too_long", "not_owner": self.init(.refusedValue, error.message)
            default: self.init(.unavailable, error.message)
            }
        case let error as GrantError:
            switch error.code {
            case .unknownPlugin, .unknownTool: self.init(.notFound)
            default: self.init(.conflict, error.reason)
            }
        case let error as ImportRefusal:
            switch error.kind {
            case .unfit: self.init(.refusedValue, error.reason)
            case .conflict: self.init(.conflict, error.reason)
            case .busy: self.init(.unavailable, error.reason)
            }
        case is CancellationError: self.init(.unavailable)
        default: return nil
        }
    }

    private init(_ error: AccountsError) {
        let kind: ProblemKind =
            switch error.code {
            case .invalidCredentials, .tokenReused: .invalidCredentials
            case .invalidToken: .unauthorized
            case .accountDisabled: .accountDisabled
            case .forbidden: .forbidden
            case .stepUpRequired: .stepUpRequired
            case .codeRefused: .codeRefused
            case .weakPassword: .weakPassword
            case .tooManyAttempts: .tooManyRequests
            case .busy: .unavailable
            case .emailTaken, .phoneTaken: .taken
            case .unknownUser, .unknownPhone, .unknownSession, .unknownKey: .notFound
            case .mailUnavailable, .textsUnavailable: .notConfigured
            case .secondFactorState: .conflict
            default: .refusedValue
            }
        self.init(kind, error.message)
        retryAfter = error.retryAfter
    }

    private init?(_ error: StorageError) {
        if error.isPassing {
            self.init(.unavailable)
            return
        }
        switch error.code {
        case .overQuota: self.init(.overQuota)
        case .conflict, .unique, .reference: self.init(.conflict)
        case .notFound, .unknownTable: self.init(.notFound)
        default: return nil
        }
    }
}
