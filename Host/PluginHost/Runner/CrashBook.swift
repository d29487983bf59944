import TandemCore
public import TandemJSON

/// The last crashes of isolated plugins, kept for operators and for other processes than the host that saw them:
/// `plugins.crashes.json` in the data folder.
///
/// ```json
/// {"version":1,"crashes":[{"plugin":"tandem.x","version":"1.0.0","tools":["x.find"],"signal":11,"code":0,
///  "reason":null,"count":2,"at":"2026-11-21T10:00:00.000Z"}]}
/// ```
///
/// Ids, numbers and the host's own words: nothing in it comes from people.
public struct CrashBook: Sendable, Hashable {
    /// The latest last.
    public var crashes: [CrashReport] = []

    private static let mostOfAPlugin = 16
    private static let most = 256

    public init() {}

    /// Reads a book; throws every problem with its place.
    public init(reading text: [UInt8]) throws(DocumentError) {
        let name = "plugins.crashes.json"
        let document: JSON
        do {
            document = try JSON(parsing: text)
        } catch {
            throw DocumentError(document: name, parsing: error)
        }
        crashes = (document["crashes"]?.arrayValue ?? []).compactMap { CrashReport(reading: $0) }
    }

    /// Reads the book of a path; a missing or damaged one is empty: it is there to help, not to stop anything.
    public static func load(from path: String) -> CrashBook {
        guard let text = try? SharedDocument.read(path) else { return CrashBook() }
        return (try? CrashBook(reading: text)) ?? CrashBook()
    }

    /// Adds a crash to the book of a path. Blocks.
    static func add(_ report: CrashReport, at path: String) {
        try? SharedDocument.update(path) {
            var book = load(from: path)
            book.add(report)
            return book.text
        }
    }

    mutating func add(_ report: CrashReport) {
        crashes.append(report)
        let own = crashes.indices.filter { crashes[$0].plugin == report.plugin }
        if own.count > Self.mostOfAPlugin { crashes.remove(at: own[0]) }
        if crashes.count > Self.most { crashes.removeFirst(crashes.count - Self.most) }
    }

    private var text: [UInt8] {
        let document: JSON = ["version": 1, "crashes": .array(crashes.map(\.json))]
        return Array((document.pretty() + "\n").utf8)
    }
}

extension CrashReport {
    public var json: JSON {
        [
            "plugin": .string(plugin), "version": .string(version), "tools": .array(tools.map { .string($0) }),
            "signal": exit.signal.map { .integer(Int64($0)) } ?? .null, "code": .integer(Int64(exit.code)),
            "reason": exit.reason.map { .string($0) } ?? .null, "exit": .string(exit.description),
            "count": .integer(Int64(count)), "at": .string("\(at)"),
        ]
    }

    init?(reading value: JSON) {
        guard let plugin = value["plugin"]?.stringValue, TextRule.isPluginID(plugin),
            let version = value["version"]?.stringValue, let count = value["count"]?.int64Value,
            let at = value["at"]?.stringValue.flatMap({ Timestamp($0) })
        else { return nil }
        let signal = value["signal"]?.int64Value
        self.init(
            plugin: plugin, version: PlainText.sanitized(version),
            tools: (value["tools"]?.arrayValue ?? []).compactMap { $0.stringValue.map { PlainText.sanitized($0) } },
            exit: RunnerExit(
                signal: signal.map { Int32(clamping: $0) }, code: Int32(clamping: value["code"]?.int64Value ?? 0),
                reason: value["reason"]?.stringValue.map { PlainText.sanitized($0) }),
            count: Int(clamping: count), at: at)
    }
}
