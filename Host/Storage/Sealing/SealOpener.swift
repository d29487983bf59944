import CSodium
import Crypto
import TandemCore

/// AES-256-GCM by the processor's own instructions, where it has them: libsodium's, on memory that the caller has.
///
/// Exactly what swift-crypto's gives (NIST SP 800-38D, nonces of 12 bytes, tags of 16), without an object for each part.
enum DirectGCM {
    static let isAvailable = sodium_init() >= 0 && crypto_aead_aes256gcm_is_available() == 1
}

/// Opens many sealed values of one person on one thread: a key is worked in once, and nothing is allocated per value.
final class SealOpener {
    private let keys: UserKeySet
    private let user: Int64
    /// The state of the key that was used last; of 16-byte alignment.
    private let state: UnsafeMutableRawPointer
    private var version = 0
    private var plain: UnsafeMutablePointer<UInt8>
    private var capacity = 512
    private var authenticated: [UInt8] = []

    private static let stateBytes = MemoryLayout<crypto_aead_aes256gcm_state>.size

    init(_ keys: UserKeySet, user: Int64) {
        self.keys = keys
        self.user = user
        state = .allocate(byteCount: SealOpener.stateBytes, alignment: 16)
        plain = .allocate(capacity: capacity)
    }

    deinit {
        sodium_memzero(state, SealOpener.stateBytes)
        sodium_memzero(plain, capacity)
        state.deallocate()
        plain.deallocate()
    }

    /// Whether the keys open a value; false: it was sealed with a newer one.
    func knows(_ sealed: [UInt8]) -> Bool { SealedForm.version(sealed).map { keys.keys[$0] != nil } ?? true }

    /// Gives the opened bytes to `body`; they are valid within it.
    ///
    /// Throws `key_missing` or `seal_broken`, as `SealedForm.open` does.
    func open<T>(
        _ sealed: [UInt8], _ context: SealContext, _ body: (UnsafeBufferPointer<UInt8>) throws -> T
    ) throws -> T {
        guard DirectGCM.isAvailable else {
            return try SealedForm.openPortably(sealed, keys: keys, user: user, context).withUnsafeBufferPointer(body)
        }
        let version = try SealedForm.checkedVersion(sealed, context)
        guard let key = keys.keys[version] else { throw SealedForm.missing(version, context) }
        let code = state.withMemoryRebound(to: crypto_aead_aes256gcm_state.self, capacity: 1) { state -> Int32 in
            if version != self.version {
                let isKey = key.withUnsafeBytes { bytes -> Bool in
                    guard bytes.count == 32, let base = bytes.bindMemory(to: UInt8.self).baseAddress else {
                        return false
                    }
                    return crypto_aead_aes256gcm_beforenm(state, base) == 0
                }
                guard isKey else { return -1 }
                self.version = version
            }
            let count = sealed.count - SealedForm.overhead
            if count > capacity { grow(count) }
            SealedForm.authenticated(sealed, user: user, context, into: &authenticated)
            return sealed.withUnsafeBufferPointer { sealed in
                guard let base = sealed.baseAddress else { return -1 }
                return crypto_aead_aes256gcm_decrypt_detached_afternm(
                    plain, nil, base + 17, UInt64(count), base + 17 + count, authenticated,
                    UInt64(authenticated.count), base + 5, state)
            }
        }
        guard code == 0 else { throw SealedForm.broken(context) }
        return try body(UnsafeBufferPointer(start: plain, count: sealed.count - SealedForm.overhead))
    }

    private func grow(_ count: Int) {
        sodium_memzero(plain, capacity)
        plain.deallocate()
        capacity = max(count, capacity * 2)
        plain = .allocate(capacity: capacity)
    }
}
