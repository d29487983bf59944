import TandemJSON
import Testing

@Suite struct JSONWritingTests {
    @Test(
        arguments: [
            (JSON.number(1), "1.0"), (.integer(1), "1"), (3.2, "3.2"), (0.1, "0.1"), (-0.5, "-0.5"),
            (.number(-0.0), "-0.0"),
            (.integer(.min), "-9223372036854775808"), (.integer(.max), "9223372036854775807"), (.number(1e21), "1e+21"),
            (.number(.nan), "null"), (.number(.infinity), "null"),
            (
                ["b": 1, "a": [nil, true, false, [:], []]],
                #"{"b":1,"a":[null,true,false,{},[]]}"#
            ),
            (
                "\u{0}\u{8}\t\n\u{c}\r\u{1f}\u{7f}\"\\/\u{2028}\u{1F600}",
                "\"\\u0000\\b\\t\\n\\f\\r\\u001f\u{7f}\\\"\\\\/\u{2028}\u{1F600}\""
            ), (123456.789, "123456.789"), (0.001, "0.001"),
            (.number(0.30000000000000004), "0.30000000000000004"), (.number(.leastNonzeroMagnitude), "5e-324"),
            (99.995, "99.995"),
            (
                "a long string with \"quotes\" in it and \u{e9}",
                "\"a long string with \\\"quotes\\\" in it and \u{e9}\""
            ),
        ] as [(JSON, String)])
    func writesCompactly(value: JSON, text: String) {
        #expect(value.text == text)
        #expect(value.serialized() == Array(text.utf8))
        var buffer: [UInt8] = [0x20]
        value.write(to: &buffer)
        #expect(buffer == [0x20] + Array(text.utf8))
    }

    @Test func growsForAnyLengthOfEscapes() throws {
        for length in [0, 1, 7, 8, 9, 15, 16, 17, 2040, 2047, 2048, 5000, 100_000] {
            for unit in ["a", "\"", "\u{1}", "\u{e9}", "a\\"] {
                let value = JSON.string(String(repeating: unit, count: length))
                #expect(try JSON(parsing: value.serialized()) == value)
            }
        }
    }

    @Test func indentsByTwo() {
        let value: JSON = ["a": [1, ["b": nil]], "c": [], "d": [:]]
        #expect(
            value.pretty() == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "c": [],
                  "d": {}
                }
                """)
    }

    /// RFC 8785, sections 3.2.2 to 3.2.4.
    @Test func writesTheCanonicalFormOfTheRFC() throws {
        let source = """
            {"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
             "string":"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}
            """
        let expected =
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            + "\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        #expect(String(decoding: try JSON(parsing: source).canonical(), as: UTF8.self) == expected)
        let keys = try JSON(
            parsing:
                "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}")
        #expect(
            String(decoding: keys.canonical(), as: UTF8.self)
                == "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1F600}\":5,\"\u{fb33}\":3}")
    }

    /// RFC 8785, appendix B.
    @Test(
        arguments: [
            (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"), (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"), (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"), (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"), (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func writesNumbersAsECMAScript(bits: UInt64, text: String) {
        #expect(String(decoding: JSON.number(Double(bitPattern: bits)).canonical(), as: UTF8.self) == text)
    }
}
