/// A phone number in E.164: `+`, a country code and up to 15 digits in all (ITU-T E.164).
///
/// It describes itself as masked; `text` is the number.
public struct PhoneNumber: Sendable, Hashable {
    public let text: String

    /// Nil for anything else; a short code or a name that sends is no number that can be answered.
    public init?(_ text: String) {
        let digits = text.utf8.dropFirst()
        guard text.utf8.first == UInt8(ascii: "+"), (7...15).contains(digits.count),
            digits.first != UInt8(ascii: "0"), digits.allSatisfy({ $0 &- 48 < 10 })
        else { return nil }
        self.text = text
    }
}

extension PhoneNumber: CustomStringConvertible {
    public var description: String { "[phone]" }
}
