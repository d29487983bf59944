import TandemCore
import TandemJSON
import Testing

struct SchemaChatTests {
    private func parameters(_ schema: JSON) throws -> JSON {
        let declaration = try ChatDeclaration.declaration(name: "a.b", description: "d", parameters: schema)
        return try #require(declaration["function"]?["parameters"])
    }

    @Test(arguments: [
        ("grocery.add", "grocery-add"), ("a_b", "a_b"), ("a-b", "a-2Db"), ("a.2Db", "a-2E2Db"), ("a b", "a-20b"),
        ("\u{e9}", "-C3-A9"),
    ])
    func namesToolsLegally(id: String, name: String) {
        #expect(ChatDeclaration.name(for: id) == name)
        #expect(ChatDeclaration.toolID(for: name, among: ["other.one", id]) == id)
    }

    @Test func givesDifferentIDsDifferentNames() {
        let long = String(repeating: "x", count: 100)
        let ids = ["a.b", "a-b", "a-2Eb", "a_b", "a.2D", "a-.2D", long + ".a", long + ".b", "a..b", "a.-b"]
        let names = ids.map(ChatDeclaration.name(for:))
        #expect(Set(names).count == ids.count)
        for name in names {
            #expect((1...64).contains(name.utf8.count))
            #expect(name.utf8.allSatisfy { ($0 | 0x20) &- 97 < 26 || $0 &- 48 < 10 || $0 == 95 || $0 == 45 })
        }
    }

    @Test func keepsWhatEveryServerTakes() throws {
        let schema = try parameters([
            "type": "object", "additionalProperties": false,
            "properties": [
                "items": ["type": "array", "items": ["$ref": "#/$defs/item"], "minItems": 1],
                "when": ["type": ["string", "null"], "format": "date-time"],
                "kind": ["const": "x"], "size": ["enum": ["s", "m"]],
                "either": ["anyOf": [["type": "string"], ["type": "integer"]]],
            ], "required": ["items"],
            "$defs": [
                "item": [
                    "type": "object", "properties": ["name": ["type": "string", "minLength": 1]], "required": ["name"],
                ]
            ],
        ])
        #expect(schema["type"] == "object")
        #expect(schema["additionalProperties"] == false)
        #expect(schema["required"] == ["items"])
        #expect(schema["properties"]?["items"]?["items"]?["properties"]?["name"]?["type"] == "string")
        #expect(schema["properties"]?["when"]?["type"] == ["string", "null"])
        #expect(schema["properties"]?["kind"]?["enum"] == ["x"])
        #expect(schema["properties"]?["either"]?["anyOf"]?.arrayValue?.count == 2)
        #expect(schema["$defs"] == nil)
        // What stays is a schema, and takes what the original took.
        let compiled = try JSONSchema(compiling: schema)
        #expect(compiled.isValid(["items": [["name": "milk"]], "when": nil]))
        #expect(!compiled.isValid(["items": [["name": 1]]]))
    }

    @Test func keepsRecursionUnderDefinitions() throws {
        let schema = try parameters([
            "type": "object", "properties": ["tree": ["$ref": "#/$defs/node"]],
            "$defs": [
                "node": [
                    "type": "object",
                    "properties": [
                        "name": ["type": "string"], "children": ["type": "array", "items": ["$ref": "#/$defs/node"]],
                    ],
                ]
            ],
        ])
        let compiled = try JSONSchema(compiling: schema)
        #expect(compiled.isValid(["tree": ["name": "a", "children": [["name": "b", "children": []]]]]))
        #expect(!compiled.isValid(["tree": ["children": [["name": 3]]]]))
    }

    @Test(arguments: [true, ["type": "object"], [:], ["type": "object", "properties": [:]]] as [JSON])
    func declaresToolsWithoutParameters(schema: JSON) throws {
        let parameters = try parameters(schema)
        #expect(parameters["type"] == "object")
        #expect(parameters["properties"] == [:])
    }

    @Test func hasNoAlternativesAtTheRoot() throws {
        let schema = try parameters([
            "type": "object",
            "oneOf": [
                ["properties": ["id": ["type": "string"]], "required": ["id"]],
                ["properties": ["name": ["type": "string"]], "required": ["name"]],
            ],
        ])
        #expect(schema["oneOf"] == nil)
        #expect(schema["properties"]?.objectValue?.keys.sorted() == ["id", "name"])
        #expect(schema["required"] == nil)
    }

    @Test func refusesWhatIsNoFunction() {
        for schema in [["type": "string"], ["type": 3], ["$ref": "https://example.org/x"]] as [JSON] {
            #expect(throws: JSONSchemaError.self) {
                try ChatDeclaration.declaration(name: "a", description: "", parameters: schema)
            }
        }
        #expect(throws: JSONSchemaError.self) {
            try ChatDeclaration.declaration(name: "", description: "", parameters: true)
        }
    }

    @Test func readsLines() {
        let line: JSON = ["name": "mail.search", "description": "Find mail", "parameters": ["type": "object"]]
        #expect(SchemaPipe.chat(line: line)["function"]?["name"] == "mail-search")
        #expect(SchemaPipe.chat(line: ["description": "x"])["error"]?["code"] == "invalid_line")
        #expect(SchemaPipe.chat(line: ["name": "x", "parameters": 3])["error"] != nil)
    }
}
