import Logging
import Synchronization
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

/// Export, import and erasure as the routes and pages call them.
struct WholePeople: PersonKeeper {
    let data: PersonalData
    /// Archives take memory while they are read: this many at once.
    private let room = Room(2)

    init(data: PersonalData) { self.data = data }

    private final class Room: Sendable {
        private let free: Mutex<Int>

        init(_ count: Int) { free = Mutex(count) }

        func enter() -> Bool {
            free.withLock { free in
                guard free > 0 else { return false }
                free -= 1
                return true
            }
        }

        func leave() { free.withLock { $0 += 1 } }
    }

    func takeOver(
        _ archive: [UInt8], into scope: UserScope, leavingOut: Bool, by actor: AuditEvent.Actor
    ) async throws -> PersonImport {
        guard room.enter() else { throw ImportRefusal(.busy, "Others are being taken over. Try again in a moment.") }
        defer { room.leave() }
        do {
            let report = try await data.importArchive(archive, into: scope, leavingOut: leavingOut, by: actor)
            return PersonImport(rows: report.rowCounts, leftOut: report.leftOut)
        } catch let error as ApplicationError {
            throw ImportRefusal(.unfit, error.description)
        } catch let error as ImportConflict {
            throw ImportRefusal(.conflict, error.description)
        }
    }

    func archive(of scope: UserScope, by actor: AuditEvent.Actor) async throws -> [UInt8] {
        try await data.export(scope, by: actor)
    }

    func erase(_ scope: UserScope, by actor: AuditEvent.Actor) async throws -> PersonErasure {
        let proof = try await data.erase(scope, by: actor)
        return PersonErasure(proof: proof.id, erasedAt: proof.erasedAt, rows: proof.totalRows)
    }
}
