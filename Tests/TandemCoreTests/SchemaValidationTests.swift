import TandemCore
import TandemJSON
import Testing

@Suite struct SchemaValidationTests {
    static func schema(_ text: String, formatAssertion: Bool = false, limits: SchemaLimits = .default) throws
        -> JSONSchema
    {
        try JSONSchema(compiling: JSON(parsing: text), limits: limits, formatAssertion: formatAssertion)
    }

    static let item = """
        {"type":"object","required":["name","quantity"],"additionalProperties":false,"properties":{
        "name":{"type":"string","minLength":1,"maxLength":5},"quantity":{"type":"number","exclusiveMinimum":0},
        "unit":{"enum":["l","kg"]},"tags":{"type":"array","items":{"type":"string"},"uniqueItems":true}}}
        """

    @Test(
        arguments: [
            (#"{"name":"milk","quantity":2,"unit":"l","tags":["a","b"]}"#, "", "", ""),
            (#"{"name":"milk"}"#, "", "/required", #"must have the member "quantity""#),
            (#"{"name":"","quantity":1}"#, "/name", "/properties/name/minLength", "must have at least 1 characters"),
            (
                #"{"name":"milk","quantity":0}"#, "/quantity", "/properties/quantity/exclusiveMinimum",
                "must be greater than 0"
            ),
            (#"{"name":1,"quantity":1}"#, "/name", "/properties/name/type", "must be a string"),
            (#"{"name":"a","quantity":1,"x/y":1}"#, "/x~1y", "/additionalProperties", "is not allowed"),
            (#"{"name":"a","quantity":1,"unit":"g"}"#, "/unit", "/properties/unit/enum", #"must be one of "l", "kg""#),
            (
                #"{"name":"a","quantity":1,"tags":["a",1]}"#, "/tags/1", "/properties/tags/items/type",
                "must be a string"
            ),
            (
                #"{"name":"a","quantity":1,"tags":["a","a"]}"#, "/tags", "/properties/tags/uniqueItems",
                "must not have equal elements"
            ),
            ("[]", "", "/type", "must be an object"),
        ] as [(String, String, String, String)])
    func saysWhatIsWrongAndWhere(text: String, instance: String, keyword: String, message: String) throws {
        let schema = try Self.schema(Self.item)
        let value = try JSON(parsing: text)
        let violations = schema.validate(value)
        #expect(schema.isValid(value) == violations.isEmpty)
        if message.isEmpty {
            #expect(violations.isEmpty)
        } else {
            #expect(
                violations == [
                    SchemaViolation(instanceLocation: instance, keywordLocation: keyword, message: message)
                ])
        }
    }

    @Test func neverQuotesValues() throws {
        let schema = try Self.schema(
            #"{"properties":{"a":{"pattern":"^x$"},"b":{"const":"y"},"c":{"enum":["z"]},"d":{"format":"date"}}}"#,
            formatAssertion: true)
        let secret = "the-secret-value"
        let violations = schema.validate([
            "a": .string(secret), "b": .string(secret), "c": .string(secret), "d": .string(secret),
        ])
        #expect(violations.count == 4)
        for violation in violations { #expect(!violation.message.contains(secret)) }
    }

    @Test func reportsEveryViolationUpToTheCap() throws {
        let schema = try Self.schema(#"{"items":{"type":"string"}}"#)
        #expect(schema.validate(.array((0..<7).map { .integer($0) })).count == 7)
        #expect(schema.validate(.array((0..<700).map { .integer($0) })).count == 20)
    }

    @Test func explainsTheOneAlternativeMeantForAValue() throws {
        let schema = try Self.schema(
            #"{"anyOf":[{"type":"null"},{"type":"object","required":["a"],"properties":{"b":{"type":"integer"}}}]}"#)
        #expect(
            schema.validate(["b": "x"]).map(\.keywordLocation) == [
                "/anyOf", "/anyOf/1/properties/b/type", "/anyOf/1/required",
            ])
    }

    @Test(
        arguments: [
            ("0.01", "0.03", true), ("0.01", "4.35", true), ("0.01", "19.99", true), ("0.01", "0.035", false),
            ("0.1", "1e20", true), ("3", "1e20", false), ("0.0001", "0.0075", true), ("0.0001", "0.00751", false),
            ("1e-8", "12391239123", true), ("0.5", "1e308", true), ("0.123456789", "1e308", false), ("7", "21", true),
            ("7", "22", false), ("2.5", "7.5", true), ("2", "9007199254740993", false), ("1e10", "1e5", false),
            ("0.3", "0.9", true), ("1e-300", "5", true), ("1e300", "0", true),
        ] as [(String, String, Bool)])
    func dividesDecimalsExactly(divisor: String, value: String, isMultiple: Bool) throws {
        #expect(try Self.schema("{\"multipleOf\":\(divisor)}").isValid(JSON(parsing: value)) == isMultiple)
    }

    @Test(
        arguments: [
            (#"{"minimum":9007199254740993}"#, "9007199254740992", false),
            (#"{"minimum":9007199254740993}"#, "9007199254740993", true),
            (#"{"maximum":9223372036854775806}"#, "9223372036854775807", false),
            (#"{"maximum":1e19}"#, "9223372036854775807", true), (#"{"minimum":0.5}"#, "1", true),
            (#"{"minimum":0.5}"#, "0", false), (#"{"exclusiveMaximum":-0.5}"#, "-1", true),
            (#"{"exclusiveMaximum":3}"#, "2.9999", true), (#"{"exclusiveMaximum":3}"#, "3.0", false),
            (#"{"type":"integer"}"#, "1.0", true), (#"{"type":"integer"}"#, "1e300", true),
            (#"{"type":"integer"}"#, "1.5", false),
            (#"{"const":1}"#, "1.0", true), (#"{"const":false}"#, "0", false),
            (#"{"enum":[[1,{"a":2}]]}"#, #"[1.0,{"a":2.0}]"#, true),
            (#"{"uniqueItems":true}"#, "[1,1.0]", false), (#"{"uniqueItems":true}"#, "[1,true,\"1\",[1],{}]", true),
            (#"{"uniqueItems":true}"#, "[0,1,2,3,4,5,6,7,8,9,10,{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", false),
        ] as [(String, String, Bool)])
    func comparesNumbersAndValuesExactly(schema: String, value: String, isValid: Bool) throws {
        #expect(try Self.schema(schema).isValid(JSON(parsing: value)) == isValid)
    }

    @Test(
        arguments: [
            ("^[a-z]+$", "abc", true), ("^[a-z]+$", "abc\n", false), ("b", "abc", true), ("\\d", "\u{661}", false),
            ("\\w", "\u{e9}", false), ("^\\s$", "\u{feff}", true), ("^\\s$", "\u{2003}", true),
            ("^\\S$", "\u{e9}", true),
            ("^[^\\s]$", "\u{a0}", false), ("^[\\S]$", "\u{a0}", false), ("^.$", "\u{1F600}", true),
            ("^.$", "\u{2028}", false),
            ("^\\u00e9$", "\u{e9}", true), ("^\\ud83d\\ude00$", "\u{1F600}", true), ("^\\u{1F600}$", "\u{1F600}", true),
            ("^\\p{Lu}\\p{Letter}*$", "\u{c9}a", true), ("^\\p{Script=Greek}$", "\u{3b1}", true),
            ("^[[:alpha:]]$", "a]", true), ("^[[:alpha:]]$", "b", false),
            ("^[]$", "", false), ("^[^]$", "\n", true), ("^(?<y>a)\\k<y>$", "aa", true), ("^a{2,3}$", "aaa", true),
            ("^\\cJ$", "\n", true), ("^a#b c$", "a#b c", true), ("^\\-\\@$", "-@", true), ("x{", "x{", true),
            ("^(a)|b\\1$", "b", true), ("", "anything", true), ("^$", "", true),
        ] as [(String, String, Bool)])
    func readsPatternsAsECMAScript(pattern: String, text: String, matches: Bool) throws {
        let schema = try JSONSchema(compiling: ["pattern": .string(pattern)])
        #expect(schema.isValid(.string(text)) == matches)
    }

    @Test func findsNamesHoweverTheirStringsAreHeld() throws {
        let schema = try Self.schema(
            #"{"properties":{"name":{"type":"string"},"a much longer member name":{"type":"string"},"caf\u00e9":{"type":"string"}},"#
                + #""required":["name"],"additionalProperties":false}"#)
        var grown = String(repeating: "x", count: 100)
        grown.removeAll(keepingCapacity: true)
        grown += "name"
        #expect(schema.isValid(.object([grown: "a"])))
        #expect(!schema.isValid(.object([grown: 1])))
        #expect(schema.isValid(["name": "a", "a much longer member name": "b", "caf\u{e9}": "c"]))
        #expect(!schema.isValid(["name": "a", "a much longer member name": 1]))
        #expect(!schema.isValid(["name": "a", "caf\u{e9}": 1]))
        #expect(!schema.isValid(["name": "a", "cafe\u{301}": "decomposed"]))
        let choice = try Self.schema(#"{"enum":["name","other"]}"#)
        #expect(choice.isValid(.string(grown)))
    }

    @Test func requiresMoreThanSixtyFourMembers() throws {
        let names = (0..<100).map { JSON.string("member\($0)") }
        let schema = try JSONSchema(compiling: ["required": .array(names)])
        var object = JSONObject((0..<100).map { ("member\($0)", JSON.null) })
        #expect(schema.isValid(.object(object)))
        for name in ["member0", "member63", "member64", "member99"] {
            let value = object.removeValue(forKey: name)
            #expect(!schema.isValid(.object(object)))
            #expect(schema.validate(.object(object)).count == 1)
            object[name] = value
        }
    }

    @Test func staysWithinItsBoundsForHostileInput() throws {
        // Exponential backtracking.
        let pattern = try Self.schema(#"{"pattern":"^(a+)+$"}"#)
        let text = JSON.string(String(repeating: "a", count: 40) + "!")
        #expect(!pattern.isValid(text))
        // What cannot be found out is no way around a rule.
        #expect(try !Self.schema(#"{"not":{"pattern":"^(a+)+$"}}"#).isValid(text))
        // Quadratic, which no match limit sees.
        let slow = try Self.schema(
            #"{"pattern":"(?=.*x)(?=.*y)"}"#, limits: SchemaLimits(patternTime: .milliseconds(20)))
        let began = ContinuousClock.now
        #expect(!slow.isValid(.string(String(repeating: "a", count: 400_000))))
        #expect(ContinuousClock.now - began < .seconds(60))
        let linear = try Self.schema(#"{"pattern":"b\u00e9$"}"#)
        #expect(linear.isValid(.string(String(repeating: "\u{e9}", count: 100_000) + "b\u{e9}")))
        // Two references per level: 2^40 evaluations if nothing stopped them.
        var definitions = JSONObject()
        for level in 0..<40 {
            let next: JSON = ["$ref": .string("#/$defs/d\(level + 1)")]
            definitions["d\(level)"] = ["allOf": [next, next]]
        }
        definitions["d40"] = ["minimum": 0]
        let wide = try JSONSchema(
            compiling: ["$ref": "#/$defs/d0", "$defs": .object(definitions)], limits: SchemaLimits(maxSteps: 10_000))
        #expect(!wide.isValid(1))
        // A value deeper than any parser would give.
        var deep = JSON.null
        for _ in 0..<2000 { deep = [deep] }
        let recursive = try Self.schema(##"{"items":{"$ref":"#"}}"##)
        #expect(recursive.validate(deep).last?.message == "is nested too deeply to be checked")
        #expect(recursive.isValid([[[[nil]]]]))
    }

    @Test func tracksEvaluationThroughReferencesAndBranches() throws {
        let schema = try Self.schema(
            """
            {"$ref":"#/$defs/base","if":{"required":["b"]},"then":{"properties":{"b":true}},
            "anyOf":[{"properties":{"c":{"type":"string"}}},{"properties":{"d":true}}],
            "unevaluatedProperties":false,"$defs":{"base":{"properties":{"a":true}}}}
            """)
        #expect(schema.isValid(["a": 1, "b": 2, "c": "x", "d": 4]))
        #expect(schema.isValid(["d": 1]))
        #expect(!schema.isValid(["c": 1]))
        #expect(schema.validate(["a": 1, "e": 2]).map(\.instanceLocation) == ["/e"])
        let items = try Self.schema(#"{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":false}"#)
        #expect(items.isValid([1, "a", "b"]))
        #expect(!items.isValid([1, "a", 2]))
    }

    @Test func validatesSchemasAgainstTheMetaschema() throws {
        let metaschema = try JSONSchema(compiling: ["$ref": "https://json-schema.org/draft/2020-12/schema"])
        #expect(try metaschema.isValid(JSON(parsing: Self.item)))
        #expect(!metaschema.isValid(["properties": ["a": ["type": "strin"]]]))
        #expect(!metaschema.isValid(["minLength": -1]))
        #expect(!metaschema.isValid(["allOf": []]))
    }

    @Test(
        arguments: [
            ("date", "2024-02-29", true), ("date", "2023-02-29", false), ("date", "2024-2-29", false),
            ("time", "23:59:60Z", true), ("time", "22:59:60Z", false), ("time", "10:00:00", false),
            ("date-time", "2026-11-21T10:00:00.000Z", true), ("date-time", "2026-11-21 10:00:00Z", false),
            ("date-time", "2026-11-21t10:00:00.5+01:30", true), ("duration", "P1DT2H", true),
            ("duration", "P1Y2D", false),
            ("duration", "P", false), ("duration", "P2W", true), ("email", "a.b@example.com", true),
            ("email", "a..b@example.com", false),
            ("email", "\"a b\"@[127.0.0.1]", true), ("hostname", "a-b.example", true),
            ("hostname", "-a.example", false),
            ("hostname", "xn--ihqwcrb4cv8a8dqg056pqjye", true), ("ipv4", "127.0.0.1", true),
            ("ipv4", "127.0.0.01", false),
            ("ipv6", "::ffff:192.0.2.1", true), ("ipv6", "1::2::3", false), ("ipv6", "12345::", false),
            ("uri", "https://a.example/b?c#d", true), ("uri", "/relative", false), ("uri-reference", "/relative", true),
            ("uri", "https://a.example/ b", false), ("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", true),
            ("uuid", "2eb8aa08aa9811eab4aa73b441d16380", false), ("regex", "^(a|b)$", true), ("regex", "^(abc", false),
            ("json-pointer", "/a~0b", true), ("json-pointer", "a", false), ("relative-json-pointer", "1/a", true),
            ("uri-template", "/a/{b}", true), ("uri-template", "/a/{b", false), ("no-such-format", "anything", true),
        ] as [(String, String, Bool)])
    func assertsFormatsOnlyWhenAsked(format: String, text: String, isValid: Bool) throws {
        let schema: JSON = ["format": .string(format)]
        #expect(try JSONSchema(compiling: schema, formatAssertion: true).isValid(.string(text)) == isValid)
        #expect(try JSONSchema(compiling: schema).isValid(.string(text)))
        #expect(try JSONSchema(compiling: schema, formatAssertion: true).isValid(1))
    }

    @Test func appliesOneSchemaFromManyTasks() async throws {
        let schema = try Self.schema(#"{"properties":{"a":{"pattern":"^[a-z]{1,8}$"}},"required":["a"]}"#)
        let wrong = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<500).reduce(0) { count, round in
                        let fits = (round + task) % 2 == 0
                        return count + (schema.isValid(["a": fits ? "abc" : "ABC"]) == fits ? 0 : 1)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
