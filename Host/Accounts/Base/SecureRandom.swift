import CSodium

/// Random bytes and codes from the system's generator, through libsodium (https://doc.libsodium.org/generating_random_data).
enum SecureRandom {
    static func bytes(_ count: Int) -> [UInt8] {
        Sodium.start()
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }

    /// Decimal digits, each equally likely.
    static func digits(_ count: Int) -> String {
        Sodium.start()
        return String(decoding: (0..<count).map { _ in 48 + UInt8(randombytes_uniform(10)) }, as: UTF8.self)
    }

    /// Random bytes in base64url: what links and opaque tokens carry.
    static func token(bytes count: Int = 32) -> String { Base64URL.text(bytes(count)) }
}

/// The library's one-time start.
enum Sodium {
    private static let isStarted = sodium_init() >= 0

    /// Without it libsodium works, too, but chooses slower code and its random source at every call.
    static func start() { precondition(isStarted, "libsodium does not start: the system has no random source") }

    /// Compares without telling by its time where the difference is; false for other lengths.
    static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && sodium_memcmp(left, right, left.count) == 0
    }
}
