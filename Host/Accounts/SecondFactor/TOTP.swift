import Crypto
import TandemCore

/// Time-based one-time passwords (RFC 6238, on RFC 4226).
struct TOTP: Sendable, Hashable {
    enum Algorithm: String, Sendable, Hashable {
        case sha1 = "SHA1"
        case sha256 = "SHA256"
        case sha512 = "SHA512"
    }

    let secret: [UInt8]
    /// 6…8.
    var digits = 6
    /// In seconds.
    var period: Int64 = 30
    /// SHA-1 is what authenticator apps understand; as a keyed hash it is sound (RFC 6194 §3.3).
    var algorithm = Algorithm.sha1

    /// The number of the period that an instant lies in.
    func step(at time: Timestamp) -> Int64 {
        let seconds = time.millisecondsSinceEpoch / 1000
        return seconds / period
    }

    /// The code of a period, with leading zeros.
    func code(step: Int64) -> String {
        let key = SymmetricKey(data: secret)
        var message: [UInt8] = []
        for shift in stride(from: 56, through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: step >> Int64(shift)))
        }
        let hash: [UInt8] =
            switch algorithm {
            case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: message, using: key))
            case .sha256: Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
            case .sha512: Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
            }
        // RFC 4226 §5.3, dynamic truncation.
        let offset = Int(hash[hash.count - 1] & 15)
        let number = hash[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        var rest = number
        var text = [UInt8](repeating: 48, count: digits)
        for place in text.indices.reversed() {
            text[place] = 48 + UInt8(rest % 10)
            rest /= 10
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The period whose code was given, among this one and one to either side, and later than the last one used; nil for a
    /// wrong code and for one that was used.
    func acceptedStep(_ code: String, at time: Timestamp, after last: Int64) -> Int64? {
        let given = code.utf8.filter { $0 != 32 && $0 != 45 }
        guard given.count == digits else { return nil }
        let now = step(at: time)
        var accepted: Int64?
        for step in (now - 1)...(now + 1) where Sodium.isEqual(Array(self.code(step: step).utf8), given) {
            if step > last { accepted = accepted ?? step }
        }
        return accepted
    }

    /// What authenticator apps read from the picture (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
    func uri(issuer: String, account: String) -> String {
        let issuer = TOTP.escaped(issuer)
        return "otpauth://totp/\(issuer):\(TOTP.escaped(account))?secret=\(Base32.text(secret))&issuer=\(issuer)"
            + "&algorithm=\(algorithm.rawValue)&digits=\(digits)&period=\(period)"
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
    private static func escaped(_ text: String) -> String {
        var escaped: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case 65...90, 97...122, 48...57, 45, 46, 95, 126: escaped.append(byte)
            default: escaped += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
