import Testing

@testable import TandemPluginHost

struct ProcessorWatchTests {
    private static let millisecond: UInt64 = 1_000_000

    /// Burns a whole processor for so many milliseconds, looked at every four.
    private func burn(
        _ watch: inout ProcessorWatch, milliseconds: UInt64, now: inout UInt64, used: inout UInt64,
        isStarting: Bool = false
    ) {
        for _ in 0..<(milliseconds / 4) {
            now += 4 * Self.millisecond
            used += 4 * Self.millisecond
            _ = watch.note(now: now, used: used, answers: 0, isStarting: isStarting)
        }
    }

    @Test func standsBackSoonAndGoesLastAfterAWhile() {
        var watch = ProcessorWatch(at: 0)
        var now: UInt64 = 0
        var used: UInt64 = 0
        burn(&watch, milliseconds: 4, now: &now, used: &used)
        #expect(watch.place == .equal)
        burn(&watch, milliseconds: 8, now: &now, used: &used)
        #expect(watch.place == .behind)
        burn(&watch, milliseconds: 80, now: &now, used: &used)
        #expect(watch.place == .last)
        #expect(watch.isAtWork)
    }

    @Test func getsItsTurnAgainWhenItHasBeenQuiet() {
        var watch = ProcessorWatch(at: 0)
        var now: UInt64 = 0
        var used: UInt64 = 0
        burn(&watch, milliseconds: 500, now: &now, used: &used)
        now += 1000 * Self.millisecond
        #expect(watch.note(now: now, used: used, answers: 0) == nil)
        #expect(watch.place == .last)
        now += 5000 * Self.millisecond
        #expect(watch.note(now: now, used: used, answers: 0) == .equal)
        #expect(!watch.isAtWork)
    }

    @Test func leavesWhoAnswersAlone() {
        var watch = ProcessorWatch(at: 0)
        var now: UInt64 = 0
        var used: UInt64 = 0
        for round in 1...1000 {
            now += 4 * Self.millisecond
            used += 4 * Self.millisecond
            _ = watch.note(now: now, used: used, answers: round * 8)
        }
        #expect(watch.place == .equal)
    }

    @Test func mayTakeItsTimeToLoad() {
        var watch = ProcessorWatch(at: 0)
        var now: UInt64 = 0
        var used: UInt64 = 0
        burn(&watch, milliseconds: 200, now: &now, used: &used, isStarting: true)
        #expect(watch.place == .equal)
        now += 4 * Self.millisecond
        _ = watch.note(now: now, used: used, answers: 0)
        #expect(watch.place == .equal)
    }

    @Test func aTenthOfAProcessorIsTooMuchForWhoSaysTooMuch() {
        for isTooLoud in [false, true] {
            var watch = ProcessorWatch(at: 0)
            for round in 1...100 as ClosedRange<UInt64> {
                _ = watch.note(
                    now: round * 8 * Self.millisecond, used: round * Self.millisecond * 8 / 10, answers: 0,
                    isTooLoud: isTooLoud)
            }
            #expect(watch.place == (isTooLoud ? .last : .equal))
        }
    }
}
