import TandemJSON

/// Which version of a plugin runs where that is not simply the one that the registry names: upgrades and rollbacks.
///
/// Kept in `plugins.versions.json` in the data folder, so that a restart keeps the decision. The bundles that it names lie
/// in the store of bundles (`BundleStore`), where nobody changes them.
///
/// ```json
/// {"version":1,"plugins":{"tandem.x":{"current":"tandem.x/0a1b…","pin":"sha256:…","previous":"tandem.x/9f8e…",
///  "previousPin":"sha256:…","registry":"sha256:…","rejected":["sha256:…"],"reason":"…"}}}
/// ```
public struct VersionBook: Sendable, Hashable {
    public struct Choice: Sendable, Hashable {
        /// In the store.
        public var current: String
        /// Of its `plugin.json`: nothing else is loaded from there.
        public var pin: String
        public var previous: String?
        public var previousPin: String?
        /// `plugin.json` of the registry's own bundle when the choice was made; another one there ends the choice.
        public var registry: String
        /// `plugin.json` of versions that failed here.
        public var rejected: [String]
        /// Why the last one was rolled back; for the operator.
        public var reason: String?

        public init(
            current: String, pin: String, previous: String? = nil, previousPin: String? = nil, registry: String,
            rejected: [String] = [], reason: String? = nil
        ) {
            self.current = current
            self.pin = pin
            self.previous = previous
            self.previousPin = previousPin
            self.registry = registry
            self.rejected = rejected
            self.reason = reason
        }

        /// The other way round; nil when there is nothing to go back to, or only what was rolled back itself.
        func reversed(rejecting: Bool, reason: String?) -> Choice? {
            guard let previous, let previousPin, !rejected.contains(previousPin) else { return nil }
            return Choice(
                current: previous, pin: previousPin, previous: current, previousPin: pin, registry: registry,
                rejected: rejecting ? Array((rejected.filter { $0 != pin } + [pin]).suffix(16)) : rejected,
                reason: reason)
        }
    }

    /// By plugin.
    public var choices: [String: Choice] = [:]

    public init() {}

    /// Reads a book; throws every problem with its place.
    public init(reading text: [UInt8]) throws(DocumentError) {
        let name = "plugins.versions.json"
        let document: JSON
        do {
            document = try JSON(parsing: text)
        } catch {
            throw DocumentError(document: name, parsing: error)
        }
        let problems = ProblemList()
        if let reader = ObjectReader(document, at: "", problems: problems) {
            if let version = reader.value("version", required: true), version.int64Value != 1 {
                reader.problem("version", "must be 1, the only format this host reads")
            }
            for (pointer, plugin, value) in reader.members("plugins") {
                guard let choice = ObjectReader(value, at: pointer, problems: problems) else { continue }
                choices[plugin] = Choice(reading: choice)
                choice.finish()
            }
            reader.finish()
        }
        try problems.check(document: name, text: text)
    }

    /// The document, with stable order.
    var text: [UInt8] {
        var plugins: JSONObject = [:]
        for (plugin, choice) in choices.sorted(by: { $0.key < $1.key }) { plugins[plugin] = choice.json }
        let document: JSON = ["version": 1, "plugins": .object(plugins)]
        return Array((document.pretty() + "\n").utf8)
    }

    /// Reads the book of a path; a missing file is an empty book.
    public static func load(from path: String) throws -> VersionBook {
        guard let text = try SharedDocument.read(path) else { return VersionBook() }
        return try VersionBook(reading: text)
    }

    /// Changes the book of a path, one process at a time.
    public static func update(at path: String, _ change: (inout VersionBook) throws -> Void) throws {
        try SharedDocument.update(path) {
            var book = try load(from: path)
            let before = book
            try change(&book)
            return book == before ? nil : book.text
        }
    }
}

extension VersionBook.Choice {
    fileprivate init(reading reader: ObjectReader) {
        let place = "must be a folder of the store"
        let checksum = "must be sha256: and 64 lower-case hexadecimal digits"
        self.init(
            current: reader.string("current", place, BundleStore.isName),
            pin: reader.string("pin", checksum, TextRule.isChecksum),
            registry: reader.string("registry", checksum, TextRule.isChecksum))
        if reader.has("previous") {
            previous = reader.string("previous", place, BundleStore.isName)
            previousPin = reader.string("previousPin", checksum, TextRule.isChecksum)
        }
        for (pointer, value) in reader.strings("rejected", atMost: 64) {
            if !TextRule.isChecksum(value) { reader.problems.add(pointer, checksum) }
            rejected.append(value)
        }
        reason = reader.string("reason").map { PlainText.sanitized($0) }
    }

    fileprivate var json: JSON {
        var object: JSONObject = ["current": .string(current), "pin": .string(pin)]
        if let previous, let previousPin {
            object["previous"] = .string(previous)
            object["previousPin"] = .string(previousPin)
        }
        object["registry"] = .string(registry)
        object["rejected"] = .array(rejected.map { .string($0) })
        if let reason { object["reason"] = .string(reason) }
        return .object(object)
    }
}
