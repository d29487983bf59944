import CTandemPlugin
import Glibc
import Synchronization
import TandemJSON

/// Owned bytes that the host gives to a plugin, which releases them.
enum HostBuffer {
    /// Buffers given and not released: for tests of ownership.
    static let outstanding = Atomic<Int>(0)

    static func make(_ bytes: [UInt8]) -> tandem_buffer {
        guard !bytes.isEmpty, let memory = malloc(bytes.count) else { return tandem_buffer() }
        bytes.withUnsafeBytes {
            memory.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(memory), byteCount: $0.count)
        }
        outstanding.wrappingAdd(1, ordering: .relaxed)
        return tandem_buffer(
            ptr: UnsafePointer(memory.assumingMemoryBound(to: UInt8.self)), len: UInt64(bytes.count), owner: memory,
            release: releaseHostBuffer)
    }

    /// Bytes that are overwritten when they are released.
    static func makeSecret(_ bytes: [UInt8]) -> tandem_buffer {
        // The release function gets the owner alone, so the length stands before the bytes.
        let header = MemoryLayout<Int>.size
        guard !bytes.isEmpty, let memory = malloc(bytes.count + header) else { return tandem_buffer() }
        memory.storeBytes(of: bytes.count, as: Int.self)
        bytes.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { (memory + header).copyMemory(from: base, byteCount: bytes.count) }
        }
        outstanding.wrappingAdd(1, ordering: .relaxed)
        return tandem_buffer(
            ptr: UnsafePointer((memory + header).assumingMemoryBound(to: UInt8.self)), len: UInt64(bytes.count),
            owner: memory, release: releaseSecretBuffer)
    }

    static func make(_ json: JSON) -> tandem_buffer { make(json.serialized()) }
}

private func releaseHostBuffer(_ owner: UnsafeMutableRawPointer?) {
    free(owner)
    HostBuffer.outstanding.wrappingSubtract(1, ordering: .relaxed)
}

private func releaseSecretBuffer(_ owner: UnsafeMutableRawPointer?) {
    guard let owner else { return }
    explicit_bzero(owner, owner.load(as: Int.self) + MemoryLayout<Int>.size)
    releaseHostBuffer(owner)
}

extension tandem_slice {
    /// The bytes; nil for a null pointer with a length.
    var bytes: UnsafeRawBufferPointer? {
        guard let ptr else { return len == 0 ? UnsafeRawBufferPointer(start: nil, count: 0) : nil }
        guard len <= UInt64(Int.max) else { return nil }
        return UnsafeRawBufferPointer(start: ptr, count: Int(len))
    }
}
