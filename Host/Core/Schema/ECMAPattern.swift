/// Translates regular expressions of ECMA-262, the dialect of JSON Schema (2020-12 core, section 6.4), to PCRE2.
///
/// The two differ in what `\s`, `.`, `$`, `\u` and `\p` mean, and PCRE2 knows constructs that ECMA-262 does not:
/// verbs, callouts, recursion, possessive quantifiers, inline options. Those are refused, so that a pattern means the
/// same here as in every other validator. Unicode mode is assumed; escapes of punctuation that it would refuse are let
/// through, since patterns in the wild are full of them.
struct ECMAPattern {
    /// Why a pattern is refused.
    struct Fault: Error {
        let message: String
        let offset: Int
    }

    /// How the cost of a search may grow with the length of what is searched.
    struct Cost: Sendable {
        /// Repetitions without an upper end, and one for the starting point unless the pattern is anchored.
        var degree = 1
        /// What bounded repetitions and alternatives multiply it by.
        var factor = 1.0
        /// Repetitions of what may itself match in several ways: exponential for all that is known.
        var isNested = false

        /// Whether a search of so many bytes stays within some millions of simple steps.
        func isSmall(for count: Int) -> Bool {
            if isNested { return false }
            var steps = factor
            for _ in 0..<degree where steps <= 2e6 { steps *= Double(count + 1) }
            return steps <= 2e6
        }
    }

    private let source: [Unicode.Scalar]
    private var cost = Cost()
    /// For each open group, and the pattern itself, whether it may match one text in several ways.
    private var isVariable = [false]
    /// The same for the group that has just been closed.
    private var lastIsVariable = false
    private var hasTopAlternation = false
    private var position = 0
    private var output = ""
    private var groupDepth = 0

    /// White space and line ends of ECMA-262 (sections 12.2 and 12.3), as class members.
    private static let space =
        "\\t-\\r\\x20\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
    /// Everything else, as class members.
    private static let notSpace =
        "\\x00-\\x08\\x0e-\\x1f\\x21-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}"
        + "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{d7ff}\\x{e000}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

    private init(_ text: String) { source = Array(text.unicodeScalars) }

    /// The PCRE2 pattern with the same meaning, and what searching for it may cost.
    static func translated(_ text: String) throws(Fault) -> (pattern: String, cost: Cost) {
        var translator = ECMAPattern(text)
        try translator.run()
        if text.unicodeScalars.first == "^", !translator.hasTopAlternation { translator.cost.degree -= 1 }
        return (translator.output, translator.cost)
    }

    /// Notes a repetition of what stands before it.
    private mutating func repeats(atLeast least: Int, atMost most: Int?) {
        let isLoop = most.map { $0 > 1 } ?? true
        if isLoop, lastIsVariable { cost.isNested = true }
        if let most { cost.factor *= Double(Swift.max(most - least, 0) + 1) } else { cost.degree += 1 }
        if most != least { isVariable[isVariable.count - 1] = true }
        lastIsVariable = false
    }

    private var current: Unicode.Scalar? { position < source.count ? source[position] : nil }

    private func peek(_ distance: Int) -> Unicode.Scalar? {
        position + distance < source.count ? source[position + distance] : nil
    }

    private func fault(_ message: String) -> Fault { Fault(message: message, offset: position) }

    private mutating func run() throws(Fault) {
        var canRepeat = false
        while let scalar = current {
            if scalar != "*", scalar != "+", scalar != "?", scalar != "{" { lastIsVariable = false }
            switch scalar {
            case "\\":
                canRepeat = try escape(inClass: false)
            case "[":
                try characterClass()
                canRepeat = true
            case "(":
                try openGroup()
                canRepeat = false
            case ")":
                guard groupDepth > 0 else { throw fault("has an unmatched )") }
                groupDepth -= 1
                lastIsVariable = isVariable.removeLast()
                if lastIsVariable { isVariable[isVariable.count - 1] = true }
                emit(")")
                canRepeat = true
            case "|", "^", "$":
                if scalar == "|" {
                    cost.factor += 1
                    isVariable[isVariable.count - 1] = true
                    if groupDepth == 0 { hasTopAlternation = true }
                }
                emit(String(scalar))
                canRepeat = false
            case ".":
                emit("[^\\n\\r\\x{2028}\\x{2029}]")
                canRepeat = true
            case "*", "+", "?":
                guard canRepeat else { throw fault("has a quantifier with nothing to repeat") }
                repeats(atLeast: scalar == "+" ? 1 : 0, atMost: scalar == "?" ? 1 : nil)
                emit(String(scalar))
                lazyMark()
                canRepeat = false
            case "{":
                if let (length, least, most) = braceQuantifier() {
                    guard canRepeat else { throw fault("has a quantifier with nothing to repeat") }
                    repeats(atLeast: least, atMost: most)
                    emit(String(String.UnicodeScalarView(source[position..<(position + length)])), consuming: length)
                    lazyMark()
                    canRepeat = false
                } else {
                    emit("\\{")
                    canRepeat = true
                }
            case "]", "}":
                emit("\\" + String(scalar))
                canRepeat = true
            default:
                emit(scalar == "#" || scalar.properties.isWhitespace ? Self.code(scalar.value) : String(scalar))
                canRepeat = true
            }
        }
        if groupDepth > 0 { throw fault("has an unclosed (") }
    }

