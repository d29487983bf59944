import Foundation
import TandemJSON

/// One JSON object in, one out, in order, flushed: the form of the commands that other programs drive.
enum LinePipe {
    /// Runs until the input ends. A line that is no JSON gets an error object; an empty one is skipped.
    static func run(_ terminal: Terminal, answer: (JSON) async throws -> JSON) async throws {
        let source = LineSource(prompt: "", interactive: false)
        while let line = await source.next() {
            if let reply = await reply(to: line, answer) { terminal.json(reply) }
        }
    }

    /// The same for answers that do not depend on each other: lines that have come together are shared among the processors.
    /// Who sends a line and waits for its answer gets it as soon.
    static func run(_ terminal: Terminal, each answer: @escaping @Sendable (JSON) async throws -> JSON) async throws {
        let source = LineSource(prompt: "", interactive: false)
        let width = max(1, ProcessInfo.processInfo.activeProcessorCount)
        while true {
            let lines = await source.next(upTo: width * 64)
            guard !lines.isEmpty else { return }
            let size = (lines.count + width - 1) / width
            let parts = await withTaskGroup(of: (start: Int, replies: [JSON]).self) { group in
                for start in stride(from: 0, to: lines.count, by: size) {
                    let part = lines[start..<min(start + size, lines.count)]
                    group.addTask {
                        var replies: [JSON] = []
                        for line in part {
                            if let reply = await reply(to: line, answer) { replies.append(reply) }
                        }
                        return (start, replies)
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for part in parts.sorted(by: { $0.start < $1.start }) {
                for reply in part.replies { terminal.json(reply) }
            }
        }
    }

    /// Nil for an empty line.
    private static func reply(to line: String, _ answer: (JSON) async throws -> JSON) async -> JSON? {
        guard line.utf8.contains(where: { $0 != 32 && $0 != 9 && $0 != 13 }) else { return nil }
        do throws(JSONError) {
            let request = try JSON(parsing: line, limits: LinePipe.limits)
            do {
                return try await answer(request)
            } catch {
                return ["error": ["code": "failed", "message": .string("\(error)")]]
            }
        } catch {
            return [
                "error": [
                    "code": "invalid_json", "message": .string(error.message), "line": .integer(Int64(error.line)),
                    "column": .integer(Int64(error.column)),
                ]
            ]
        }
    }

    /// A line may be long: schemas with their data.
    private static let limits = JSONLimits.default
}
