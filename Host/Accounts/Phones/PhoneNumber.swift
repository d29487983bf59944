/// A telephone number in the form of ITU-T E.164: `+`, a country code that does not begin with 0, 7 to 15 digits in all.
///
/// Its description hides the middle, so that it may reach a log; `e164` is the whole number.
public struct PhoneNumber: Sendable, Hashable {
    public let e164: String

    /// Reads a number as people write it: spaces, dots, dashes, slashes and brackets are dropped, `00` stands for `+`.
    ///
    /// Nil when what remains is not E.164; a number without its country code is not guessed.
    public init?(_ text: some StringProtocol) {
        var digits: [UInt8] = []
        var hasPlus = false
        for byte in text.utf8 {
            switch byte {
            case 48...57: digits.append(byte)
            case 43:
                guard !hasPlus, digits.isEmpty else { return nil }
                hasPlus = true
            case 32, 45, 46, 47, 40, 41: continue
            default: return nil
            }
        }
        if !hasPlus {
            guard digits.count > 2, digits[0] == 48, digits[1] == 48 else { return nil }
            digits.removeFirst(2)
        }
        guard (7...15).contains(digits.count), let first = digits.first, first != 48 else { return nil }
        e164 = "+" + String(decoding: digits, as: UTF8.self)
    }

    /// Like `init?`, with a message for the person.
    public init(validating text: some StringProtocol) throws {
        guard let number = PhoneNumber(text) else {
            throw AccountsError(
                .invalidPhone,
                "That is no phone number I can use. Write it with the country code, like +33 6 12 34 56 78.")
        }
        self = number
    }
}

extension PhoneNumber: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `+33***78`.
    public var description: String { "\(e164.prefix(3))***\(e164.suffix(2))" }

    public var debugDescription: String { description }

    public var customMirror: Mirror { Mirror(self, children: []) }
}
