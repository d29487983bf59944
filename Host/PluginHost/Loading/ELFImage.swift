import Glibc

/// What the host wants to know of a shared library before the dynamic loader sees it.
///
/// Reads a 64-bit little-endian ELF file (System V gABI, chapters 4 and 5) from bytes that nobody has vouched for: every
/// offset is checked against the file. Symbols and needed libraries come from the dynamic segment, which is what the
/// loader uses; section headers serve to find Swift metadata only.
struct ELFImage: Sendable {
    static let entrySymbol = "tandem_plugin_entry"

    /// `DT_NEEDED`.
    private(set) var needed: [String] = []
    /// Defined, global or weak, of default or protected visibility.
    private(set) var exported: [String] = []
    /// The entry symbol is a function.
    private(set) var hasEntry = false
    /// Names that other libraries have to define; weak ones are left out.
    private(set) var undefined: [String] = []
    /// `PT_GNU_RELRO`: tables of addresses become read-only after loading.
    private(set) var hasReadOnlyRelocations = false
    private(set) var sections: [String] = []
    /// `DF_1_NODELETE`.
    private(set) var isNeverDeleted = false
    private var flags1: UInt64 = 0
    /// Bytes of the file up to the end of its last loadable segment: what the loader maps. Symbols for debuggers come after.
    private(set) var loadedSize = 0
    /// From `.comment`: what compilers say of themselves.
    private(set) var compilers: [String] = []

    var hasSwiftMetadata: Bool { sections.contains { $0.hasPrefix("swift5_") } }

    var needsSwiftRuntime: Bool { needed.contains { $0.hasPrefix("libswiftCore.so") } }

    /// Exported symbols besides the entry, without what linkers define themselves.
    var strayExports: [String] {
        exported.filter { !["tandem_plugin_entry", "_init", "_fini", "_edata", "_end", "__bss_start"].contains($0) }
    }

    /// Reads and checks; throws why the file cannot be a plugin.
    ///
    /// - Parameter isPlugin: it must have the entry; false: a plain C library.
    init(_ bytes: [UInt8], isPlugin: Bool = true) throws(PluginRefusal) {
        let file = Bytes(bytes)
        guard bytes.count >= 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else {
            throw PluginRefusal(.notELF, "the library is not an ELF file")
        }
        guard bytes[4] == 2 else { throw PluginRefusal(.otherArchitecture, "the library is not for 64-bit machines") }
        guard bytes[5] == 1 else { throw PluginRefusal(.otherArchitecture, "the library is not little-endian") }
        guard bytes[6] == 1, bytes[7] == 0 || bytes[7] == 3 else {
            throw PluginRefusal(.otherArchitecture, "the library is not for Linux")
        }
        let machine = try file.u16(18)
        guard machine == Self.ownMachine else {
            let name = Self.machineNames[machine] ?? "machine \(machine)"
            let own = Self.machineNames[Self.ownMachine] ?? "machine \(Self.ownMachine)"
            throw PluginRefusal(.otherArchitecture, "the library is for \(name), this host runs on \(own)")
        }
        guard try file.u16(16) == 3 else { throw Self.unsuitable("it is not a shared library (ET_DYN)") }
        let segments = try Self.segments(of: file)
        loadedSize = segments.reduce(64) { $1.type == 1 ? max($0, $1.offset + $1.fileSize) : $0 }
        hasReadOnlyRelocations = segments.contains { $0.type == 0x6474_E552 }
        try readDynamic(of: file, segments: segments)
        try readSections(of: file)
        try judge(isPlugin: isPlugin)
    }

    // MARK: Parts

    private struct Segment {
        var type: UInt32
        var flags: UInt32
        var offset: Int
        var address: UInt64
        var fileSize: Int
    }

    private static func unsuitable(_ reason: String) -> PluginRefusal {
        PluginRefusal(.unsuitableImage, "the library cannot be loaded: \(reason)")
    }

