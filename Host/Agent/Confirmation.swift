import Crypto
import TandemCore
import TandemJSON
import TandemLife

/// An effect that waits for the owner's word: bound to the user, the tool and the exact arguments, used once, for ten
/// minutes, only from the owner's own channel.
struct Confirmation: Sendable, Equatable {
    var id: RecordID
    /// Four digits, 1000–9999; unique among the user's open confirmations.
    var code: Int
    var tool: String
    var arguments: JSON
    /// SHA-256 over tool and canonical arguments (RFC 8785), hex: what is executed is what was shown.
    var hash: String
    /// What was shown, without the code.
    var summary: String
    var expiresAt: Timestamp
    /// The least trusted source of the arguments: agreed to, they are still whose they are.
    var label = TrustLabel.owner

    static let lifetime = Duration.seconds(600)

    static func hash(tool: String, arguments: JSON) -> String {
        var hasher = SHA256()
        hasher.update(data: Array(tool.utf8))
        hasher.update(data: [0])
        hasher.update(data: arguments.canonical())
        return hexadecimal(hasher.finalize())
    }

    /// A code that none of `taken` is, from the system's random source.
    static func code(excluding taken: Set<Int>) -> Int {
        var generator = SystemRandomNumberGenerator()
        while true {
            let candidate = Int.random(in: 1000...9999, using: &generator)
            if !taken.contains(candidate) { return candidate }
        }
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text = [UInt8]()
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Renders the text of a confirmation from the tool's title and the real arguments: never from a model's words.
enum ConfirmationText {
    static let longestSummary = 110
    /// Other arguments than those that decide are cut to this, when everything does not fit.
    private static let longestValue = 60

    /// Longer labels are cut: they are somebody's words.
    private static let longestLabel = 40

    /// - Parameters:
    ///   - seen: what the person was shown: a reference is said by its label.
    ///   - time: now, and the person's zone: a time is said as they would; nil: as it stands.
    static func summary(
        of tool: ToolDefinition, arguments: JSON, seen: [ShownEntities.Item] = [], isForeign: Bool = false,
        time: (now: Timestamp, zone: String)? = nil
    ) -> String {
        var parts: [String] = []
        // The schema's order of properties is the author's order of importance; members beyond it come last.
        let declared = tool.parameters["properties"]?.objectValue?.map(\.key) ?? []
        let given = arguments.objectValue ?? [:]
        let all = declared.filter { given[$0] != nil } + given.map(\.key).filter { !declared.contains($0) }
        // Whom it goes to and what it costs is said whole and first: a long text must not push it out of sight.
        let names = all.filter(CallReach.isDecisive) + all.filter { !CallReach.isDecisive($0) }
        for name in names {
            guard let value = given[name],
                let words = spokenTime(value, tool.parameters["properties"]?[name], time)
                    ?? words(for: value, of: tool, seen),
                !words.isEmpty
            else { continue }
            let isWhole = CallReach.isDecisive(name) || words.count <= longestValue
            parts.append(
                "\(name.replacing("_", with: " ")) \(isWhole ? words : String(words.prefix(longestValue - 3)) + "...")")
        }
        // A stranger's title may say anything: whose it is comes first.
        let title = tool.source.isEmpty ? tool.title : "\(tool.source): \(tool.title)"
        let whole = parts.isEmpty ? title : "\(title): \(parts.joined(separator: ", "))"
        // The words may be the owner's or a stranger's: the owner should know which before saying yes.
        let text = isForeign ? "From what I read, not from you: \(whole)" : whole
        return shortened(text)
    }

    static func prompt(summary: String, code: Int) -> String {
        "\(summary)? Text \(code) to do it, within 10 min."
    }

    /// Of an argument that its schema says to be a time.
    private static func spokenTime(_ value: JSON, _ schema: JSON?, _ time: (now: Timestamp, zone: String)?) -> String? {
        guard let time, let text = value.stringValue, let schema else { return nil }
        let formats = ([schema] + (schema["anyOf"]?.arrayValue ?? [])).compactMap { $0["format"]?.stringValue }
        guard formats.contains("date") || formats.contains("date-time") else { return nil }
        return SpokenTime.say(text, zone: time.zone, now: time.now)
    }

    private static func words(for value: JSON, of tool: ToolDefinition, _ seen: [ShownEntities.Item]) -> String? {
        switch value {
        case .null: nil
        case .bool(let value): value ? "on" : "off"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): value.hasPrefix("#") ? label(value.dropFirst(), of: tool, seen) : value
        case .array(let values): values.compactMap { words(for: $0, of: tool, seen) }.joined(separator: " + ")
        case .object(let members):
            members.compactMap { words(for: $0.value, of: tool, seen) }.joined(separator: " ")
        }
    }

    /// The label under which the tool's own integration showed it, as one plain line.
    private static func label(_ id: Substring, of tool: ToolDefinition, _ seen: [ShownEntities.Item]) -> String {
        let own = seen.first { $0.id == id && $0.type.prefix { $0 != "." } == tool.namespace }
        let words = own?.label.split(whereSeparator: \.isWhitespace).joined(separator: " ") ?? ""
        guard !words.isEmpty else { return "the one shown" }
        return words.count > longestLabel ? String(words.prefix(longestLabel - 3)) + "..." : words
    }

    private static func shortened(_ text: String) -> String {
        guard text.count > longestSummary else { return text }
        return String(text.prefix(longestSummary - 3)) + "..."
    }
}
