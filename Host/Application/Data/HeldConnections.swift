import Logging
import TandemAPI
import TandemAccounts
import TandemCore
import TandemOAuth
import TandemStorage

/// What services elsewhere gave the program for a person: given back when the person goes.
struct HeldConnections: PersonalData.Holder {
    let connections: OAuthConnections

    func release(_ scope: UserScope) async {
        do {
            // What a service does not take now is tried again for a day.
            try await connections.erase(scope)
        } catch {
            Logger(label: "tandem").error(
                "connections of a person who is being erased could not be given back",
                metadata: ["reason": "\(error)"])
        }
    }
}

/// Export and erasure as the routes call them.
struct WholePeople: PersonKeeper {
    let data: PersonalData

    func archive(of scope: UserScope, by actor: AuditEvent.Actor) async throws -> [UInt8] {
        try await data.export(scope, by: actor)
    }

    func erase(_ scope: UserScope, by actor: AuditEvent.Actor) async throws -> PersonErasure {
        let proof = try await data.erase(scope, by: actor)
        return PersonErasure(proof: proof.id, erasedAt: proof.erasedAt, rows: proof.totalRows)
    }
}
