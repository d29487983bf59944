/// A value that must not be printed: describing, interpolating, dumping or logging it gives `[redacted]`.
public struct Secret: Sendable, Hashable {
    private let value: String

    public init(_ value: String) { self.value = value }

    /// The value itself, for the one call that needs it.
    public func reveal() -> String { value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { Redaction.hidden }
    public var debugDescription: String { Redaction.hidden }
    public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
