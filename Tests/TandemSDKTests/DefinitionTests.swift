import TandemSDK
import TandemTesting
import Testing

@Suite struct DefinitionTests {
    @Test func acceptsGoodDeclarations() {
        #expect(Shelf.definition.validate() == [])
        #expect(Ledger.definition.validate() == [])
    }

    @Test func theManifestIsStable() throws {
        let bytes = Shelf.definition.manifestBytes
        #expect(bytes == Shelf.definition.manifestBytes)
        #expect(try JSON(parsing: bytes) == Shelf.definition.manifest)
    }

    @Test func theManifestSaysWhatTheTypesSay() throws {
        let manifest = Shelf.definition.manifest
        #expect(
            manifest["extensions"] == [
                "tandem.clock/1", "tandem.config/1", "tandem.log/1", "tandem.rows/1", "tandem.tools/1",
            ])
        #expect(manifest["abi"] == ["major": 1, "minor": 0])
        #expect(manifest["limits"] == ["maxInFlight": 8])
        #expect(
            manifest["tables"]?[1] == [
                "name": "shelf_things", "purpose": "the things on your shelf",
                "columns": [
                    ["name": "name", "type": "text"], ["name": "state", "type": "text", "default": "present"],
                    ["name": "amount", "type": "decimal", "scale": 4, "nullable": true],
                    ["name": "price", "type": "decimal", "scale": 2, "nullable": true],
                    ["name": "best_before", "type": "date", "nullable": true],
                    ["name": "box_id", "type": "id", "nullable": true, "references": "shelf_boxes"],
                    ["name": "note", "type": "text", "nullable": true, "sealed": true],
                    ["name": "tags", "type": "json"],
                ],
                "indexes": [["columns": ["state", "name"]]],
            ])
        #expect(manifest["tables"]?[0]?["indexes"] == [["columns": ["name"], "unique": true]])
        #expect(manifest["config"]?["properties"]?["warn_below"]?["default"] == 2)
        #expect(manifest["config"]?["properties"]?["warn_below"]?["description"] == "Says so when fewer are left")
    }

    @Test func toolsDescribeTheirArguments() throws {
        let tools = try #require(Shelf.definition.manifest["tools"]?.arrayValue)
        let add = try #require(tools.first { $0["id"] == "shelf.add" })
        #expect(add["parameters"]?["required"] == ["items"])
        #expect(add["parameters"]?["additionalProperties"] == false)
        #expect(add["parameters"]?["properties"]?["best_before"]?["description"] == "How long it keeps")
        #expect(
            add["slots"] == [
                "items": ["kind": "items", "required": true],
                "best_before": ["kind": "date", "hints": ["best before"]],
            ])
        let take = try #require(tools.first { $0["id"] == "shelf.take" })
        #expect(take["actsOn"] == "shelf.thing")
        #expect(take["slots"]?["thing"] == ["kind": "reference", "required": true, "entity": "shelf.thing"])
        let list = try #require(tools.first { $0["id"] == "shelf.list" })
        #expect(list["parameters"]?["properties"]?["state"]?["default"] == "present")
        #expect(
            list["slots"]?["state"] == [
                "kind": "choice",
                "choices": [["value": "present"], ["value": "taken", "words": ["gone", "used up"]]],
            ])
        let everything = try #require(tools.first { $0["id"] == "shelf.everything" })
        let kinds = (everything["slots"]?.objectValue ?? [:]).map { "\($0.key)=\($0.value["kind"]?.stringValue ?? "")" }
        #expect(
            kinds == [
                "text=text", "number=number", "count=number", "price=money", "day=date", "when=dateTime", "span=period",
                "length=duration", "choice=choice", "words=list", "missing=text",
            ])
        #expect(everything["parameters"]?["properties"]?["text"]?["maxLength"] == 100)
        #expect(tools.first { $0["id"] == "shelf.sell" }?["undo"] == "none")
        #expect(tools.first { $0["id"] == "shelf.bare" }?["parameters"]?["required"] == ["n"])
    }

    // MARK: What is refused

    struct BadRow: Row {
        static let table = Table<BadRow>(
            "select", "", .references(\.name, Box.self), .scale(\.name, 12), .unique(\.computed), .index(\.id))
        var id = RowID()
        var name: String
        var order: Int
        var createdAt = ""
        var computed: Int { order }
    }

    struct BadTool: Tool {
        static let declaration = ToolDeclaration(
            "Other.Add", "", effect: .write, undo: .tool("bad.gone"),
            utterances: ["add {itemz}", "add {flag}", "(a|", "{name} and {name}", .init("x", arguments: ["y": 1])],
            actsOn: "bad.thing", timeoutMilliseconds: 0)
        @Argument var name: String
        @Argument var flag = false
        @Argument var target: Reference<BadRow>?
        func run(_ context: Context) async throws -> String { "" }
    }

    struct BadSettings: Configuration { var limit: Int? }

    @Test func saysEverythingThatIsWrong() {
        let definition = PluginDefinition(
            id: "bad", namespace: "stop", name: "", version: "1.0", summary: "x\ny", aliases: ["HELP"],
            tables: [BadRow.self], tools: [BadTool.self, BadTool.self],
            calls: [.init("stop.add", reason: ""), .init("noDot", reason: "why")], configuration: BadSettings.self,
            maxInFlight: 65)
        let texts = definition.validate().map(\.description)
        for part in [
            "plugin: id must be", "plugin: namespace must", "plugin: name must", "plugin: version must",
            "plugin: summary must", "alias HELP", "maxInFlight", "call stop.add: is the plugin's own tool",
            "call stop.add: reason", "call noDot: must be a tool id", "configuration: limit is optional",
            "table select: the name must", "table select: the purpose", "column order: a bad name",
            "createdAt is kept by the host: declare it as Instant?", "name must be a RowID to refer to shelf_boxes",
            "refers to shelf_boxes, which is no table", "name is no decimal", "scale must be 0 to 9",
            "an option names something that is no stored property", "id is kept by the host",
            "tool Other.Add: the id must match", "the id must start with stop.", "two tools have this id",
            "the title must", "the timeout must", "undo names bad.gone", "{itemz} is no argument",
            "{flag} cannot be filled from words", "( without )", "names an argument twice",
            "implies y, which is no argument", "actsOn: no argument is a Reference to bad.thing",
            "target: its entity is select",
        ] {
            #expect(texts.contains { $0.contains(part) }, "\(part)")
        }
    }

    @Test func aTestHostRefusesWhatAHostWouldRefuse() {
        struct Broken: Plugin {
            static let definition = PluginDefinition(
                id: "org.example.broken", namespace: "broken", name: "Broken", version: "1.0.0", summary: "Is broken.",
                tools: [])
        }
        #expect(throws: TestHost.InvalidPlugin.self) { try TestHost(Broken.self) }
    }
}
