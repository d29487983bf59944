import Glibc
import OAuthSimulator
import TandemCore
import TandemEgress
import TandemStorage
import TestDatabases
import Testing

@testable import TandemOAuth

/// A host that ends without warning in the middle of a renewal: what follows at the next start.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct KillTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var provider: String
        var grant: String
        var path: String
        var service: OAuthSimulator.Service
        var place: String
        /// The service takes a refresh token that it has replaced for a while yet.
        var isLenient = false

        var testDescription: String { "\(provider) at \(place)\(isLenient ? ", lenient" : "")" }
    }

    private static let services = FlowTests.services.filter { $0.provider != "youtube" }

    /// Nothing is sent yet, or the pair is stored: nothing can be lost at any service. Received and not stored: nothing is
    /// lost where the old token goes on working.
    static let harmless: [Case] = services.flatMap { it in
        ["locked", "stored", "released"].map {
            Case(provider: it.provider, grant: it.grant, path: it.path, service: it.service, place: $0)
        } + [
            Case(
                provider: it.provider, grant: it.grant, path: it.path, service: it.service, place: "received",
                isLenient: it.service != .google)
        ]
    }

    @Test(arguments: harmless)
    func losesNoGrant(_ it: Case) async throws {
        try await OAuthWorld.run { world in
            if it.isLenient { world.simulator.acceptReplaced(it.service) }
            let host = try await prepare(it, world)
            try await killed(it, world)
            let stored = try await host.row(it.provider, world.ada)
            let isStored = it.place == "stored" || it.place == "released"
            #expect(stored?.version == (isStored ? 2 : 1))
            // The lease of the dead host ends, on another clock reading too.
            world.clock.advance(by: .seconds(21))
            #expect(await host.call(it.path, it.grant, world.ada) == .success(200))
            let refreshes = it.place == "received" ? 2 : 1
            #expect(world.simulator.count("\(it.service.rawValue).token.refreshed") == refreshes)
            #expect(world.simulator.count("\(it.service.rawValue).token.invalid_grant") == 0)
            #expect(world.events.notices == [])
            #expect(try await host.row(it.provider, world.ada)?.version == 2)
        }
    }

    /// The one moment that nobody can make safe: the service has made the old pair worthless, and the new one was in the
    /// memory of a process that is gone. It is not taken for a passing failure: the person is asked once.
    @Test(arguments: ["microsoft", "notion"])
    func asksThePersonWhereTheServiceKeepsNoOldToken(_ provider: String) async throws {
        let it = try #require(Self.services.first { $0.provider == provider })
        try await OAuthWorld.run { world in
            let test = Case(
                provider: it.provider, grant: it.grant, path: it.path, service: it.service, place: "received")
            let host = try await prepare(test, world)
            try await killed(test, world)
            world.clock.advance(by: .seconds(21))
            for _ in 0..<3 {
                guard case .failure(let failure) = await host.call(it.path, it.grant, world.ada) else {
                    Issue.record("an answer")
                    return
                }
                #expect(failure.code == "connection_needed")
            }
            #expect(world.simulator.count("\(it.service.rawValue).token.invalid_grant") == 1)
            #expect(world.events.notices.count == 1)
            try await host.connect(provider, world.ada)
            #expect(await host.call(it.path, it.grant, world.ada) == .success(200))
        }
    }

    private func prepare(_ it: Case, _ world: OAuthWorld) async throws -> TestHost {
        let host = try await world.host()
        world.directory.set(.readOnly, "test.office", for: world.ada)
        try await host.connect(it.provider, world.ada)
        world.clock.advance(by: .seconds(7200))
        if it.service == .notion { world.simulator.endAccess(at: .notion) }
        return host
    }

    /// A child process uses the grant, and is killed at the place.
    private func killed(_ it: Case, _ world: OAuthWorld) async throws {
        let folder = world.folder
        let file = String(decoding: world.simulator.providersFile, as: UTF8.self)
        let now = world.clock.now.millisecondsSinceEpoch
        let origin = world.simulator.origin
        let (place, grant, path) = (it.place, it.grant, it.path)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [
                folder = folder as String, file = file as String, now = now as Int64, origin = origin as String,
                place = place as String, grant = grant as String, path = path as String
            ] in
            let (connections, client) = try await Self.host(folder, file, now) { place == $0 }
            let ada = UserScope(authenticated: UserID(rawValue: 11))
            let token = try await connections.token(of: grant, plugin: "test.office", in: ada)
            let answer = try await client.send(
                HTTPRequest(.get, origin + path, headers: ["Authorization": token.value.reveal()]))
            if answer.status == 401 {
                _ = try await connections.renewed(token, of: grant, plugin: "test.office", in: ada)
            }
            // The last place is passed in another task.
            try await Task.sleep(for: .seconds(100))
        }
    }

    /// A host of a child process, on the parent's database and simulator.
    private static func host(
        _ folder: String, _ file: String, _ now: Int64, signal: String? = nil,
        endsAt: @escaping @Sendable (String) -> Bool
    ) async throws -> (OAuthConnections, CurlClient) {
        let clock = ManualClock(Timestamp(millisecondsSinceEpoch: now))
        let directory = TestDirectory()
        directory.set(.readOnly, "test.office", for: UserScope(authenticated: UserID(rawValue: 11)))
        var options = OAuthConnections.Options()
        options.requestTimeout = .seconds(90)
        options.patience = .seconds(90)
        options.checkpoint = { if endsAt($0.rawValue) { kill(getpid(), SIGKILL) } }
        let client = OAuthWorld.client()
        let database = try await OAuthWorld.database(folder, clock)
        let connections = OAuthConnections(
            database: database, http: client,
            providers: try OAuthProviders(clients: [:], file: Array(file.utf8)),
            publicURL: try #require(WebAddress(OAuthWorld.publicURL)), directory: directory, events: TestEvents(),
            locks: signal.map {
                SignallingLocks(locks: DatabaseLocks(database: database), client: client, origin: $0)
            }, options: options)
        return (connections, client)
    }

    /// Two hundred calls at the end of a token, half of them in another process: one refresh. The service answers when
    /// the other process has found the lock taken.
    @Test func twoProcessesRefreshOnce() async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect("microsoft", world.ada)
            world.clock.advance(by: .seconds(7200))
            let gate = OAuthSimulator.Gate()
            world.simulator.fail(.token, .gate(gate))
            async let own = withTaskGroup(of: String?.self) { group in
                for _ in 0..<100 { group.addTask { await host.token("mail", world.ada).value } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            while !gate.isReached { try await Task.sleep(for: .milliseconds(5)) }
            let opener = Task {
                defer { gate.open() }
                while world.simulator.count("microsoft.api.401") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
            let folder = world.folder
            let file = String(decoding: world.simulator.providersFile, as: UTF8.self)
            let now = world.clock.now.millisecondsSinceEpoch
            let origin = world.simulator.origin
            await #expect(processExitsWith: .success) {
                [folder = folder as String, file = file as String, now = now as Int64, origin = origin as String] in
                let (connections, _) = try await Self.host(folder, file, now, signal: origin) { _ in false }
                let tokens = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<100 {
                        group.addTask {
                            let ada = UserScope(authenticated: UserID(rawValue: 11))
                            return try await connections.token(of: "mail", plugin: "test.office", in: ada)
                                .value.reveal()
                        }
                    }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                try #require(tokens.count == 1)
            }
            opener.cancel()
            let tokens = await own
            #expect(Set(tokens).count == 1 && tokens.first != .some(nil))
            #expect(world.simulator.count("microsoft.api.401") > 0)
            #expect(world.simulator.count("microsoft.token.refreshed") == 1)
            #expect(world.simulator.count("microsoft.token.invalid_grant") == 0)
            #expect(world.events.notices == [])
        }
    }
}

/// Calls the simulator when it finds a lock taken.
private struct SignallingLocks: LockService {
    let locks: DatabaseLocks
    let client: CurlClient
    let origin: String

    func acquire(_ name: String, lease: Duration) async throws -> HeldLock? {
        let lock = try await locks.acquire(name, lease: lease)
        if lock == nil { _ = try await client.send(HTTPRequest(.get, origin + "/v1.0/me")) }
        return lock
    }

    func extend(_ lock: HeldLock, lease: Duration) async throws -> Bool { try await locks.extend(lock, lease: lease) }

    func release(_ lock: HeldLock) async { await locks.release(lock) }
}
