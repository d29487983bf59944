extension UnsafePointer where Pointee == JSON {
    /// The elements of an array in place, empty for any other kind; valid as long as the value is not changed.
    ///
    /// The value keeps its storage alive, so walking a document this way touches no reference count.
    @inlinable
    @inline(__always)
    package var elements: UnsafeBufferPointer<JSON> {
        guard case .array(let elements) = pointee else { return UnsafeBufferPointer(start: nil, count: 0) }
        return elements.withUnsafeBufferPointer { $0 }
    }

    /// The members of an object in place, empty for any other kind; valid as long as the value is not changed.
    @inlinable
    @inline(__always)
    package var members: UnsafeBufferPointer<JSONObject.Member> {
        guard case .object(let object) = pointee else { return UnsafeBufferPointer(start: nil, count: 0) }
        return object.members.withUnsafeBufferPointer { $0 }
    }
}
