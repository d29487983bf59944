import Foundation
import OAuthSimulator
import Synchronization
import TandemCore
import TandemEgress
import TandemStorage
import Testing

@testable import TandemOAuth

/// Nothing that opens an account is seen anywhere but in requests to the service.
@Suite(.timeLimit(.minutes(8)))
struct SecretTests {
    @Test func noTokenIsInTheFilesOrInAnythingThatIsPrinted() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            var printed: [String] = []
            for it in FlowTests.services {
                let connection = try await host.connect(it.provider, world.ada)
                printed.append(Self.everything(connection))
                _ = await host.call(it.path, it.grant, world.ada)
            }
            // A verifier that waits, a state, a link.
            world.directory.set(.write, "test.office", for: world.ada)
            let pending = try await host.begin(ConnectionNeed(provider: "google"), world.ada)
            world.clock.advance(by: .seconds(7200))
            for it in FlowTests.services {
                let result = await host.token(it.grant, world.ada)
                printed.append(Self.everything(result))
                printed.append(Self.everything(try await host.row(it.provider, world.ada) as Any))
            }
            for service in OAuthSimulator.Service.allCases { world.simulator.revokeGrant(at: service) }
            world.simulator.setSecret("another-SECRET-hush", of: .microsoft)
            world.clock.advance(by: .seconds(7200))
            for it in FlowTests.services {
                let result = await host.call(it.path, it.grant, world.ada)
                printed.append(Self.everything(result))
            }
            for fault in [OAuthSimulator.Fault.garbage, .status(500), .cutAfter] {
                world.simulator.fail(.token, fault)
                do {
                    try await host.connect("notion", world.ada)
                } catch {
                    printed.append(Self.everything(error))
                }
            }
            printed.append(Self.everything(world.audit.events))
            printed.append(Self.everything(world.events.state.withLock { $0 }))
            printed.append(String(decoding: world.metrics.exposition(), as: UTF8.self))
            printed.append(Self.everything(try await host.database.read(world.ada) { try $0.exportUser() }))

            let secrets = world.simulator.secrets
            #expect(secrets.count > 20)
            let text = printed.joined(separator: "\n")
            let bytes = try Self.bytes(of: world.folder)
            #expect(bytes.count > 10_000)
            let state = pending.split(separator: "&").first { $0.hasPrefix("state=") }.map { $0.dropFirst(6) }
            for secret in secrets + [String(state ?? "?")] {
                #expect(!text.contains(secret))
                #expect(bytes.firstRange(of: Data(secret.utf8)) == nil)
            }
        }
    }

    /// All that any way of printing shows.
    private static func everything(_ value: Any) -> String {
        var text = "\(value) \(String(reflecting: value)) "
        dump(value, to: &text)
        return text
    }

    private static func bytes(of folder: String) throws -> Data {
        var all = Data()
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            all.append(try Data(contentsOf: URL(filePath: folder).appending(path: name)))
        }
        return all
    }

    @Test func sealedValuesOpenInTheirOwnRowOnly() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            for person in [world.ada, world.bob] {
                world.directory.set(.readOnly, "test.office", for: person)
                try await host.connect("google", person)
            }
            let (ada, bob) = (world.ada.user, world.bob.user)
            try await host.database.write(.system) { transaction in
                let row = try transaction.first("SELECT access_token FROM oauth_tokens WHERE user_id = \(ada)")
                let stolen = try row?.blob("access_token") ?? []
                try transaction.execute("UPDATE oauth_tokens SET access_token = \(stolen) WHERE user_id = \(bob)")
            }
            #expect(await host.token("gmail", world.bob).problem == .unavailable)
            #expect(await host.token("gmail", world.ada).value != nil)
            // A person's scope does not open another's even by its number.
            await #expect {
                try await host.database.read(world.bob) { try TokenRow.find("google", of: ada, in: $0) }
            } throws: { ($0 as? StorageError)?.code == .notAllowed }
        }
    }

    @Test func theEgressSendsATokenToItsServiceOnly() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("google", world.ada)
            let rules = try #require(host.connections.hosts(of: "gmail", plugin: "test.office"))
            #expect(rules == [HostRule(world.simulator.origin)])
            #expect(host.connections.hosts(of: "gmail", plugin: "test.agenda") == nil)
            #expect(host.connections.hosts(of: "other", plugin: "test.office") == nil)
            // The same server by another name is another host.
            let other = "http://localhost:\(world.simulator.port)"
            let egress = GuardedEgress(client: host.http, tokens: host.connections, clock: world.clock)
            let caller = EgressCaller(
                plugin: "test.office", scope: world.ada,
                policy: EgressPolicy(
                    declared: [other].compactMap(HostRule.init).map { DeclaredHost($0, reason: "test") },
                    networks: AddressPolicy(allowing: ["127.0.0.0/8"].compactMap(IPNetwork.init))),
                mayWrite: true, deadline: monotonicNanoseconds() + 10_000_000_000)
            let request = EgressRequest(.get, other + "/gmail/v1/users/me/profile", grant: "gmail")
            #expect(egress.refusal(of: request, for: caller)?.code == "grant_not_for_host")
        }
    }
}
