import Glibc
import Logging
import TandemCore
import TandemJSON

/// Makes a bundle from a library: asks the code for its manifest, checks it, and writes `plugin.json` beside a copy.
public enum BundlePacker {
    /// What was packed.
    public struct Packed: Sendable, Hashable {
        public var id: String
        public var version: String
        /// The bundle's folder.
        public var folder: String
        /// `sha256:` of `plugin.json`, for a pin in the registry.
        public var checksum: String
        public var warnings: [String]
    }

    /// Packs `library` into `folder`, which is made when missing; files of an earlier packing are replaced.
    ///
    /// Runs the library's code (its entry point and `manifest`) in an isolated process, with a time limit. Blocks.
    ///
    /// - Parameters:
    ///   - library: path of the shared library.
    ///   - files: paths of further files that belong to the bundle.
    ///   - lockPath: `plugins.lock.json`, in which the new build is pinned; nil for a bundle that will be published.
    /// - Throws: `PluginRefusal` for a library or manifest that a host would refuse or a file that cannot be written.
    public static func pack(
        library: String, into folder: String, files: [String] = [],
        platform: String = PluginHostConfiguration.ownPlatform, lockPath: String? = nil,
        runner: RunnerConfiguration = RunnerConfiguration()
    ) throws(PluginRefusal) -> Packed {
        let name = lastComponent(of: library)
        let bytes = try read(library)
        let image = try ELFImage(bytes)
        let table = try describe(bytes, image, beside: library, runner)
        let manifest = try self.manifest(reading: table.manifest)
        guard table.abi == manifest.abi else {
            throw PluginRefusal(
                .manifestDiffers, "the code was built for ABI \(table.abi), its manifest says \(manifest.abi)")
        }
        var contents = [(name: name, bytes: bytes)]
        for file in files { contents.append((lastComponent(of: file), try read(file))) }
        let stray = image.strayExports
        let warnings =
            stray.isEmpty
            ? [] : ["exports \(stray.count) symbols besides the entry: \(stray.prefix(3).joined(separator: ", "))"]
        var document = manifest.document
        document["library"] = .string(name)
        let build = build(of: image, platform: platform)
        return try finish(manifest, document, build, contents, into: folder, lockPath: lockPath, warnings: warnings)
    }

    /// Loads a library in a runner of its own and asks it for its manifest. As isolated as the machine can: what is packed
    /// here is the author's own.
    private static func describe(
        _ bytes: [UInt8], _ image: ELFImage, beside path: String, _ runner: RunnerConfiguration
    ) throws(PluginRefusal) -> PluginTable {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        var runner = runner
        runner.allowsWeakIsolation = true
        let link = try RunnerLink(
            source: .library(bytes), needed: image.needed, bundlePath: folder.isEmpty ? "." : folder,
            configuration: runner,
            identity: RunnerLink.Identity(
                plugin: "this library", version: "", clock: SystemClock(), logger: Logger(label: "tandem.pack"),
                meters: nil))
        defer { link.retire() }
        return try PluginTable(of: link)
    }

    /// Packs a manifest-only plugin: its `plugin.json` and the files that its `foreign` section names. Runs no code.
    ///
    /// - Parameters:
    ///   - manifest: path of the `plugin.json` as its author writes it, or of its folder.
    ///   - files: paths of files that do not lie beside it.
    /// - Throws: `PluginRefusal` for a manifest or library that a host would refuse or a file that is missing.
    public static func pack(
        manifest path: String, into folder: String, files: [String] = [],
        platform: String = PluginHostConfiguration.ownPlatform, lockPath: String? = nil
    ) throws(PluginRefusal) -> Packed {
        let path = lastComponent(of: path) == "plugin.json" ? path : path + "/plugin.json"
        let manifest = try self.manifest(reading: try read(path))
        guard let foreign = manifest.foreign else {
            throw PluginRefusal(
                .invalidManifest, "\(path) has no foreign section: a plugin with code is packed from its library")
        }
        let beside = String(path.dropLast("plugin.json".utf8.count))
        var contents: [(name: String, bytes: [UInt8])] = []
        for name in (foreign.libraryFile.map { [$0] } ?? []) + foreign.files.sorted() {
            contents.append((name, try read(files.first { lastComponent(of: $0) == name } ?? beside + name)))
        }
        for file in files where !contents.contains(where: { $0.name == lastComponent(of: file) }) {
            contents.append((lastComponent(of: file), try read(file)))
        }
        var build: JSONObject = ["language": "manifest"]
        if foreign.libraryFile != nil { build["platform"] = .string(platform) }
        let packed = try finish(
            manifest, manifest.document, .object(build), contents, into: folder, lockPath: lockPath, warnings: [])
        // Says what a host would say: a library that lacks a function.
        _ = try Bundle(at: folder)
        return packed
    }

    private static func manifest(reading text: [UInt8]) throws(PluginRefusal) -> PluginManifest {
        do {
            return try PluginManifest(reading: text, packaged: false)
        } catch {
            throw PluginRefusal(.invalidManifest, error.description)
        }
    }

