import Crypto
import TandemJSON

/// JSON Web Signatures in the compact form with one algorithm, HS256 (RFC 7515 §3.1, RFC 7518 §3.2).
///
/// Not a JOSE library: whoever issues these tokens is the only one that reads them, so the algorithm is never negotiated
/// and everything unusual is refused (RFC 8725 §3). The cryptography is swift-crypto's.
enum WebSignature {
    /// Longer tokens are none of ours.
    static let maximumBytes = 4096
    private static let limits = JSONLimits(maxBytes: maximumBytes, maxDepth: 4, maxMembers: 32, maxElements: 16)

    /// A key with its first two hash blocks done.
    struct Key: Sendable {
        private let started: HMAC<SHA256>

        /// - Parameter secret: At least 32 bytes (RFC 7518 §3.2).
        init?(_ secret: [UInt8]) {
            guard secret.count >= 32 else { return nil }
            started = HMAC<SHA256>(key: SymmetricKey(data: secret))
        }

        func sign(_ bytes: some Collection<UInt8>) -> [UInt8] {
            var code = started
            code.update(data: Array(bytes))
            return Array(code.finalize())
        }
    }

    /// The parts of a token, not verified yet.
    struct Parts {
        let header: ArraySlice<UInt8>
        let payload: ArraySlice<UInt8>
        let signature: [UInt8]
        /// What is signed: header, dot, payload.
        let signed: ArraySlice<UInt8>

        /// Nil for anything but three parts, the last one 32 bytes.
        init?(_ token: [UInt8]) {
            guard token.count <= maximumBytes, let first = token.firstIndex(of: 46),
                let second = token[(first + 1)...].firstIndex(of: 46),
                !token[(second + 1)...].contains(46), let signature = Base64URL.bytes(token[(second + 1)...]),
                signature.count == 32, first > 0
            else { return nil }
            header = token[..<first]
            payload = token[(first + 1)..<second]
            signed = token[..<second]
            self.signature = signature
        }

        func isSigned(by key: Key) -> Bool { Sodium.isEqual(key.sign(signed), signature) }
    }

    /// Reads a header or payload: an object without repeated names. Nil otherwise.
    static func object(_ part: ArraySlice<UInt8>) -> JSONObject? {
        guard let bytes = Base64URL.bytes(part), let json = try? JSON(parsing: bytes, limits: limits) else {
            return nil
        }
        return json.objectValue
    }

    /// The payload of a token whose header says HS256, and what `key` finds for the header signed; nil otherwise.
    ///
    /// A header with `crit` is refused, since no extension is understood (RFC 7515 §4.1.11).
    static func verified(_ token: String, key: (JSONObject) -> Key?) -> JSONObject? {
        guard let parts = Parts(Array(token.utf8)), let header = object(parts.header),
            header["alg"]?.stringValue == "HS256", header["crit"] == nil, let key = key(header), parts.isSigned(by: key)
        else { return nil }
        return object(parts.payload)
    }

    static func compact(header: String, payload: JSONObject, key: Key) -> String {
        let signed = header + "." + Base64URL.text(JSON.object(payload).serialized())
        return signed + "." + Base64URL.text(key.sign(signed.utf8))
    }
}
