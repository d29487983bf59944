/// A growing byte buffer that writes JSON without checks per byte.
package struct JSONWriter: ~Copyable {
    private var buffer: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int
    private let knowsSmall = SmallString.isKnown

    package init(capacity: Int = 2048) {
        self.capacity = capacity
        buffer = .allocate(capacity: capacity)
    }

    deinit { buffer.deallocate() }

    /// The bytes written so far, valid until the next write.
    package borrowing func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        body(UnsafeBufferPointer(start: buffer, count: count))
    }

    @inline(__always)
    private mutating func reserve(_ extra: Int) {
        if capacity &- count < extra { grow(extra) }
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let size = Swift.max(capacity * 2, count + extra)
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        grown.moveInitialize(from: buffer, count: count)
        buffer.deallocate()
        buffer = grown
        capacity = size
    }

    @inline(__always)
    package mutating func byte(_ value: UInt8) {
        reserve(1)
        buffer[count] = value
        count &+= 1
    }

    package mutating func ascii(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        reserve(length)
        (buffer + count).update(from: text.utf8Start, count: length)
        count &+= length
    }

    mutating func bytes(_ text: String) {
        var text = text
        text.withUTF8 { source in
            reserve(source.count)
            guard let start = source.baseAddress else { return }
            (buffer + count).update(from: start, count: source.count)
            count &+= source.count
        }
    }

    /// Writes bytes as they are.
    package mutating func raw(_ source: UnsafeBufferPointer<UInt8>) {
        reserve(source.count)
        guard let start = source.baseAddress else { return }
        (buffer + count).update(from: start, count: source.count)
        count &+= source.count
    }

    /// Writes the last `width` decimal digits of a number that is not negative, at most nine.
    package mutating func digits(_ value: Int, width: Int) {
        reserve(width)
        var rest = UInt32(truncatingIfNeeded: value)
        var place = width
        while place > 0 {
            place &-= 1
            buffer[count &+ place] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count &+= width
    }

    // MARK: Values

    /// Writes a value compactly.
    package mutating func value(_ value: borrowing JSON) {
        withUnsafePointer(to: value) { self.value(at: $0) }
    }

    /// Writes a value in place: binding its payload would cost a reference count for nothing.
    private mutating func value(at place: UnsafePointer<JSON>) {
        switch place.pointee {
        case .string:
            if knowsSmall {
                let words = SmallString.words(ofStringAt: place)
                if SmallString.isSmall(words) {
                    small(words)
                    return
                }
            }
            if case .string(let text) = place.pointee { long(text) }
        case .integer(let number): integer(number)
        case .number(let number): double(number)
        case .bool(let flag): if flag { ascii("true") } else { ascii("false") }
        case .null: ascii("null")
        case .array: array(place.elements)
        case .object: object(place.members)
        }
    }

    private mutating func array(_ elements: UnsafeBufferPointer<JSON>) {
        byte(0x5B)
        if let base = elements.baseAddress {
            for position in 0..<elements.count {
                if position > 0 { byte(0x2C) }
                value(at: base + position)
            }
        }
        byte(0x5D)
    }

    private mutating func object(_ members: UnsafeBufferPointer<JSONObject.Member>) {
        byte(0x7B)
        if let base = members.baseAddress {
            for position in 0..<members.count {
                if position > 0 { byte(0x2C) }
                key(at: UnsafeRawPointer(base + position).assumingMemoryBound(to: String.self))
                byte(0x3A)
                value(at: JSONObject.Member.value(in: base + position))
            }
        }
        byte(0x7D)
    }

    @inline(__always)
    private mutating func key(at place: UnsafePointer<String>) {
        let words = UnsafeRawPointer(place).loadUnaligned(as: SmallString.Words.self)
        if knowsSmall, SmallString.isSmall(words) {
            small(words)
        } else {
            long(place.pointee)
        }
    }

    /// Writes a string with its quotes, escaping only what RFC 8259 requires.
    package mutating func string(_ text: borrowing String) {
        withUnsafePointer(to: text) { key(at: $0) }
    }

    /// Writes a string given by its words; zero bytes after its end count as stops.
    @inline(__always)
    private mutating func small(_ words: SmallString.Words) {
        reserve(24)
        let length = Int(truncatingIfNeeded: words.high >> 56 & 0x0F)
        let high = words.high & 0x00FF_FFFF_FFFF_FFFF
        let plainLow = SWAR.stringStops(words.low).trailingZeroBitCount >> 3
        let plainHigh = SWAR.stringStops(high).trailingZeroBitCount >> 3
        let plain = plainLow < 8 ? plainLow : 8 &+ plainHigh
        let target = UnsafeMutableRawPointer(buffer + count)
        target.storeBytes(of: 0x22, as: UInt8.self)
        target.storeBytes(of: words.low, toByteOffset: 1, as: UInt64.self)
        target.storeBytes(of: high, toByteOffset: 9, as: UInt64.self)
        if plain >= length {
            target.storeBytes(of: 0x22, toByteOffset: length &+ 1, as: UInt8.self)
            count &+= length &+ 2
        } else {
            smallEscaped(words)
        }
    }

    @inline(never)
    private mutating func smallEscaped(_ words: SmallString.Words) {
        withUnsafeBytes(of: words) { raw in
            let length = Int(raw[15] & 0x0F)
            raw.withMemoryRebound(to: UInt8.self) { quoted(UnsafeBufferPointer(rebasing: $0[..<length])) }
        }
    }

    @inline(never)
    private mutating func long(_ text: borrowing String) {
        text.utf8Span.span.withUnsafeBufferPointer { quoted($0) }
    }

    /// Writes a string given by its UTF-8, which must be valid.
    package mutating func quoted(_ source: UnsafeBufferPointer<UInt8>) {
        let length = source.count
        reserve(length &+ 16)
        buffer[count] = 0x22
        count &+= 1
        guard let start = source.baseAddress else {
            byte(0x22)
            return
        }
        var offset = 0
        let raw = UnsafeRawPointer(start)
        while offset &+ 8 <= length {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let stops = SWAR.stringStops(word)
            UnsafeMutableRawPointer(buffer + count).storeBytes(of: word.littleEndian, as: UInt64.self)
            if stops == 0 {
                count &+= 8
                offset &+= 8
                continue
            }
            let plain = stops.trailingZeroBitCount >> 3
            count &+= plain
            offset &+= plain
            escape(start[offset], remaining: length &- offset)
            offset &+= 1
        }
        while offset < length {
            // At most seven bytes; the zeros after them are stops.
            let rest = length &- offset
            let word = SmallString.shortWord(raw + offset, rest)
            let plain = Swift.min(SWAR.stringStops(word.littleEndian).trailingZeroBitCount >> 3, rest)
            UnsafeMutableRawPointer(buffer + count).storeBytes(of: word.littleEndian, as: UInt64.self)
            count &+= plain
            offset &+= plain
            if offset < length {
                escape(start[offset], remaining: length &- offset)
                offset &+= 1
            }
        }
        buffer[count] = 0x22
        count &+= 1
    }

    /// Writes an escape and keeps room for the rest of the string, its closing quote and a whole word.
    @inline(never)
    private mutating func escape(_ unit: UInt8, remaining: Int) {
        reserve(remaining &+ 16)
        buffer[count] = 0x5C
        let short: UInt8
        switch unit {
        case 0x22, 0x5C: short = unit
        case 0x08: short = 0x62
        case 0x09: short = 0x74
        case 0x0A: short = 0x6E
        case 0x0C: short = 0x66
        case 0x0D: short = 0x72
        default:
            let low = unit & 0x0F
            buffer[count &+ 1] = 0x75
            buffer[count &+ 2] = 0x30
            buffer[count &+ 3] = 0x30
            buffer[count &+ 4] = 0x30 &+ (unit >> 4)
            buffer[count &+ 5] = low < 10 ? 0x30 &+ low : 0x57 &+ low
            count &+= 6
            return
        }
        buffer[count &+ 1] = short
        count &+= 2
    }

    /// Writes an integer in decimal.
    package mutating func integer(_ value: Int64) {
        reserve(20)
        if value < 0 {
            buffer[count] = 0x2D
            count &+= 1
        }
        digits(value.magnitude)
    }

    private mutating func digits(_ magnitude: UInt64) {
        var length = 1
        var rest = magnitude
        while rest >= 10 {
            rest /= 10
            length &+= 1
        }
        rest = magnitude
        var place = count &+ length
        count = place
        repeat {
            place &-= 1
            buffer[place] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest != 0
    }

    /// Writes the shortest decimal that reads back as the same double; integral values keep `.0`.
    package mutating func double(_ value: Double) {
        guard value.isFinite else {
            ascii("null")
            return
        }
        let magnitude = value.magnitude
        // Decimals of at most 15 digits name at most one double, so the first scale that divides back exactly gives
        // the shortest form.
        if magnitude < 1e9 && magnitude >= 1e-3 {
            for places in 1...6 {
                let scale = powersOfTen[places]
                let whole = UInt64(magnitude * scale + 0.5)
                if Double(whole) / scale == magnitude {
                    fixed(whole, places: places, isNegative: value < 0)
                    return
                }
            }
        }
        bytes(value.description)
    }

    private mutating func fixed(_ scaled: UInt64, places: Int, isNegative: Bool) {
        reserve(32)
        if isNegative {
            buffer[count] = 0x2D
            count &+= 1
        }
        let scale = UInt64(powersOfTen[places])
        digits(scaled / scale)
        buffer[count] = 0x2E
        var rest = scaled % scale
        for place in stride(from: places, to: 0, by: -1) {
            buffer[count &+ place] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count &+= places &+ 1
    }
}