    /// Adds the checksums, writes everything and pins it.
    private static func finish(
        _ manifest: PluginManifest, _ document: JSONObject, _ build: JSON,
        _ contents: [(name: String, bytes: [UInt8])], into folder: String, lockPath: String?, warnings: [String]
    ) throws(PluginRefusal) -> Packed {
        var checksums: JSONObject = [:]
        for (name, bytes) in contents.sorted(by: { $0.name < $1.name }) {
            guard TextRule.isFileName(name), name != "plugin.json", name != ManifestSignature.fileName,
                !checksums.contains(name)
            else {
                throw PluginRefusal(.unsafeFile, "\(name) cannot be the name of a file in a bundle")
            }
            checksums[name] = .string(Checksum.of(bytes))
        }
        var document = document
        document["files"] = .object(checksums)
        document["build"] = build
        let text = Array((JSON.object(document).pretty() + "\n").utf8)
        try write(contents, manifest: text, to: folder)
        let checksum = Checksum.of(text)
        if let lockPath { try pin(folder, checksum: checksum, files: checksums, in: lockPath) }
        return Packed(
            id: manifest.id, version: manifest.version, folder: folder, checksum: checksum, warnings: warnings)
    }

    private static func lastComponent(of path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    private static func read(_ path: String) throws(PluginRefusal) -> [UInt8] {
        do throws(FileRefusal) {
            // A build's output may well be a link; what is packed is what it leads to.
            guard let real = realpath(path, nil) else {
                throw FileRefusal(errno: ENOENT, reason: "\(path) is missing")
            }
            defer { free(real) }
            let file = try RegularFile(
                path: String(cString: real), limit: Bundle.maxLibraryBytes, requiresPrivateWriting: false)
            return try file.read()
        } catch {
            throw PluginRefusal(error.errno == ENOENT ? .missingFile : .unsafeFile, error.reason)
        }
    }

    private static func build(of image: ELFImage, platform: String) -> JSON {
        let isSwift = image.hasSwiftMetadata || image.needsSwiftRuntime
        let marks: [(mark: String, language: String)] =
            isSwift
            ? [("Swift version", "swift"), ("clang version", "swift")]
            : [("rustc version", "rust"), ("clang version", "c"), ("GCC:", "c")]
        var build: JSONObject = ["language": isSwift ? "swift" : "c"]
        for (mark, language) in marks {
            guard let compiler = image.compilers.first(where: { $0.contains(mark) }) else { continue }
            build["language"] = .string(language)
            build["toolchain"] = .string(PlainText.sanitized(String(compiler.prefix(120))))
            break
        }
        build["platform"] = .string(platform)
        return .object(build)
    }

    /// Files first, `plugin.json` last, each atomically; then what an earlier packing left behind is removed.
    private static func write(
        _ contents: [(name: String, bytes: [UInt8])], manifest: [UInt8], to folder: String
    ) throws(PluginRefusal) {
        var made = ""
        for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
            made += made.isEmpty && !folder.hasPrefix("/") ? String(part) : "/" + part
            if made == "/" { made = "" }
            if !part.isEmpty { mkdir(made, 0o755) }
        }
        var earlier: [String] = []
        do throws(FileRefusal) {
            let old = try RegularFile(
                path: folder + "/plugin.json", limit: PluginManifest.maxDocumentBytes, requiresPrivateWriting: false)
            let text = try old.read()
            let document = try? JSON(parsing: text)
            earlier = document?["files"]?.objectValue?.keys.filter(TextRule.isFileName) ?? []
        } catch {
            earlier = []
        }
        do throws(FileRefusal) {
            for (name, bytes) in contents { try AtomicFile.write(bytes, to: folder + "/" + name, mode: 0o644) }
            try AtomicFile.write(manifest, to: folder + "/plugin.json", mode: 0o644)
        } catch {
            throw PluginRefusal(.unsafeFile, error.reason)
        }
        for name in earlier where !contents.contains(where: { $0.name == name }) { unlink(folder + "/" + name) }
        // A signature of an earlier packing is none of this one.
        unlink(folder + "/" + ManifestSignature.fileName)
        chmod(folder, 0o755)
    }

    private static func pin(
        _ folder: String, checksum: String, files: JSONObject, in lockPath: String
    ) throws(PluginRefusal) {
        guard let real = realpath(folder, nil) else {
            throw PluginRefusal(.missingFile, "the bundle \(folder) is missing")
        }
        let path = String(cString: real)
        free(real)
        var pins: [String: String] = [:]
        for (name, checksum) in files { pins[name] = checksum.stringValue }
        do {
            try PluginLock.update(at: lockPath) { lock in
                lock.bundles[path] = PluginLock.Pin(manifest: checksum, files: pins)
            }
        } catch {
            throw PluginRefusal(.notPinned, "the lock of local builds cannot be written: \(error)")
        }
    }
}

extension PluginHost {
    /// `BundlePacker.pack`, pinned in this host's lock.
    public func packBundle(library: String, into folder: String) throws(PluginRefusal) -> BundlePacker.Packed {
        try BundlePacker.pack(
            library: library, into: folder, platform: configuration.platform, lockPath: configuration.lockPath,
            runner: configuration.runner)
    }
}
