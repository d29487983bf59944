/// A fault inside the parser: small enough to be thrown at no cost, turned into a `JSONError` at the boundary.
struct JSONFault: Error {
    let code: JSONError.Code
    let offset: Int
}

/// A recursive-descent parser over borrowed bytes (RFC 8259).
///
/// Finished elements wait on two stacks owned by the parser and are moved into an array of exact size when their
/// container closes: one allocation per container, none per short string.
struct JSONParser: ~Copyable {
    /// What is known of a member name before its object closes.
    private struct Mark {
        var fingerprint: UInt64
        var offset: Int
    }

    private let base: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var p: UnsafePointer<UInt8>
    private let limits: JSONLimits
    private let maxDepth: Int
    private let knowsSmall = SmallString.isKnown

    private var values: UnsafeMutablePointer<JSON>
    private var valueCount = 0
    private var valueCapacity: Int
    private var members: UnsafeMutablePointer<JSONObject.Member>
    private var marks: UnsafeMutablePointer<Mark>
    private var memberCount = 0
    private var memberCapacity: Int
    private var scratch: [UInt8] = []

    init(base: UnsafePointer<UInt8>, count: Int, limits: JSONLimits) {
        self.base = base
        end = base + count
        p = base
        self.limits = limits
        maxDepth = Swift.min(limits.maxDepth, 512)
        // Blocks of at most 1032 bytes come from the allocator's per-thread cache (glibc, malloc/malloc.c).
        valueCapacity = 40
        memberCapacity = 24
        values = .allocate(capacity: valueCapacity)
        members = .allocate(capacity: memberCapacity)
        marks = .allocate(capacity: memberCapacity)
    }

    deinit {
        values.deinitialize(count: valueCount)
        values.deallocate()
        members.deinitialize(count: memberCount)
        members.deallocate()
        marks.deallocate()
    }

    /// Parses the whole document.
    mutating func parseDocument() throws(JSONFault) -> JSON {
        let count = end - base
        if count > limits.maxBytes { throw JSONFault(code: .tooLarge, offset: limits.maxBytes) }
        if count >= 3, base[0] == 0xEF, base[1] == 0xBB, base[2] == 0xBF {
            throw JSONFault(code: .byteOrderMark, offset: 0)
        }
        let value = try parseValue(depth: 0)
        skipWhitespace()
        if p != end { throw fault(.trailingContent) }
        return value
    }

    @inline(__always)
    private func fault(_ code: JSONError.Code) -> JSONFault { JSONFault(code: code, offset: p - base) }

    @inline(__always)
    private mutating func skipWhitespace() {
        while p < end {
            let byte = p.pointee
            if byte > 0x20 { return }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            p += 1
        }
    }

    private mutating func parseValue(depth: Int) throws(JSONFault) -> JSON {
        skipWhitespace()
        guard p < end else { throw fault(.unexpectedEnd) }
        switch p.pointee {
        case 0x22:  // "
            return .string(try parseString())
        case 0x7B:  // {
            return try parseObject(depth: depth + 1)
        case 0x5B:  // [
            return try parseArray(depth: depth + 1)
        case 0x2D, 0x30...0x39:  // - 0...9
            return try parseNumber()
        case 0x74:  // t
            try expect("rue")
            return .bool(true)
        case 0x66:  // f
            try expect("alse")
            return .bool(false)
        case 0x6E:  // n
            try expect("ull")
            return .null
        default:
            throw fault(.unexpectedCharacter)
        }
    }

    /// Consumes the current byte and the given ASCII rest of a literal.
    private mutating func expect(_ rest: StaticString) throws(JSONFault) {
        p += 1
        let text = rest.utf8Start
        for index in 0..<rest.utf8CodeUnitCount {
            guard p < end else { throw fault(.unexpectedEnd) }
            guard p.pointee == text[index] else { throw fault(.unexpectedCharacter) }
            p += 1
        }
    }

    // MARK: Containers

    private mutating func parseArray(depth: Int) throws(JSONFault) -> JSON {
        guard depth <= maxDepth else { throw fault(.tooDeep) }
        p += 1
        skipWhitespace()
        guard p < end else { throw fault(.unexpectedEnd) }
        if p.pointee == 0x5D {
            p += 1
            return .array([])
        }
        let first = valueCount
        while true {
            let value = try parseValue(depth: depth)
            if valueCount == valueCapacity { growValues() }
            (values + valueCount).initialize(to: value)
            valueCount &+= 1
            if valueCount &- first > limits.maxElements { throw fault(.tooManyMembers) }
            skipWhitespace()
            guard p < end else { throw fault(.unexpectedEnd) }
            let byte = p.pointee
            if byte == 0x2C {
                p += 1
            } else if byte == 0x5D {
                p += 1
                break
            } else {
                throw fault(.unexpectedCharacter)
            }
        }
        let count = valueCount &- first
        valueCount = first
        var elements: [JSON] = []
        elements.reserveCapacity(count)
        for position in first..<(first &+ count) { elements.append((values + position).move()) }
        return .array(elements)
    }

