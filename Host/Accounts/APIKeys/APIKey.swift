public import TandemCore

/// An API key as it is listed; the secret is nowhere.
public struct APIKey: Sendable, Hashable {
    public var id: RecordID
    /// The beginning of its text: `tdm_` and 11 characters.
    public var prefix: String
    public var name: String
    public var scopes: PermissionSet
    public var createdAt: Timestamp
    public var expiresAt: Timestamp?
    /// To the minute.
    public var lastUsedAt: Timestamp?
    public var revokedAt: Timestamp?
}
