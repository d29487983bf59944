import Crypto
public import TandemCore
import TandemJSON

/// A key pair that signs bundles and revocation lists. The private half never leaves this type except to its key file.
public struct SigningKey: Sendable {
    /// What its owner calls it, also the name of its file.
    public let name: String
    public let created: Timestamp
    /// The statements by which earlier keys handed over to this one, oldest first; they travel with its signatures.
    public let rotations: [KeyRotation]
    private let pair: Curve25519.Signing.PrivateKey

    public var verifying: VerifyingKey {
        // A public key of this type has 32 bytes.
        VerifyingKey(bytes: Array(pair.publicKey.rawRepresentation)) ?? VerifyingKey.none
    }

    public var id: String { verifying.id }

    /// A new key from the system's random source.
    public init(name: String, created: Timestamp) {
        self.init(name: name, created: created, rotations: [], pair: Curve25519.Signing.PrivateKey())
    }

    private init(name: String, created: Timestamp, rotations: [KeyRotation], pair: Curve25519.Signing.PrivateKey) {
        self.name = name
        self.created = created
        self.rotations = rotations
        self.pair = pair
    }

    /// `[a-z0-9][a-z0-9._-]*`, at most 40 characters: it becomes a file name.
    public static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 40, isNameByte(first, first: true) else { return false }
        return text.utf8.allSatisfy { isNameByte($0, first: false) }
    }

    private static func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): !first
        default: false
        }
    }

    /// 64 bytes over exactly `message`; nil when the system has no randomness to blind the computation with.
    func signature(over message: [UInt8]) -> [UInt8]? { (try? pair.signature(for: message)).map(Array.init) }

    /// The key that takes this one's place, with this one's signature under it; nil as above.
    public func successor(at now: Timestamp) -> SigningKey? {
        let next = SigningKey(name: name, created: now)
        guard let rotation = KeyRotation(from: self, to: next.verifying, at: now) else { return nil }
        return SigningKey(name: name, created: now, rotations: rotations + [rotation], pair: next.pair)
    }

    // MARK: Key file

    /// The document of the key file: `{"version":1,"name","algorithm","private","created","rotations"}`.
    var text: [UInt8] {
        var document = publicDocument
        document["private"] = .string(Base64.text(Array(pair.rawRepresentation)))
        return Array((JSON.object(document).pretty() + "\n").utf8)
    }

    /// What may be shown to everybody, for `keys trust` elsewhere.
    public var publicText: [UInt8] { Array((JSON.object(publicDocument).pretty() + "\n").utf8) }

    private var publicDocument: JSONObject {
        var document: JSONObject = [
            "version": 1, "algorithm": "ed25519", "name": .string(name), "id": .string(id),
            "public": .string(verifying.base64), "created": .string(created.description),
        ]
        if !rotations.isEmpty { document["rotations"] = .array(rotations.map(\.json)) }
        return document
    }

    init(reading text: [UInt8], document name: String) throws(DocumentError) {
        let shared = try PublicKeyFile(reading: text, document: name, allowsPrivate: true)
        guard let seed = shared.seed, let pair = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            Array(pair.publicKey.rawRepresentation) == shared.key.bytes
        else {
            throw DocumentError(
                document: name, problems: [DocumentProblem(pointer: "", message: "holds no usable private key")])
        }
        self.init(name: shared.name, created: shared.created, rotations: shared.rotations, pair: pair)
    }
}

extension VerifyingKey {
    fileprivate static let none = VerifyingKey(unchecked: [UInt8](repeating: 0, count: 32))

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}

/// A public key as its owner hands it out: the key, its name, and how it came to replace earlier ones.
public struct PublicKeyFile: Sendable, Hashable {
    public var name: String
    public var key: VerifyingKey
    public var created: Timestamp
    public var rotations: [KeyRotation]
    /// The private half, when the document is a key file.
    var seed: [UInt8]?

    /// Reads the form that `SigningKey.publicText` writes; throws every problem with its place.
    public init(reading text: [UInt8], document name: String) throws(DocumentError) {
        try self.init(reading: text, document: name, allowsPrivate: false)
    }

    init(reading text: [UInt8], document: String, allowsPrivate: Bool) throws(DocumentError) {
        let json: JSON
        do {
            json = try JSON(parsing: text)
        } catch {
            throw DocumentError(document: document, parsing: error)
        }
        let problems = ProblemList()
        var file: PublicKeyFile?
        if let reader = ObjectReader(json, at: "", problems: problems) {
            TrustReading.version(in: reader)
            TrustReading.algorithm(in: reader)
            let name = reader.string("name", "must match [a-z0-9][a-z0-9._-]*", SigningKey.isName)
            let key = TrustReading.publicKey("public", in: reader)
            let id = reader.string("id", "must look like ed25519:0123...", VerifyingKey.isID)
            if let key, VerifyingKey.isID(id), key.id != id { reader.problem("id", "is not the id of this key") }
            let created = TrustReading.time("created", in: reader)
            var seed: [UInt8]?
            if allowsPrivate, let text = reader.string("private", required: true) {
                seed = Base64.bytes(text, count: 32)
                if seed == nil { reader.problem("private", "must be 32 bytes in Base64") }
            }
            let rotations = KeyRotation.chain("rotations", in: reader)
            reader.finish()
            if let key, let created {
                file = PublicKeyFile(name: name, key: key, created: created, rotations: rotations, seed: seed)
            }
        }
        try problems.check(document: document, text: text)
        guard let file else {
            throw DocumentError(document: document, problems: [DocumentProblem(pointer: "", message: "is incomplete")])
        }
        self = file
    }

    private init(name: String, key: VerifyingKey, created: Timestamp, rotations: [KeyRotation], seed: [UInt8]?) {
        self.name = name
        self.key = key
        self.created = created
        self.rotations = rotations
        self.seed = seed
    }
}

/// What the documents of this folder have in common.
enum TrustReading {
    static func version(in reader: ObjectReader) {
        if let version = reader.value("version", required: true), version.int64Value != 1 {
            reader.problem("version", "must be 1, the only format this host reads")
        }
    }

    static func algorithm(in reader: ObjectReader) {
        if let algorithm = reader.string("algorithm", required: true), algorithm != "ed25519" {
            reader.problem("algorithm", "must be ed25519")
        }
    }

    static func publicKey(_ name: String, in reader: ObjectReader) -> VerifyingKey? {
        guard let text = reader.string(name, required: true) else { return nil }
        guard let key = VerifyingKey(base64: text) else {
            reader.problem(name, "must be the 32 bytes of an Ed25519 public key in Base64")
            return nil
        }
        return key
    }

    static func signature(_ name: String, in reader: ObjectReader) -> [UInt8] {
        guard let text = reader.string(name, required: true) else { return [] }
        guard let bytes = Base64.bytes(text, count: 64) else {
            reader.problem(name, "must be the 64 bytes of an Ed25519 signature in Base64")
            return []
        }
        return bytes
    }

    static func time(_ name: String, in reader: ObjectReader) -> Timestamp? {
        guard let text = reader.string(name, required: true) else { return nil }
        guard let time = Timestamp(text), time.description == text else {
            reader.problem(name, "must be a time like 2026-11-21T10:00:00.000Z")
            return nil
        }
        return time
    }
}
