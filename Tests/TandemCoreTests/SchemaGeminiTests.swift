import TandemCore
import TandemJSON
import Testing

@Suite struct SchemaGeminiTests {
    /// `FunctionDeclaration` and `Schema` of the API (v1beta), closed against unknown members.
    static let contract: JSON = [
        "type": "object", "required": ["name", "description"], "additionalProperties": false,
        "properties": [
            "name": ["type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_:.-]{0,63}$"],
            "description": ["type": "string"], "parameters": ["$ref": "#/$defs/schema"], "parametersJsonSchema": true,
        ],
        "not": ["required": ["parameters", "parametersJsonSchema"]],
        "$defs": [
            "count": ["type": "string", "pattern": "^[0-9]+$"],
            "schema": [
                "type": "object", "required": ["type"], "additionalProperties": false,
                "properties": [
                    "type": ["enum": ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"]],
                    "format": ["type": "string"], "title": ["type": "string"], "description": ["type": "string"],
                    "nullable": ["type": "boolean"], "enum": ["type": "array", "items": ["type": "string"]],
                    "items": ["$ref": "#/$defs/schema"], "maxItems": ["$ref": "#/$defs/count"],
                    "minItems": ["$ref": "#/$defs/count"],
                    "properties": ["type": "object", "additionalProperties": ["$ref": "#/$defs/schema"]],
                    "required": ["type": "array", "items": ["type": "string"]],
                    "minProperties": ["$ref": "#/$defs/count"], "maxProperties": ["$ref": "#/$defs/count"],
                    "minimum": ["type": "number"], "maximum": ["type": "number"],
                    "minLength": ["$ref": "#/$defs/count"], "maxLength": ["$ref": "#/$defs/count"],
                    "pattern": ["type": "string"], "example": true,
                    "anyOf": ["type": "array", "items": ["$ref": "#/$defs/schema"]],
                    "propertyOrdering": ["type": "array", "items": ["type": "string"]], "default": true,
                ],
            ],
        ],
    ]

    static func declaration(_ property: String, _ definitions: String = "{}") throws -> JSON {
        let parameters = try JSON(
            parsing: "{\"type\":\"object\",\"properties\":{\"p\":\(property)},\"$defs\":\(definitions)}")
        let declaration = try GeminiDeclaration.declaration(
            name: "grocery.add", description: "d", parameters: parameters)
        #expect(try JSONSchema(compiling: contract).validate(declaration).isEmpty)
        return declaration
    }

    @Test(
        arguments: [
            (
                #"{"type":"string","minLength":1,"maxLength":9,"pattern":"^a"}"#,
                #"{"type":"STRING","pattern":"^a","minLength":"1","maxLength":"9"}"#
            ),
            (
                #"{"type":["integer","null"],"exclusiveMinimum":0,"description":"d"}"#,
                #"{"type":"INTEGER","description":"d","minimum":1,"nullable":true}"#
            ),
            (#"{"const":"a"}"#, #"{"type":"STRING","format":"enum","enum":["a"]}"#),
            (#"{"enum":["a",null,"b"]}"#, #"{"type":"STRING","format":"enum","enum":["a","b"],"nullable":true}"#),
            (
                #"{"oneOf":[{"const":"a"},{"const":"b","title":"B"}]}"#,
                #"{"type":"STRING","format":"enum","enum":["a","b"]}"#
            ),
            (
                #"{"anyOf":[{"type":"number","minimum":1},{"type":"null"}]}"#,
                #"{"type":"NUMBER","minimum":1,"nullable":true}"#
            ),
            (
                #"{"oneOf":[{"type":"string","format":"date"},{"type":"string","format":"time"}]}"#,
                #"{"type":"STRING","anyOf":[{"type":"STRING","format":"date"},{"type":"STRING","format":"time"}]}"#
            ),
            (
                #"{"type":"array","items":{"type":"boolean"},"minItems":1,"uniqueItems":true}"#,
                #"{"type":"ARRAY","items":{"type":"BOOLEAN"},"minItems":"1"}"#
            ),
            (
                ##"{"$ref":"#/$defs/a","description":"outer"}"##,
                #"{"type":"STRING","description":"outer","maxLength":"5"}"#
            ),
            (
                #"{"allOf":[{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]},{"properties":{"x":{"maxLength":3}}}]}"#,
                #"{"type":"OBJECT","properties":{"x":{"type":"STRING","maxLength":"3"}},"required":["x"],"propertyOrdering":["x"]}"#
            ),
        ] as [(String, String)])
    func writesTheSubset(property: String, expected: String) throws {
        let declaration = try Self.declaration(
            property, #"{"a":{"type":"string","description":"inner","maxLength":5}}"#)
        #expect(declaration["parametersJsonSchema"] == nil)
        #expect(declaration["parameters"]?["properties"]?["p"] == (try JSON(parsing: expected)))
    }

    @Test(
        arguments: [
            (#"{"enum":[1,2]}"#, #"{"enum":[1,2]}"#),
            (
                #"{"type":"object","additionalProperties":{"type":"number"}}"#,
                #"{"type":"object","additionalProperties":{"type":"number"}}"#
            ),
            (
                #"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#,
                #"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#
            ),
            (
                #"{"type":"array","prefixItems":[{"type":"string"}]}"#,
                #"{"type":"array","prefixItems":[{"type":"string"}]}"#
            ),
            (##"{"$ref":"#/$defs/node"}"##, ##"{"$ref":"#/$defs/node"}"##), ("{}", "{}"),
        ] as [(String, String)])
    func writesJSONSchemaWhereTheSubsetIsTooSmall(property: String, expected: String) throws {
        let node = ##"{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/node"}}}}"##
        let declaration = try Self.declaration(property, "{\"node\":\(node)}")
        #expect(declaration["parameters"] == nil)
        #expect(declaration["parametersJsonSchema"]?["properties"]?["p"] == (try JSON(parsing: expected)))
        #expect(throws: Never.self) { try JSONSchema(compiling: declaration["parametersJsonSchema"] ?? nil) }
    }

    @Test func keepsReferencesThatWouldMultiply() throws {
        var definitions = JSONObject()
        for level in 0..<20 {
            let next: JSON = ["$ref": .string("#/$defs/d\(level + 1)")]
            definitions["d\(level)"] = ["type": "object", "properties": ["l": next, "r": next]]
        }
        definitions["d20"] = ["type": "string"]
        let declaration = try Self.declaration(##"{"$ref":"#/$defs/d0"}"##, JSON.object(definitions).text)
        let schema = try #require(declaration["parametersJsonSchema"])
        #expect(schema["$defs"]?.objectValue?.count == 21)
    }

    @Test func declaresToolsWithoutParameters() throws {
        for parameters: JSON in [
            true, ["type": "object"], ["type": "object", "properties": [:], "additionalProperties": false],
        ] {
            let declaration = try GeminiDeclaration.declaration(
                name: "life.undo", description: "Undo", parameters: parameters)
            #expect(declaration == ["name": "life.undo", "description": "Undo"])
        }
    }

    @Test(arguments: [
        ("grocery.add", "grocery.add"), ("with space", "with:20space"), ("a:b", "a:b"), ("a:3Fb", "a:3A3Fb"),
        ("1st", "_:1st"),
        ("caf\u{e9}", "caf:C3:A9"),
    ])
    func namesFunctionsLegallyAndReversibly(id: String, name: String) {
        #expect(GeminiDeclaration.name(for: id) == name)
        #expect(GeminiDeclaration.toolID(for: name, among: ["other.tool", id]) == id)
    }

    @Test func shortensLongNames() {
        let ids = [String(repeating: "x", count: 80) + ".add", String(repeating: "x", count: 80) + ".remove"]
        let names = ids.map(GeminiDeclaration.name(for:))
        #expect(names.allSatisfy { $0.utf8.count == 64 })
        #expect(names.map { GeminiDeclaration.toolID(for: $0, among: ids) } == ids)
        #expect(GeminiDeclaration.toolID(for: "unknown", among: ids) == nil)
    }
}
