import Foundation
import TandemCore
import TandemEgress
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Registries: what is read, and where what is wrong stands.
@Suite
struct PluginRegistryTests {
    private func problems(_ text: String) -> [String] {
        do {
            _ = try PluginRegistry(reading: Array(text.utf8))
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test func readsACompleteEntry() throws {
        let text = """
            {"version": 1, "plugins": [
              {"id": "tandem.grocery", "namespace": "grocery", "bundle": "bundles/grocery", "trust": "first-party",
               "isolation": "in-process", "pins": {"x86_64-unknown-linux-gnu": "sha256:\(String(repeating: "0", count: 64))"},
               "ceiling": {"extensions": ["tandem.rows/1"], "calls": ["expenses.add"],
                           "quota": {"rows": 5, "bytes": 6}, "hosts": ["api.example.org"]},
               "network": {"addresses": ["192.168.1.0/24"],
                           "limits": [{"host": "api.example.org", "perSecond": 2, "totalBurst": 9}]},
               "effects": {"grocery.add": "send"}, "plan": "free", "default": "enabled"},
              {"id": "org.example.tides", "bundle": "tides", "trust": "verified"}]}
            """
        let registry = try PluginRegistry(reading: Array(text.utf8))
        let first = try #require(registry.entries.first)
        #expect(first.bundle == "bundles/grocery")
        #expect(first.pins.count == 1)
        #expect(first.effects == ["grocery.add": .send])
        #expect(first.ceiling.quota == PluginQuota(rows: 5, bytes: 6))
        #expect(first.ceiling.calls == ["expenses.add"])
        #expect(first.ceiling.hosts?.map(\.description) == ["api.example.org"])
        #expect(first.network.addresses.map(\.description) == ["192.168.1.0/24"])
        #expect(first.network.limits.first?.perUser.perSecond == 2)
        #expect(first.network.limits.first?.total.burst == 9)
        #expect(first.defaultState == .enabled)
        #expect(registry.entries.last?.isolation == .runner)
        #expect(registry.entries.last?.defaultState == .offered)
        #expect(registry.entries.last?.ceiling.extensions == nil)
    }

    @Test func readsTheRegistryOfTheRepository() throws {
        let folder = FixtureLibrary.root + "/registry.json"
        let file = try RegularFile(path: folder, limit: 1 << 20, requiresPrivateWriting: false)
        let registry = try PluginRegistry(reading: try file.read())
        #expect(
            registry.entries.map(\.id) == [
                "tandem.grocery", "tandem.recipes", "tandem.expenses", "tandem.duckduckgo", "tandem.gmail",
                "tandem.graph", "tandem.notion", "tandem.youtube",
            ])
    }

    @Test func agreesWithItsSchema() throws {
        func document(_ path: String) throws -> [UInt8] {
            try RegularFile(path: FixtureLibrary.root + path, limit: 1 << 20, requiresPrivateWriting: false).read()
        }
        let schema = try JSONSchema(compiling: try JSON(parsing: try document("/docs/plugins/registry.schema.json")))
        #expect(schema.validate(try JSON(parsing: try document("/registry.json"))).isEmpty)
        for entry in [
            #"{"id":"a.b","bundle":"b","trust":"verified"}"#, #"{"id":"a.b","bundle":"b/c","trust":"first-party"}"#,
            #"{"id":"a","bundle":"b","trust":"verified"}"#, #"{"id":"a.b","bundle":"../b","trust":"verified"}"#,
            #"{"id":"a.b","bundle":"b","trust":"verified","isolation":"in-process"}"#,
            #"{"id":"a.b","bundle":"b","trust":"verified","default":"enabled"}"#,
            #"{"id":"a.b","bundle":"b/..","trust":"verified"}"#, #"{"id":"a.b","bundle":"..b","trust":"verified"}"#,
            #"{"id":"a.b","bundle":"b","trust":"verified","ceiling":{"quota":{"rows":0}}}"#,
        ] {
            let text = #"{"version":1,"plugins":[\#(entry)]}"#
            #expect(schema.isValid(try JSON(parsing: text)) == problems(text).isEmpty, "\(entry)")
        }
    }

    @Test(arguments: [
        ("{\"version\":1,\"plugins\":[],\"extra\":true}", "1:27 /extra: unknown member"),
        ("{\"version\":2,\"plugins\":[]}", "1:12 /version: must be 1, the only format this host reads"),
        ("{\"plugins\":[]}", "1:1 /: version is missing"),
        ("[]", "1:1 /: must be an object"),
        ("{\"version\":1,\n\"plugins\":{}}", "2:11 /plugins: must be an array"),
        ("{\"version\":1,\"plugins\":[\n  7]}", "2:3 /plugins/0: must be an object"),
        ("{\"version\":1,\"plugins\":[]", "1:26 /: unexpected end of document"),
        ("{\"version\":1,\"version\":1,\"plugins\":[]}", "1:14 /: duplicate member name"),
    ])
    func namesThePlaceOfAProblem(text: String, problem: String) {
        let found = problems(text)
        #expect(found == [problem])
    }

    @Test(arguments: [
        (#""id": "Tandem.Grocery""#, "/plugins/0/id"), (#""id": 7"#, "/plugins/0/id"),
        (#""bundle": "../grocery""#, "/plugins/0/bundle"), (#""bundle": "/grocery""#, "/plugins/0/bundle"),
        (#""bundle": """#, "/plugins/0/bundle"), (#""trust": "friend""#, "/plugins/0/trust"),
        (#""isolation": "none""#, "/plugins/0/isolation"), (#""pins": {"x": "sha256:00"}"#, "/plugins/0/pins/x"),
        (#""pins": []"#, "/plugins/0/pins"), (#""default": "on""#, "/plugins/0/default"),
        (#""ceiling": {"extensions": ["rows"]}"#, "/plugins/0/ceiling/extensions/0"),
        (#""ceiling": {"calls": [1]}"#, "/plugins/0/ceiling/calls/0"),
        (#""ceiling": {"quota": {"rows": 0}}"#, "/plugins/0/ceiling/quota/rows"),
        (#""ceiling": {"quota": {"row": 1}}"#, "/plugins/0/ceiling/quota/row"),
        (#""ceiling": {"hosts": ["http://x"]}"#, "/plugins/0/ceiling/hosts/0"),
        (#""ceiling": {"hosts": ["example.org/x"]}"#, "/plugins/0/ceiling/hosts/0"),
        (#""network": {"addresses": ["10.0.0.1/8"]}"#, "/plugins/0/network/addresses/0"),
        (#""network": {"limits": [{"perSecond": 1}]}"#, "/plugins/0/network/limits/0"),
        (#""network": {"limits": [{"host": "a.b", "perSecond": 0}]}"#, "/plugins/0/network/limits/0/perSecond"),
        (#""network": {"limits": [{"host": "a.b", "burst": 0}]}"#, "/plugins/0/network/limits/0/burst"),
        (#""plan": "Gold Plan""#, "/plugins/0/plan"), (#""namespace": "Grocery""#, "/plugins/0/namespace"),
        (#""misspelt": 1"#, "/plugins/0/misspelt"),
    ])
    func checksEveryMember(member: String, pointer: String) throws {
        var members = [
            "id": #""id": "tandem.grocery""#, "bundle": #""bundle": "grocery""#, "trust": #""trust": "first-party""#,
        ]
        let name = String(member.split(separator: "\"")[0])
        members[name] = member
        let text = "{\"version\": 1, \"plugins\": [{\n" + members.values.joined(separator: ",\n") + "}]}"
        do {
            _ = try PluginRegistry(reading: Array(text.utf8))
            Issue.record("no problem found")
        } catch {
            let problem = try #require(error.problems.first)
            #expect(error.problems.count == 1)
            #expect(problem.pointer == pointer)
            #expect(problem.line >= 2)
        }
    }

    @Test func refusesInProcessForOthers() {
        let text = """
            {"version":1,"plugins":[{"id":"a.b","bundle":"b","trust":"verified","isolation":"in-process","default":"enabled"}]}
            """
        #expect(problems(text).count == 2)
    }
}

/// Manifests: every rule, with the pointer of what breaks it.
@Suite
struct PluginManifestTests {
    private static let sound = #"""
        {"manifest": 1, "id": "tandem.grocery", "namespace": "grocery", "name": "Grocery list", "version": "1.2.0-rc.1",
         "summary": "Keeps your grocery list.", "aliases": ["groceries"], "publisher": {"name": "Tandem"},
         "license": "Apache-2.0", "abi": {"major": 1, "minor": 0}, "extensions": ["tandem.rows/1"],
         "tables": [{"name": "grocery_items", "purpose": "items",
                     "columns": [{"name": "item_name", "type": "text"},
                                 {"name": "cost", "type": "decimal", "scale": 2, "nullable": true, "default": "0.50"},
                                 {"name": "list", "type": "id", "references": "grocery_lists", "nullable": true}],
                     "indexes": [{"columns": ["item_name"], "unique": true}]},
                    {"name": "grocery_lists", "columns": [{"name": "title", "type": "text", "sealed": true}]}],
         "tools": [{"id": "grocery.add", "title": "Add", "description": "Adds items.",
                    "parameters": {"type": "object", "properties": {"items": {"type": "array"}, "priority": {"type": "string"}},
                                   "required": ["items"], "additionalProperties": false},
                    "result": {"type": "object"}, "effect": "write", "undo": {"tool": "grocery.remove"}, "trust": "system",
                    "utterances": [{"text": "add {items} to (my|the) [grocery] list", "arguments": {"priority": "low"}}],
                    "slots": {"items": {"kind": "items"},
                              "priority": {"kind": "choice", "choices": [{"value": "high", "words": ["urgent"]}]}}},
                   {"id": "grocery.remove", "title": "Remove", "description": "Removes.", "actsOn": "grocery.item",
                    "parameters": {"type": "object", "properties": {"item": {"type": "string"}}, "additionalProperties": false},
                    "effect": "delete", "slots": {"item": {"kind": "reference", "entity": "grocery.item", "required": true}},
                    "utterances": [{"text": "remove {item}"}], "timeoutMilliseconds": 500}],
         "calls": [{"tool": "expenses.add", "reason": "to note what you paid"}],
         "config": {"type": "object", "properties": {"limit": {"type": "integer", "default": 3}}, "additionalProperties": false},
         "quota": {"rows": 100, "bytes": 1000}, "limits": {"maxInFlight": 8}}
        """#

    @Test func readsASoundManifest() throws {
        let manifest = try PluginManifest(reading: Array(Self.sound.utf8), packaged: false)
        #expect(manifest.namespace == "grocery")
        #expect(manifest.extensions == ["tandem.rows/1", "tandem.tools/1", "tandem.config/1"])
        #expect(manifest.tables[0].columns[1].type == .decimal(scale: 2))
        #expect(manifest.tables[0].columns[1].defaultValue == .text("0.50"))
        #expect(manifest.tables[0].indexes[0].isUnique)
        #expect(manifest.tables[1].columns[0].isSealed)
        #expect(manifest.tools[0].undo == .tool("grocery.remove"))
        #expect(manifest.tools[0].slots["items"]?.isRequired == true)
        #expect(manifest.tools[0].slots["priority"]?.kind == .choice([.init("high", ["urgent"])]))
        #expect(manifest.tools[0].utterances[0].arguments == ["priority": "low"])
        #expect(manifest.tools[1].slots["item"]?.kind == .reference(entity: "grocery.item"))
        #expect(manifest.tools[1].timeoutMilliseconds == 500)
        #expect(manifest.calls == [.init(tool: "expenses.add", reason: "to note what you paid")])
        #expect(manifest.maxInFlight == 8)
    }

    @Test func refusesPackagingMembersInCode() throws {
        let text = Self.sound.dropLast() + #", "library": "x.so"}"#
        #expect(throws: DocumentError.self) { try PluginManifest(reading: Array(text.utf8), packaged: false) }
    }

    /// What is replaced in the sound manifest, by what, and the pointer of the one problem.
    @Test(arguments: [
        (#""manifest": 1"#, #""manifest": 2"#, "/manifest"),
        (#""id": "tandem.grocery""#, #""id": "grocery""#, "/id"),
        (#""namespace": "grocery""#, #""namespace": "Grocery""#, "/namespace"),
        (#""name": "Grocery list""#, #""name": """#, "/name"),
        (#""name": "Grocery list""#, #""name": "Grocery\nlist""#, "/name"),
        (#""version": "1.2.0-rc.1""#, #""version": "1.2""#, "/version"),
        (#""version": "1.2.0-rc.1""#, #""version": "1.02.0""#, "/version"),
        (#""version": "1.2.0-rc.1""#, #""version": "1.2.0-01""#, "/version"),
        (#""aliases": ["groceries"]"#, #""aliases": ["stop"]"#, "/aliases/0"),
        (#""publisher": {"name": "Tandem"}"#, #""publisher": {"nam": "Tandem"}"#, "/publisher"),
        (#""abi": {"major": 1, "minor": 0}"#, #""abi": {"major": "1", "minor": 0}"#, "/abi/major"),
        (#""extensions": ["tandem.rows/1"]"#, #""extensions": ["rows"]"#, "/extensions/0"),
        (#""name": "grocery_items""#, #""name": "select""#, "/tables/0/name"),
        (#""name": "grocery_lists""#, #""name": "grocery_items""#, "/tables/1/name"),
        (#""name": "item_name", "type""#, #""name": "user_id", "type""#, "/tables/0/columns/0/name"),
        (#""type": "text"},"#, #""type": "string"},"#, "/tables/0/columns/0/type"),
        (#""scale": 2"#, #""scale": 12"#, "/tables/0/columns/1/scale"),
        (#""default": "0.50""#, #""default": "0.505""#, "/tables/0/columns/1/default"),
        (#""default": "0.50""#, #""default": 0.5"#, "/tables/0/columns/1/default"),
        (#""references": "grocery_lists""#, #""references": "elsewhere""#, "/tables/0/columns/2/references"),
        (#"{"columns": ["item_name"], "unique": true}"#, #"{"columns": ["nothing"]}"#, "/tables/0/indexes/0/columns/0"),
        (#""id": "grocery.add""#, #""id": "food.add""#, "/tools/0/id"),
        (#""id": "grocery.add""#, #""id": "grocery.remove""#, "/tools/1/id"),
        (
            #""type": "object", "properties": {"items""#, #""type": "array", "properties": {"items""#,
            "/tools/0/parameters/type"
        ),
        (#"{"type": "array"}"#, #"{"type": "list"}"#, "/tools/0/parameters/properties/items/type"),
        (#""required": ["items"]"#, #""required": ["things"]"#, "/tools/0/parameters/required/0"),
        (#""result": {"type": "object"}"#, #""result": {"minimum": "x"}"#, "/tools/0/result/minimum"),
        (#""effect": "write""#, #""effect": "change""#, "/tools/0/effect"),
        (#""undo": {"tool": "grocery.remove"}"#, #""undo": {"tool": "grocery.undo"}"#, "/tools/0/undo/tool"),
        (#""undo": {"tool": "grocery.remove"}"#, #""undo": "all""#, "/tools/0/undo"),
        (#""trust": "system""#, #""trust": "owner""#, "/tools/0/trust"),
        (#"add {items} to"#, #"add {things} to"#, "/tools/0/utterances/0/text"),
        (#"add {items} to"#, #"add {items to"#, "/tools/0/utterances/0/text"),
        (#"(my|the)"#, #"(my|)"#, "/tools/0/utterances/0/text"),
        (#"[grocery]"#, #"[grocery"#, "/tools/0/utterances/0/text"),
        (#""arguments": {"priority": "low"}"#, #""arguments": {"other": 1}"#, "/tools/0/utterances/0/arguments/other"),
        (#""kind": "items""#, #""kind": "things""#, "/tools/0/slots/items/kind"),
        (#""choices": [{"value": "high", "words": ["urgent"]}]"#, #""choices": []"#, "/tools/0/slots/priority/choices"),
        (#""actsOn": "grocery.item""#, #""actsOn": "grocery.list""#, "/tools/1/actsOn"),
        (#""timeoutMilliseconds": 500"#, #""timeoutMilliseconds": 0"#, "/tools/1/timeoutMilliseconds"),
        (#""tool": "expenses.add""#, #""tool": "grocery.add""#, "/calls/0/tool"),
        (#""reason": "to note what you paid""#, #""why": "x", "reason": "y""#, "/calls/0/why"),
        (#", "default": 3"#, "", "/config/properties/limit"),
        (#""default": 3"#, #""default": "three""#, "/config"),
        (#""quota": {"rows": 100, "bytes": 1000}"#, #""quota": {"rows": -1}"#, "/quota/rows"),
        (#""maxInFlight": 8"#, #""maxInFlight": 65"#, "/limits/maxInFlight"),
        (#""license""#, #""licence""#, "/licence"),
    ])
    func namesTheBrokenRule(part: String, replacement: String, pointer: String) throws {
        let range = try #require(Self.sound.range(of: part))
        let text = Self.sound.replacingCharacters(in: range, with: replacement)
        do {
            _ = try PluginManifest(reading: Array(text.utf8), packaged: false)
            Issue.record("no problem found")
        } catch {
            #expect(error.problems.map(\.pointer).contains(pointer), "\(error.problems)")
            #expect(error.problems.allSatisfy { $0.line > 0 && $0.column > 0 })
        }
    }

    @Test(arguments: [
        ("add {a}", ["a"]), ("(add|put) {a} [on {b}]", ["a", "b"]),
        ("what's [(my|the)] {period} (budget|limit)?", ["period"]),
    ])
    func readsUtterances(text: String, slots: [String]) throws {
        #expect(try UtteranceSyntax.slots(of: text).get() == slots)
    }

    @Test(arguments: ["", "  ", "{", "}", "{}", "{A b}", "(a", "a)", "[a)", "(a||b)", "()", "[]", "a|b", "a\u{7}"])
    func refusesBadUtterances(text: String) {
        #expect(throws: UtteranceSyntax.Fault.self) { try UtteranceSyntax.slots(of: text).get() }
    }

    @Test(arguments: [
        (#"{"a":1,"b":[1,2]}"#, #"{"b":[1,2.0],"a":1}"#, String?.none), (#"{"a":1}"#, #"{"a":2}"#, "/a"),
        (#"{"a":{"b":[1,2]}}"#, #"{"a":{"b":[1,3]}}"#, "/a/b/1"), (#"{"a":[1]}"#, #"{"a":[1,2]}"#, "/a/1"),
        (#"{"a":1}"#, #"{"a":1,"c/d":2}"#, "/c~1d"), (#"{"a":1,"library":"x"}"#, #"{"a":1}"#, nil),
        (#"{"a":1}"#, #"{"a":1,"files":{}}"#, "/files"),
    ])
    func namesTheFirstDifference(file: String, code: String, pointer: String?) throws {
        guard case .object(let file) = try JSON(parsing: file), case .object(let code) = try JSON(parsing: code) else {
            return
        }
        #expect(ManifestDifference.pointer(file: file, code: code) == pointer)
    }
}
