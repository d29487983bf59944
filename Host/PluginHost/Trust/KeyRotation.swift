public import TandemCore
import TandemJSON

/// An old key's statement that a new one takes its place: whoever trusts the old one trusts the new one as far.
///
/// Signed is the text `tandem key rotation 1`, the old id, the new key in Base64 and the time, each followed by a line
/// feed, so that no other document of ours can be taken for it.
public struct KeyRotation: Sendable, Hashable {
    /// The id of the key that signed this.
    public var old: String
    public var new: VerifyingKey
    public var time: Timestamp
    var signature: [UInt8]

    /// A chain that is longer is refused.
    static let maxChain = 8

    init?(from old: SigningKey, to new: VerifyingKey, at time: Timestamp) {
        self.old = old.id
        self.new = new
        self.time = time
        guard let signature = old.signature(over: KeyRotation.message(old: old.id, new: new, time: time)) else {
            return nil
        }
        self.signature = signature
    }

    private static func message(old: String, new: VerifyingKey, time: Timestamp) -> [UInt8] {
        Array("tandem key rotation 1\n\(old)\n\(new.base64)\n\(time)\n".utf8)
    }

    /// Whether `key` is the old key and signed this.
    func isSigned(by key: VerifyingKey) -> Bool {
        key.id == old && key.isValid(signature, for: KeyRotation.message(old: old, new: new, time: time))
    }

    var json: JSON {
        [
            "old": .string(old), "new": .string(new.base64), "time": .string(time.description),
            "signature": .string(Base64.text(signature)),
        ]
    }

    init?(reading reader: ObjectReader) {
        defer { reader.finish() }
        old = reader.string("old", "must look like ed25519:0123...", VerifyingKey.isID)
        let new = TrustReading.publicKey("new", in: reader)
        let time = TrustReading.time("time", in: reader)
        signature = TrustReading.signature("signature", in: reader)
        guard let new, let time else { return nil }
        self.new = new
        self.time = time
    }

    /// The optional array `name`.
    static func chain(_ name: String, in reader: ObjectReader) -> [KeyRotation] {
        reader.array(name, atMost: maxChain).compactMap { pointer, value in
            ObjectReader(value, at: pointer, problems: reader.problems).flatMap(KeyRotation.init(reading:))
        }
    }

    /// The ids of the keys between `trusted` (first) and the key `id` (last) when the statements lead from one to the
    /// other without a gap and every signature holds; nil otherwise.
    static func path(from trusted: VerifyingKey, to id: String, over rotations: [KeyRotation]) -> [VerifyingKey]? {
        var keys = [trusted]
        guard trusted.id != id else { return keys }
        guard let start = rotations.firstIndex(where: { $0.old == trusted.id }) else { return nil }
        var current = trusted
        for rotation in rotations[start...] {
            guard rotation.isSigned(by: current) else { return nil }
            current = rotation.new
            keys.append(current)
            if current.id == id { return keys }
        }
        return nil
    }
}
