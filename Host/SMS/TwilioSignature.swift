import Crypto
public import TandemCore

/// Verifies and makes the signatures of Twilio's requests to us.
///
/// Base64 of HMAC-SHA1 under the account's auth token over the full URL, followed by every form parameter as name and
/// value, sorted by name byte-wise, repeated values once each and sorted
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>). A request that names a shared key in
/// `X-Twilio-Webhooks-Signature-Settings` is signed with that key and SHA-256. As in Twilio's own libraries the URL counts
/// with and without its port. Comparison takes the same time wherever a signature differs.
public struct TwilioSignature: Sendable {
    /// With the keys worked in, nothing hashed yet.
    private let tokens: [HMAC<Insecure.SHA1>]
    private let sharedKey: HMAC<SHA256>?

    /// - Parameters:
    ///   - previousAuthToken: Accepted as well, while the token is being changed.
    ///   - sharedKey: For SHA-256 signatures; nil refuses them.
    public init(authToken: Secret, previousAuthToken: Secret? = nil, sharedKey: Secret? = nil) {
        tokens = [authToken, previousAuthToken].compactMap { $0 }.filter { !$0.reveal().isEmpty }
            .map { HMAC(key: SymmetricKey(data: Array($0.reveal().utf8))) }
        self.sharedKey = sharedKey.flatMap { secret in
            secret.reveal().isEmpty ? nil : HMAC(key: SymmetricKey(data: Array(secret.reveal().utf8)))
        }
    }

    /// Whether the signature belongs to this URL and these parameters.
    ///
    /// - Parameters:
    ///   - signature: The value of `X-Twilio-Signature`.
    ///   - settings: The value of `X-Twilio-Webhooks-Signature-Settings`, if any.
    ///   - url: As Twilio called it: configured public address, path and query exactly as received, no fragment.
    ///   - form: The parameters of the body; nil for a body that is no form.
    ///   - body: The body that is no form: the URL's `bodySHA256` must be its SHA-256.
    public func isValid(
        _ signature: String, settings: String? = nil, url: String, form: FormParameters?, body: [UInt8] = []
    ) -> Bool {
        if form == nil, !body.isEmpty || url.contains("bodySHA256="), !hasBodyHash(url, of: body) { return false }
        if let settings {
            guard let sharedKey, isSHA256(settings) else { return false }
            return matches(Array(signature.utf8), [sharedKey], url: url, form: form)
        }
        return matches(Array(signature.utf8), tokens, url: url, form: form)
    }

    /// The signature that Twilio would send, for tests and simulators; under the first token.
    public func signature(url: String, form: FormParameters?) -> String {
        guard var hash = tokens.first else { return "" }
        hash.update(data: Array(url.utf8) + (form.map(TwilioSignature.joined) ?? []))
        let code = hash.finalize()
        return String(decoding: base64(Array(code)), as: UTF8.self)
    }

    private func matches<Hash: HashFunction>(
        _ given: [UInt8], _ keys: [HMAC<Hash>], url: String, form: FormParameters?
    ) -> Bool {
        let parameters = form.map(TwilioSignature.joined) ?? []
        // The URL as configured first: which variant was signed is no secret, the signature is.
        return matches(given, keys, url, parameters)
            || TwilioSignature.variant(of: url).map { matches(given, keys, $0, parameters) } ?? false
    }

    private func matches<Hash: HashFunction>(
        _ given: [UInt8], _ keys: [HMAC<Hash>], _ url: String, _ parameters: [UInt8]
    ) -> Bool {
        let text = Array(url.utf8) + parameters
        for key in keys {
            var hash = key
            hash.update(data: text)
            if isEqual(base64(Array(hash.finalize())), given) { return true }
        }
        return false
    }

    /// What a signature covers besides the URL.
    private static func joined(_ form: FormParameters) -> [UInt8] {
        var text = [UInt8]()
        text.reserveCapacity(form.bytes.count)
        for index in order(of: form) {
            text.append(contentsOf: form.bytes[form.fields[index].name])
            text.append(contentsOf: form.bytes[form.fields[index].value])
        }
        return text
    }

    /// The fields by name, then value, without exact repetitions.
    private static func order(of form: FormParameters) -> [Int] {
        form.bytes.withUnsafeBufferPointer { bytes in
            func compare(_ left: Range<Int>, _ right: Range<Int>) -> Int {
                let common = min(left.count, right.count)
                for offset in 0..<common {
                    let a = bytes[left.lowerBound + offset]
                    let b = bytes[right.lowerBound + offset]
                    if a != b { return a < b ? -1 : 1 }
                }
                return left.count - right.count
            }
            func compare(_ left: Int, _ right: Int) -> Int {
                let names = compare(form.fields[left].name, form.fields[right].name)
                return names != 0 ? names : compare(form.fields[left].value, form.fields[right].value)
            }
            let sorted = form.fields.indices.sorted { compare($0, $1) < 0 }
            var kept = [Int]()
            kept.reserveCapacity(sorted.count)
            for index in sorted {
                if let last = kept.last, compare(last, index) == 0 { continue }
                kept.append(index)
            }
            return kept
        }
    }

    /// The URL with its port added or taken away.
    static func variant(of url: String) -> String? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") {
            return String(url[..<colon]) + url[authority.endIndex...]
        }
        return String(url[..<authority.endIndex]) + (url.hasPrefix("https:") ? ":443" : ":80")
            + url[authority.endIndex...]
    }

    /// `key=NAME,algorithm=HMAC_SHA256`, in any order.
    private func isSHA256(_ settings: String) -> Bool {
        settings.split(separator: ",").contains { part in
            let pair = part.split(separator: "=", maxSplits: 1)
            return pair.count == 2 && pair[0].filter { $0 != " " } == "algorithm"
                && pair[1].filter { $0 != " " } == "HMAC_SHA256"
        }
    }

    private func hasBodyHash(_ url: String, of body: [UInt8]) -> Bool {
        guard let start = url.firstRange(of: "bodySHA256=") else { return false }
        let hex = Array(url[start.upperBound...].utf8.prefix { $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: "#") })
        guard hex.count == 64 else { return false }
        var given = [UInt8]()
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = hexDigit(hex[index]), let low = hexDigit(hex[index + 1]) else { return false }
            given.append(high << 4 | low)
        }
        return isEqual(Array(SHA256.hash(data: body)), given)
    }
}

/// Whether the bytes agree, without stopping at the first that does not.
private func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}

/// Standard Base64 with padding (RFC 4648 §4).
func base64(_ bytes: [UInt8]) -> [UInt8] {
    let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    var text = [UInt8]()
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
        let count = min(3, bytes.count - index)
        var group = UInt32(bytes[index]) << 16
        if count > 1 { group |= UInt32(bytes[index + 1]) << 8 }
        if count > 2 { group |= UInt32(bytes[index + 2]) }
        for place in 0..<4 {
            text.append(
                place <= count ? alphabet.utf8Start[Int(group >> UInt32(18 - place * 6) & 63)] : UInt8(ascii: "="))
        }
        index += 3
    }
    return text
}