    private static func segments(of file: Bytes) throws(PluginRefusal) -> [Segment] {
        let start = try file.offset(at: 32)
        let size = Int(try file.u16(54))
        let count = Int(try file.u16(56))
        guard size == 56, count > 0 else { throw unsuitable("it has no program headers") }
        var segments: [Segment] = []
        for index in 0..<count {
            let at = start + index * size
            let segment = Segment(
                type: try file.u32(at), flags: try file.u32(at + 4), offset: try file.offset(at: at + 8),
                address: try file.u64(at + 16), fileSize: try file.offset(at: at + 32))
            // Touching a page beyond the end of a mapped file is a SIGBUS: the loader does not check.
            if segment.type == 1 || segment.type == 2 {
                guard segment.offset + segment.fileSize <= file.count else {
                    throw unsuitable("it is cut off or damaged: a segment lies outside of the file")
                }
            }
            if segment.type == 3 { throw unsuitable("it is a program, not a library") }
            segments.append(segment)
        }
        guard segments.contains(where: { $0.type == 1 }) else { throw unsuitable("nothing in it is to be loaded") }
        if let stack = segments.first(where: { $0.type == 0x6474_E551 }) {
            if stack.flags & 1 != 0 { throw unsuitable("it asks for an executable stack") }
        } else {
            throw unsuitable("it does not say that its stack is not executable (PT_GNU_STACK)")
        }
        if segments.contains(where: { $0.type == 1 && $0.flags & 3 == 3 }) {
            throw unsuitable("it has memory that is writable and executable")
        }
        return segments
    }

    private mutating func readDynamic(of file: Bytes, segments: [Segment]) throws(PluginRefusal) {
        guard let dynamic = segments.first(where: { $0.type == 2 }) else {
            throw Self.unsuitable("it has no dynamic section")
        }
        func fileOffset(_ address: UInt64) throws(PluginRefusal) -> Int {
            for segment in segments where segment.type == 1 && address >= segment.address {
                let distance = address - segment.address
                if distance < UInt64(segment.fileSize) { return segment.offset + Int(distance) }
            }
            throw Self.unsuitable("a table lies outside of its segments")
        }
        var values: [UInt64: UInt64] = [:]
        var neededOffsets: [UInt64] = []
        var position = dynamic.offset
        while position + 16 <= dynamic.offset + dynamic.fileSize {
            let tag = try file.u64(position)
            let value = try file.u64(position + 8)
            position += 16
            if tag == 0 { break }
            if tag == 1 { neededOffsets.append(value) } else { values[tag] = value }
            guard neededOffsets.count <= 256 else { throw Self.unsuitable("it needs more than 256 libraries") }
        }
        guard let stringAddress = values[5], let stringSize = values[10], let symbolAddress = values[6] else {
            throw Self.unsuitable("it has no symbol table")
        }
        if values[22] != nil || (values[30] ?? 0) & 4 != 0 { throw Self.unsuitable("its code needs text relocations") }
        if values[0x6FFF_FDF9] != nil || values[0x7FFF_FFFD] != nil || values[0x7FFF_FFFF] != nil {
            throw Self.unsuitable("it is a filter or auxiliary object")
        }
        let strings = try fileOffset(stringAddress)
        guard stringSize <= UInt64(file.count), strings + Int(stringSize) <= file.count else {
            throw Self.unsuitable("its string table lies outside of the file")
        }
        let stringEnd = strings + Int(stringSize)
        for offset in neededOffsets {
            let name = try file.string(strings, offset, before: stringEnd)
            guard !name.utf8.contains(UInt8(ascii: "/")) else {
                throw Self.unsuitable("it names a needed library by path")
            }
            needed.append(name)
        }
        for tag in [UInt64(15), 29] {
            guard let offset = values[tag] else { continue }
            for part in try file.string(strings, offset, before: stringEnd).split(separator: ":") {
                guard part.hasPrefix("/") || part.hasPrefix("$ORIGIN") || part.hasPrefix("${ORIGIN}") else {
                    throw Self.unsuitable("it looks for libraries in the working directory")
                }
            }
        }
        flags1 = values[0x6FFF_FFFB] ?? 0
        isNeverDeleted = flags1 & 8 != 0
        let symbols = try fileOffset(symbolAddress)
        let count = try Self.symbolCount(file, hash: values[4], gnuHash: values[0x6FFF_FEF5], offset: fileOffset)
        guard count <= 1 << 20, symbols + count * 24 <= file.count else {
            throw Self.unsuitable("its symbol table lies outside of the file")
        }
        for index in 0..<count {
            let at = symbols + index * 24
            let info = try file.u8(at + 4)
            let visibility = try file.u8(at + 5) & 3
            let binding = info >> 4
            let isDefined = try file.u16(at + 6) != 0
            if !isDefined, index > 0, binding == 1 {
                undefined.append(try file.string(strings, UInt64(try file.u32(at)), before: stringEnd))
            }
            guard isDefined, binding == 1 || binding == 2 || binding == 10, visibility == 0 || visibility == 3
            else { continue }
            let name = try file.string(strings, UInt64(try file.u32(at)), before: stringEnd)
            if name == Self.entrySymbol, info & 15 == 2 { hasEntry = true }
            exported.append(name)
        }
    }

