import Glibc
import TandemJSON

/// One JSON object in, one out, in order, flushed: the form of the commands that other programs drive.
enum LinePipe {
    /// Runs until the input ends. A line that is no JSON gets an error object; an empty one is skipped.
    static func run(_ terminal: Terminal, answer: (JSON) async throws -> JSON) async throws {
        let source = LineSource(prompt: "", interactive: false)
        while let line = await source.next() {
            guard line.utf8.contains(where: { $0 != 32 && $0 != 9 && $0 != 13 }) else { continue }
            do throws(JSONError) {
                let request = try JSON(parsing: line, limits: LinePipe.limits)
                let reply: JSON
                do {
                    reply = try await answer(request)
                } catch {
                    reply = ["error": ["code": "failed", "message": .string("\(error)")]]
                }
                terminal.json(reply)
            } catch {
                terminal.json([
                    "error": [
                        "code": "invalid_json", "message": .string(error.message), "line": .integer(Int64(error.line)),
                        "column": .integer(Int64(error.column)),
                    ]
                ])
            }
        }
    }

    /// A line may be long: schemas with their data.
    private static let limits = JSONLimits.default
}
