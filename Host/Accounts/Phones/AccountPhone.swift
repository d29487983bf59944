public import TandemCore

/// A number of a person.
public struct AccountPhone: Sendable, Hashable {
    public var id: RecordID
    public var number: PhoneNumber
    /// When it was proven that the number is theirs; until then it identifies nobody.
    public var verifiedAt: Timestamp?
    public var isPrimary: Bool
    /// The number asked not to be sent to.
    public var isOptedOut: Bool
    /// Why the number must be proven anew before it identifies anybody or gets anything; nil when it need not.
    public var suspension: PhoneSuspension?
}

/// Why a number that was verified is not trusted any more.
public enum PhoneSuspension: String, Sendable, Hashable, CaseIterable {
    /// Nothing came from it for longer than carriers keep numbers back.
    case silence
    /// The carrier does not know it (Twilio's error 30005).
    case unknownToCarrier = "unknown_to_carrier"
}
