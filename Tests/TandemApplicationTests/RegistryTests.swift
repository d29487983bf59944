import Foundation
import TandemAgent
import TandemCore
import TandemJSON
import TandemPluginHost
import TestDatabases
import Testing

@testable import TandemApplication

/// Broken plugins and a changing registry, seen by a person who texts.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct RegistryTests {
    /// Two seconds and what a busy machine adds.
    private static let limit = Duration.seconds(60)

    /// The installation's bundles, copied so that a test may break them.
    private func copiedBundles() throws -> TestFolder {
        let folder = try TestFolder("bundles")
        try FileManager.default.copyItem(
            atPath: try Installation.shared().folder + "/plugins", toPath: folder.path + "/plugins")
        return folder
    }

    private func works(_ household: Household, _ text: String, _ tool: String) async throws -> Bool {
        let answer = try await household.say(text)
        return answer.calls.map(\.tool) == [tool] && answer.calls.map(\.outcome) == ["value"]
    }

    @Test func aBrokenBundleIsRefusedWhileTheOthersAnswer() async throws {
        let bundles = try copiedBundles()
        let library = bundles.path + "/plugins/expenses/libExpensesPlugin.so"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: library))
        bytes[bytes.count / 2] ^= 0x55
        try bytes.write(to: URL(fileURLWithPath: library))
        try await Household.run(executableFolder: bundles.path) { (household) async throws in
            let statuses = household.application.plugins.statuses()
            let refused = try #require(statuses.first { $0.id == "tandem.expenses" }?.refusal)
            #expect(refused.code == .wrongChecksum)
            #expect(!refused.reason.isEmpty)
            #expect(statuses.count { $0.state == .loaded } == statuses.count - 1)
            #expect(try await works(household, "add milk to my grocery list", "grocery.add"))
            let answer = try await household.say("I spent 12 euros on lunch")
            #expect(!answer.calls.contains { $0.outcome == "value" })
        }
    }

    @Test func everyBrokenEntryIsRefusedWithItsReason() async throws {
        let bundles = try copiedBundles()
        try FileManager.default.removeItem(atPath: bundles.path + "/plugins/expenses")
        let folder = try TestFolder()
        let entries: [JSON] = [
            ["id": "tandem.grocery", "namespace": "grocery", "bundle": "grocery", "trust": "first-party"],
            ["id": "tandem.expenses", "namespace": "expenses", "bundle": "expenses", "trust": "first-party"],
            ["id": "test.absent", "bundle": "absent", "trust": "first-party"],
            [
                "id": "test.stranger", "bundle": "recipes", "trust": "developer", "isolation": "runner",
                "default": "offered",
            ],
        ]
        try folder.write(JSON.object(["version": 1, "plugins": .array(entries)]).pretty(), to: "registry.json")
        let household = try await Household.open(executableFolder: bundles.path, folder: folder)
        let statuses = household.application.plugins.statuses()
        #expect(statuses.map(\.id) == ["tandem.grocery", "tandem.expenses", "test.absent", "test.stranger"])
        #expect(statuses[0].state == .loaded)
        #expect(statuses[1].refusal?.code == .missingFile)
        #expect(statuses[2].refusal?.code == .missingFile)
        #expect(statuses[3].refusal != nil)
        for status in statuses.dropFirst() { #expect(status.refusal?.reason.isEmpty == false) }
        await household.application.close()
    }

    @Test func aChangeOfTheRegistryTakesEffectWithoutARestart() async throws {
        try await Household.run { (household) async throws in
            #expect(try await works(household, "I spent 1 euro on tea", "expenses.record"))
            try household.folder.write(Installation.registry(["Grocery"]), to: "registry.json")
            let isGone = await eventually(within: RegistryTests.limit) {
                household.application.plugins.statuses().map(\.id) == ["tandem.grocery"]
            }
            #expect(isGone)
            #expect(try await !works(household, "how much did I spend this month?", "expenses.total"))
            #expect(try await works(household, "add milk to my grocery list", "grocery.add"))
            try household.folder.write(Installation.registry(), to: "registry.json")
            let isBack = await eventually(within: RegistryTests.limit) {
                household.application.plugins.statuses().count { $0.state == .loaded } == Installation.plugins.count
            }
            #expect(isBack)
            #expect(try await works(household, "I spent 2 euros on tea", "expenses.record"))
            // What was saved is still there, and still on.
            let amounts = try await household.rows("expenses").compactMap { $0["amount"]?.stringValue }
            #expect(amounts.compactMap { Double($0) }.sorted() == [1, 2])
        }
    }

    @Test func aBrokenRegistryKeepsWhatWasLoaded() async throws {
        try await Household.run { (household) async throws in
            for broken in [
                "{", "", "[]", "{\"version\":2,\"plugins\":[]}", "{\"version\":1,\"plugins\":[{}]}", "\u{0}\u{1}",
            ] {
                try household.folder.write(broken, to: "registry.json")
                let isNoticed = await eventually(within: RegistryTests.limit) {
                    household.application.plugins.registryProblem != nil
                }
                #expect(isNoticed, "\(broken)")
                #expect(try await works(household, "add milk to my grocery list", "grocery.add"))
                try household.folder.write(Installation.registry(), to: "registry.json")
                let isMended = await eventually(within: RegistryTests.limit) {
                    household.application.plugins.registryProblem == nil
                }
                #expect(isMended, "\(broken)")
            }
            #expect(household.application.plugins.statuses().allSatisfy { $0.state == .loaded })
        }
    }

    @Test func withoutARegistryTheBuiltInToolsAnswer() async throws {
        let folder = try TestFolder()
        try folder.write("{", to: "registry.json")
        let household = try await Household.open(folder: folder)
        let work = Task { await household.application.agent.run() }
        let answer = try await household.say("I need to renew my passport by the end of March")
        #expect(answer.calls.map(\.outcome) == ["value"])
        #expect(try await household.rows("tasks").count == 1)
        work.cancel()
        await work.value
        await household.application.close()
    }
}
