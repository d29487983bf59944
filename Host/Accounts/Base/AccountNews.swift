public import TandemCore

/// What changed of the accounts, for processes that remember what they looked up.
public enum AccountChange: Sendable, Hashable {
    /// A session ended, or proves more than before.
    case session(RecordID)
    /// What an account or its keys may do.
    case account(UserID)
    /// Whose number is whose.
    case phones
}

/// Carries changes to the other processes of an installation. Without one, they notice within two seconds.
public protocol AccountNews: Sendable {
    /// Whether everything that others tell arrives now. While it does not, nothing is remembered.
    var isListening: Bool { get }
    /// After the change is durable. Never waits.
    func tell(_ change: AccountChange)
    /// Returns when what was told has been taken on, or cannot be for now.
    func flush() async
}

extension AccountChange {
    /// A letter, and the id where there is one.
    public var bytes: [UInt8] {
        switch self {
        case .session(let id): AccountChange.bytes("s", id.rawValue)
        case .account(let user): AccountChange.bytes("a", user.rawValue)
        case .phones: [UInt8(ascii: "p")]
        }
    }

    /// Nil for what this version does not know.
    public init?(_ bytes: [UInt8]) {
        let number = bytes.dropFirst().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        switch (bytes.first, bytes.count) {
        case (UInt8(ascii: "s"), 9): self = .session(RecordID(rawValue: number))
        case (UInt8(ascii: "a"), 9): self = .account(UserID(rawValue: number))
        case (UInt8(ascii: "p"), 1): self = .phones
        default: return nil
        }
    }

    private static func bytes(_ letter: Unicode.Scalar, _ number: Int64) -> [UInt8] {
        [UInt8(ascii: letter)] + withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

extension Accounts {
    /// Another process told of a change; nil: it may have told what did not arrive.
    public func apply(_ change: AccountChange?) {
        switch change {
        case .session(let id): credentials.drop(session: id)
        case .account(let user): credentials.drop(user)
        case .phones: phones.drop()
        case nil:
            credentials.dropAll()
            phones.drop()
        }
    }

    /// So that what was ended here is ended everywhere when the caller is told so.
    func tellOthers() async { await services.news?.flush() }
}
