internal import TandemJSON

/// How a plugin is, as `tandem.health/1` says it: nothing that a person wrote belongs in it.
public struct Health: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable {
        case ok
        /// It works in part.
        case degraded
        case failing
    }

    /// One thing that was looked at.
    public struct Check: Sendable, Hashable {
        public var name: String
        public var status: Status
        public var message: String

        public init(_ name: String, _ status: Status, _ message: String = "") {
            self.name = name
            self.status = status
            self.message = message
        }
    }

    public var status: Status
    /// At most 32.
    public var checks: [Check]

    public init(_ status: Status, checks: [Check] = []) {
        self.status = status
        self.checks = checks
    }

    /// As good as the worst of the checks.
    public init(_ checks: [Check]) {
        let isFailing = checks.contains { $0.status == .failing }
        self.init(isFailing ? .failing : checks.contains { $0.status == .degraded } ? .degraded : .ok, checks: checks)
    }

    public static let ok = Health(.ok)

    var json: JSON {
        var object: JSONObject = ["status": .string(status.rawValue)]
        if !checks.isEmpty {
            object["checks"] = .array(
                checks.prefix(32).map { check in
                    var object: JSONObject = ["name": .string(check.name), "status": .string(check.status.rawValue)]
                    if !check.message.isEmpty { object["message"] = .string(check.message) }
                    return .object(object)
                })
        }
        return .object(object)
    }
}
