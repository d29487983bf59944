import Glibc
public import TandemCore
import TandemJSON

/// What must not run any more: keys, plugin versions and single manifests, signed by a key that may say so.
///
/// ```json
/// {"version":1,
///  "list":{"sequence":12,"issued":"…","expires":"…",
///          "keys":[{"id":"ed25519:…","reason":"…"}],
///          "plugins":[{"id":"org.example.tides","versions":["1.2.0"],"before":"1.1.4","reason":"…"}],
///          "manifests":[{"checksum":"sha256:…","reason":"…"}]},
///  "key":"ed25519:…","signature":"…"}
/// ```
///
/// Signed are the line `tandem revocations 1` and the canonical JSON (RFC 8785) of `list`. A list is complete: a later
/// one takes the place of an earlier one. Its sequence number only grows, so that an older list cannot be put back.
public struct RevocationList: Sendable, Hashable {
    public struct Key: Sendable, Hashable {
        public var id: String
        public var reason: String

        public init(id: String, reason: String) {
            self.id = id
            self.reason = reason
        }
    }

    public struct Plugin: Sendable, Hashable {
        public var id: String
        /// Exact versions; nil with `before` nil: every version.
        public var versions: [String]?
        /// Every version that precedes this one.
        public var before: String?
        public var reason: String

        public init(id: String, versions: [String]? = nil, before: String? = nil, reason: String) {
            self.id = id
            self.versions = versions
            self.before = before
            self.reason = reason
        }

        func covers(_ version: String) -> Bool {
            if versions == nil, before == nil { return true }
            // Build metadata does not make another version (Semantic Versioning 2.0.0, §10).
            let release = version.prefix { $0 != "+" }
            if versions?.contains(where: { $0.prefix { $0 != "+" } == release }) == true { return true }
            return before.map { VersionOrder.precedes(version, $0) } ?? false
        }
    }

    public struct Manifest: Sendable, Hashable {
        /// `sha256:` of `plugin.json`.
        public var checksum: String
        public var reason: String

        public init(checksum: String, reason: String) {
            self.checksum = checksum
            self.reason = reason
        }
    }

    /// From 1.
    public var sequence: Int64
    public var issued: Timestamp
    /// When a newer one should have been there. A list that expired still holds; the operator is told.
    public var expires: Timestamp
    public var keys: [Key]
    public var plugins: [Plugin]
    public var manifests: [Manifest]

    public init(
        sequence: Int64, issued: Timestamp, expires: Timestamp, keys: [Key] = [], plugins: [Plugin] = [],
        manifests: [Manifest] = []
    ) {
        self.sequence = sequence
        self.issued = issued
        self.expires = expires
        self.keys = keys
        self.plugins = plugins
        self.manifests = manifests
    }

    static let maxDocumentBytes = 4 << 20
    static let documentName = "revocations.json"

    /// Why this must not run, if it must not.
    func reason(manifest checksum: String, plugin id: String, version: String, keys signers: [VerifyingKey]) -> String?
    {
        if let manifest = manifests.first(where: { $0.checksum == checksum }) {
            return "this build was revoked: \(manifest.reason)"
        }
        if let plugin = plugins.first(where: { $0.id == id && $0.covers(version) }) {
            return "\(id) \(version) was revoked: \(plugin.reason)"
        }
        return signers.lazy.compactMap(reason(ofKey:)).first
    }

    func reason(ofKey key: VerifyingKey) -> String? {
        keys.first { $0.id == key.id }.map { "the key \(key.id) was revoked: \($0.reason)" }
    }

    func isRevoked(_ key: VerifyingKey) -> Bool { keys.contains { $0.id == key.id } }

    var json: JSON {
        var list: JSONObject = [
            "sequence": .integer(sequence), "issued": .string(issued.description),
            "expires": .string(expires.description),
        ]
        list["keys"] = .array(keys.map { ["id": .string($0.id), "reason": .string($0.reason)] })
        list["plugins"] = .array(
            plugins.map { plugin in
                var object: JSONObject = ["id": .string(plugin.id), "reason": .string(plugin.reason)]
                if let versions = plugin.versions { object["versions"] = .array(versions.map { .string($0) }) }
                if let before = plugin.before { object["before"] = .string(before) }
                return .object(object)
            })
        list["manifests"] = .array(
            manifests.map { ["checksum": .string($0.checksum), "reason": .string($0.reason)] })
        return .object(list)
    }