    private mutating func emit(_ text: String, consuming count: Int = 1) {
        output += text
        position += count
    }

    private mutating func lazyMark() {
        if current == "?" { emit("?") }
    }

    /// The length and the bounds of `{n}`, `{n,}` or `{n,m}` here, or nil.
    private func braceQuantifier() -> (length: Int, least: Int, most: Int?)? {
        var offset = 1
        func number() -> Int? {
            var digits = ""
            while let scalar = peek(offset), scalar >= "0", scalar <= "9" {
                digits.unicodeScalars.append(scalar)
                offset += 1
            }
            // PCRE2 refuses counts beyond 65535 by itself.
            return digits.isEmpty ? nil : Int(digits) ?? Int(Int32.max)
        }
        guard let least = number() else { return nil }
        var most: Int? = least
        if peek(offset) == "," {
            offset += 1
            most = number()
        }
        return peek(offset) == "}" ? (offset + 1, least, most) : nil
    }

    private mutating func openGroup() throws(Fault) {
        groupDepth += 1
        isVariable.append(false)
        guard peek(1) == "?" else {
            if peek(1) == "*" { throw fault("has a quantifier with nothing to repeat") }
            emit("(")
            return
        }
        switch peek(2) {
        case ":": emit("(?:", consuming: 3)
        case "=": emit("(?=", consuming: 3)
        case "!": emit("(?!", consuming: 3)
        case "<":
            switch peek(3) {
            case "=": emit("(?<=", consuming: 4)
            case "!": emit("(?<!", consuming: 4)
            default:
                emit("(?<", consuming: 3)
                try groupName()
            }
        default: throw fault("has a group of unknown kind")
        }
    }

    private mutating func groupName() throws(Fault) {
        var length = 0
        while let scalar = current, scalar != ">" {
            guard scalar == "_" || scalar.properties.isAlphabetic || (scalar >= "0" && scalar <= "9" && length > 0)
            else { throw fault("has a malformed group name") }
            emit(String(scalar))
            length += 1
        }
        guard length > 0, current == ">" else { throw fault("has a malformed group name") }
        emit(">")
    }

    private mutating func characterClass() throws(Fault) {
        emit("[")
        if current == "^" { emit("^") }
        while let scalar = current {
            switch scalar {
            case "]":
                emit("]")
                return
            case "\\":
                _ = try escape(inClass: true)
            case "[":
                emit("\\[")
            case "-":
                // A dash that closes or opens a class, or follows a shorthand, is itself; PCRE2 agrees on the rest.
                emit("-")
            default:
                emit(scalar.properties.isWhitespace || scalar == "^" ? Self.code(scalar.value) : String(scalar))
            }
        }
        throw fault("has an unclosed [")
    }

    private static func code(_ value: UInt32) -> String { "\\x{" + String(value, radix: 16) + "}" }

