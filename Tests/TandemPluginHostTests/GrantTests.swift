import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

@Suite
struct GrantMachineTests {
    static let states: [GrantState] = [
        .unavailable, .offered, .consent, .connected, .enabled(.write), .enabled(.readOnly), .paused(.readOnly),
        .needsReauth(.write), .disabled,
    ]

    @Test func walksTheUsualWay() throws {
        var machine = GrantMachine(.unavailable)
        for (event, state) in [
            (GrantEvent.offer, GrantState.offered), (.askConsent, .consent), (.approve, .connected),
            (.enable(.readOnly), .enabled(.readOnly)), (.pause, .paused(.readOnly)), (.resume, .enabled(.readOnly)),
            (.loseConnection, .needsReauth(.readOnly)), (.reconnect, .enabled(.readOnly)),
            (.enable(.write), .enabled(.write)), (.disable, .disabled), (.askConsent, .consent), (.decline, .offered),
        ] {
            try machine.apply(event)
            #expect(machine.state == state)
        }
    }

    @Test(arguments: [
        (GrantState.unavailable, GrantEvent.enable(.write)), (.unavailable, .askConsent), (.offered, .enable(.write)),
        (.offered, .approve), (.offered, .resume), (.consent, .enable(.write)), (.disabled, .enable(.write)),
        (.disabled, .resume), (.needsReauth(.write), .resume), (.needsReauth(.write), .enable(.write)),
        (.connected, .pause), (.enabled(.write), .approve),
    ])
    func refusesShortcuts(state: GrantState, event: GrantEvent) {
        var machine = GrantMachine(state)
        #expect(throws: GrantMachine.IllegalTransition(state: state, event: event)) { try machine.apply(event) }
        #expect(machine.state == state)
    }

    @Test(arguments: states)
    func offersAgainWhenTheManifestChanged(state: GrantState) throws {
        var machine = GrantMachine(state)
        try machine.apply(.manifestChanged)
        let expected: GrantState = state == .disabled || state == .unavailable ? state : .offered
        #expect(machine.state == expected)
    }

    @Test(arguments: states)
    func canAlwaysBeWithdrawn(state: GrantState) throws {
        var machine = GrantMachine(state)
        try machine.apply(.withdraw)
        #expect(machine.state == .unavailable)
    }

    @Test(arguments: states)
    func readsItsStoredForm(state: GrantState) {
        #expect(GrantState(name: state.name, level: state.level) == state)
    }
}

@Suite(.timeLimit(.minutes(8)))
struct GrantTests {
    private func start(default state: String = "offered") async throws -> TestHost {
        let test = try TestHost()
        try await test.pack("good", "echo")
        try await test.pack("services", "services")
        try test.register(["good", "services"]) { $1["default"] = .string(state) }
        await test.host.start()
        return test
    }

    private func tools(_ test: TestHost, user: Int64 = 1) async throws -> [String] {
        try await test.host.tools(for: test.scope(user)).map(\.id)
    }

    @Test func showsOnlyWhatIsOn() async throws {
        let test = try await start()
        #expect(try await tools(test).isEmpty)
        #expect(await test.call("good.run").error?.code == "not_enabled")
        try await test.host.switchOn("good", in: test.scope())
        #expect(try await tools(test) == ["good.run"])
        #expect(await test.call("good.run").result != nil)
        // Nobody else's.
        #expect(try await tools(test, user: 2).isEmpty)
        #expect(await test.call("good.run", user: 2).error?.code == "not_enabled")
    }

    @Test func switchesOffForTheNextCall() async throws {
        let test = try await start()
        try await test.host.switchOn("test.good", in: test.scope())
        #expect(await test.call("good.run").result != nil)
        try await test.host.switchOff("test.good", in: test.scope())
        let failure = try #require(await test.call("good.run").error)
        #expect(failure.code == "not_enabled")
        #expect(failure.message == "Fixture is off.")
        #expect(await eventually { (try? test.status("test.good").instances) == 0 })
        try await test.host.switchOn("test.good", in: test.scope())
        #expect(await test.call("good.run").result != nil)
    }

