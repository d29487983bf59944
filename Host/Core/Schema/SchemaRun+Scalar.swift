import TandemJSON

extension SchemaRun {
    // MARK: Numbers

    mutating func checkNumber(
        _ rules: UnsafeMutablePointer<NumberRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>
    ) -> Bool {
        let value: NumberBound
        switch place.pointee {
        case .integer(let integer): value = .integer(integer)
        case .number(let double): value = .double(double)
        default: return true
        }
        var passes = true
        if let bound = rules.pointee.minimum, Self.isLess(value, bound) {
            guard reports else { return false }
            fail(node, "minimum", "must be at least \(bound.text)")
            passes = false
        }
        if let bound = rules.pointee.maximum, Self.isLess(bound, value) {
            guard reports else { return false }
            fail(node, "maximum", "must be at most \(bound.text)")
            passes = false
        }
        if let bound = rules.pointee.exclusiveMinimum, !Self.isLess(bound, value) {
            guard reports else { return false }
            fail(node, "exclusiveMinimum", "must be greater than \(bound.text)")
            passes = false
        }
        if let bound = rules.pointee.exclusiveMaximum, !Self.isLess(value, bound) {
            guard reports else { return false }
            fail(node, "exclusiveMaximum", "must be less than \(bound.text)")
            passes = false
        }
        if let divisor = rules.pointee.multipleOf, !Self.isMultiple(value, divisor, rules.pointee.integerDivisor) {
            fail(node, "multipleOf", "must be a multiple of \(rules.pointee.multipleOfText)")
            passes = false
        }
        return passes
    }

    /// Compares exactly, also an integer beyond 2^53 with a double.
    @inline(__always)
    private static func isLess(_ left: NumberBound, _ right: NumberBound) -> Bool {
        switch (left, right) {
        case (.integer(let a), .integer(let b)): return a < b
        case (.double(let a), .double(let b)): return a < b
        case (.integer(let a), .double(let b)):
            if b >= 0x1p63 { return true }
            guard b >= -0x1p63 else { return false }
            let whole = Int64(b)
            return a != whole ? a < whole : Double(whole) < b
        case (.double(let a), .integer(let b)):
            if a < -0x1p63 { return true }
            guard a < 0x1p63 else { return false }
            let whole = Int64(a)
            return whole != b ? whole < b : a < Double(whole)
        }
    }

    private static func isMultiple(_ value: NumberBound, _ divisor: ExactDecimal, _ integerDivisor: Int64) -> Bool {
        switch value {
        case .integer(let integer):
            if integerDivisor > 0 { return integer % integerDivisor == 0 }
            return ExactDecimal(integer).isMultiple(of: divisor)
        case .double(let double):
            guard double.isFinite else { return false }
            return ExactDecimal(double).isMultiple(of: divisor)
        }
    }

    // MARK: Strings

    mutating func checkString(
        _ rules: UnsafeMutablePointer<StringRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>
    ) -> Bool {
        var passes = true
        if rules.pointee.minLength > 0 || rules.pointee.maxLength != Int.max {
            let words = SmallString.words(ofStringAt: place)
            let length: Int
            if knowsSmall, SmallString.isSmall(words) {
                length = Int(truncatingIfNeeded: words.high >> 56 & 0x0F)
            } else {
                length = Self.lengthClass(of: place, rules.pointee.minLength, rules.pointee.maxLength)
            }
            if length < rules.pointee.minLength {
                guard reports else { return false }
                fail(node, "minLength", "must have at least \(rules.pointee.minLength) characters")
                passes = false
            }
            if length > rules.pointee.maxLength {
                guard reports else { return false }
                fail(node, "maxLength", "must have at most \(rules.pointee.maxLength) characters")
                passes = false
            }
        }
        guard rules.pointee.pattern != nil || rules.pointee.format != nil, case .string(let text) = place.pointee else {
            return passes
        }
        if let pattern = rules.pointee.pattern {
            if !pattern.isFound(in: text, &scratch) {
                guard reports else { return false }
                fail(node, "pattern", "must match the pattern that the schema gives")
                passes = false
            }
        }
        if let format = rules.pointee.format, !format.accepts(text) {
            fail(node, "format", "must be a valid \(format.rawValue)")
            passes = false
        }
        return passes
    }

    /// The number of code points, or the number of bytes where that already settles both bounds.
    private static func lengthClass(of place: UnsafePointer<JSON>, _ least: Int, _ most: Int) -> Int {
        guard case .string(let text) = place.pointee else { return 0 }
        let bytes = text.utf8.count
        // A code point takes one to four bytes.
        if bytes < least || (bytes <= most && (bytes + 3) / 4 >= least) { return Swift.min(bytes, most) }
        var copy = text
        return copy.withUTF8 { units in
            var count = 0
            for unit in units where unit & 0xC0 != 0x80 { count &+= 1 }
            return count
        }
    }
}
