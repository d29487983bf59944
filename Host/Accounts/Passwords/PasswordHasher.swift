import CSodium
import Synchronization

/// Makes and checks password hashes on its own threads, with libsodium's Argon2id.
///
/// The threads stand back behind others, so that a crowd at the door does not slow down those inside.
/// Hashes are in the PHC string format (`$argon2id$v=19$m=19456,t=2,p=1$salt$hash`), so each says how it was made.
final class PasswordHasher: Sendable {
    enum Check: Sendable, Hashable {
        case wrong
        /// With a new hash where the old one was made with other parameters than today's.
        case right(upgraded: String?)
    }

    let parameters: PasswordParameters
    private let pool: BlockingPool
    private let decoy = Mutex<String?>(nil)

    init(parameters: PasswordParameters, threads: Int, queue: Int) {
        self.parameters = parameters
        pool = BlockingPool(threads: threads, queue: queue, niceness: 5)
    }

    /// For tests.
    var jobCount: Int { pool.jobCount }

    /// Throws `busy`.
    func hash(_ password: String) async throws -> String {
        let parameters = parameters
        let hash = try await pool.run { PasswordHasher.make(password, parameters) }
        guard let hash else { throw PasswordHasher.noMemory }
        return hash
    }

    /// Checks a password against a stored hash; without one it does the same work and says no.
    ///
    /// Throws `busy`.
    func check(_ password: String, against stored: String?) async throws -> Check {
        let parameters = parameters
        return try await pool.run { [self] in
            let known = stored.flatMap { PasswordParameters(hash: $0) }
            guard let hash = known == nil ? decoyHash() : stored else { return .wrong }
            let isRight = PasswordHasher.fits(password, hash)
            guard isRight, let known else { return .wrong }
            return .right(upgraded: known == parameters ? nil : PasswordHasher.make(password, parameters))
        }
    }

    private static let noMemory = AccountsError(
        .busy, "There is no memory left to check passwords. Try again in a minute.", retryAfter: .seconds(60))

    /// A hash that no password fits, made once.
    private func decoyHash() -> String? {
        if let known = decoy.withLock({ $0 }) { return known }
        let made = PasswordHasher.make(SecureRandom.token(), parameters)
        decoy.withLock { $0 = made }
        return made
    }

    /// Nil when there is no memory for it.
    private static func make(_ password: String, _ parameters: PasswordParameters) -> String? {
        Sodium.start()
        var output = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        var password = password
        let code: Int32? = password.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map {
                    crypto_pwhash_str_alg(
                        &output, $0, UInt64(text.count), UInt64(parameters.passes), parameters.memoryKiB * 1024,
                        crypto_pwhash_ALG_ARGON2ID13)
                }
            }
        }
        guard code == 0 else { return nil }
        return String(decoding: output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func fits(_ password: String, _ hash: String) -> Bool {
        Sodium.start()
        var password = password
        return password.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { crypto_pwhash_str_verify(hash, $0, UInt64(text.count)) == 0 } ?? false
            }
        }
    }
}