    private mutating func parseObject(depth: Int) throws(JSONFault) -> JSON {
        guard depth <= maxDepth else { throw fault(.tooDeep) }
        p += 1
        skipWhitespace()
        guard p < end else { throw fault(.unexpectedEnd) }
        if p.pointee == 0x7D {
            p += 1
            return .object(JSONObject())
        }
        let first = memberCount
        while true {
            guard p.pointee == 0x22 else { throw fault(.unexpectedCharacter) }
            let keyStart = p
            let key = try parseString()
            let mark = Mark(fingerprint: Self.fingerprint(key, keyStart, p), offset: keyStart - base)
            if memberCount &- first < JSONObject.linearLimit {
                for other in first..<memberCount
                where marks[other].fingerprint == mark.fingerprint && utf8Equal(members[other].key, key) {
                    throw JSONFault(code: .duplicateKey, offset: mark.offset)
                }
            }
            skipWhitespace()
            guard p < end else { throw fault(.unexpectedEnd) }
            guard p.pointee == 0x3A else { throw fault(.unexpectedCharacter) }
            p += 1
            let value = try parseValue(depth: depth)
            if memberCount == memberCapacity { growMembers() }
            (members + memberCount).initialize(to: JSONObject.Member(key: key, value: value))
            marks[memberCount] = mark
            memberCount &+= 1
            if memberCount &- first > limits.maxMembers {
                throw JSONFault(code: .tooManyMembers, offset: mark.offset)
            }
            skipWhitespace()
            guard p < end else { throw fault(.unexpectedEnd) }
            let byte = p.pointee
            if byte == 0x2C {
                p += 1
                skipWhitespace()
                guard p < end else { throw fault(.unexpectedEnd) }
            } else if byte == 0x7D {
                p += 1
                break
            } else {
                throw fault(.unexpectedCharacter)
            }
        }
        let count = memberCount &- first
        let index = count > JSONObject.linearLimit ? try buildIndex(from: first) : nil
        memberCount = first
        var moved: ContiguousArray<JSONObject.Member> = []
        moved.reserveCapacity(count)
        for position in first..<(first &+ count) { moved.append((members + position).move()) }
        return .object(JSONObject(distinct: moved, index: index))
    }

    /// Indexes the members of a large object, which finds duplicates among them in linear time.
    private func buildIndex(from first: Int) throws(JSONFault) -> [UTF8Key: Int] {
        var index: [UTF8Key: Int] = [:]
        index.reserveCapacity(memberCount - first)
        for position in first..<memberCount {
            if index.updateValue(position - first, forKey: UTF8Key(members[position].key)) != nil {
                throw JSONFault(code: .duplicateKey, offset: marks[position].offset)
            }
        }
        return index
    }

    /// A value equal for equal names: length and first bytes as written, or 0 when the name may hold an escape.
    @inline(__always)
    private static func fingerprint(_ key: String, _ open: UnsafePointer<UInt8>, _ after: UnsafePointer<UInt8>)
        -> UInt64
    {
        let count = key.utf8.count
        guard after - open == count + 2 else {
            var print = UInt64(truncatingIfNeeded: count) << 56
            var shift: UInt64 = 0
            for byte in key.utf8.prefix(7) {
                print |= UInt64(byte) << shift
                shift += 8
            }
            return print
        }
        // The closing quote makes an eighth byte readable.
        let print =
            count >= 7
            ? UnsafeRawPointer(open + 1).loadUnaligned(as: UInt64.self) & 0x00FF_FFFF_FFFF_FFFF
            : SmallString.shortWord(UnsafeRawPointer(open + 1), count)
        return print | UInt64(truncatingIfNeeded: count) << 56
    }

    @inline(never)
    private mutating func growValues() {
        let grown = UnsafeMutablePointer<JSON>.allocate(capacity: valueCapacity * 2)
        grown.moveInitialize(from: values, count: valueCount)
        values.deallocate()
        values = grown
        valueCapacity *= 2
    }

