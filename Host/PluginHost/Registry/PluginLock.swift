import TandemJSON

/// Pins the bundles that were built on this machine: what was seen first is what is loaded from then on.
///
/// Published bundles are pinned in the registry. Builds differ from machine to machine, so a locally built bundle is
/// pinned in `plugins.lock.json` in the data folder, by its real path. Packing a bundle (`BundlePacker`) writes the new
/// pin: it is the build that decides, the host only checks.
///
/// ```json
/// {"version":1,"bundles":{"/path/to/bundle":{"manifest":"sha256:…","files":{"libX.so":"sha256:…"}}}}
/// ```
public struct PluginLock: Sendable, Hashable {
    public struct Pin: Sendable, Hashable {
        /// Of `plugin.json`.
        public var manifest: String
        /// Of every other file.
        public var files: [String: String]

        public init(manifest: String, files: [String: String]) {
            self.manifest = manifest
            self.files = files
        }
    }

    /// By real path of the bundle's folder.
    public var bundles: [String: Pin] = [:]

    public init() {}

    /// Reads a lock; throws every problem with its place.
    public init(reading text: [UInt8]) throws(DocumentError) {
        let name = "plugins.lock.json"
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
            for (pointer, path, value) in reader.members("bundles") {
                guard let pin = ObjectReader(value, at: pointer, problems: problems) else { continue }
                var files: [String: String] = [:]
                let manifest = pin.string(
                    "manifest", "must be sha256: and 64 lower-case hexadecimal digits", TextRule.isChecksum)
                for (place, file, value) in pin.members("files") {
                    guard let checksum = value.stringValue, TextRule.isChecksum(checksum) else {
                        problems.add(place, "must be sha256: and 64 lower-case hexadecimal digits")
                        continue
                    }
                    files[file] = checksum
                }
                pin.finish()
                bundles[path] = Pin(manifest: manifest, files: files)
            }
            reader.finish()
        }
        try problems.check(document: name, text: text)
    }

    /// The document, with stable order.
    public var text: [UInt8] {
        var bundles: JSONObject = [:]
        for (path, pin) in self.bundles.sorted(by: { $0.key < $1.key }) {
            var files: JSONObject = [:]
            for (name, checksum) in pin.files.sorted(by: { $0.key < $1.key }) { files[name] = .string(checksum) }
            bundles[path] = ["manifest": .string(pin.manifest), "files": .object(files)]
        }
        let document: JSON = ["version": 1, "bundles": .object(bundles)]
        return Array((document.pretty() + "\n").utf8)
    }

    /// Reads the lock of a path; a missing file is an empty lock.
    public static func load(from path: String) throws -> PluginLock {
        guard let text = try SharedDocument.read(path) else { return PluginLock() }
        return try PluginLock(reading: text)
    }

    /// Changes the lock of a path atomically, one process at a time.
    public static func update(at path: String, _ change: (inout PluginLock) throws -> Void) throws {
        try SharedDocument.update(path) {
            var lock = try load(from: path)
            let before = lock
            try change(&lock)
            return lock == before ? nil : lock.text
        }
    }
}