    /// Translates an escape; returns whether a quantifier may follow it.
    private mutating func escape(inClass: Bool) throws(Fault) -> Bool {
        guard let kind = peek(1) else { throw fault("ends in a backslash") }
        switch kind {
        case "d", "D", "w", "W", "n", "r", "t", "f":
            emit("\\" + String(kind), consuming: 2)
        case "v": emit("\\x0b", consuming: 2)
        case "s": emit(inClass ? Self.space : "[" + Self.space + "]", consuming: 2)
        case "S": emit(inClass ? Self.notSpace : "[^" + Self.space + "]", consuming: 2)
        case "b":
            emit(inClass ? "\\x08" : "\\b", consuming: 2)
            return inClass
        case "B":
            if inClass { throw fault("has an unknown escape in a class") }
            emit("\\B", consuming: 2)
            return false
        case "0":
            if let next = peek(2), next >= "0", next <= "9" { throw fault("has an octal escape") }
            emit("\\x00", consuming: 2)
        case "1"..."9":
            if inClass { throw fault("has a back reference in a class") }
            var digits = ""
            position += 1
            while let digit = current, digit >= "0", digit <= "9" {
                digits.unicodeScalars.append(digit)
                position += 1
            }
            output += "\\g{" + digits + "}"
        case "c":
            guard let letter = peek(2), letter.isASCII, ASCII.isLetter(UInt8(letter.value)) else {
                throw fault("has a malformed control escape")
            }
            emit(Self.code(letter.value & 0x1F), consuming: 3)
        case "x":
            guard let value = hexDigits(at: 2, count: 2) else { throw fault("has a malformed \\x escape") }
            emit(Self.code(value), consuming: 4)
        case "u": try unicodeEscape()
        case "p", "P": try propertyEscape(isNegated: kind == "P")
        case "k":
            guard !inClass, peek(2) == "<" else { throw fault("has a malformed \\k escape") }
            emit("\\k<", consuming: 3)
            try groupName()
        default:
            guard kind.isASCII, !ASCII.isAlphanumeric(UInt8(kind.value)) else { throw fault("has an unknown escape") }
            emit(Self.code(kind.value), consuming: 2)
        }
        return true
    }

    private func hexDigits(at offset: Int, count: Int) -> UInt32? {
        var value: UInt32 = 0
        for index in 0..<count {
            guard let scalar = peek(offset + index), scalar.isASCII, let digit = ASCII.hexValue(UInt8(scalar.value))
            else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    private mutating func unicodeEscape() throws(Fault) {
        if peek(2) == "{" {
            var value: UInt32 = 0
            var length = 0
            while let digit = hexDigits(at: 3 + length, count: 1), value <= 0x10FFFF {
                value = value << 4 | digit
                length += 1
            }
            guard length > 0, peek(3 + length) == "}", Unicode.Scalar(value) != nil else {
                throw fault("has a malformed \\u escape")
            }
            emit(Self.code(value), consuming: length + 4)
            return
        }
        guard var value = hexDigits(at: 2, count: 4) else { throw fault("has a malformed \\u escape") }
        var length = 6
        if value & 0xFC00 == 0xD800, peek(6) == "\\", peek(7) == "u", let low = hexDigits(at: 8, count: 4),
            low & 0xFC00 == 0xDC00
        {
            value = 0x10000 + ((value & 0x3FF) << 10 | (low & 0x3FF))
            length = 12
        }
        guard Unicode.Scalar(value) != nil else { throw fault("has a lone surrogate") }
        emit(Self.code(value), consuming: length)
    }

    private mutating func propertyEscape(isNegated: Bool) throws(Fault) {
        guard peek(2) == "{" else { throw fault("has a malformed \\p escape") }
        var length = 0
        var text = ""
        while let scalar = peek(3 + length), scalar != "}" {
            guard scalar.isASCII, ASCII.isAlphanumeric(UInt8(scalar.value)) || scalar == "_" || scalar == "=" else {
                throw fault("has a malformed \\p escape")
            }
            text.unicodeScalars.append(scalar)
            length += 1
        }
        guard length > 0, peek(3 + length) == "}" else { throw fault("has a malformed \\p escape") }
        var name = text
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        if parts.count == 2 {
            switch parts[0] {
            case "General_Category", "gc": name = Self.categories[String(parts[1])] ?? String(parts[1])
            case "Script", "sc": name = "sc:" + parts[1]
            case "Script_Extensions", "scx": name = "scx:" + parts[1]
            default: throw fault("has an unknown Unicode property")
            }
        } else {
            guard parts.count == 1 else { throw fault("has a malformed \\p escape") }
            name = Self.categories[name] ?? name
        }
        emit((isNegated ? "\\P{" : "\\p{") + name + "}", consuming: length + 4)
    }

    /// Long names of general categories (Unicode, PropertyValueAliases.txt), which PCRE2 knows by their short ones.
    private static let categories: [String: String] = [
        "Letter": "L", "Cased_Letter": "L&", "LC": "L&", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll",
        "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M", "Combining_Mark": "M",
        "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me", "Number": "N", "Decimal_Number": "Nd",
        "digit": "Nd", "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P", "punct": "P",
        "Connector_Punctuation": "Pc", "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps", "Close_Punctuation": "Pe",
        "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf", "Other_Punctuation": "Po", "Symbol": "S",
        "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk", "Other_Symbol": "So", "Separator": "Z",
        "Space_Separator": "Zs", "Line_Separator": "Zl", "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc",
        "cntrl": "Cc", "Format": "Cf", "Surrogate": "Cs", "Private_Use": "Co", "Unassigned": "Cn",
    ]
}