    init?(reading reader: ObjectReader) {
        defer { reader.finish() }
        sequence = reader.integer("sequence", in: 1...Int64(1) << 52, required: true) ?? 0
        let issued = TrustReading.time("issued", in: reader)
        let expires = TrustReading.time("expires", in: reader)
        keys = reader.array("keys", atMost: 10_000).compactMap { pointer, value in
            guard let key = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { key.finish() }
            return Key(
                id: key.string("id", "must look like ed25519:0123...", VerifyingKey.isID),
                reason: RevocationList.reason(in: key))
        }
        plugins = reader.array("plugins", atMost: 10_000).compactMap { pointer, value in
            guard let plugin = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { plugin.finish() }
            let id = plugin.string("id", PluginManifest.idRequirement, TextRule.isPluginID)
            let versions = plugin.strings("versions", atMost: 1000).map { place, version in
                if !TextRule.isVersion(version) {
                    plugin.problems.add(place, "must follow Semantic Versioning 2.0.0")
                }
                return version
            }
            let before = plugin.string("before")
            if let before, !TextRule.isVersion(before) {
                plugin.problem("before", "must follow Semantic Versioning 2.0.0")
            }
            return Plugin(
                id: id, versions: plugin.has("versions") ? versions : nil, before: before,
                reason: RevocationList.reason(in: plugin))
        }
        manifests = reader.array("manifests", atMost: 10_000).compactMap { pointer, value in
            guard let manifest = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { manifest.finish() }
            return Manifest(
                checksum: manifest.string(
                    "checksum", "must be sha256: and 64 lower-case hexadecimal digits", TextRule.isChecksum),
                reason: RevocationList.reason(in: manifest))
        }
        guard let issued, let expires else { return nil }
        if expires <= issued { reader.problem("expires", "must be after the time of issue") }
        self.issued = issued
        self.expires = expires
    }

    private static func reason(in reader: ObjectReader) -> String {
        reader.string("reason", "must be one line of 1 to 160 characters") { TextRule.isLine($0, atMost: 160) }
    }
}

/// A revocation list with its signature, as `revocations.json` holds it.
public struct SignedRevocations: Sendable, Hashable {
    public let list: RevocationList
    /// The id of the key that signed.
    public let key: String
    private let signature: [UInt8]
    /// `list` as it was read: what is signed, whatever this version would write.
    private let payload: JSON

    /// Signs a list; nil when the system has no randomness.
    public init?(_ list: RevocationList, signedWith key: SigningKey) {
        let payload = list.json
        guard let signature = key.signature(over: SignedRevocations.message(payload)) else { return nil }
        self.list = list
        self.key = key.id
        self.payload = payload
        self.signature = signature
    }

    private static func message(_ list: JSON) -> [UInt8] {
        Array("tandem revocations 1\n".utf8) + list.canonical()
    }

    /// Whether `key` signed this list.
    func isSigned(by key: VerifyingKey) -> Bool {
        key.id == self.key && key.isValid(signature, for: SignedRevocations.message(payload))
    }

    public var text: [UInt8] {
        let document: JSON = [
            "version": 1, "list": payload, "key": .string(key), "signature": .string(Base64.text(signature)),
        ]
        return Array((document.pretty() + "\n").utf8)
    }

    /// Reads and checks the document, not yet the signature; throws every problem with its place.
    public init(reading text: [UInt8]) throws(DocumentError) {
        let name = RevocationList.documentName
        let json: JSON
        do {
            json = try JSON(parsing: text, limits: JSONLimits(maxBytes: RevocationList.maxDocumentBytes))
        } catch {
            throw DocumentError(document: name, parsing: error)
        }
        let problems = ProblemList()
        var list: RevocationList?
        var key = ""
        var signature: [UInt8] = []
        if let reader = ObjectReader(json, at: "", problems: problems) {
            TrustReading.version(in: reader)
            list = reader.object("list", required: true).flatMap(RevocationList.init(reading:))
            key = reader.string("key", "must look like ed25519:0123...", VerifyingKey.isID)
            signature = TrustReading.signature("signature", in: reader)
            reader.finish()
        }
        try problems.check(document: name, text: text)
        guard let list else {
            throw DocumentError(document: name, problems: [DocumentProblem(pointer: "", message: "is incomplete")])
        }
        self.list = list
        self.key = key
        self.signature = signature
        payload = json["list"] ?? .null
    }

    /// Reads the list of a path; nil when there is no file.
    public static func load(from path: String) throws -> SignedRevocations? {
        do {
            let file = try RegularFile(
                path: path, limit: RevocationList.maxDocumentBytes, requiresPrivateWriting: true)
            return try SignedRevocations(reading: try file.read())
        } catch let error as FileRefusal where error.errno == ENOENT {
            return nil
        }
    }

    /// Writes the document as a whole (temporary file, `fsync`, rename; mode 0644).
    public func save(to path: String) throws { try AtomicFile.write(text, to: path, mode: 0o644) }
}

/// The order of Semantic Versioning 2.0.0, §11.
enum VersionOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let (leftCore, leftPre) = parts(left)
        let (rightCore, rightPre) = parts(right)
        for (one, other) in zip(leftCore, rightCore) where one != other { return isLess(one, other) }
        if leftPre.isEmpty || rightPre.isEmpty { return !leftPre.isEmpty && rightPre.isEmpty }
        for (one, other) in zip(leftPre, rightPre) where one != other { return isLess(one, other) }
        return leftPre.count < rightPre.count
    }

    private static func parts(_ version: String) -> (core: [Substring], pre: [Substring]) {
        let release = version.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let halves = release.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        return (halves[0].split(separator: "."), halves.count == 2 ? halves[1].split(separator: ".") : [])
    }

    /// Numbers by value and before words; words by their bytes.
    private static func isLess(_ left: Substring, _ right: Substring) -> Bool {
        let (one, other) = (isNumber(left), isNumber(right))
        if one != other { return one }
        if one, left.utf8.count != right.utf8.count { return left.utf8.count < right.utf8.count }
        return left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func isNumber(_ text: Substring) -> Bool { text.utf8.allSatisfy { (48...57).contains($0) } }
}
