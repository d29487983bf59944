import Glibc

/// Copies of bundles that nobody changes: what an upgrade came from, and what it can go back to.
struct BundleStore: Sendable {
    /// In the data folder.
    let folder: String

    /// `tandem.x/0a1b2c3d4e5f`
    static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && TextRule.isPluginID(String(parts[0])) && parts[1].utf8.count == 24
            && parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    static func name(of bundle: Bundle) -> String {
        "\(bundle.manifest.id)/\(bundle.manifestChecksum.dropFirst(7).prefix(24))"
    }

    /// Keeps a bundle that was read and checked; does nothing when it is there. Blocks.
    func keep(_ bundle: Bundle) throws(PluginRefusal) -> String {
        let name = Self.name(of: bundle)
        let target = folder + "/" + name
        guard access(target + "/plugin.json", F_OK) != 0 else { return name }
        mkdir(folder, 0o700)
        mkdir(folder + "/" + bundle.manifest.id, 0o700)
        mkdir(target, 0o755)
        do throws(FileRefusal) {
            for (file, checksum) in bundle.files {
                let source = try RegularFile(
                    path: bundle.path + "/" + file, limit: Bundle.maxLibraryBytes, requiresPrivateWriting: true)
                let bytes = try source.read()
                guard Checksum.of(bytes) == checksum else {
                    throw FileRefusal(errno: EIO, reason: "\(file) changed while it was copied")
                }
                try AtomicFile.write(bytes, to: target + "/" + file, mode: 0o644)
            }
            if bundle.signature != nil {
                let file = try RegularFile(
                    path: bundle.path + "/" + ManifestSignature.fileName, limit: 1 << 20, requiresPrivateWriting: true)
                try AtomicFile.write(
                    try file.read(), to: target + "/" + ManifestSignature.fileName, mode: 0o644)
            }
            // Last: a folder without it is not whole.
            try AtomicFile.write(bundle.manifestBytes, to: target + "/plugin.json", mode: 0o644)
        } catch {
            throw PluginRefusal(.unsafeFile, "a copy of the bundle cannot be kept: \(error.reason)")
        }
        return name
    }

    /// Removes a plugin's bundles that are not wanted any more, and that nobody has kept within a day: another process may
    /// still want those.
    func prune(_ plugin: String, keeping names: Set<String>) {
        let place = folder + "/" + plugin
        guard let directory = opendir(place) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard BundleStore.isName(plugin + "/" + name), !names.contains(plugin + "/" + name),
                stat(place + "/" + name, &status) == 0, status.st_mtim.tv_sec < time(nil) - 86_400
            else { continue }
            remove(place + "/" + name)
        }
    }

    private func remove(_ path: String) {
        guard let directory = opendir(path) else { return }
        // The manifest first: what is left is not taken for a bundle.
        unlink(path + "/plugin.json")
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { unlink(path + "/" + name) }
        }
        closedir(directory)
        rmdir(path)
    }
}
