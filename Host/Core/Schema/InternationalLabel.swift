/// Punycode (RFC 3492).
enum Punycode {
    private static func adapted(_ delta: Int, _ points: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / points
        var k = 0
        while delta > 455 {
            delta /= 35
            k += 36
        }
        return k + 36 * delta / (delta + 38)
    }

    /// The scalars of an A-label without its prefix; nil when malformed (section 6.2).
    static func decoded(_ text: FormatBytes) -> [Unicode.Scalar]? {
        var output: [Unicode.Scalar] = []
        var rest = text
        if let delimiter = text.lastIndex(of: 0x2D) {
            for unit in text[..<delimiter] { output.append(Unicode.Scalar(unit)) }
            rest = text[(delimiter + 1)...]
        }
        guard text.count <= 63, !rest.isEmpty else { return nil }
        var n = 128
        var i = 0
        var bias = 72
        var iterator = rest.makeIterator()
        var pending = iterator.next()
        while pending != nil {
            let old = i
            var weight = 1
            var k = 36
            while true {
                guard let unit = pending else { return nil }
                pending = iterator.next()
                let digit: Int
                switch unit {
                case 0x30...0x39: digit = Int(unit) - 0x30 + 26
                case 0x41...0x5A: digit = Int(unit) - 0x41
                case 0x61...0x7A: digit = Int(unit) - 0x61
                default: return nil
                }
                i += digit * weight
                let threshold = Swift.max(1, Swift.min(26, k - bias))
                if digit < threshold { break }
                weight *= 36 - threshold
                k += 36
                guard i < 1 << 40, weight < 1 << 40 else { return nil }
            }
            bias = adapted(i - old, output.count + 1, isFirst: old == 0)
            n += i / (output.count + 1)
            i %= output.count + 1
            guard n <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(n)) else { return nil }
            output.insert(scalar, at: i)
            i += 1
        }
        return output
    }

    /// The length of the encoding without its prefix; nil when it would be longer than any label (section 6.3).
    static func encodedLength(_ scalars: [Unicode.Scalar]) -> Int? {
        guard scalars.count <= 63 else { return nil }
        let basic = scalars.filter(\.isASCII).count
        var length = basic > 0 ? basic + 1 : 0
        var n = 128
        var delta = 0
        var bias = 72
        var handled = basic
        while handled < scalars.count {
            guard let next = scalars.lazy.map({ Int($0.value) }).filter({ $0 >= n }).min() else { return nil }
            delta += (next - n) * (handled + 1)
            n = next
            for scalar in scalars {
                if Int(scalar.value) < n { delta += 1 }
                guard Int(scalar.value) == n else { continue }
                var q = delta
                var k = 36
                while true {
                    let threshold = Swift.max(1, Swift.min(26, k - bias))
                    if q < threshold { break }
                    q = (q - threshold) / (36 - threshold)
                    length += 1
                    k += 36
                }
                length += 1
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return length
    }
}

/// U-labels: what RFC 5892 lets stand in a label, by Unicode properties, with its exceptions and contextual rules.
enum InternationalLabel {
    static func isValid(_ scalars: [Unicode.Scalar]) -> Bool {
        guard let first = scalars.first, let last = scalars.last, first != "-", last != "-" else { return false }
        if scalars.count >= 4, scalars[2] == "-", scalars[3] == "-" { return false }
        switch first.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return false
        default: break
        }
        for position in scalars.indices where !isAllowed(scalars, position) { return false }
        return true
    }

    private static func isAllowed(_ scalars: [Unicode.Scalar], _ position: Int) -> Bool {
        let scalar = scalars[position]
        switch scalar.value {
        case 0x2D, 0x30...0x39, 0x61...0x7A: return true
        // Section 2.6: exceptions.
        case 0x00DF, 0x03C2, 0x06FD, 0x06FE, 0x0F0B, 0x3007: return true
        case 0x0640, 0x07FA, 0x302E, 0x302F, 0x3031...0x3035, 0x303B: return false
        // Appendix A: contextual rules.
        case 0x00B7: return neighbour(scalars, position - 1) == "l" && neighbour(scalars, position + 1) == "l"
        case 0x0375: return isIn(neighbour(scalars, position + 1), [0x0370...0x03FF, 0x1F00...0x1FFF])
        case 0x05F3, 0x05F4: return isIn(neighbour(scalars, position - 1), [0x0590...0x05FF])
        case 0x30FB:
            return scalars.contains { isIn($0, [0x3040...0x309F, 0x30A1...0x30FA, 0x30FC...0x30FF, 0x3400...0x9FFF]) }
        case 0x0660...0x0669: return !scalars.contains { isIn($0, [0x06F0...0x06F9]) }
        case 0x06F0...0x06F9: return !scalars.contains { isIn($0, [0x0660...0x0669]) }
        case 0x200C, 0x200D:
            return neighbour(scalars, position - 1).map { $0.properties.canonicalCombiningClass == .virama } ?? false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber:
            // Unstable under case folding or normalisation means not allowed (section 2.2).
            return !scalar.properties.changesWhenNFKCCaseFolded
        default: return false
        }
    }

    private static func neighbour(_ scalars: [Unicode.Scalar], _ position: Int) -> Unicode.Scalar? {
        scalars.indices.contains(position) ? scalars[position] : nil
    }

    private static func isIn(_ scalar: Unicode.Scalar?, _ ranges: [ClosedRange<UInt32>]) -> Bool {
        guard let scalar else { return false }
        return ranges.contains { $0.contains(scalar.value) }
    }
}
