import Glibc
public import TandemJSON

/// The keys that this host's operator trusts, and for what: `trust.json` (docs/plugins/publishing.md).
public struct TrustStore: Sendable, Hashable {
    public var keys: [TrustedKey]

    public init(keys: [TrustedKey] = []) { self.keys = keys }

    static let maxDocumentBytes = 1 << 20

    /// Reads and checks the document; throws every problem with JSON pointer, line and column.
    public init(reading text: [UInt8]) throws(DocumentError) {
        let json: JSON
        do {
            json = try JSON(parsing: text, limits: JSONLimits(maxBytes: TrustStore.maxDocumentBytes))
        } catch {
            throw DocumentError(document: "trust.json", parsing: error)
        }
        let problems = ProblemList()
        var keys: [TrustedKey] = []
        if let reader = ObjectReader(json, at: "", problems: problems) {
            TrustReading.version(in: reader)
            var seen: Set<String> = []
            for (pointer, value) in reader.array("keys", required: true, atMost: 1000) {
                guard let member = ObjectReader(value, at: pointer, problems: problems),
                    let key = TrustedKey(reading: member)
                else { continue }
                if !seen.insert(key.key.id).inserted { member.problem("public", "stands here twice") }
                keys.append(key)
            }
            reader.finish()
        }
        try problems.check(document: "trust.json", text: text)
        self.keys = keys
    }

    public var text: [UInt8] {
        let document: JSON = ["version": 1, "keys": .array(keys.map(\.json))]
        return Array((document.pretty() + "\n").utf8)
    }

    /// Reads the store of a path; a missing file is an empty store.
    public static func load(from path: String) throws -> TrustStore {
        do {
            let file = try RegularFile(path: path, limit: maxDocumentBytes, requiresPrivateWriting: true)
            return try TrustStore(reading: try file.read())
        } catch let error as FileRefusal where error.errno == ENOENT {
            return TrustStore()
        }
    }

    /// Adds a key or replaces what the store says about it.
    public mutating func trust(_ key: TrustedKey) {
        keys.removeAll { $0.key.id == key.key.id }
        keys.append(key)
    }

    /// The trusted key that handed over to `file`'s, by itself or over others; nil when none did.
    public func predecessor(of file: PublicKeyFile) -> TrustedKey? {
        keys.first { KeyRotation.path(from: $0.key, to: file.key.id, over: file.rotations)?.count ?? 0 > 1 }
    }

    /// Writes the document as a whole (temporary file, `fsync`, rename; mode 0644).
    public func save(to path: String) throws { try AtomicFile.write(text, to: path, mode: 0o644) }
}

/// One key of the trust store.
public struct TrustedKey: Sendable, Hashable {
    public var key: VerifyingKey
    /// Whose it is, for people.
    public var name: String
    public var tier: Tier
    /// The plugins it may sign: ids, or beginnings that end in `*`. Nil: all.
    public var plugins: [String]?
    /// It may sign revocation lists, too.
    public var signsRevocations: Bool

    /// What its word is worth.
    public enum Tier: String, Sendable, Hashable, CaseIterable {
        /// The publisher of the host checked and signed it.
        case verified
        /// The operator of this host signed it.
        case `operator`
        /// Somebody's work in progress.
        case developer

        /// The registry's word for plugins of this tier.
        public var trust: RegistryEntry.Trust {
            switch self {
            case .verified: .verified
            case .operator: .operator
            case .developer: .developer
            }
        }
    }

    public init(
        _ key: VerifyingKey, name: String, tier: Tier, plugins: [String]? = nil, signsRevocations: Bool = false
    ) {
        self.key = key
        self.name = name
        self.tier = tier
        self.plugins = plugins
        self.signsRevocations = signsRevocations
    }

    init?(reading reader: ObjectReader) {
        defer { reader.finish() }
        let key = TrustReading.publicKey("public", in: reader)
        let id = reader.string("id", "must look like ed25519:0123...", VerifyingKey.isID)
        if let key, VerifyingKey.isID(id), key.id != id { reader.problem("id", "is not the id of this key") }
        name = reader.string("name", "must be one line of 1 to 80 characters") { TextRule.isLine($0, atMost: 80) }
        tier = reader.word("tier", Tier.self, required: true) ?? .developer
        plugins = nil
        if reader.has("plugins") {
            plugins = reader.strings("plugins", atMost: 256).map { pointer, pattern in
                if !TrustedKey.isPattern(pattern) {
                    reader.problems.add(pointer, "must be a plugin's id, or the beginning of one and *")
                }
                return pattern
            }
        }
        signsRevocations = reader.bool("revocations") ?? false
        guard let key else { return nil }
        self.key = key
    }

    private static func isPattern(_ text: String) -> Bool {
        guard text.hasSuffix("*") else { return TextRule.isPluginID(text) }
        let stem = text.dropLast()
        return stem.isEmpty || (stem.hasSuffix(".") && TextRule.isPluginID(stem + "x"))
    }

    public var json: JSON {
        var object: JSONObject = [
            "id": .string(key.id), "public": .string(key.base64), "name": .string(name), "tier": .string(tier.rawValue),
        ]
        if let plugins { object["plugins"] = .array(plugins.map { .string($0) }) }
        if signsRevocations { object["revocations"] = true }
        return .object(object)
    }

    func maySign(plugin id: String) -> Bool {
        guard let plugins else { return true }
        return plugins.contains { $0.hasSuffix("*") ? id.hasPrefix($0.dropLast()) : id == $0 }
    }
}
