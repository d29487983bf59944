public import TandemCore
import TandemJSON

/// The file `manifest.sig` of a bundle: who vouches for exactly these bytes of `plugin.json`, and since when.
///
/// ```json
/// {"version":1,"algorithm":"ed25519","key":"ed25519:…","time":"2026-11-21T10:00:00.000Z","signature":"…","seal":"…"}
/// ```
///
/// `signature` is over the manifest's bytes and nothing else, so that any Ed25519 tool can check it; `seal` is over
/// signature, key and time, so that these cannot be exchanged. `rotations` leads from a key that hosts may know to the
/// key that signed. The manifest covers every other file of the bundle.
public struct ManifestSignature: Sendable, Hashable {
    /// The id of the key that signed.
    public var key: String
    public var time: Timestamp
    public var rotations: [KeyRotation]
    var signature: [UInt8]
    var seal: [UInt8]

    /// Its name in the bundle; the manifest does not list it.
    public static let fileName = "manifest.sig"
    static let maxDocumentBytes = 64 << 10

    /// Signs a manifest; nil when the system has no randomness.
    init?(of manifest: [UInt8], with key: SigningKey, at time: Timestamp) {
        self.key = key.id
        self.time = time
        rotations = key.rotations
        guard let signature = key.signature(over: manifest),
            let seal = key.signature(
                over: ManifestSignature.sealed(signature: signature, key: key.id, time: time))
        else { return nil }
        self.signature = signature
        self.seal = seal
    }

    private static func sealed(signature: [UInt8], key: String, time: Timestamp) -> [UInt8] {
        Array("tandem manifest signature 1\n\(Base64.text(signature))\n\(key)\n\(time)\n".utf8)
    }

    /// Whether `key` signed these bytes at this time.
    func isValid(for manifest: [UInt8], by key: VerifyingKey) -> Bool {
        key.id == self.key && key.isValid(signature, for: manifest)
            && key.isValid(seal, for: ManifestSignature.sealed(signature: signature, key: self.key, time: time))
    }

    var text: [UInt8] {
        var document: JSONObject = [
            "version": 1, "algorithm": "ed25519", "key": .string(key), "time": .string(time.description),
            "signature": .string(Base64.text(signature)), "seal": .string(Base64.text(seal)),
        ]
        if !rotations.isEmpty { document["rotations"] = .array(rotations.map(\.json)) }
        return Array((JSON.object(document).pretty() + "\n").utf8)
    }

    init(reading text: [UInt8]) throws(DocumentError) {
        let name = ManifestSignature.fileName
        let json: JSON
        do {
            json = try JSON(parsing: text)
        } catch {
            throw DocumentError(document: name, parsing: error)
        }
        let problems = ProblemList()
        var time: Timestamp?
        key = ""
        rotations = []
        signature = []
        seal = []
        if let reader = ObjectReader(json, at: "", problems: problems) {
            TrustReading.version(in: reader)
            TrustReading.algorithm(in: reader)
            key = reader.string("key", "must look like ed25519:0123...", VerifyingKey.isID)
            time = TrustReading.time("time", in: reader)
            signature = TrustReading.signature("signature", in: reader)
            seal = TrustReading.signature("seal", in: reader)
            rotations = KeyRotation.chain("rotations", in: reader)
            reader.finish()
        }
        try problems.check(document: name, text: text)
        guard let time else {
            throw DocumentError(document: name, problems: [DocumentProblem(pointer: "", message: "is incomplete")])
        }
        self.time = time
    }
}
