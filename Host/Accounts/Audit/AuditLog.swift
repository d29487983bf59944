public import TandemCore
public import TandemJSON
public import TandemStorage

/// Keeps audit events in the storage's chains: what concerns a person in theirs, the rest in the system's.
public struct AuditLog: AuditSink {
    public init() {}

    public func record(_ event: AuditEvent, in transaction: any WriteTransaction) throws {
        if event.name == .accountErased, let user = event.user { try transaction.closeAudit(of: user) }
        let body = Array(event.json.text.utf8)
        guard let user = event.user, event.name != .accountErased else {
            return try transaction.appendAudit(body, to: .system)
        }
        try transaction.appendAudit(body, to: .person(user))
    }
}

/// An event as it was recorded.
public struct RecordedAuditEvent: Sendable {
    public var sequence: Int64
    public var at: Timestamp
    /// `name`, `actor`, and where they are `actor_id`, `user`, `subject`, `detail`.
    public var event: JSONObject

    public init?(_ entry: AuditEntry) {
        guard let body = entry.body, let object = (try? JSON(parsing: body))?.objectValue else { return nil }
        sequence = entry.sequence
        at = entry.at
        event = object
    }

    public var name: String { event["name"]?.stringValue ?? "" }

    public var json: JSON {
        var object: JSONObject = ["sequence": .integer(sequence), "at": .timestamp(at)]
        for (name, value) in event { object[name] = value }
        return .object(object)
    }
}

extension AuditEvent {
    /// The form that is kept; words of the detail that look like a secret or an address are masked.
    var json: JSON {
        var object: JSONObject = ["name": .string(name.rawValue)]
        switch actor {
        case .anyone: object["actor"] = "anyone"
        case .person(let user):
            object["actor"] = "person"
            if user != self.user { object["actor_id"] = .string(user.description) }
        case .staff(let user):
            object["actor"] = user == nil ? "operator" : "staff"
            if let user { object["actor_id"] = .string(user.description) }
        case .program: object["actor"] = "program"
        }
        if let user { object["user"] = .string(user.description) }
        if let subject { object["subject"] = .id(subject) }
        if !detail.isEmpty {
            var words: JSONObject = [:]
            for (key, value) in detail.sorted(by: { $0.key < $1.key }) {
                words[key] = .string(String(Redaction.masked(value).prefix(200)))
            }
            object["detail"] = .object(words)
        }
        return .object(object)
    }
}

extension Accounts {
    /// What the audit says of a person, oldest first.
    public func auditTrail(of scope: UserScope, after sequence: Int64 = 0, limit: Int = 1000) async throws
        -> [RecordedAuditEvent]
    {
        try await database.read(scope) { transaction in
            try transaction.auditEntries(of: scope.user, after: sequence, limit: limit).compactMap(
                RecordedAuditEvent.init)
        }
    }

    /// What the audit says of the program and of people who are no more, oldest first.
    public func systemAuditTrail(after time: Timestamp, limit: Int = 1000) async throws -> [RecordedAuditEvent] {
        try await database.read(.system) { transaction in
            try transaction.systemAuditEntries(after: time, limit: limit).compactMap(RecordedAuditEvent.init)
        }
    }
}
