import ChildProcess
import Foundation
import TandemJSON
import Testing

/// The commands that other programs drive line by line, as processes.
@Suite(.timeLimit(.minutes(8)))
struct LinePipeTests {
    private func lines(_ run: ProgramRun) -> [String] {
        run.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// What has come together is answered by all processors, in its order; bad lines have theirs, empty ones none.
    @Test func answersManyLinesInTheirOrder() async throws {
        let folder = try TestFolder("pipe")
        var input = ""
        for number in 0..<700 {
            switch number % 7 {
            case 5: input += "{no json\n"
            case 6: input += "  \r\n"
            default: input += "{\"schema\":{\"maximum\":\(number - number % 2)},\"data\":\(number)}\n"
            }
        }
        // The last one without its line end.
        input += "{\"schema\":true,\"data\":1}"
        try folder.write(input, to: "in")
        let file = open(folder.path + "/in", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        let run = try ProgramRun(["schema", "validate", "--json"], [:], in: folder, input: .descriptor(file))
        #expect(await run.end() == 0)
        let answers = try lines(run).map { try JSON(parsing: $0) }
        let expected = (0..<700).filter { $0 % 7 != 6 }.map { $0 % 7 == 5 ? nil : $0 % 2 == 0 } + [true]
        #expect(answers.map { $0["valid"]?.boolValue } == expected)
        #expect(answers.filter { $0["error"]?["code"] == "invalid_json" }.count == 100)
    }

    /// Whoever sends a line and waits gets its answer before the next.
    @Test func answersEachLineBeforeTheNextComes() async throws {
        let folder = try TestFolder("pipe")
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let run = try ProgramRun(["schema", "validate", "--json"], [:], in: folder, input: .descriptor(ends[0]))
        close(ends[0])
        for number in 1...3 {
            let line = Array("{\"schema\":{\"type\":\"integer\"},\"data\":\(number)}\n".utf8)
            #expect(write(ends[1], line, line.count) == line.count)
            #expect(await eventually { lines(run).count == number })
        }
        close(ends[1])
        #expect(await run.end() == 0)
        #expect(lines(run) == Array(repeating: "{\"valid\":true}", count: 3))
    }
}
