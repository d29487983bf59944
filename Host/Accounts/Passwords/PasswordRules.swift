import Foundation

/// What a password must be, after NIST SP 800-63B-4 §3.1.1.2: long rather than odd, and none that everybody tries.
///
/// No rules of composition, no expiry, no hints. Any Unicode counts; it is compared in the form NFKC, so that the same
/// letters from another keyboard are the same password.
public struct PasswordRules: Sendable, Hashable {
    /// Code points where the password alone opens the account.
    public var minimum = 15
    /// Code points where a second factor is asked for, too.
    public var minimumWithSecondFactor = 8
    /// Code points.
    public var maximum = 256

    /// Longer input is not looked at: it would only cost.
    static let maximumBytes = 2048

    public init() {}

    /// The form in which a password is hashed; nil for what no rule would accept, such as control characters.
    static func normalised(_ text: String) -> String? {
        guard (1...maximumBytes).contains(text.utf8.count) else { return nil }
        // NUL ends strings elsewhere; line ends and the like come from a paste, and nobody can type them again.
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else { return nil }
        return text.precomposedStringWithCompatibilityMapping
    }

    /// Checks a new password and gives its normal form. Throws `weak_password` with what to do instead.
    ///
    /// - Parameter words: What somebody who knows the person would try: their name and address.
    func accept(_ text: String, words: [String], hasSecondFactor: Bool) throws -> String {
        let least = hasSecondFactor ? min(minimum, minimumWithSecondFactor) : minimum
        guard text.utf8.count <= PasswordRules.maximumBytes else { throw PasswordRules.tooLong(maximum) }
        guard let password = PasswordRules.normalised(text) else {
            throw AccountsError(.weakPassword, "A password has letters, digits, signs and spaces only.")
        }
        let count = password.unicodeScalars.count
        guard count >= least else {
            throw AccountsError(
                .weakPassword, "That password is too short: use at least \(least) characters. A few words will do.")
        }
        guard count <= maximum else { throw PasswordRules.tooLong(maximum) }
        guard !PasswordRules.isGuessable(password, words: words) else {
            throw AccountsError(
                .weakPassword,
                "That password is one of the first that people would try. A few unrelated words are better.")
        }
        return password
    }

    private static func tooLong(_ maximum: Int) -> AccountsError {
        AccountsError(.weakPassword, "That password is too long: \(maximum) characters are the most.")
    }

    /// Whether little remains when what is known or follows a pattern is taken out.
    static func isGuessable(_ password: String, words: [String]) -> Bool {
        var rest = Array(password.lowercased().unicodeScalars)
        guard Set(rest).count > 4 else { return true }
        if CommonPasswords.contains(String(password.lowercased())) { return true }
        rest = withoutRepetition(rest)
        rest = withoutRuns(rest)
        for word in words.flatMap(parts) + ["tandem"] {
            rest = without(Array(word.unicodeScalars), in: rest)
        }
        if rest.count < 6 { return true }
        // "Dragon2024!!": a common word, perhaps twice, with the usual ornaments, repeated signs counted once.
        let letters = rest.filter(\.properties.isAlphabetic)
        let ornaments = rest.indices.count { place in
            !rest[place].properties.isAlphabetic && (place == 0 || rest[place] != rest[place - 1])
        }
        guard ornaments <= max(6, rest.count / 3) else { return false }
        var core = String.UnicodeScalarView()
        core.append(contentsOf: withoutRepetition(letters))
        return letters.count < 4 || CommonPasswords.contains(String(core))
    }

    /// A text that is one piece several times is that piece: `passwordpassword`.
    private static func withoutRepetition(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        for length in 1..<max(2, text.count / 2 + 1) where text.count >= 2 * length {
            let isRepeated = text.indices.dropFirst(length).allSatisfy { text[$0] == text[$0 - length] }
            if isRepeated { return Array(text[..<length]) }
        }
        return text
    }

    private static let rows: [[Unicode.Scalar]] = [
        "qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertzuiop", "yxcvbnm",
        "1234567890",
    ].map { Array($0.unicodeScalars) }

    /// Without stretches of four and more that count, repeat or follow a row of keys: `abcdef`, `4321`, `qwerty`, `aaaa`.
    private static func withoutRuns(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        func step(_ left: Unicode.Scalar, _ right: Unicode.Scalar) -> Set<Int> {
            var steps: Set<Int> = []
            let difference = Int(right.value) - Int(left.value)
            if abs(difference) <= 1 { steps.insert(difference) }
            for (number, row) in rows.enumerated() {
                guard let first = row.firstIndex(of: left), let second = row.firstIndex(of: right) else { continue }
                if abs(second - first) == 1 { steps.insert((number + 1) * 10 + second - first) }
            }
            return steps
        }
        var kept: [Unicode.Scalar] = []
        var start = 0
        while start < text.count {
            var end = start + 1
            var steps: Set<Int>?
            while end < text.count {
                let next = step(text[end - 1], text[end]).intersection(steps ?? step(text[end - 1], text[end]))
                if next.isEmpty { break }
                steps = next
                end += 1
            }
            if end - start >= 4 {
                start = end
            } else {
                kept.append(text[start])
                start += 1
            }
        }
        return kept
    }

    private static func without(_ word: [Unicode.Scalar], in text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard !word.isEmpty, text.count >= word.count else { return text }
        var kept: [Unicode.Scalar] = []
        var index = 0
        while index < text.count {
            if index + word.count <= text.count, Array(text[index..<(index + word.count)]) == word {
                index += word.count
            } else {
                kept.append(text[index])
                index += 1
            }
        }
        return kept
    }

    /// The words of four letters and more within a name or address, longest first.
    private static func parts(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init).filter { $0.count >= 4 }
            .sorted { $0.count > $1.count }
    }
}
