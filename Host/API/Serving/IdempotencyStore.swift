import Crypto
import HTTPTypes
import TandemCore
import TandemJSON
public import TandemStorage

/// Answers kept under the keys of clients that ask again, for a day.
///
/// A key is one account's. Whoever brings it again with the same request gets the first answer; while that is being worked
/// on, 409. A route keeps its answer, or notes what it began, in the transaction that does its work, so that a crash leaves
/// both or none. After `lease` another request may take the work over from one that died, or that merely takes long:
/// whichever commits first has done it, the other's transaction fails.
public struct IdempotencyStore: Sendable {
    static let lease: Duration = .seconds(10)
    static let lifetime: Duration = .seconds(86_400)
    private static let working: Int64 = 0
    private static let done: Int64 = 1

    let database: any Database

    public static let migrations: [Migration] = [
        Migration("api/1-requests") { builder in
            builder.createTable("api_requests") { table in
                table.column("user_id", .integer)
                table.column("key_hash", .blob)
                table.column("id", .integer)
                table.column("request_hash", .blob)
                table.column("state", .integer)
                // What the request began, where that goes on by itself: a turn.
                table.column("subject", .integer, nullable: true)
                table.column("sealed", .blob, nullable: true)
                table.column("created_at", .integer)
                table.column("begun_at", .integer)
                table.primaryKey("user_id", "key_hash")
                table.foreignKey(["user_id"], references: "users", ["id"], cascade: true)
                table.isWithoutRowID = true
            }
            builder.createIndex("api_requests_age", on: "api_requests", ["created_at"])
        }
    ]

    /// The right to do the work of one key.
    struct Reservation: Sendable, Hashable {
        var user: UserID
        var keyHash: [UInt8]
        var id: RecordID
        /// What an earlier process began for it.
        var subject: RecordID?
    }

    enum Answer: Sendable {
        case go(Reservation)
        case again(APIReply)
    }

    /// Throws `keyInUse` or `keyReused`.
    func begin(_ key: String, of scope: UserScope, request: [UInt8]) async throws -> Answer {
        let keyHash = Array(SHA256.hash(data: Array(key.utf8)))
        let verdict = try await database.write(scope) { transaction -> Result<Answer, APIProblem> in
            let now = transaction.now
            let id = transaction.nextID()
            let added = try transaction.execute(
                """
                INSERT INTO api_requests (user_id, key_hash, id, request_hash, state, created_at, begun_at)
                VALUES (\(scope.user), \(keyHash), \(id), \(request), \(IdempotencyStore.working), \(now), \(now))
                ON CONFLICT (user_id, key_hash) DO NOTHING
                """)
            if added == 1 { return .success(.go(Reservation(user: scope.user, keyHash: keyHash, id: id))) }
            guard
                let row = try transaction.first(
                    """
                    SELECT id, request_hash, state, subject, sealed, created_at, begun_at FROM api_requests
                    WHERE user_id = \(scope.user) AND key_hash = \(keyHash)
                    """)
            else { throw StorageError(.conflict, "a kept request is gone") }
            let known = Reservation(
                user: scope.user, keyHash: keyHash, id: try row.recordID("id"),
                subject: try row.recordIDIfPresent("subject"))
            if now.since(try row.timestamp("created_at")) >= IdempotencyStore.lifetime {
                try transaction.execute(
                    """
                    UPDATE api_requests SET id = \(id), request_hash = \(request), state = \(IdempotencyStore.working),
                    subject = NULL, sealed = NULL, created_at = \(now), begun_at = \(now)
                    WHERE user_id = \(scope.user) AND key_hash = \(keyHash)
                    """)
                return .success(.go(Reservation(user: scope.user, keyHash: keyHash, id: id)))
            }
            guard try row.blob("request_hash") == request else { return .failure(APIProblem(.keyReused)) }
            if try row.int64("state") == IdempotencyStore.done, let sealed = try row.blobIfPresent("sealed") {
                let bytes = try transaction.open(sealed, IdempotencyStore.seal(known.id))
                return .success(.again(try IdempotencyStore.reply(bytes)))
            }
            guard now.since(try row.timestamp("begun_at")) >= IdempotencyStore.lease else {
                return .failure(IdempotencyStore.overtaken)
            }
            try transaction.execute(
                "UPDATE api_requests SET begun_at = \(now) WHERE user_id = \(scope.user) AND key_hash = \(keyHash)")
            return .success(.go(known))
        }
        return try verdict.get()
    }

