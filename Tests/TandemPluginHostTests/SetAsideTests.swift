import Foundation
import Testing

@testable import TandemPluginHost

struct SetAsideTests {
    private static let millisecond: UInt64 = 1_000_000

    /// So many milliseconds, decided every eight, with the host and the others using a share of one processor.
    private func pass(
        _ aside: inout SetAside, milliseconds: UInt64, now: inout UInt64, used: inout UInt64, share: Double,
        isBurning: Bool, processors: Int = 2
    ) {
        for _ in 0..<(milliseconds / 8) {
            now += 8 * Self.millisecond
            let time = Double(8 * Self.millisecond) * share
            used += UInt64(time / 2)
            aside.note(UInt64(time / 2), isBehind: false)
            if isBurning { aside.note(8 * Self.millisecond, isBehind: true) }
            _ = aside.decide(now: now, hostUsed: used, processors: processors)
        }
    }

    @Test func keepsTheOthersOffWhileSomebodyBurnsTimeAndTheyHaveRoom() {
        var aside = SetAside()
        var (now, used): (UInt64, UInt64) = (1, 0)
        for _ in 0..<10 {
            now += 8 * Self.millisecond
            used += Self.millisecond
            let hasChanged = aside.decide(now: now, hostUsed: used, processors: 2)
            #expect(!hasChanged)
        }
        now += 8 * Self.millisecond
        aside.note(8 * Self.millisecond, isBehind: true)
        let hasChanged = aside.decide(now: now, hostUsed: used, processors: 2)
        #expect(hasChanged)
        #expect(aside.isSetAside)
        #expect(aside.changes == 1)
        pass(&aside, milliseconds: 2000, now: &now, used: &used, share: 0.4, isBurning: true)
        #expect(aside.isSetAside)
    }

    @Test func givesTheProcessorBackSoonAfterTheLastWorkThere() {
        var aside = SetAside()
        var (now, used): (UInt64, UInt64) = (1, 0)
        pass(&aside, milliseconds: 100, now: &now, used: &used, share: 0.1, isBurning: true)
        #expect(aside.isSetAside)
        for _ in 0..<50 {
            now += 8 * Self.millisecond
            _ = aside.decide(now: now, hostUsed: used, processors: 2)
        }
        #expect(!aside.isSetAside)
        #expect(aside.changes == 2)
    }

    @Test func doesNotNarrowThoseWhoNeedTheRoom() {
        var aside = SetAside()
        var (now, used): (UInt64, UInt64) = (1, 0)
        // What stands like everybody and works hard counts too.
        pass(&aside, milliseconds: 80, now: &now, used: &used, share: 0.9, isBurning: false)
        pass(&aside, milliseconds: 400, now: &now, used: &used, share: 0.9, isBurning: true)
        #expect(!aside.isSetAside)
    }

    @Test func givesWayWhenTheOthersComeToNeedIt() {
        var aside = SetAside()
        var (now, used): (UInt64, UInt64) = (1, 0)
        pass(&aside, milliseconds: 200, now: &now, used: &used, share: 0.2, isBurning: true)
        #expect(aside.isSetAside)
        pass(&aside, milliseconds: 200, now: &now, used: &used, share: 0.98, isBurning: true)
        #expect(!aside.isSetAside)
        // With more of them there is room for the same work.
        pass(&aside, milliseconds: 800, now: &now, used: &used, share: 0.98, isBurning: true, processors: 4)
        #expect(aside.isSetAside)
    }

    @Test func leavesTheOnlyProcessorAlone() {
        var aside = SetAside()
        var (now, used): (UInt64, UInt64) = (1, 0)
        pass(&aside, milliseconds: 200, now: &now, used: &used, share: 0.1, isBurning: true, processors: 1)
        #expect(!aside.isSetAside)
    }

    /// In a program of its own: it moves all threads of the process that calls it.
    @Test func movesAllThreadsOfAllConcernedAndBack() async throws {
        let folder = TemporaryFolder("aside")
        let program = folder.path + "/aside"
        let root = FixtureLibrary.root
        let isCompiled = await FixtureLibrary.tool(
            "cc",
            [
                "-std=gnu11", "-O1", "-pthread", "-o", program, "\(root)/Tests/Fixtures/runner/aside.c",
                "\(root)/Host/Clib/CRunner/priority.c", "-I\(root)/Host/Clib/CRunner/include",
            ])
        try #require(isCompiled)
        let output = folder.path + "/output"
        #expect(await FixtureLibrary.tool("/bin/sh", ["-c", "'\(program)' > '\(output)'"]))
        let said = try String(contentsOfFile: output, encoding: .utf8)
        #expect(said.isEmpty || said == "one", "\(said)")
    }
}
