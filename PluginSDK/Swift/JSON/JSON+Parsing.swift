extension JSON {
    /// Parses one RFC 8259 document from borrowed bytes.
    ///
    /// Refuses what the grammar does not allow, and also duplicate member names, lone surrogates, invalid UTF-8, a
    /// byte order mark, numbers beyond the range of a double and whatever exceeds `limits`. Integers outside `Int64`
    /// become `.number`. Linear in the size of the document. The bytes are not kept.
    public init(parsing bytes: UnsafeRawBufferPointer, limits: JSONLimits = .default) throws(JSONError) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            throw JSONError(code: .unexpectedEnd, offset: 0, line: 1, column: 1)
        }
        let base = start.assumingMemoryBound(to: UInt8.self)
        var parser = JSONParser(base: base, count: bytes.count, limits: limits)
        do {
            self = try parser.parseDocument()
        } catch {
            throw JSONError(error, in: UnsafeBufferPointer(start: base, count: bytes.count))
        }
    }

    /// Parses one document from any collection of bytes, without a copy when it is contiguous.
    public init(parsing bytes: some Collection<UInt8>, limits: JSONLimits = .default) throws(JSONError) {
        let contiguous = bytes.withContiguousStorageIfAvailable { buffer in
            JSON.result(of: UnsafeRawBufferPointer(buffer), limits: limits)
        }
        let result = contiguous ?? Array(bytes).withUnsafeBytes { JSON.result(of: $0, limits: limits) }
        self = try result.get()
    }

    /// Parses one document from a string.
    public init(parsing text: String, limits: JSONLimits = .default) throws(JSONError) {
        var text = text
        let result = text.withUTF8 { JSON.result(of: UnsafeRawBufferPointer($0), limits: limits) }
        self = try result.get()
    }

    /// Carries the typed error through closures that only rethrow untyped ones.
    private static func result(of bytes: UnsafeRawBufferPointer, limits: JSONLimits) -> Result<JSON, JSONError> {
        do throws(JSONError) {
            return .success(try JSON(parsing: bytes, limits: limits))
        } catch {
            return .failure(error)
        }
    }
}

extension JSONError {
    init(_ fault: JSONFault, in bytes: UnsafeBufferPointer<UInt8>) {
        var line = 1
        var lineStart = 0
        let offset = Swift.min(fault.offset, bytes.count)
        for position in 0..<offset where bytes[position] == 0x0A {
            line += 1
            lineStart = position + 1
        }
        self.init(code: fault.code, offset: offset, line: line, column: offset - lineStart + 1)
    }
}