    @inline(never)
    private mutating func growMembers() {
        let grown = UnsafeMutablePointer<JSONObject.Member>.allocate(capacity: memberCapacity * 2)
        grown.moveInitialize(from: members, count: memberCount)
        members.deallocate()
        members = grown
        let grownMarks = UnsafeMutablePointer<Mark>.allocate(capacity: memberCapacity * 2)
        grownMarks.moveInitialize(from: marks, count: memberCount)
        marks.deallocate()
        marks = grownMarks
        memberCapacity *= 2
    }

    // MARK: Strings

    /// Parses from the opening quote to after the closing one.
    private mutating func parseString() throws(JSONFault) -> String {
        p += 1
        let start = p
        var high: UInt64 = 0
        while end - p >= 8 {
            let word = UInt64(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt64.self))
            let stop = SWAR.stringStops(word)
            if stop == 0 {
                high |= word
                p += 8
                continue
            }
            // The lowest flagged byte is exact; bytes above it may be flagged by borrows.
            high |= word & ((stop & (0 &- stop)) &- 1)
            p += stop.trailingZeroBitCount >> 3
            return try finishString(start: start, isASCII: high & SWAR.highBits == 0)
        }
        while p < end {
            let byte = p.pointee
            if byte < 0x20 || byte == 0x22 || byte == 0x5C {
                return try finishString(start: start, isASCII: high & SWAR.highBits == 0)
            }
            high |= UInt64(byte)
            p += 1
        }
        throw fault(.unexpectedEnd)
    }

    @inline(__always)
    private mutating func finishString(start: UnsafePointer<UInt8>, isASCII: Bool) throws(JSONFault) -> String {
        let count = p - start
        guard count <= limits.maxStringBytes else {
            throw JSONFault(code: .stringTooLong, offset: start - base - 1)
        }
        guard p.pointee == 0x22 else { return try parseEscaped(start: start) }
        p += 1
        let bytes = UnsafeBufferPointer(start: start, count: count)
        if isASCII {
            if count <= SmallString.capacity, knowsSmall { return SmallString.make(start, count: count) }
            return String(decoding: bytes, as: UTF8.self)
        }
        return try validated(bytes, start: start)
    }

    @inline(never)
    private func validated(_ bytes: UnsafeBufferPointer<UInt8>, start: UnsafePointer<UInt8>) throws(JSONFault) -> String
    {
        if let string = String(validating: bytes, as: UTF8.self) { return string }
        throw JSONFault(code: .invalidUTF8, offset: start - base + UTF8Check.firstFault(in: bytes))
    }

    /// Continues a string at its first backslash or control character.
    @inline(never)
    private mutating func parseEscaped(start: UnsafePointer<UInt8>) throws(JSONFault) -> String {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: UnsafeBufferPointer(start: start, count: p - start))
        while true {
            guard p < end else { throw fault(.unexpectedEnd) }
            let byte = p.pointee
            if byte == 0x22 {
                break
            } else if byte == 0x5C {
                try parseEscape()
            } else if byte < 0x20 {
                throw fault(.controlCharacter)
            } else {
                let run = p
                p += 1
                while p < end, p.pointee >= 0x20, p.pointee != 0x22, p.pointee != 0x5C { p += 1 }
                scratch.append(contentsOf: UnsafeBufferPointer(start: run, count: p - run))
            }
        }
        guard p - start <= limits.maxStringBytes else {
            throw JSONFault(code: .stringTooLong, offset: start - base - 1)
        }
        let raw = UnsafeBufferPointer(start: start, count: p - start)
        p += 1
        if let string = String(validating: scratch, as: UTF8.self) { return string }
        throw JSONFault(code: .invalidUTF8, offset: start - base + UTF8Check.firstFault(in: raw))
    }

    private mutating func parseEscape() throws(JSONFault) {
        let at = p - base
        p += 1
        guard p < end else { throw fault(.unexpectedEnd) }
        let kind = p.pointee
        p += 1
        switch kind {
        case 0x22, 0x5C, 0x2F: scratch.append(kind)
        case 0x62: scratch.append(0x08)
        case 0x66: scratch.append(0x0C)
        case 0x6E: scratch.append(0x0A)
        case 0x72: scratch.append(0x0D)
        case 0x74: scratch.append(0x09)
        case 0x75:
            var code = try parseHex4()
            if code & 0xFC00 == 0xDC00 { throw JSONFault(code: .loneSurrogate, offset: at) }
            if code & 0xFC00 == 0xD800 {
                guard end - p >= 2, p[0] == 0x5C, p[1] == 0x75 else {
                    throw JSONFault(code: .loneSurrogate, offset: at)
                }
                p += 2
                let low = try parseHex4()
                guard low & 0xFC00 == 0xDC00 else { throw JSONFault(code: .loneSurrogate, offset: at) }
                code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF))
            }
            appendScalar(code)
        default:
            throw JSONFault(code: .invalidEscape, offset: at)
        }
    }

    private mutating func parseHex4() throws(JSONFault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard p < end else { throw fault(.unexpectedEnd) }
            let byte = p.pointee
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw fault(.invalidEscape)
            }
            code = code << 4 | UInt32(digit)
            p += 1
        }
        return code
    }

    private mutating func appendScalar(_ code: UInt32) {
        func byte(_ value: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: value) }
        if code < 0x80 {
            scratch.append(byte(code))
        } else if code < 0x800 {
            scratch.append(byte(0xC0 | code >> 6))
            scratch.append(byte(0x80 | code & 0x3F))
        } else if code < 0x10000 {
            scratch.append(byte(0xE0 | code >> 12))
            scratch.append(byte(0x80 | code >> 6 & 0x3F))
            scratch.append(byte(0x80 | code & 0x3F))
        } else {
            scratch.append(byte(0xF0 | code >> 18))
            scratch.append(byte(0x80 | code >> 12 & 0x3F))
            scratch.append(byte(0x80 | code >> 6 & 0x3F))
            scratch.append(byte(0x80 | code & 0x3F))
        }
    }

    // MARK: Numbers

    private mutating func parseNumber() throws(JSONFault) -> JSON {
        let start = p
        let negative = p.pointee == 0x2D
        if negative { p += 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        guard p < end else { throw fault(.unexpectedEnd) }
        if p.pointee == 0x30 {
            p += 1
            if p < end, p.pointee &- 0x30 < 10 { throw fault(.invalidNumber) }
        } else {
            let first = p
            scanDigits(into: &mantissa)
            digits = p - first
            if digits == 0 { throw fault(.invalidNumber) }
        }
        var isInteger = true
        var exponent = 0
        if p < end, p.pointee == 0x2E {
            isInteger = false
            p += 1
            let first = p
            scanDigits(into: &mantissa)
            let fraction = p - first
            if fraction == 0 { throw fault(p < end ? .invalidNumber : .unexpectedEnd) }
            digits &+= fraction
            exponent = 0 &- fraction
        }
        if p < end, p.pointee | 0x20 == 0x65 {
            isInteger = false
            exponent &+= try parseExponent()
        }
        if isInteger {
            if digits <= 18 {
                if negative, mantissa == 0 { return .number(-0.0) }
                let value = Int64(bitPattern: mantissa)
                return .integer(negative ? 0 &- value : value)
            }
            if digits == 19 {
                if mantissa <= UInt64(Int64.max) {
                    let value = Int64(bitPattern: mantissa)
                    return .integer(negative ? 0 &- value : value)
                }
                if negative, mantissa == 1 << 63 { return .integer(.min) }
            }
        } else if digits <= 19, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
            // Both operands and therefore the one rounding are exact (Clinger, "How to read floating point numbers
            // accurately", 1990).
            let scale = powersOfTen[exponent < 0 ? 0 &- exponent : exponent]
            let value = exponent < 0 ? Double(mantissa) / scale : Double(mantissa) * scale
            return .number(negative ? -value : value)
        }
        return try slowNumber(start: start)
    }

    @inline(__always)
    private mutating func scanDigits(into mantissa: inout UInt64) {
        while p < end {
            let digit = p.pointee &- 0x30
            guard digit < 10 else { return }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            p += 1
        }
    }

    private mutating func parseExponent() throws(JSONFault) -> Int {
        p += 1
        guard p < end else { throw fault(.unexpectedEnd) }
        var negative = false
        if p.pointee == 0x2D || p.pointee == 0x2B {
            negative = p.pointee == 0x2D
            p += 1
        }
        let first = p
        var value = 0
        while p < end {
            let digit = p.pointee &- 0x30
            guard digit < 10 else { break }
            if value < 100_000_000 { value = value * 10 + Int(digit) }
            p += 1
        }
        if p == first { throw fault(p < end ? .invalidNumber : .unexpectedEnd) }
        return negative ? -value : value
    }

    /// Correct rounding for every length, by the standard library.
    @inline(never)
    private func slowNumber(start: UnsafePointer<UInt8>) throws(JSONFault) -> JSON {
        let text = String(decoding: UnsafeBufferPointer(start: start, count: p - start), as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw JSONFault(code: .numberOutOfRange, offset: start - base)
        }
        return .number(value)
    }
}

/// The powers of ten that a double holds exactly.
let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]
