import Glibc
import TandemJSON

/// Output for people and for programs: colours only on a terminal, JSON one document a line, errors on stderr.
struct Terminal: Sendable {
    let isJSON: Bool
    let usesColour: Bool

    init(json: Bool) {
        isJSON = json
        // https://no-color.org: any non-empty value switches colours off.
        let refused = getenv("NO_COLOR").map { $0[0] != 0 } ?? false
        usesColour = !json && !refused && isatty(STDOUT_FILENO) == 1
    }

    enum Style: String {
        case bold = "1"
        case dim = "2"
        case green = "32"
        case yellow = "33"
        case red = "31"
        case cyan = "36"
    }

    func styled(_ text: String, _ style: Style) -> String {
        usesColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    func line(_ text: String = "") { Terminal.write(text + "\n", to: STDOUT_FILENO) }

    /// One compact JSON document and a line feed.
    func json(_ value: JSON) { Terminal.write(value.text + "\n", to: STDOUT_FILENO) }

    /// A line for people on stderr: progress and remarks that must not disturb a pipe.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Replaces the last line of stderr, which must be a terminal; an empty one takes it away.
    static func progress(_ text: String) { write("\r\u{1B}[K" + text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }

    /// Columns of `rows` aligned by spaces; the first row is the heading.
    func table(_ rows: [[String]]) {
        guard let columns = rows.map(\.count).max() else { return }
        var widths = [Int](repeating: 0, count: columns)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        for (number, row) in rows.enumerated() {
            var text = ""
            for (index, cell) in row.enumerated() {
                text += cell
                if index < row.count - 1 { text += String(repeating: " ", count: widths[index] - cell.count + 2) }
            }
            line(number == 0 ? styled(text, .bold) : text)
        }
    }
}
