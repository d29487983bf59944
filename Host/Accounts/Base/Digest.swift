import Crypto
import TandemStorage

/// One-way forms under which the database knows secrets.
enum Digest {
    /// SHA-256: for tokens of 256 random bits, which nobody can guess.
    static func ofToken(_ token: some StringProtocol) -> [UInt8] { Array(SHA256.hash(data: Array(token.utf8))) }
}

extension Accounts {
    /// A keyed hash: for addresses, numbers and short codes, which could be guessed from a plain one.
    func keyedHash(_ value: some StringProtocol, _ purpose: String) throws -> [UInt8] {
        try database.store.keyring.lookupHash(value, purpose: "accounts." + purpose)
    }
}
