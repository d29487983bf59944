import CEdit
import Dispatch
import Glibc
import Synchronization

/// Lines that a person types or a pipe delivers, one at a time.
///
/// On a terminal libedit edits the line and remembers earlier ones for this session only: what a person writes to the
/// assistant is not left behind in a history file. Blocking reads happen on a queue of their own.
final class LineSource: Sendable {
    static let longestLine = 16 * 1024 * 1024

    let isInteractive: Bool
    private let prompt: String
    private let buffered = Mutex(Buffer())
    private let queue = DispatchQueue(label: "tandem.line-source")

    init(prompt: String, interactive: Bool? = nil) {
        self.prompt = prompt
        isInteractive = interactive ?? (isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1)
        if isInteractive {
            // Without this, libedit would read the person's ~/.editrc only after the first line.
            rl_initialize()
        }
    }

    /// The next line without its line end; nil at the end of the input. One caller at a time.
    func next() async -> String? {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                continuation.resume(returning: isInteractive ? edited() : plain())
            }
        }
    }

    /// The next line, and of those that have come with it at most so many in all; empty at the end of the input. Waits for the
    /// first only. One caller at a time.
    func next(upTo most: Int) async -> [String] {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                guard let first = isInteractive ? edited() : plain() else { return continuation.resume(returning: []) }
                var lines = [first]
                while !isInteractive, lines.count < most, let line = plain(reads: false) { lines.append(line) }
                continuation.resume(returning: lines)
            }
        }
    }

    private func edited() -> String? {
        guard let line = readline(prompt) else { return nil }
        defer { free(line) }
        let text = String(cString: line)
        if !text.isEmpty { add_history(line) }
        return text
    }

    /// Reads by blocks; a line without end at the input's end counts. Lines beyond the longest are cut, the rest is skipped.
    ///
    /// - Parameter reads: False: nil also when no whole line has come yet.
    private func plain(reads: Bool = true) -> String? {
        buffered.withLock { buffer in
            var searched = buffer.start
            while true {
                if let end = buffer.bytes[searched...].firstIndex(of: 10) {
                    let line = buffer.bytes[buffer.start..<end]
                    buffer.start = end + 1
                    return LineSource.text(line)
                }
                guard reads else { return nil }
                if buffer.isAtEnd {
                    let line = buffer.bytes[buffer.start...]
                    buffer = Buffer(isAtEnd: true)
                    return line.isEmpty ? nil : LineSource.text(line)
                }
                buffer.bytes.removeFirst(buffer.start)
                buffer.start = 0
                searched = buffer.bytes.count
                buffer.fill()
            }
        }
    }

    private static func text(_ line: ArraySlice<UInt8>) -> String {
        var line = line.prefix(longestLine)
        if line.last == 13 { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    private struct Buffer {
        var bytes: [UInt8] = []
        var start = 0
        var isAtEnd = false

        mutating func fill() {
            var block = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = read(STDIN_FILENO, &block, block.count)
                if count < 0, errno == EINTR { continue }
                if count > 0 { bytes.append(contentsOf: block[..<count]) } else { isAtEnd = true }
                return
            }
        }
    }
}
