import CrashHarness
import Foundation
import TandemStorage
import TestDatabases
import Testing

/// The short run of `make test-crash`: the process is killed at its persisted steps and at random; nothing is lost, nothing
/// happens twice.
@Suite(.timeLimit(.minutes(8)), .serialized, .eachEngine)
struct CrashTests {
    private static let kills = 24

    @Test func nothingIsLostAndNothingHappensTwiceWhereverTheProcessDies() async throws { try await run() }

    /// The same with turns that a model goes through in several requests.
    @Test func aTurnWithAModelGoesOnWhereTheProcessDied() async throws { try await run { $0.usesModel = true } }

    /// The same with turns that are answered before they are done, and with messages that wait before they leave.
    @Test func whatGoesOnAfterTheAnswerIsDoneAndToldOnce() async throws {
        try await run { run in
            run.kills = 16
            run.usesModel = true
            run.answerMilliseconds = 10
            run.holdsMessages = true
        }
    }

    private func run(_ vary: (inout CrashRun) -> Void = { _ in }) async throws {
        let folder = try TestFolder("crash")
        let database = try await Household.database(in: folder)
        let harness = try Installation.buildFolder() + "/tandem-crash"
        try #require(access(harness, X_OK) == 0, "tandem-crash was not built")
        var run = CrashRun(
            installation: try Installation.shared().folder, harness: harness, kills: CrashTests.kills,
            database: database.environment, folder: folder.path)
        run.people = 9
        vary(&run)
        let verdict = try await run.run()
        #expect(verdict.killCount == run.kills)
        #expect(verdict.isClean, "\(verdict.table(TestEngine.current.rawValue))")
        #expect(verdict.effects >= run.kills / 4)
    }
}
