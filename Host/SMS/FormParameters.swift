/// The parameters of an `application/x-www-form-urlencoded` body (WHATWG URL §5.1), read strictly.
///
/// Names and values are kept decoded, in the order received, repeated names included: a signature covers all of them.
/// Refused are more bytes or parameters than the limits, an escape that is no two hex digits, and what is not UTF-8.
public struct FormParameters: Sendable {
    public static let maxBytes = 65_536
    public static let maxParameters = 512

    public enum Fault: Error, Sendable, Hashable {
        case tooLarge, tooManyParameters, invalidEscape, invalidUTF8
    }

    struct Field {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// All names and values, decoded, one after the other.
    let bytes: [UInt8]
    let fields: [Field]

    public init(parsing body: some Collection<UInt8>) throws(Fault) {
        guard body.count <= FormParameters.maxBytes else { throw .tooLarge }
        var bytes = [UInt8]()
        bytes.reserveCapacity(body.count)
        var fields = [Field]()
        fields.reserveCapacity(24)
        var start = 0
        var nameEnd: Int?
        var escape = 0
        var partial: UInt8 = 0
        for byte in body {
            if escape > 0 {
                guard let digit = hexDigit(byte) else { throw .invalidEscape }
                partial = partial << 4 | digit
                escape -= 1
                if escape == 0 { bytes.append(partial) }
                continue
            }
            switch byte {
            case UInt8(ascii: "&"):
                try FormParameters.close(bytes.count, &start, &nameEnd, &fields)
            case UInt8(ascii: "=") where nameEnd == nil: nameEnd = bytes.count
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                escape = 2
                partial = 0
            default: bytes.append(byte)
            }
        }
        guard escape == 0 else { throw .invalidEscape }
        try FormParameters.close(bytes.count, &start, &nameEnd, &fields)
        let isUTF8 = bytes.withUnsafeBufferPointer { buffer in
            fields.allSatisfy { field in
                isValidUTF8(buffer, field.name) && isValidUTF8(buffer, field.value)
            }
        }
        guard isUTF8 else { throw .invalidUTF8 }
        self.bytes = bytes
        self.fields = fields
    }

    /// Ends the parameter that began at `start`; nothing between two `&` is no parameter.
    private static func close(
        _ end: Int, _ start: inout Int, _ nameEnd: inout Int?, _ fields: inout [Field]
    ) throws(Fault) {
        defer {
            start = end
            nameEnd = nil
        }
        guard end > start || nameEnd != nil else { return }
        guard fields.count < maxParameters else { throw .tooManyParameters }
        fields.append(Field(name: start..<(nameEnd ?? end), value: (nameEnd ?? end)..<end))
    }

    /// The first value of this name; nil where it is absent.
    public subscript(name: StaticString) -> String? {
        for field in fields where field.name.count == name.utf8CodeUnitCount {
            let isSame = bytes.withUnsafeBufferPointer { buffer in
                UnsafeBufferPointer(rebasing: buffer[field.name])
                    .elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
            }
            if isSame { return String(decoding: bytes[field.value], as: UTF8.self) }
        }
        return nil
    }
}

/// Appends a parameter, encoded as by a form (WHATWG URL §5.2): a space as `+`, all but `*-._` and alphanumerics escaped.
func appendFormParameter(_ name: String, _ value: String, to body: inout [UInt8]) {
    if !body.isEmpty { body.append(UInt8(ascii: "&")) }
    appendFormEncoded(name, to: &body)
    body.append(UInt8(ascii: "="))
    appendFormEncoded(value, to: &body)
}

private func appendFormEncoded(_ text: String, to body: inout [UInt8]) {
    let digits: StaticString = "0123456789ABCDEF"
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            body.append(byte)
        case UInt8(ascii: " "): body.append(UInt8(ascii: "+"))
        default:
            body.append(UInt8(ascii: "%"))
            body.append(digits.utf8Start[Int(byte >> 4)])
            body.append(digits.utf8Start[Int(byte & 15)])
        }
    }
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
}

/// ASCII passes at once; the rest goes through the standard library's validation.
private func isValidUTF8(_ buffer: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
    for index in range where buffer[index] >= 0x80 {
        return String(validating: buffer[index..<range.upperBound], as: UTF8.self) != nil
    }
    return true
}