    @Test func limitsReadOnlyGrantsToReadingTools() async throws {
        let test = try await start()
        try await test.host.switchOn("services", level: .readOnly, in: test.scope())
        let names = try await tools(test)
        #expect(names.contains("services.read_rows"))
        #expect(!names.contains("services.rows"))
        #expect(await test.call("services.rows", ["value": []]).error?.code == "read_only")
        #expect(await test.call("services.read_rows", ["value": []]).result != nil)
        #expect(test.rows.requests.map(\.mayWrite) == [false])
    }

    @Test func pausesAndResumes() async throws {
        let test = try await start()
        try await test.host.switchOn("good", level: .readOnly, in: test.scope())
        try await test.host.apply(.pause, to: "good", in: test.scope())
        #expect(await test.call("good.run").error?.code == "not_enabled")
        #expect(try await test.host.apply(.resume, to: "good", in: test.scope()) == .enabled(.readOnly))
        #expect(await test.call("good.run").result != nil)
    }

    @Test func throwsForUnknownPluginsAndIllegalSteps() async throws {
        let test = try await start()
        let unknown = await #expect(throws: GrantError.self) {
            try await test.host.switchOn("nothing", in: test.scope())
        }
        #expect(unknown?.code == .unknownPlugin)
        let illegal = await #expect(throws: GrantError.self) {
            try await test.host.apply(.resume, to: "good", in: test.scope())
        }
        #expect(illegal?.code == .illegalTransition)
    }

    @Test func listsStates() async throws {
        let test = try await start()
        try await test.host.switchOn("good", in: test.scope())
        let states = try await test.host.states(test.scope())
        #expect(states.map(\.plugin) == ["test.good", "test.services"])
        #expect(states.map(\.state) == [.enabled(.write), .offered])
        #expect(states.map(\.hasChanged) == [false, false])
    }

    @Test func hidesUnavailablePlugins() async throws {
        let test = try await start(default: "unavailable")
        #expect(try await test.host.states(test.scope()).isEmpty)
        await #expect(throws: GrantError.self) { try await test.host.switchOn("good", in: test.scope()) }
        try await test.host.setState(.offered, of: "good", in: test.scope())
        #expect(try await test.host.switchOn("good", in: test.scope()) == .enabled(.write))
    }

    @Test func offersAToolAgainThatSaysSomethingElse() async throws {
        let test = try await start()
        try await test.host.switchOn("good", in: test.scope())
        #expect(await test.call("good.run").result != nil)
        // Another build, with another title for its tool.
        let path = try await FixtureLibrary.compile("other_manifest", FixtureLibrary.names("test.good", "good"))
        _ = try await test.pack("good", library: path)
        await test.host.reload()
        #expect(try test.status("test.good").state == .loaded)
        #expect(await test.call("good.run").error?.code == "not_approved")
        let grant = try #require(try await test.host.states(test.scope()).first)
        #expect(grant.state == .enabled(.write))
        #expect(grant.tools.map(\.access) == [.offered])
        #expect(grant.request == "works differently now: \"Run\"")
        try await test.host.approveChanges(of: "good", in: test.scope())
        #expect(await test.call("good.run").result != nil)
    }

    @Test func keepsAnApprovalOverAnUnchangedReload() async throws {
        let test = try await start()
        try await test.host.switchOn("good", in: test.scope())
        await test.host.reload()
        #expect(await test.call("good.run").result != nil)
    }

    @Test func noticesGrantsThatAnotherProcessChanged() async throws {
        let test = try await start()
        try await test.host.switchOn("good", in: test.scope())
        #expect(await test.call("good.run").result != nil)
        try await test.grants.save(GrantRecord(plugin: "test.good", state: .disabled, approval: ""), for: test.scope())
        #expect(await eventually { await test.call("good.run").error?.code == "not_enabled" })
    }
}
