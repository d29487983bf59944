/// A growing byte buffer that writes JSON without checks per byte.
struct JSONWriter: ~Copyable {
    private var buffer: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 2048) {
        self.capacity = capacity
        buffer = .allocate(capacity: capacity)
    }

    deinit { buffer.deallocate() }

    /// The bytes written so far, valid until the next write.
    borrowing func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
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
    mutating func byte(_ value: UInt8) {
        reserve(1)
        buffer[count] = value
        count &+= 1
    }

    mutating func ascii(_ text: StaticString) {
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

    // MARK: Values

    /// Writes a value compactly.
    mutating func value(_ value: borrowing JSON) {
        switch value {
        case .null: ascii("null")
        case .bool(let flag): if flag { ascii("true") } else { ascii("false") }
        case .integer(let number): integer(number)
        case .number(let number): double(number)
        case .string(let text): string(text)
        case .array(let elements):
            byte(0x5B)
            var isFirst = true
            for element in elements {
                if !isFirst { byte(0x2C) }
                isFirst = false
                self.value(element)
            }
            byte(0x5D)
        case .object(let object):
            byte(0x7B)
            var isFirst = true
            for (key, member) in object.members {
                if !isFirst { byte(0x2C) }
                isFirst = false
                string(key)
                byte(0x3A)
                self.value(member)
            }
            byte(0x7D)
        }
    }

    /// Writes a string with its quotes, escaping only what RFC 8259 requires.
    @inline(__always)
    mutating func string(_ text: String) {
        let written: Void? = text.utf8.withContiguousStorageIfAvailable { quoted($0) }
        if written == nil { Array(text.utf8).withUnsafeBufferPointer { quoted($0) } }
    }

    private mutating func quoted(_ source: UnsafeBufferPointer<UInt8>) {
        let length = source.count
        reserve(length &+ 10)
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
            let unit = start[offset]
            if unit < 0x20 || unit == 0x22 || unit == 0x5C {
                escape(unit, remaining: length &- offset)
            } else {
                buffer[count] = unit
                count &+= 1
            }
            offset &+= 1
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
    mutating func integer(_ value: Int64) {
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
    mutating func double(_ value: Double) {
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