    /// From the hash tables: the dynamic symbol table has no length of its own.
    private static func symbolCount(
        _ file: Bytes, hash: UInt64?, gnuHash: UInt64?, offset: (UInt64) throws(PluginRefusal) -> Int
    ) throws(PluginRefusal) -> Int {
        if let hash { return Int(try file.u32(try offset(hash) + 4)) }
        guard let gnuHash else { throw unsuitable("it has no symbol hash table") }
        let start = try offset(gnuHash)
        let buckets = Int(try file.u32(start))
        let first = Int(try file.u32(start + 4))
        let bloom = Int(try file.u32(start + 8))
        guard buckets <= 1 << 20, bloom <= 1 << 20 else { throw unsuitable("its symbol hash table is damaged") }
        let bucketStart = start + 16 + bloom * 8
        var last = 0
        for index in 0..<buckets { last = max(last, Int(try file.u32(bucketStart + index * 4))) }
        guard last >= first, last > 0 else { return first }
        let chains = bucketStart + buckets * 4
        while try file.u32(chains + (last - first) * 4) & 1 == 0 { last += 1 }
        return last + 1
    }

    private mutating func readSections(of file: Bytes) throws(PluginRefusal) {
        let start = try file.offset(at: 40)
        let count = Int(try file.u16(60))
        let names = Int(try file.u16(62))
        guard start != 0, count > 0, try file.u16(58) == 64, names < count else {
            throw Self.unsuitable("it has no section headers, so that it cannot be examined")
        }
        func section(_ index: Int) throws(PluginRefusal) -> (name: UInt32, type: UInt32, offset: Int, size: Int) {
            let at = start + index * 64
            return (
                try file.u32(at), try file.u32(at + 4), try file.offset(at: at + 24), try file.offset(at: at + 32)
            )
        }
        let table = try section(names)
        guard table.offset + table.size <= file.count else {
            throw Self.unsuitable("its section names lie outside of the file")
        }
        for index in 1..<max(count, 1) {
            let entry = try section(index)
            let name = try file.string(table.offset, UInt64(entry.name), before: table.offset + table.size)
            sections.append(name)
            if name == ".comment", entry.type != 8, entry.size <= 1 << 16, entry.offset + entry.size <= file.count {
                compilers = file.strings(entry.offset..<(entry.offset + entry.size))
            }
        }
    }

