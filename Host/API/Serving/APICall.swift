import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// A request that was found well-formed and allowed, with what its route needs.
struct APICall: Sendable {
    let route: APIRoute
    let services: APIServices
    /// Nil on routes for anybody.
    let caller: Principal?
    let source: ClientSource
    /// The values of the path's names.
    let path: [String: String]
    /// The query's values, as the schemas have them.
    let query: [String: JSON]
    let headers: HTTPFields
    /// The body; null on routes without one, and where it is no JSON.
    var body: JSON
    /// The body where it is a file.
    var file: [UInt8] = []
    /// The `Accept` header names the stream of events.
    var wantsStream = false
    /// Reserved for this request when it came with an `Idempotency-Key`.
    var reservation: IdempotencyStore.Reservation?

    var accounts: Accounts { services.accounts }
    var database: any Database { services.database }

    /// Whoever signed in. Only routes that are declared for them may ask.
    var person: Principal {
        get throws {
            guard let caller else { throw APIProblem(.unauthorized) }
            return caller
        }
    }

    var scope: UserScope { get throws { try person.scope } }

    /// The path's `id`; a text that is none is nobody's.
    func id(_ name: String = "id") throws -> RecordID {
        guard let text = path[name], let id = RecordID(text) else { throw APIProblem.notFound }
        return id
    }

    var limit: Int { Int(query["limit"]?.int64Value ?? 20) }

    var cursor: RecordID? { query["cursor"]?.stringValue.flatMap { RecordID($0) } }

    func text(_ name: String) -> String? { body[name]?.stringValue }

    /// A member that the schema requires.
    func required(_ name: String) throws -> String {
        guard let text = text(name) else { throw APIProblem(.invalidBody) }
        return text
    }

    /// Throws unless the version is the one that `If-Match` names.
    func requireMatch(_ current: @autoclosure () -> JSON) throws {
        guard let list = headers[.ifMatch], list != "*" else { return }
        guard EntityTag.list(list, names: EntityTag.of(current().serialized()), isStrong: true) else {
            throw APIProblem(.preconditionFailed)
        }
    }

    /// 304 where `If-None-Match` names what would be answered.
    func conditional(_ value: JSON) -> APIReply {
        let reply = APIReply.versioned(value)
        guard let list = headers[.ifNoneMatch], let tag = reply.headers[.eTag],
            EntityTag.list(list, names: tag, isStrong: false)
        else { return reply }
        return APIReply(304, headers: [.eTag: tag])
    }

    /// An origin for what the request writes, so that `undo` takes it back like anything else.
    func origin(_ label: String, in transaction: any WriteTransaction) throws -> WriteOrigin {
        let turn = transaction.nextID()
        try transaction.label(turn: turn, title: label)
        return WriteOrigin(turn: turn, step: 0)
    }

    /// Keeps the answer under the request's idempotency key, in the transaction that did the work.
    func settle(_ reply: APIReply, in transaction: any WriteTransaction) throws -> APIReply {
        guard let reservation else { return reply }
        try services.idempotency.settle(reservation, with: reply, in: transaction)
        var reply = reply
        reply.isKept = true
        return reply
    }
}
