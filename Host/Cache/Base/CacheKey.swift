/// What something is kept under: a space, which is a word of the program, and a name within it, which may be anything.
///
/// A shared store never sees the name: it gets a keyed hash of it, so that numbers, addresses and ids of people are not in
/// its memory, its files or its logs.
public struct CacheKey: Sendable, Hashable {
    enum Name: Sendable, Hashable {
        case ids(Int64, Int64)
        case text(String)
        case bytes([UInt8])
    }

    /// A word of the program: letters, digits and dots.
    public let space: String
    let name: Name

    public init(_ space: String, _ first: Int64, _ second: Int64 = 0) {
        self.space = space
        name = .ids(first, second)
    }

    /// - Parameter text: May be personal.
    public init(_ space: String, _ text: String) {
        self.space = space
        name = .text(text)
    }

    public init(_ space: String, _ bytes: [UInt8]) {
        self.space = space
        name = .bytes(bytes)
    }
}
