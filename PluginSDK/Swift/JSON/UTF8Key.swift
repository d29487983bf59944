/// A string that compares and hashes by its UTF-8 bytes.
///
/// `String` itself compares by canonical equivalence, under which two different member names may be equal.
@usableFromInline
struct UTF8Key: Hashable, Sendable {
    @usableFromInline let string: String

    @inlinable
    init(_ string: String) {
        self.string = string
    }

    @inlinable
    static func == (left: UTF8Key, right: UTF8Key) -> Bool {
        utf8Equal(left.string, right.string)
    }

    @inlinable
    func hash(into hasher: inout Hasher) {
        var copy = string
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}

/// Tells whether two strings have the same UTF-8 bytes.
@inlinable
@inline(__always)
func utf8Equal(_ left: borrowing String, _ right: borrowing String) -> Bool {
    let a = SmallString.words(left)
    let b = SmallString.words(right)
    // The same bits are the same string.
    if a == b { return true }
    if SmallString.isKnown, SmallString.isSmall(a), SmallString.isSmall(b) { return false }
    return utf8EqualSlow(copy left, copy right)
}

@usableFromInline
func utf8EqualSlow(_ left: String, _ right: String) -> Bool {
    guard left.utf8.count == right.utf8.count else { return false }
    let same = left.utf8.withContiguousStorageIfAvailable { a in
        right.utf8.withContiguousStorageIfAvailable { b in bytesEqual(a.baseAddress, b.baseAddress, a.count) }
    }
    return (same ?? nil) ?? left.utf8.elementsEqual(right.utf8)
}

/// Compares `count` bytes, eight at a time.
@inlinable
@inline(__always)
func bytesEqual(_ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, _ count: Int) -> Bool {
    guard let left, let right else { return count == 0 }
    var offset = 0
    let a = UnsafeRawPointer(left)
    let b = UnsafeRawPointer(right)
    while offset &+ 8 <= count {
        let x = a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let y = b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        if x != y { return false }
        offset &+= 8
    }
    while offset < count {
        if left[offset] != right[offset] { return false }
        offset &+= 1
    }
    return true
}
