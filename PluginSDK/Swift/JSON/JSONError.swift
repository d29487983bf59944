/// Why a document is not acceptable JSON, and where; it never carries any of the document's content.
public struct JSONError: Error, Sendable, Equatable {
    /// What was wrong: an open set, new codes may be added and numbers never change.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        /// The document ends inside a value, or holds no value.
        public static let unexpectedEnd = Code(rawValue: 1)
        /// A byte that cannot stand here.
        public static let unexpectedCharacter = Code(rawValue: 2)
        /// Something other than white space follows the value.
        public static let trailingContent = Code(rawValue: 3)
        /// A number that does not follow the grammar of RFC 8259, section 6.
        public static let invalidNumber = Code(rawValue: 4)
        /// A number too large for a double.
        public static let numberOutOfRange = Code(rawValue: 5)
        /// An unescaped control character in a string.
        public static let controlCharacter = Code(rawValue: 6)
        /// A backslash sequence that RFC 8259, section 7, does not define.
        public static let invalidEscape = Code(rawValue: 7)
        /// A `\u` surrogate without its partner.
        public static let loneSurrogate = Code(rawValue: 8)
        /// Bytes that are not UTF-8 (RFC 3629): overlong, surrogate, beyond U+10FFFF or cut off.
        public static let invalidUTF8 = Code(rawValue: 9)
        /// Two members of one object have the same name.
        public static let duplicateKey = Code(rawValue: 10)
        /// A byte order mark before the value.
        public static let byteOrderMark = Code(rawValue: 11)
        /// More nested than `JSONLimits.maxDepth`.
        public static let tooDeep = Code(rawValue: 12)
        /// Larger than `JSONLimits.maxBytes`.
        public static let tooLarge = Code(rawValue: 13)
        /// A string longer than `JSONLimits.maxStringBytes`.
        public static let stringTooLong = Code(rawValue: 14)
        /// More members or elements than `JSONLimits.maxMembers` or `maxElements`.
        public static let tooManyMembers = Code(rawValue: 15)
    }

    /// What was wrong.
    public let code: Code
    /// Bytes before the fault.
    public let offset: Int
    /// The line of the fault, from 1.
    public let line: Int
    /// The byte in the line of the fault, from 1.
    public let column: Int

    public init(code: Code, offset: Int, line: Int, column: Int) {
        self.code = code
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// A sentence for a person, such as "duplicate member name at line 3, column 5".
    public var message: String { "\(code) at line \(line), column \(column)" }
}

extension JSONError: CustomStringConvertible {
    public var description: String { message }
}

extension JSONError.Code: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unexpectedEnd: "unexpected end of document"
        case .unexpectedCharacter: "unexpected character"
        case .trailingContent: "content after the value"
        case .invalidNumber: "malformed number"
        case .numberOutOfRange: "number out of range"
        case .controlCharacter: "unescaped control character in a string"
        case .invalidEscape: "undefined escape sequence in a string"
        case .loneSurrogate: "surrogate without its partner in a string"
        case .invalidUTF8: "bytes that are not UTF-8"
        case .duplicateKey: "duplicate member name"
        case .byteOrderMark: "byte order mark"
        case .tooDeep: "nested too deeply"
        case .tooLarge: "document too large"
        case .stringTooLong: "string too long"
        case .tooManyMembers: "too many members"
        default: "JSON error \(rawValue)"
        }
    }
}
