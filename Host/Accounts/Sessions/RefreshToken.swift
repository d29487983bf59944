import TandemCore

/// A refresh token: `tdr_` and, in base64url, the session's id, its generation, 20 random bytes and a keyed hash of these.
///
/// The hash lets a token of ours be told from an invented one without the database, and an old one from the current one
/// without keeping every old one: only a genuine token that is no longer the current one means theft, and ends the session.
struct RefreshToken: Sendable, Hashable {
    static let prefix = "tdr_"
    private static let bodyCount = 8 + 4 + 20
    private static let codeCount = 16

    let session: RecordID
    let generation: Int64
    let text: String

    /// What the database keeps of it.
    var digest: [UInt8] { Digest.ofToken(text) }

    static func make(session: RecordID, generation: Int64, _ hash: (String) throws -> [UInt8]) rethrows -> RefreshToken
    {
        var body: [UInt8] = []
        for shift in stride(from: 56, through: 0, by: -8) {
            body.append(UInt8(truncatingIfNeeded: session.rawValue >> Int64(shift)))
        }
        for shift in stride(from: 24, through: 0, by: -8) {
            body.append(UInt8(truncatingIfNeeded: generation >> Int64(shift)))
        }
        body += SecureRandom.bytes(20)
        let code = try hash(Base64URL.text(body))
        return RefreshToken(
            session: session, generation: generation, text: prefix + Base64URL.text(body + code.prefix(codeCount)))
    }

    /// Nil for whatever this program did not make.
    static func read(_ text: String, _ hash: (String) throws -> [UInt8]) rethrows -> RefreshToken? {
        guard text.utf8.count <= 128, text.hasPrefix(prefix),
            let bytes = Base64URL.bytes(Array(text.utf8.dropFirst(prefix.utf8.count))),
            bytes.count == bodyCount + codeCount
        else { return nil }
        let body = Array(bytes[..<bodyCount])
        guard Sodium.isEqual(try Array(hash(Base64URL.text(body)).prefix(codeCount)), Array(bytes[bodyCount...])) else {
            return nil
        }
        let session = bytes[..<8].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        let generation = bytes[8..<12].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return RefreshToken(session: RecordID(rawValue: session), generation: generation, text: text)
    }
}