    /// What compilers say of themselves in a file of the installation, without reading all of it; empty: nothing.
    static func compilers(ofFile path: String) -> [String] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        func read(_ offset: Int, _ count: Int) throws(PluginRefusal) -> Bytes {
            guard (0...(1 << 20)).contains(count) else { throw unsuitable("a table is too large") }
            var bytes = [UInt8](repeating: 0, count: count)
            guard pread(file, &bytes, count, offset) == count else { throw unsuitable("it is cut off") }
            return Bytes(bytes)
        }
        do throws(PluginRefusal) {
            let head = try read(0, 64)
            let count = Int(try head.u16(60))
            let table = try read(try head.offset(at: 40), count * 64)
            let place = Int(try head.u16(62)) * 64
            let names = try read(try table.offset(at: place + 24), try table.offset(at: place + 32))
            for index in 0..<count {
                let name = UInt64(try table.u32(index * 64))
                guard try names.string(0, name, before: names.count) == ".comment" else { continue }
                let size = try table.offset(at: index * 64 + 32)
                return try read(try table.offset(at: index * 64 + 24), size).strings(0..<size)
            }
        } catch {
            return []
        }
        return []
    }

    private func judge(isPlugin: Bool) throws(PluginRefusal) {
        if flags1 & 0x0800_0000 != 0 { throw Self.unsuitable("it is a position-independent program") }
        if flags1 & 0x40 != 0 { throw Self.unsuitable("it forbids dlopen (DF_1_NOOPEN)") }
        if hasSwiftMetadata {
            guard needsSwiftRuntime else {
                throw PluginRefusal(
                    .embeddedRuntime,
                    "the library embeds its own Swift runtime; link it dynamically (no -static-stdlib)")
            }
            guard isNeverDeleted else {
                throw Self.unsuitable("a Swift library must be linked with -z nodelete")
            }
        }
        guard hasEntry || !isPlugin else {
            throw PluginRefusal(.noEntry, "the library does not export the function \(Self.entrySymbol)")
        }
    }

    // MARK: Machines

    /// `e_machine` of the machine that this code runs on.
    static var ownMachine: UInt16 {
        #if arch(x86_64)
            62
        #elseif arch(arm64)
            183
        #elseif arch(riscv64)
            243
        #else
            0
        #endif
    }

    private static let machineNames: [UInt16: String] = [
        3: "x86", 20: "PowerPC", 21: "PowerPC 64", 22: "s390", 40: "ARM (32 bit)", 62: "x86_64", 183: "aarch64",
        243: "RISC-V", 258: "LoongArch",
    ]
}

/// Bounds-checked little-endian reads.
private struct Bytes {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int { bytes.count }

    private func load<Word: FixedWidthInteger>(_ offset: Int, _: Word.Type) throws(PluginRefusal) -> Word {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<Word>.size else {
            throw PluginRefusal(.unsuitableImage, "the library cannot be loaded: it is cut off or damaged")
        }
        return bytes.withUnsafeBytes { Word(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Word.self)) }
    }

    func u8(_ offset: Int) throws(PluginRefusal) -> UInt8 { try load(offset, UInt8.self) }
    func u16(_ offset: Int) throws(PluginRefusal) -> UInt16 { try load(offset, UInt16.self) }
    func u32(_ offset: Int) throws(PluginRefusal) -> UInt32 { try load(offset, UInt32.self) }
    func u64(_ offset: Int) throws(PluginRefusal) -> UInt64 { try load(offset, UInt64.self) }

    /// A 64-bit offset or size that lies within 2^40, so that sums of a few cannot overflow.
    func offset(at position: Int) throws(PluginRefusal) -> Int {
        let value = try u64(position)
        guard value <= 1 << 40 else {
            throw PluginRefusal(.unsuitableImage, "the library cannot be loaded: it is cut off or damaged")
        }
        return Int(value)
    }

    /// A NUL-terminated string at `start + offset`.
    func string(_ start: Int, _ offset: UInt64, before end: Int) throws(PluginRefusal) -> String {
        guard offset < UInt64(max(end - start, 0)), let stop = bytes[(start + Int(offset))..<end].firstIndex(of: 0)
        else {
            throw PluginRefusal(.unsuitableImage, "the library cannot be loaded: a name lies outside of its table")
        }
        return String(decoding: bytes[(start + Int(offset))..<stop], as: UTF8.self)
    }

    func strings(_ range: Range<Int>) -> [String] {
        bytes[range].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
