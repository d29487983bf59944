internal import CTandemPlugin
internal import Synchronization
internal import TandemJSON

/// Buffers given to the host and not released yet: 0 when nothing leaks.
let liveBuffers = Atomic<Int>(0)

/// Calls `body` with a borrowed slice of the text.
func withSlice<R>(_ text: String, _ body: (tandem_slice) -> R) -> R {
    var text = text
    return text.withUTF8 { body(tandem_slice(ptr: $0.baseAddress, len: UInt64($0.count))) }
}

/// Calls `body` with a borrowed slice of the bytes.
func withSlice<R>(_ bytes: [UInt8], _ body: (tandem_slice) -> R) -> R {
    bytes.withUnsafeBufferPointer { body(tandem_slice(ptr: $0.baseAddress, len: UInt64($0.count))) }
}

/// Bytes for the host to keep, freed by its call of `release`.
func ownedBuffer(_ bytes: UnsafeBufferPointer<UInt8>) -> tandem_buffer {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return tandem_buffer() }
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    memory.initialize(from: source, count: bytes.count)
    liveBuffers.add(1, ordering: .relaxed)
    return tandem_buffer(ptr: memory, len: UInt64(bytes.count), owner: memory, release: tandemSDKReleaseBuffer)
}

func ownedBuffer(_ json: JSON?) -> tandem_buffer {
    guard let json else { return tandem_buffer() }
    return json.serialized().withUnsafeBufferPointer { ownedBuffer($0) }
}

func ownedBuffer(_ text: String) -> tandem_buffer {
    var text = text
    return text.withUTF8 { ownedBuffer($0) }
}

/// The JSON in a borrowed slice; nil when it is empty or malformed.
func parse(_ slice: tandem_slice) -> JSON? {
    guard let pointer = slice.ptr, slice.len > 0, let count = Int(exactly: slice.len) else { return nil }
    return try? JSON(parsing: UnsafeRawBufferPointer(start: pointer, count: count))
}

/// The text in a borrowed slice.
func text(_ slice: tandem_slice) -> String {
    guard let pointer = slice.ptr, let count = Int(exactly: slice.len) else { return "" }
    return String(decoding: UnsafeBufferPointer(start: pointer, count: count), as: UTF8.self)
}

/// The bytes in a buffer that passed to us, which is released.
func consumeBytes(_ buffer: tandem_buffer) -> [UInt8] {
    defer { buffer.release?(buffer.owner) }
    guard let pointer = buffer.ptr, let count = Int(exactly: buffer.len) else { return [] }
    return Array(UnsafeBufferPointer(start: pointer, count: count))
}

/// The JSON in a buffer that passed to us, which is released.
func consume(_ buffer: tandem_buffer) -> JSON? {
    defer { buffer.release?(buffer.owner) }
    return parse(tandem_slice(ptr: buffer.ptr, len: buffer.len))
}
