public import TandemCore

/// Who a phone number belongs to.
public protocol SenderDirectory: Sendable {
    /// The person whose verified number this is; nil for a number of nobody.
    func identify(phone: String) async throws -> UserScope?
}
