import TandemCore
import TandemJSON

/// What an access token says (RFC 7519 §4.1, RFC 9068 §2.2): whose it is and of which session, and until when it holds.
///
/// It carries no rights: these come from the session, which may have ended meanwhile.
struct AccessClaims: Sendable, Hashable {
    var user: UserID
    var session: RecordID
    var issuedAt: Timestamp
    var expiresAt: Timestamp

    /// Clocks of several machines differ.
    static let leeway: Duration = .seconds(5)

    func payload(issuer: String, audience: String, id: String) -> JSONObject {
        [
            "iss": .string(issuer), "aud": .string(audience), "sub": .string(user.description),
            "sid": .string(session.description), "jti": .string(id), "iat": .integer(AccessClaims.seconds(issuedAt)),
            "exp": .integer(AccessClaims.seconds(expiresAt)),
        ]
    }

    /// Nil unless each claim is there, of its type, for this issuer and audience, and in time.
    init?(_ payload: JSONObject, issuer: String, audience: String, now: Timestamp) {
        guard payload["iss"]?.stringValue == issuer, AccessClaims.isFor(audience, payload["aud"]),
            let user = payload["sub"]?.stringValue.flatMap({ UserID($0) }),
            let session = payload["sid"]?.stringValue.flatMap({ RecordID($0) }),
            let issuedAt = AccessClaims.instant(payload["iat"]), let expiresAt = AccessClaims.instant(payload["exp"]),
            AccessClaims.hold(from: issuedAt, to: expiresAt, at: now)
        else { return nil }
        if let notBefore = payload["nbf"] {
            guard let instant = AccessClaims.instant(notBefore), instant <= now.advanced(by: AccessClaims.leeway) else {
                return nil
            }
        }
        self.init(user: user, session: session, issuedAt: issuedAt, expiresAt: expiresAt)
    }

    /// In time.
    func hold(at now: Timestamp) -> Bool { AccessClaims.hold(from: issuedAt, to: expiresAt, at: now) }

    private static func hold(from issuedAt: Timestamp, to expiresAt: Timestamp, at now: Timestamp) -> Bool {
        now < expiresAt && issuedAt <= now.advanced(by: AccessClaims.leeway)
    }

    init(user: UserID, session: RecordID, issuedAt: Timestamp, expiresAt: Timestamp) {
        self.user = user
        self.session = session
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
    }

    private static func seconds(_ time: Timestamp) -> Int64 { time.millisecondsSinceEpoch / 1000 }

    /// Seconds since 1970, also with a fraction (RFC 7519 §2, NumericDate).
    private static func instant(_ value: JSON?) -> Timestamp? {
        if let whole = value?.int64Value, (0...253_402_300_799).contains(whole) {
            return Timestamp(millisecondsSinceEpoch: whole * 1000)
        }
        guard let real = value?.doubleValue, real >= 0, real < 253_402_300_800 else { return nil }
        return Timestamp(millisecondsSinceEpoch: Int64(real * 1000))
    }

    private static func isFor(_ audience: String, _ value: JSON?) -> Bool {
        if let one = value?.stringValue { return one == audience }
        return value?.arrayValue?.contains { $0.stringValue == audience } ?? false
    }
}
