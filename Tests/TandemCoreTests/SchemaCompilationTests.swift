import TandemCore
import TandemJSON
import Testing

@Suite struct SchemaCompilationTests {
    @Test(
        arguments: [
            ("12", "invalid_keyword", ""), (#"{"type":"strin"}"#, "invalid_keyword", "/type"),
            (#"{"type":[]}"#, "invalid_keyword", "/type"),
            (#"{"type":["string","string"]}"#, "invalid_keyword", "/type"),
            (#"{"minimum":"1"}"#, "invalid_keyword", "/minimum"),
            (#"{"minLength":-1}"#, "invalid_keyword", "/minLength"),
            (#"{"minLength":1.5}"#, "invalid_keyword", "/minLength"),
            (#"{"multipleOf":0}"#, "invalid_keyword", "/multipleOf"),
            (#"{"required":["a","a"]}"#, "invalid_keyword", "/required"),
            (#"{"required":"a"}"#, "invalid_keyword", "/required"), (#"{"enum":1}"#, "invalid_keyword", "/enum"),
            (#"{"allOf":[]}"#, "invalid_keyword", "/allOf"),
            (#"{"properties":{"a/b":1}}"#, "invalid_keyword", "/properties/a~1b"),
            (#"{"items":[{}]}"#, "invalid_keyword", "/items"),
            (#"{"$defs":{"a":{"pattern":"("}}}"#, "invalid_pattern", "/$defs/a/pattern"),
            (#"{"patternProperties":{"[":{}}}"#, "invalid_pattern", "/patternProperties/["),
            (##"{"$ref":"#/$defs/a"}"##, "unresolved_reference", "/$ref"),
            (##"{"$ref":"#a"}"##, "unresolved_reference", "/$ref"),
            (#"{"properties":{"a":{"$ref":"https://example.com/s"}}}"#, "remote_reference", "/properties/a/$ref"),
            (##"{"$ref":"#"}"##, "circular_reference", ""),
            (
                ##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}}"##,
                "circular_reference", "/$defs/b/anyOf/0"
            ),
            (#"{"$schema":"http://json-schema.org/draft-04/schema#"}"#, "unsupported_dialect", "/$schema"),
            (##"{"$id":"#a"}"##, "invalid_keyword", "/$id"), (#"{"$anchor":"1"}"#, "invalid_keyword", "/$anchor"),
            (#"{"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}}"#, "duplicate_identifier", "/$defs/b/$id"),
            (#"{"dependentRequired":{"a":1}}"#, "invalid_keyword", "/dependentRequired/a"),
            (#"{"properties":[]}"#, "invalid_keyword", "/properties"),
            (#"{"uniqueItems":1}"#, "invalid_keyword", "/uniqueItems"),
        ] as [(String, String, String)])
    func saysWhatIsWrongInASchema(text: String, code: String, location: String) throws {
        let schema = try JSON(parsing: text)
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(compiling: schema) }
        #expect(error?.code.rawValue == code)
        #expect(error?.location == location)
        #expect(error?.message.isEmpty == false)
    }

    @Test(arguments: [
        "(?i)a", "a++", "(*UTF)a", "(?R)", "(?>a)", "(?#c)", "\\Aa", "a\\Z", "\\Qa\\E", "\\Ka", "\\R", "*a", "a**",
        "a)", "[a",
        "\\", "\\08", "\\xg", "\\ud800", "(?C1)", "\\p{NoSuchScript}", "\\g{1}", "(?P<n>a)", "[z-a]", "a{3,2}", "\\1(a",
    ])
    func refusesPatternsThatAreNotECMAScript(pattern: String) {
        let error = #expect(throws: JSONSchemaError.self) { try JSONSchema(compiling: ["pattern": .string(pattern)]) }
        #expect(error?.code == .invalidPattern)
        #expect(error?.location == "/pattern")
    }

    @Test func compilesLongChainsOfReferencesWithoutRecursion() throws {
        var definitions = JSONObject()
        for level in 0..<8000 {
            definitions["d\(level)"] = ["properties": ["a": ["$ref": .string("#/$defs/d\(level + 1)")]]]
        }
        definitions["d8000"] = ["type": "string"]
        let schema = try JSONSchema(compiling: ["$ref": "#/$defs/d0", "$defs": .object(definitions)])
        #expect(schema.isValid(["a": ["a": 1]]))
        let error = #expect(throws: JSONSchemaError.self) {
            try JSONSchema(compiling: ["$defs": .object(definitions)], limits: SchemaLimits(maxNodes: 100))
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func refersToDocumentsThatAreGiven() throws {
        let documents: [String: JSON] = [
            "https://example.com/item": ["type": "object", "properties": ["n": ["$ref": "amount#/$defs/n"]]],
            "https://example.com/amount": ["$defs": ["n": ["type": "integer"]]],
        ]
        let schema = try JSONSchema(compiling: ["items": ["$ref": "https://example.com/item"]], documents: documents)
        #expect(schema.isValid([["n": 1]]))
        #expect(
            schema.validate([["n": "x"]]).map(\.keywordLocation) == ["https://example.com/amount#/$defs/n/type"])
    }

    @Test func readsEarlierDraftsAsTheyWereMeant() throws {
        let schema = try JSONSchema(
            compiling: JSON(
                parsing: """
                    {"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"type":"string"}},
                    "items":[{"$ref":"#/definitions/a","minLength":99},{"type":"integer"}],"additionalItems":false}
                    """))
        #expect(schema.isValid(["x", 1]))
        #expect(!schema.isValid(["x", 1, 2]))
        #expect(!schema.isValid([1]))
    }

    @Test func followsDynamicReferencesToTheOutermostAnchor() throws {
        let schema = try JSONSchema(
            compiling: JSON(
                parsing: """
                    {"$id":"https://example.com/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,
                    "$defs":{"tree":{"$id":"https://example.com/tree","$dynamicAnchor":"node","type":"object",
                    "properties":{"data":true,"children":{"type":"array","items":{"$dynamicRef":"#node"}}}}}}
                    """))
        #expect(schema.isValid(["children": [["data": 1]]]))
        #expect(!schema.isValid(["children": [["daat": 1]]]))
    }
}
