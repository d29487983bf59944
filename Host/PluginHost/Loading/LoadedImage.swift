import CLinux
import CRunner
import CTandemPlugin
import Crypto
import Glibc
import Synchronization

/// A library that has been mapped into this process, for ever: a Swift image that is unmapped takes the host down later.
///
/// Images are found by the checksum of their bytes, so that the same bytes are mapped once and an entry point runs once
/// per process, whatever is reloaded.
struct LoadedImage: Sendable {
    /// `sha256:…`
    let checksum: String
    /// The plugin's table, checked, or why it has none.
    let outcome: Result<PluginTable, PluginRefusal>
    /// Undone never: what `dlopen` gave.
    let handle: UInt

    private struct Images {
        var byChecksum: [String: LoadedImage] = [:]
        /// Kept open: their numbers are the names under which the images were loaded.
        var descriptors: [Int32] = []
    }

    private static let images = Mutex(Images())

    /// How many images this process has mapped and keeps.
    static var count: Int { images.withLock { $0.byChecksum.count } }

    /// Maps a library and asks it for its table, or gives what an earlier load of the same bytes gave.
    ///
    /// The bytes that were checked are copied into a sealed memory file and loaded from there: nobody can change them in
    /// between. What no segment loads is left out, since the file's pages stay in memory as long as the process. Blocks;
    /// runs the image's initialisers. Serialised over the process.
    ///
    /// - Parameters:
    ///   - bytes: The library, checked (`ELFImage`).
    ///   - size: Of these so many, from the start.
    static func load(_ bytes: [UInt8], size: Int, checksum: String) throws(PluginRefusal) -> LoadedImage {
        let result = images.withLock { images -> Result<LoadedImage, PluginRefusal> in
            if let known = images.byChecksum[checksum] { return .success(known) }
            do throws(PluginRefusal) {
                let (handle, descriptor) = try map(bytes[..<min(size, bytes.count)], checksum: checksum)
                images.descriptors.append(descriptor)
                let image = LoadedImage(
                    checksum: checksum, outcome: PluginTable.negotiate(with: handle),
                    handle: UInt(bitPattern: handle))
                images.byChecksum[checksum] = image
                return .success(image)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// `dlopen` of a descriptor that is opened for it and never closed: the number has not been a name before.
    ///
    /// glibc finds images by name before it looks at the file: a second file under a `/proc/self/fd/N` that was used
    /// before gives the first image, silently.
    private static func map(
        _ bytes: ArraySlice<UInt8>, checksum: String
    ) throws(PluginRefusal) -> (handle: UnsafeMutableRawPointer, descriptor: Int32) {
        let descriptor = tandem_memory_file("plugin-" + checksum.dropFirst(7).prefix(16))
        guard descriptor >= 0 else {
            throw PluginRefusal(.loadFailed, "no memory file can be made: \(systemMessage(errno))")
        }
        var failure = AtomicFile.writeAll(bytes, to: descriptor)
        if failure == 0, tandem_seal(descriptor) != 0 { failure = errno }
        guard failure == 0 else {
            close(descriptor)
            throw PluginRefusal(.loadFailed, "the library cannot be copied to memory: \(systemMessage(failure))")
        }
        dlerror()
        guard let handle = dlopen("/proc/self/fd/\(descriptor)", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            let reason = dlerror().map { String(cString: $0) } ?? "unknown reason"
            // Not closed: should glibc remember the name, it must not come back for another file.
            throw PluginRefusal(.loadFailed, "the dynamic loader refuses the library: \(reason)")
        }
        return (handle, descriptor)
    }
}

/// What a library's entry point returned, after negotiation. Valid for the life of the process.
struct PluginTable: @unchecked Sendable {
    // Immutable once the entry point returned it, and never unmapped.
    let pointer: UnsafePointer<tandem_plugin>
    let create: CreateFunction
    let abi: ABIVersion
    /// The manifest as the code has it.
    let manifest: [UInt8]
    /// Nil for a library in this process.
    let link: RunnerLink?

    typealias CreateFunction =
        @convention(c) (
            UnsafePointer<tandem_plugin>, UnsafePointer<tandem_host>,
            UnsafeMutablePointer<UnsafeMutablePointer<tandem_instance>?>
        ) -> tandem_status

    static let hostABI = ABIVersion(major: TANDEM_ABI_MAJOR, minor: TANDEM_ABI_MINOR)

    fileprivate static func negotiate(with handle: UnsafeMutableRawPointer) -> Result<PluginTable, PluginRefusal> {
        do throws(PluginRefusal) {
            return .success(try table(of: handle))
        } catch {
            return .failure(error)
        }
    }

    private static func table(of handle: UnsafeMutableRawPointer) throws(PluginRefusal) -> PluginTable {
        guard let symbol = dlsym(handle, TANDEM_PLUGIN_ENTRY_SYMBOL) else {
            throw PluginRefusal(.noEntry, "the library does not export the function \(ELFImage.entrySymbol)")
        }
        let entry = unsafeBitCast(symbol, to: tandem_plugin_entry_fn.self)
        return try PluginTable(checking: entry(hostABI.major, hostABI.minor))
    }

    /// What the library in a runner has, as if it were mapped here. Blocks: the runner is started for it.
    init(of link: RunnerLink) throws(PluginRefusal) {
        let description = try link.describe()
        let ready = description.ready
        guard ready.facts & TANDEM_TABLE_PRESENT != 0 else {
            try self.init(checking: nil)
            return
        }
        // Kept for ever, like the table of an image; small.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<tandem_plugin>.size + 8, alignment: 16)
        guard ready.facts & TANDEM_TABLE_ALIGNED != 0 else {
            try self.init(checking: UnsafePointer((memory + 1).assumingMemoryBound(to: tandem_plugin.self)))
            return
        }
        let table = memory.bindMemory(to: tandem_plugin.self, capacity: 1)
        table.initialize(to: tandem_plugin())
        table.pointee.header = tandem_header(size: ready.size, flags: ready.flags)
        table.pointee.abi_major = ready.abi_major
        table.pointee.abi_minor = ready.abi_minor
        table.pointee.abi_lowest_minor = ready.abi_lowest_minor
        if ready.functions & 1 != 0 { table.pointee.manifest = runnerManifest }
        if ready.functions & 2 != 0 { table.pointee.create = runnerCreate }
        try self.init(
            checking: UnsafePointer(table), link: link,
            manifest: ready.manifest_length == UInt64(description.manifest.count) ? description.manifest : [])
    }

    /// - Parameter manifest: nil: the table's function is asked.
    private init(
        checking pointer: UnsafePointer<tandem_plugin>?, link: RunnerLink? = nil, manifest known: [UInt8]? = nil
    ) throws(PluginRefusal) {
        let hostABI = PluginTable.hostABI
        guard let pointer else {
            throw PluginRefusal(
                .abiMismatch, "the plugin says that it cannot work with ABI \(hostABI), which this host has")
        }
        guard UInt(bitPattern: pointer) % UInt(MemoryLayout<tandem_plugin>.alignment) == 0 else {
            throw PluginRefusal(.brokenTable, "the plugin's table is not aligned")
        }
        let header = UnsafeRawPointer(pointer).load(as: tandem_header.self)
        // Size and version stand in the first 20 bytes in every version of the ABI.
        guard header.size >= 20 else {
            throw PluginRefusal(.brokenTable, "the plugin's table says a size of \(header.size), too small for any ABI")
        }
        let raw = UnsafeRawPointer(pointer)
        let abi = ABIVersion(
            major: raw.load(fromByteOffset: 8, as: UInt32.self), minor: raw.load(fromByteOffset: 12, as: UInt32.self))
        guard abi.major == hostABI.major else {
            throw PluginRefusal(.abiMismatch, "the plugin was built for ABI \(abi), this host has ABI \(hostABI)")
        }
        let lowest = raw.load(fromByteOffset: 16, as: UInt32.self)
        guard lowest <= hostABI.minor else {
            let needed = ABIVersion(major: abi.major, minor: lowest)
            throw PluginRefusal(
                .abiMismatch, "the plugin needs ABI \(needed) or later, this host has ABI \(hostABI)")
        }
        guard lowest <= abi.minor else {
            throw PluginRefusal(
                .brokenTable, "the plugin was built for ABI \(abi) and yet asks for at least minor \(lowest)")
        }
        guard header.size >= UInt32(MemoryLayout<tandem_plugin>.size) else {
            throw PluginRefusal(
                .brokenTable,
                "the plugin's table says a size of \(header.size), ABI 1.0 has \(MemoryLayout<tandem_plugin>.size)")
        }
        guard header.flags & TANDEM_FLAGS_MUST_UNDERSTAND == 0 else {
            throw PluginRefusal(.abiMismatch, "the plugin's table has flags that this host does not know")
        }
        guard let manifest = pointer.pointee.manifest, let create = pointer.pointee.create else {
            let missing = pointer.pointee.manifest == nil ? "manifest" : "create"
            throw PluginRefusal(.brokenTable, "the plugin's function \(missing) is null")
        }
        var bytes = known ?? []
        if known == nil {
            let slice = manifest(pointer)
            if let start = slice.ptr, slice.len <= UInt64(PluginManifest.maxDocumentBytes) {
                bytes = Array(UnsafeBufferPointer(start: start, count: Int(slice.len)))
            }
        }
        guard !bytes.isEmpty else {
            throw PluginRefusal(
                .brokenTable, "the plugin's code gives no manifest, or one of more than a MiB")
        }
        self.pointer = pointer
        self.create = create
        self.abi = abi
        self.manifest = bytes
        self.link = link
    }
}

/// Stands for a function that has been called in the runner.
private func runnerManifest(_ plugin: UnsafePointer<tandem_plugin>) -> tandem_slice { tandem_slice() }

private func runnerCreate(
    _ plugin: UnsafePointer<tandem_plugin>, _ host: UnsafePointer<tandem_host>,
    _ out: UnsafeMutablePointer<UnsafeMutablePointer<tandem_instance>?>
) -> tandem_status {
    guard let instance = PluginInstance.of(host) else { return TANDEM_E_INVALID_ARGUMENT }
    return RunnerInstance.create(for: instance, host: host, into: out)
}
