import TandemJSON
import Testing

@Suite struct JSONParsingTests {
    @Test(
        arguments: [
            ("null", JSON.null), ("true", true), ("false", false), ("0", 0), ("-1", -1), ("1.0", 1.0),
            ("1.5e3", 1500.0),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("123456789012345678901", .number(1.2345678901234568e20)),
            ("\"\"", ""), ("\"a\\u00e9\\n\\/\"", "a\u{e9}\n/"), ("\"\\ud83d\\ude00\"", "\u{1F600}"), ("[]", []),
            ("{}", [:]),
            (" [1 , [2] ,{\"a\" : null}]\r\n\t", [1, [2], ["a": nil]]), ("0.1", 0.1), ("1e-400", 0.0),
            ("-0", .number(-0.0)),
            (
                "\"exactly eight b y t e s, and more than that \u{e9}\"",
                "exactly eight b y t e s, and more than that \u{e9}"
            ),
            ("179769313486231570000000000000000000000e270", .number(.greatestFiniteMagnitude)),
            ("5e-324", .number(.leastNonzeroMagnitude)),
            ("2.2250738585072011e-308", .number(Double(bitPattern: 0x000F_FFFF_FFFF_FFFF))), ("\"\\u0000\"", "\u{0}"),
        ] as [(String, JSON)])
    func accepts(text: String, value: JSON) throws {
        let parsed = try JSON(parsing: text)
        #expect(parsed == value)
        #expect(try JSON(parsing: parsed.serialized()) == value)
    }

    @Test(
        arguments: [
            ("", JSONError.Code.unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("[1,]", .unexpectedCharacter, 3),
            ("{\"a\":1,}", .unexpectedCharacter, 7), ("[1 2]", .unexpectedCharacter, 3), ("nul", .unexpectedEnd, 3),
            ("nulL", .unexpectedCharacter, 3), ("NaN", .unexpectedCharacter, 0), ("-Infinity", .invalidNumber, 1),
            ("01", .invalidNumber, 1), ("-", .unexpectedEnd, 1), ("1.", .unexpectedEnd, 2),
            (".5", .unexpectedCharacter, 0),
            ("1e", .unexpectedEnd, 2), ("1e+", .unexpectedEnd, 3), ("1.e1", .invalidNumber, 2),
            ("+1", .unexpectedCharacter, 0),
            ("1e400", .numberOutOfRange, 0), ("-1e400", .numberOutOfRange, 0), ("1 x", .trailingContent, 2),
            ("\"a", .unexpectedEnd, 2), ("\"a\nb\"", .controlCharacter, 2), ("\"\\x\"", .invalidEscape, 1),
            ("\"\\u12g4\"", .invalidEscape, 5), ("\"\\ud800\"", .loneSurrogate, 1), ("\"\\udc00\"", .loneSurrogate, 1),
            ("\"\\ud800\\u0041\"", .loneSurrogate, 1), ("{\"a\":1,\"a\":2}", .duplicateKey, 7),
            ("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7), ("\u{feff}1", .byteOrderMark, 0),
            ("{1:2}", .unexpectedCharacter, 1),
            ("{\"a\" 1}", .unexpectedCharacter, 5), ("[", .unexpectedEnd, 1), ("{", .unexpectedEnd, 1),
            ("]", .unexpectedCharacter, 0),
            ("'a'", .unexpectedCharacter, 0), ("[1]]", .trailingContent, 3), ("/*c*/1", .unexpectedCharacter, 0),
            ("\u{0c}1", .unexpectedCharacter, 0), ("\u{a0}1", .unexpectedCharacter, 0), ("0x1", .trailingContent, 1),
        ] as [(String, JSONError.Code, Int)])
    func refuses(text: String, code: JSONError.Code, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: text) }
        #expect(error?.code == code)
        #expect(error?.offset == offset)
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xFF], [0xC3], [0xE2, 0x82],
            [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func refusesBytesThatAreNotUTF8(sequence: [UInt8]) {
        for prefix in ["", "abc", "abcdefghijkl", "a\\n"] {
            let bytes = [0x22] + Array(prefix.utf8) + sequence + [0x22]
            let error = #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
            #expect(error?.code == .invalidUTF8)
            #expect(error?.offset == 1 + prefix.utf8.count)
        }
    }

    @Test func keepsNamesApartThatAreCanonicallyEquivalent() throws {
        let value = try JSON(parsing: "{\"\\u00e9\":1,\"e\\u0301\":2}")
        #expect(value.objectValue?.count == 2)
        #expect(value["\u{e9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSON.string("\u{e9}") != JSON.string("e\u{301}"))
    }

    @Test func findsDuplicatesInLargeObjects() throws {
        let members = (0..<5000).map { "\"k\($0)\":\($0)" }
        let value = try JSON(parsing: "{" + members.joined(separator: ",") + "}")
        #expect(value["k4999"] == 4999)
        #expect(value["k5000"] == nil)
        let error = #expect(throws: JSONError.self) {
            try JSON(parsing: "{" + members.joined(separator: ",") + ",\"k17\":0}")
        }
        #expect(error?.code == .duplicateKey)
    }

    @Test func holdsToItsLimits() throws {
        let deep = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(throws: Never.self) { try JSON(parsing: deep(64)) }
        #expect(throws: JSONError.self) { try JSON(parsing: deep(65)) }
        #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
        func code(_ text: String, _ limits: JSONLimits) -> JSONError.Code? {
            do throws(JSONError) { _ = try JSON(parsing: text, limits: limits) } catch { return error.code }
            return nil
        }
        #expect(code("{\"a\":[1]}", JSONLimits(maxDepth: 1)) == .tooDeep)
        #expect(code("[1,2,3]", JSONLimits(maxBytes: 6)) == .tooLarge)
        #expect(code("[1,2,3]", JSONLimits(maxBytes: 7)) == nil)
        #expect(code("[1,2,3]", JSONLimits(maxElements: 2)) == .tooManyMembers)
        #expect(code("{\"a\":1,\"b\":2}", JSONLimits(maxMembers: 1)) == .tooManyMembers)
        #expect(code("\"abcd\"", JSONLimits(maxStringBytes: 3)) == .stringTooLong)
        #expect(code("\"a\\nc\"", JSONLimits(maxStringBytes: 3)) == .stringTooLong)
        #expect(code("{\"abcd\":1}", JSONLimits(maxStringBytes: 3)) == .stringTooLong)
    }

    @Test func saysLineAndColumn() {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: "{\n  \"a\": 1,\n  \"secret\": x\n}") }
        #expect(error?.line == 3)
        #expect(error?.column == 13)
        #expect(error?.message == "unexpected character at line 3, column 13")
    }

    @Test func parsesCollectionsThatAreNotContiguous() throws {
        #expect(try JSON(parsing: Array("  [1,2]".utf8).reversed().reversed()) == [1, 2])
        #expect(try JSON(parsing: ([UInt8]("[1,2]".utf8)).lazy.map { $0 }) == [1, 2])
    }
}
