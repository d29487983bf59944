import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct AuditLogTests {
    @Test func tellsOfAPersonWhatWasDoneAndNothingElse() async throws {
        let world = try await AccountsWorld(audit: AuditLog())
        let ann = try await world.person("ann")
        _ = try await world.signIn(ann)
        _ = await refusal {
            _ = try await world.accounts.logIn(email: ann.email, password: "wrong one", from: world.home)
        }
        try await world.accounts.setRole(.premium, of: ann.id)
        let trail = try await world.accounts.auditTrail(of: ann.scope)
        #expect(trail.map(\.name).contains("login.succeeded"))
        #expect(trail.map(\.name).contains("login.failed"))
        #expect(trail.last?.name == "account.role_changed")
        #expect(trail.last?.event["actor"] == "operator")
        #expect(trail.map(\.sequence) == trail.indices.map { Int64($0) + 1 })
        for event in trail {
            #expect(!event.json.text.contains("ann@") && !event.json.text.contains("203.0.113"))
        }
        #expect(try await world.accounts.database.verifyAudit().isIntact)
    }

    @Test func masksWhatDoesNotBelongThere() throws {
        let event = AuditEvent(
            .grantChanged, user: nil, actor: .program,
            detail: ["a": "write to ann@example.org", "b": "+33612345678", "c": "grocery.add"])
        #expect(!event.json.text.contains("ann@") && !event.json.text.contains("612345"))
        #expect(event.json.text.contains("grocery.add"))
    }

    @Test func anErasureIsProvenInTheSystemsChainAndThePersonsStaysWhole() async throws {
        let world = try await AccountsWorld(audit: AuditLog())
        let ann = try await world.person("ann")
        _ = try await world.signIn(ann)
        try await world.accounts.delete(ann.scope)
        let report = try await world.accounts.database.verifyAudit()
        #expect(report.isIntact && report.closedChains == 1)
        let system = try await world.accounts.systemAuditTrail(after: Timestamp(millisecondsSinceEpoch: 0))
        let proof = try #require(system.last { $0.name == "account.erased" })
        #expect(proof.event["user"]?.stringValue == ann.id.description)
        #expect(try await world.accounts.auditTrail(of: ann.scope).isEmpty)
    }
}
