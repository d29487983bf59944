import TandemAccounts
import TandemOAuth
import TandemStorage

/// What happens with connections goes where the accounts' events go.
struct AuditedConnections: ConnectionAudit {
    let sink: any AuditSink

    func record(_ event: ConnectionAuditEvent, in transaction: any WriteTransaction) throws {
        var detail = event.detail
        let actor: AuditEvent.Actor
        switch event.actor {
        case .person(let user): actor = .person(user)
        case .program: actor = .program
        case .plugin(let id):
            actor = .program
            detail["plugin"] = id
        }
        try sink.record(
            AuditEvent(
                AuditEvent.Name(rawValue: event.name.rawValue), user: event.user, actor: actor, detail: detail),
            in: transaction)
    }
}
