import TandemCore
import TandemJSON

/// What was said and read in a turn so far: where an argument's value may have come from.
///
/// A model's output says nothing about that. So a value counts as the owner's when it is literally in the owner's words, as
/// a result's when it is one of its values, and as the least trusted thing that was read when it is neither.
struct ArgumentSources: Sendable {
    /// A result that was read.
    struct Reading: Sendable {
        var namespace: String
        var trust: TrustLabel
        var values: Set<String>
    }

    /// The owner's words, folded.
    private let words: String
    private(set) var readings: [Reading] = []
    /// The join of everything that was read.
    private(set) var label = TrustLabel.owner

    init(words: String) { self.words = ArgumentSources.folded(words) }

    /// Whether anything of others was read.
    var isTainted: Bool { label > .system }

    mutating func read(_ value: JSON, of tool: String, trust: TrustLabel) {
        let values = CallReach.leaves(of: value).compactMap { ArgumentSources.text(of: $0.value) }
        readings.append(
            Reading(namespace: String(tool.prefix { $0 != "." }), trust: trust, values: Set(values)))
        label = label.joined(with: trust)
    }

    /// Something that earlier answers showed, and whose words a plan may have taken up.
    mutating func saw(_ label: String, trust: TrustLabel) {
        readings.append(Reading(namespace: "", trust: trust, values: [ArgumentSources.folded(label)]))
    }

    /// The label of one value.
    func label(of value: JSON) -> TrustLabel {
        guard let text = ArgumentSources.text(of: value), !text.isEmpty else { return .owner }
        if ownersWords(contain: text) { return .owner }
        // A thing that the host showed, by its id.
        if text.hasPrefix("#") { return .system }
        // The same value may be in several: the one that is trusted most is where it could have come from.
        if let trust = readings.filter({ $0.values.contains(text) }).map(\.trust).min() { return trust }
        return label
    }

    /// The label of all arguments together.
    func label(ofAll arguments: JSON) -> TrustLabel {
        CallReach.leaves(of: arguments).reduce(.owner) { $0.joined(with: label(of: $1.value)) }
    }

    /// Whether the owner wrote exactly this, as whole words.
    func ownersWords(contain text: String) -> Bool {
        let wanted = ArgumentSources.folded(text)
        guard !wanted.isEmpty else { return true }
        var rest = words[...]
        while let found = rest.firstRange(of: wanted) {
            let before = found.lowerBound > words.startIndex ? words[words.index(before: found.lowerBound)] : " "
            let after = found.upperBound < words.endIndex ? words[found.upperBound] : " "
            if !ArgumentSources.isWordPart(before), !ArgumentSources.isWordPart(after) { return true }
            rest = words[words.index(after: found.lowerBound)...]
        }
        return false
    }

    /// Whether texts say nothing that the owner did not write: each word of theirs but the small ones is there, and a denial
    /// in one is a denial in the other.
    func ownersWords(cover arguments: JSON) -> Bool {
        let own = Set(ArgumentSources.words(of: words))
        return CallReach.leaves(of: arguments).allSatisfy { leaf in
            guard let text = leaf.value.stringValue, !text.hasPrefix("#"), !ownersWords(contain: text) else {
                return true
            }
            let said = ArgumentSources.words(of: ArgumentSources.folded(text))
            return said.allSatisfy { own.contains($0) || ArgumentSources.small.contains($0) }
                && said.contains(where: ArgumentSources.isDenial) == own.contains(where: ArgumentSources.isDenial)
        }
    }

    private static func words(of text: String) -> [String] {
        text.split { !isWordPart($0) && $0 != "'" }.map { word in
            // `the user's dentist`, `my dentists`
            var word = String(word)
            if word.hasSuffix("'s") { word.removeLast(2) }
            return word
        }
    }

    private static func isDenial(_ word: String) -> Bool {
        ["not", "no", "never", "none", "nothing", "without", "cannot"].contains(word) || word.hasSuffix("n't")
    }

    private static let small: Set<String> = [
        "the", "a", "an", "is", "are", "was", "were", "has", "have", "of", "to", "in", "on", "at", "for", "with", "and",
        "my", "your", "his", "her", "their", "our", "user", "person", "owner", "i", "they", "she", "he", "that", "this",
        "it", "be", "as", "by", "do", "does", "am", "me", "them",
    ]

    /// Whether a result of the same service gave exactly this value.
    func gave(_ text: String, to namespace: String) -> Bool {
        let wanted = ArgumentSources.folded(text)
        return readings.contains { $0.namespace == namespace && $0.values.contains(wanted) }
    }

    private static func isWordPart(_ character: Character) -> Bool { character.isLetter || character.isNumber }

    private static func text(of value: JSON) -> String? {
        switch value {
        case .null: nil
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): String(value)
        case .string(let value): folded(value)
        case .array, .object: nil
        }
    }

    static func folded(_ text: String) -> String {
        text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
