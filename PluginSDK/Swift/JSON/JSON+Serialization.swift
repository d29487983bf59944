extension JSON {
    /// The compact RFC 8259 text, members in insertion order.
    ///
    /// Doubles are written in the shortest form that reads back the same; an integral double keeps `.0`, so that it
    /// reads back as `.number`. Values that are not finite become `null`.
    public func serialized() -> [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.withBytes { Array($0) }
    }

    /// Appends the compact text to a buffer.
    public func write(to buffer: inout [UInt8]) {
        var writer = JSONWriter()
        writer.value(self)
        writer.withBytes { buffer.append(contentsOf: $0) }
    }

    /// The compact text as a string.
    public var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The text with two spaces of indentation per level, for people.
    public func pretty() -> String {
        var writer = JSONWriter()
        writer.pretty(self, indentation: 0)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The canonical form of RFC 8785 (JCS), for hashing and signing.
    ///
    /// Members are sorted by the UTF-16 code units of their names and numbers take the form of ECMAScript. As the RFC
    /// says, numbers are doubles: integers beyond 2^53 are rounded, so larger identifiers belong in strings.
    public func canonical() -> [UInt8] {
        var writer = JSONWriter()
        writer.canonical(self)
        return writer.withBytes { Array($0) }
    }
}

extension JSONWriter {
    mutating func pretty(_ value: JSON, indentation: Int) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            byte(0x5B)
            for (position, element) in elements.enumerated() {
                if position > 0 { byte(0x2C) }
                newline(indentation + 1)
                pretty(element, indentation: indentation + 1)
            }
            newline(indentation)
            byte(0x5D)
        case .object(let object) where !object.isEmpty:
            byte(0x7B)
            for (position, member) in object.enumerated() {
                if position > 0 { byte(0x2C) }
                newline(indentation + 1)
                string(member.key)
                ascii(": ")
                pretty(member.value, indentation: indentation + 1)
            }
            newline(indentation)
            byte(0x7D)
        default: self.value(value)
        }
    }

    private mutating func newline(_ indentation: Int) {
        byte(0x0A)
        for _ in 0..<indentation { ascii("  ") }
    }

    mutating func canonical(_ value: JSON) {
        switch value {
        case .integer(let number):
            if number.magnitude <= 1 << 53 { integer(number) } else { canonical(Double(number)) }
        case .number(let number): canonical(number)
        case .array(let elements):
            byte(0x5B)
            for (position, element) in elements.enumerated() {
                if position > 0 { byte(0x2C) }
                canonical(element)
            }
            byte(0x5D)
        case .object(let object):
            byte(0x7B)
            let sorted = object.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
            for (position, member) in sorted.enumerated() {
                if position > 0 { byte(0x2C) }
                string(member.key)
                byte(0x3A)
                canonical(member.value)
            }
            byte(0x7D)
        default: self.value(value)
        }
    }

    /// Writes a number as ECMAScript's Number::toString does (ECMA-262, section 6.1.6.1.20).
    private mutating func canonical(_ number: Double) {
        guard number.isFinite else {
            ascii("null")
            return
        }
        if number == 0 {
            byte(0x30)
            return
        }
        if number < 0 { byte(0x2D) }
        // The standard library prints the shortest digits too, in its own layout: take digits and exponent from it.
        var digits: [UInt8] = []
        var point = 0
        var exponent = 0
        var sawPoint = false
        let text = Array(number.magnitude.description.utf8)
        var position = 0
        while position < text.count {
            let unit = text[position]
            if unit == 0x2E {
                sawPoint = true
            } else if unit == 0x65 {
                exponent = Int(String(decoding: text[(position + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(unit)
                if !sawPoint { point += 1 }
            }
            position += 1
        }
        while digits.first == 0x30 {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == 0x30 { digits.removeLast() }
        layOut(digits, n: point + exponent)
    }

    /// Lays out the digits so that the value is 0.digits times 10 to the power of `n`.
    private mutating func layOut(_ digits: [UInt8], n: Int) {
        let k = digits.count
        if k <= n, n <= 21 {
            for digit in digits { byte(digit) }
            for _ in 0..<(n - k) { byte(0x30) }
        } else if 0 < n, n <= 21 {
            for digit in digits[..<n] { byte(digit) }
            byte(0x2E)
            for digit in digits[n...] { byte(digit) }
        } else if -6 < n, n <= 0 {
            ascii("0.")
            for _ in 0..<(-n) { byte(0x30) }
            for digit in digits { byte(digit) }
        } else {
            byte(digits[0])
            if k > 1 {
                byte(0x2E)
                for digit in digits[1...] { byte(digit) }
            }
            byte(0x65)
            byte(n - 1 < 0 ? 0x2D : 0x2B)
            integer(Int64((n - 1).magnitude))
        }
    }
}