    /// Notes what the request began, in the transaction that began it. Throws `keyInUse` when another has.
    func note(subject: RecordID, of reservation: Reservation, in transaction: any WriteTransaction) throws {
        let noted = try transaction.execute(
            """
            UPDATE api_requests SET subject = \(subject)
            WHERE user_id = \(reservation.user) AND key_hash = \(reservation.keyHash) AND id = \(reservation.id)
            AND state = \(IdempotencyStore.working) AND subject IS NULL
            """)
        guard noted == 1 else { throw IdempotencyStore.overtaken }
    }

    /// Keeps the answer, in the transaction that did the work. Throws `keyInUse` when another has done it.
    func settle(_ reservation: Reservation, with reply: APIReply, in transaction: any WriteTransaction) throws {
        guard try keep(reply, reservation, transaction) else { throw IdempotencyStore.overtaken }
    }

    /// Keeps the answer to work that was done by itself; another's stays.
    func settle(_ reservation: Reservation, with reply: APIReply) async throws {
        try await database.write(UserScope(authenticated: reservation.user)) { transaction in
            _ = try keep(reply, reservation, transaction)
        }
    }

    private func keep(
        _ reply: APIReply, _ reservation: Reservation, _ transaction: any WriteTransaction
    ) throws -> Bool {
        if case .stream = reply.body { return true }
        let sealed = try transaction.seal(IdempotencyStore.bytes(reply), IdempotencyStore.seal(reservation.id))
        return try transaction.execute(
            """
            UPDATE api_requests SET state = \(IdempotencyStore.done), sealed = \(sealed)
            WHERE user_id = \(reservation.user) AND key_hash = \(reservation.keyHash) AND id = \(reservation.id)
            AND state = \(IdempotencyStore.working)
            """) == 1
    }

    private static var overtaken: APIProblem {
        var problem = APIProblem(.keyInUse)
        problem.headers[.retryAfter] = "2"
        return problem
    }

    /// The work was not done: the key may be used again. What it began is kept, for whoever brings the key again.
    func release(_ reservation: Reservation) async {
        let long = Timestamp(millisecondsSinceEpoch: 0)
        _ = try? await database.write(UserScope(authenticated: reservation.user)) { transaction in
            try transaction.execute(
                """
                DELETE FROM api_requests WHERE user_id = \(reservation.user) AND key_hash = \(reservation.keyHash)
                AND id = \(reservation.id) AND state = \(IdempotencyStore.working) AND subject IS NULL
                """)
            try transaction.execute(
                """
                UPDATE api_requests SET begun_at = \(long) WHERE user_id = \(reservation.user)
                AND key_hash = \(reservation.keyHash) AND id = \(reservation.id)
                AND state = \(IdempotencyStore.working)
                """)
        }
    }

    /// Forgets answers of more than a day ago; returns how many.
    @discardableResult
    public func prune() async throws -> Int {
        try await database.write(.system) { transaction in
            let before = transaction.now.advanced(by: .zero - IdempotencyStore.lifetime)
            return try transaction.execute("DELETE FROM api_requests WHERE created_at < \(before)")
        }
    }

    public init(database: any Database) { self.database = database }

    private static func seal(_ id: RecordID) -> SealContext {
        SealContext(table: "api_requests", column: "sealed", row: id.rawValue)
    }

    /// Status, the headers that belong to the answer, and its body.
    private static func bytes(_ reply: APIReply) -> [UInt8] {
        var object: JSONObject = ["status": .integer(Int64(reply.status))]
        for name in [HTTPField.Name.contentType, .eTag, .location] {
            if let value = reply.headers[name] { object[name.canonicalName] = .string(value) }
        }
        if case .bytes(let bytes) = reply.body { object["body"] = .string(String(decoding: bytes, as: UTF8.self)) }
        return JSON.object(object).serialized()
    }

    private static func reply(_ bytes: [UInt8]) throws -> APIReply {
        let object = try JSON(parsing: bytes, limits: JSONLimits(maxBytes: 1 << 24))
        var reply = APIReply(Int(object["status"]?.int64Value ?? 200))
        for name in [HTTPField.Name.contentType, .eTag, .location] {
            if let value = object[name.canonicalName]?.stringValue { reply.headers[name] = value }
        }
        reply.headers[HTTPField.Name.idempotencyReplayed] = "true"
        if let body = object["body"]?.stringValue { reply.body = .bytes(Array(body.utf8)) }
        return reply
    }
}
