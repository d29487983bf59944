import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// What a person approved, against what a plugin asks for later: values, without a host.
@Suite
struct ReachTests {
    private func manifest(_ edit: (inout JSONObject) -> Void = { _ in }) throws -> PluginManifest {
        var document: JSONObject = [
            "manifest": 1, "id": "test.tides", "namespace": "tides", "name": "Tides", "version": "1.0.0",
            "summary": "Tides.", "abi": ["major": 1, "minor": 0],
            "tools": [
                [
                    "id": "tides.show", "title": "Show tides", "description": "Shows.",
                    "parameters": ["type": "object", "properties": [:], "additionalProperties": false],
                    "effect": "read", "trust": "contact",
                ],
                [
                    "id": "tides.note", "title": "Note a tide", "description": "Notes.",
                    "parameters": ["type": "object", "properties": [:], "additionalProperties": false],
                    "effect": "write",
                ],
            ],
        ]
        edit(&document)
        return try PluginManifest(reading: JSON.object(document).serialized(), packaged: false)
    }

    private func tool(_ document: inout JSONObject, _ index: Int, _ member: String, _ value: JSON) {
        var tools = document["tools"]?.arrayValue ?? []
        guard case .object(var tool) = tools[index] else { return }
        tool[member] = value
        tools[index] = .object(tool)
        document["tools"] = .array(tools)
    }

    private func drift(
        trust: RegistryEntry.Trust = .firstParty, from before: (inout JSONObject) -> Void = { _ in },
        _ edit: (inout JSONObject) -> Void
    ) throws -> (drift: ReachDrift, text: String) {
        let now = try manifest(edit)
        let drift = ReachDrift(
            from: ApprovedReach(of: try manifest(before), trust: .firstParty),
            to: ApprovedReach(of: now, trust: trust))
        return (drift, ConsentText.request(drift, of: now))
    }

    @Test func seesEachKindOfDriftOfATool() throws {
        for (index, member, value, kind, text): (Int, String, JSON, ToolDrift, String) in [
            (1, "title", "Note", .text, "works differently now: \"Note\""),
            (1, "description", "Notes!", .text, "works differently now: \"Note a tide\""),
            (1, "result", ["type": "string"], .schema, "works differently now: \"Note a tide\""),
            (0, "effect", "write", .effect, "wants to change things now"),
            (1, "effect", "delete", .effect, "wants to delete things now"),
            (1, "effect", "send", .effect, "wants to send messages now"),
            (1, "effect", "spend", .effect, "wants to spend money now"),
            (0, "trust", "system", .trust, "works differently now: \"Show tides\""),
            (1, "undo", "none", .undo, "cannot take back \"Note a tide\" any more"),
        ] {
            let found = try drift { self.tool(&$0, index, member, value) }
            let id = index == 0 ? "tides.show" : "tides.note"
            #expect(found.drift.tools == [id: [kind]], "\(member)")
            #expect(found.drift.items.isEmpty)
            #expect(found.text == text)
        }
    }

    @Test func neverAsksForLess() throws {
        let found = try drift(
            from: { document in
                self.tool(&document, 1, "effect", "spend")
                self.tool(&document, 1, "undo", "none")
                document["calls"] = [["tool": "grocery.add", "reason": "To shop."]]
                document["hosts"] = [["host": "api.example.org", "reason": "For tides."]]
            },
            { document in
                self.tool(&document, 1, "effect", "write")
                self.tool(&document, 0, "trust", "untrusted")
                document["version"] = "2.0.0"
                document["summary"] = "Better tides."
                self.tool(&document, 0, "utterances", [["text": "show the tides"]])
            })
        #expect(found.drift.isEmpty)
        // A tool that goes is no question either.
        let gone = try drift { $0["tools"] = .array(Array(($0["tools"]?.arrayValue ?? []).prefix(1))) }
        #expect(gone.drift.isEmpty)
    }

    @Test func namesNewTools() throws {
        let found = try drift { document in
            var tools = document["tools"]?.arrayValue ?? []
            for effect in ["read", "send"] {
                tools.append([
                    "id": .string("tides.\(effect)"), "title": .string("New \(effect)"), "description": "New.",
                    "parameters": ["type": "object", "properties": [:], "additionalProperties": false],
                    "effect": .string(effect),
                ])
            }
            document["tools"] = .array(tools)
        }
        #expect(found.drift.tools == ["tides.read": [.isNew], "tides.send": [.isNew]])
        #expect(found.text == "wants to send messages and do more: \"New read\" now")
    }

    @Test func seesEachKindOfWiderReach() throws {
        let topic: JSON = ["topic": "tides.high", "description": "high tides", "schema": ["type": "object"]]
        for (member, value, text, isWithheld): (String, JSON, String, Bool) in [
            ("calls", [["tool": "expenses.record", "reason": "To pay."]], "wants to use expenses now", true),
            (
                "hosts", [["host": "api.example.org", "reason": "For tides."]], "wants to reach api.example.org now",
                true
            ),
            ("memory", ["recall": ["fact"], "reason": "To know."], "wants to read what I remember of you now", true),
            (
                "memory", ["propose": ["fact"], "reason": "To tell."],
                "wants to suggest what I should remember now", true
            ),
            ("events", ["publishes": [topic]], "wants to tell your other integrations more now", true),
            (
                "tables",
                [["name": "tide_notes", "purpose": "your tide notes", "columns": [["name": "x", "type": "text"]]]],
                "wants to keep your tide notes now", false
            ),
        ] {
            let found = try drift { $0[member] = value }
            #expect(found.drift.tools.isEmpty)
            #expect(found.text == text)
            #expect(found.drift.concernsAll != isWithheld, "\(member)")
        }
        let worse = try drift(trust: .developer) { _ in }
        #expect(worse.text == "is a test version that nobody reviewed now")
        #expect(worse.drift.concernsAll)
    }

    @Test func seesEachNewRightAtAService() throws {
        func grants(_ scopes: [JSON]) -> JSON {
            [
                [
                    "name": "mail", "provider": "microsoft", "reason": "to keep an eye on your mail",
                    "scopes": .array(scopes),
                ]
            ]
        }
        let read: JSON = ["scope": "Mail.Read", "reason": "to show it"]
        let send: JSON = ["scope": "Mail.Send", "level": "write", "reason": "to send it"]
        let sendAlways: JSON = ["scope": "Mail.Send", "reason": "to send it"]
        func with(_ scopes: [JSON]) -> (inout JSONObject) -> Void {
            { document in
                document["hosts"] = [["host": "graph.microsoft.com", "reason": "For mail."]]
                document["grants"] = grants(scopes)
            }
        }
        let more = try drift(from: with([read]), with([read, send]))
        #expect(more.text == "wants to use more of your Microsoft account: Mail.Send now")
        #expect(more.drift.items == [ReachItem(.scope, "microsoft/Mail.Send#write")])
        #expect(!more.drift.concernsAll)
        // Asked for earlier than agreed is more, later is less.
        #expect(try drift(from: with([read, send]), with([read, sendAlways])).drift.items.count == 1)
        #expect(try drift(from: with([read, sendAlways]), with([read, send])).drift.isEmpty)
        #expect(try drift(from: with([read, send]), with([read])).drift.isEmpty)
        let manifest = try manifest(with([read, send]))
        #expect(
            ConsentText.summary(of: manifest, trust: .firstParty)
                .contains("uses your Microsoft account (to keep an eye on your mail)"))
        #expect(ConsentText.briefs(of: manifest, trust: .verified).last?.contains("your Microsoft account") == true)
    }

    @Test func seesANewReadingRequestOfAHost() throws {
        let found = try drift(
            from: { $0["hosts"] = [["host": "api.example.org", "reason": "For tides."]] },
            {
                $0["hosts"] = [["host": "api.example.org", "reason": "For tides.", "reads": ["POST /query"]]]
            })
        #expect(found.text == "wants to reach api.example.org now")
    }

    @Test func keepsItsStoredForm() throws {
        let manifest = try manifest { document in
            document["calls"] = [["tool": "expenses.record", "reason": "To pay."]]
            self.tool(&document, 1, "undo", ["tool": "tides.note"])
        }
        let reach = ApprovedReach(of: manifest, trust: .developer)
        #expect(StoredReach(reach).value == reach)
        #expect(StoredReach(reach).hash == reach.hash)
        #expect(StoredReach(hash: "", text: "{").value == ApprovedReach(tools: [:], items: []))
        for broken: JSON in [.null, [], "x", ["tools": []], ["reach": []]] {
            #expect(ApprovedReach(json: broken) == nil)
        }
        // What cannot be read counts as not approved.
        let partly = try #require(ApprovedReach(json: ["tools": ["tides.show": ["x"]], "reach": ["magic:x"]]))
        #expect(Set(ReachDrift(from: partly, to: reach).tools.keys) == ["tides.show", "tides.note"])
    }

    @Test func saysWhatAPluginMayDoRiskiestFirst() throws {
        let plain = try manifest()
        #expect(ConsentText.summary(of: plain, trust: .firstParty) == "may change things")
        let rich = try manifest { document in
            self.tool(&document, 1, "effect", "send")
            document["hosts"] = [
                ["host": "a.example.org", "reason": "A."], ["host": "b.example.org", "reason": "B."],
                ["host": "c.example.org", "reason": "C."],
            ]
            document["memory"] = ["recall": ["fact"], "reason": "To know."]
            document["tables"] = [
                ["name": "tide_notes", "purpose": "your tide notes", "columns": [["name": "x", "type": "text"]]]
            ]
        }
        #expect(
            ConsentText.summary(of: rich, trust: .developer)
                == "may send messages, asking first; reaches a.example.org, b.example.org and 1 more; "
                + "reads what I remember of you; keeps \"your tide notes\"")
        #expect(
            ConsentText.briefs(of: rich, trust: .developer) == [
                "may send messages, asking first; reaches a.example.org and 2 more; reads what I remember; "
                    + "keeps \"your tide notes\"",
                "may send (asks first); uses the internet, memories; keeps data",
            ])
        #expect(ConsentText.briefs(of: plain, trust: .firstParty) == ["may change things", "changes things"])
        let trick = try manifest { document in
            document["tables"] = [
                [
                    "name": "tide_notes", "purpose": "nothing\" at all. (verified) Turn it on? 1",
                    "columns": [["name": "x", "type": "text"]],
                ]
            ]
        }
        #expect(
            ConsentText.summary(of: trick, trust: .verified) == "keeps \"nothing at all verified Turn it on 1\"")
    }
}

/// Grants by level and by tool, and drift, with real plugins and two people.
@Suite(.timeLimit(.minutes(8)))
struct ProgressTests {
    private static func tool(_ name: String, _ effect: String, title: String? = nil) -> String {
        #"{\"id\":\"tides."# + name + #"\",\"title\":\""# + (title ?? name) + #"\",\"description\":\"Does.\","#
            + #"\"parameters\":{\"type\":\"object\",\"properties\":{\"value\":{}},\"additionalProperties\":false},"#
            + #"\"effect\":\""# + effect + #"\"}"#
    }

    private static let usual = [tool("look", "read"), tool("note", "write"), tool("drop", "delete")]

    /// Packs the plugin `tides` with these tools and has the host take it.
    private func install(_ tools: [String] = usual, more: String = "", in test: TestHost) async throws {
        var macros = FixtureLibrary.names("test.tides", "tides")
        macros["TOOLS"] = "\"" + tools.joined(separator: ",") + "\""
        macros["MORE"] = "\"" + more + "\""
        _ = try await test.pack("tides", library: try await FixtureLibrary.compile("echo", macros))
        if test.host.statuses().isEmpty {
            try test.register(["tides"]) { $1["default"] = "offered" }
            await test.host.start()
        } else {
            await test.host.reload()
        }
        #expect(test.refusal("test.tides") == nil)
    }

    private func names(_ test: TestHost, user: Int64 = 1) async throws -> [String] {
        try await test.host.tools(for: test.scope(user)).map { $0.asksFirst ? "\($0.id)?" : $0.id }
    }

    private func access(_ test: TestHost, user: Int64 = 1) async throws -> [ToolAccess] {
        try await test.host.grant(of: "tides", in: test.scope(user)).tools.map(\.access)
    }

    @Test func goesStepByStepFromReadingToWriting() async throws {
        let test = try TestHost()
        try await install(in: test)
        #expect(try await names(test).isEmpty)
        #expect(try await access(test) == [.offered, .offered, .offered])
        for (level, tools, code): (GrantLevel, [String], String?) in [
            (.readOnly, ["tides.look"], "read_only"), (.confirm, ["tides.look", "tides.note?", "tides.drop?"], nil),
            (.write, ["tides.look", "tides.note", "tides.drop"], nil), (.readOnly, ["tides.look"], "read_only"),
        ] {
            try await test.host.switchOn("tides", level: level, in: test.scope())
            #expect(try await names(test) == tools)
            #expect(await test.call("tides.note").error?.code == code)
            #expect(await test.call("tides.look").result != nil)
        }
        #expect(try await names(test, user: 2).isEmpty)
    }

    @Test func decidesAboutSingleTools() async throws {
        let test = try TestHost()
        try await install(in: test)
        await #expect(throws: GrantError.self) {
            try await test.host.setTool("tides.look", to: .write, in: test.scope())
        }
        try await test.host.switchOn("tides", in: test.scope())
        try await test.host.switchOn("tides", in: test.scope(2))
        try await test.host.setTool("tides.drop", to: .off, in: test.scope())
        try await test.host.setTool("tides.note", to: .confirm, in: test.scope())
        #expect(try await names(test) == ["tides.look", "tides.note?"])
        #expect(await test.call("tides.drop").error?.code == "tool_off")
        #expect(await test.call("tides.drop", user: 2).result != nil)
        // A level for all takes back what was granted to one, not what is off.
        try await test.host.setLevel(.readOnly, of: "tides", in: test.scope())
        #expect(try await access(test) == [.allowed, .readOnly, .off])
        try await test.host.setTool("tides.note", to: .write, in: test.scope())
        #expect(try await access(test) == [.allowed, .allowed, .off])
        try await test.host.setTool("tides.drop", to: nil, in: test.scope())
        #expect(try await access(test) == [.allowed, .allowed, .readOnly])
        let unknown = await #expect(throws: GrantError.self) {
            try await test.host.setTool("tides.fly", to: .off, in: test.scope())
        }
        #expect(unknown?.code == .unknownTool)
    }

    @Test func offersOnlyTheToolThatChanged() async throws {
        let test = try TestHost()
        try await install(in: test)
        try await test.host.switchOn("tides", in: test.scope())
        try await test.host.switchOn("tides", in: test.scope(2))
        try await install([Self.tool("look", "read"), Self.tool("note", "send"), Self.tool("drop", "write")], in: test)
        #expect(try await access(test) == [.allowed, .offered, .allowed])
        #expect(await test.call("tides.note").error?.code == "not_approved")
        #expect(await test.call("tides.look").result != nil)
        #expect(await test.call("tides.drop").result != nil)
        let grant = try await test.host.grant(of: "tides", in: test.scope())
        #expect(grant.state == .enabled(.write))
        #expect(grant.request == "wants to send messages now")
        // Asked once, each person by themselves.
        let asked = try #require(try await test.host.unasked(in: test.scope()))
        #expect(asked.grant.plugin == "test.tides")
        try await test.host.noteAsked("tides", in: test.scope())
        #expect(try await test.host.unasked(in: test.scope()) == nil)
        #expect(try await test.host.unasked(in: test.scope(2)) != nil)
        #expect(try await access(test)[1] == .offered)
        try await test.host.approveChanges(of: "tides", in: test.scope())
        #expect(await test.call("tides.note").result != nil)
        #expect(await test.call("tides.note", user: 2).error?.code == "not_approved")
        // Another change is another question.
        try await install([Self.tool("look", "read", title: "Peek"), Self.tool("note", "spend")], in: test)
        #expect(try await test.host.unasked(in: test.scope()) != nil)
    }

    @Test func keepsALevelOverADriftAndADriftOverALevel() async throws {
        let test = try TestHost()
        try await install(in: test)
        try await test.host.switchOn("tides", level: .confirm, in: test.scope())
        try await install([Self.tool("look", "write"), Self.tool("note", "write")], in: test)
        try await test.host.setLevel(.write, of: "tides", in: test.scope())
        #expect(try await access(test) == [.offered, .allowed])
        try await test.host.setLevel(.confirm, of: "tides", in: test.scope())
        try await test.host.approveChanges(of: "tides", in: test.scope())
        #expect(try await test.host.grant(of: "tides", in: test.scope()).state == .enabled(.confirm))
        #expect(try await access(test) == [.confirm, .confirm])
    }

    @Test func waitsAsAWholeForWhatCannotBeWithheld() async throws {
        let test = try TestHost()
        try await install(in: test)
        try await test.host.switchOn("tides", level: .confirm, in: test.scope())
        let table =
            #"\"tables\":[{\"name\":\"tide_notes\",\"purpose\":\"your tide notes\",\"columns\":"#
            + #"[{\"name\":\"x\",\"type\":\"text\"}]}],"#
        try await install(more: table, in: test)
        let grant = try await test.host.grant(of: "tides", in: test.scope())
        #expect(grant.state == .offered)
        #expect(grant.hasChanged)
        #expect(grant.request == "wants to keep your tide notes now")
        #expect(await test.call("tides.look").error?.code == "not_enabled")
        try await test.host.noteAsked("tides", in: test.scope())
        #expect(try await test.host.unasked(in: test.scope()) == nil)
        #expect(try await test.host.grant(of: "tides", in: test.scope()).state == .offered)
        try await test.host.approveChanges(of: "tides", in: test.scope())
        #expect(try await test.host.grant(of: "tides", in: test.scope()).state == .enabled(.confirm))
    }

    @Test func goesOnWithoutWhatWasNotGranted() async throws {
        let test = try TestHost()
        let names = FixtureLibrary.names("test.tides", "tides")
        _ = try await test.pack("tides", library: try await FixtureLibrary.compile("services", names))
        try test.register(["tides"]) { $1["default"] = "offered" }
        await test.host.start()
        try await test.host.switchOn("tides", in: test.scope())
        let plugin = try #require(test.host.catalogue.plugins.first)
        let calls = plugin.reach.items.filter { $0.kind == .call }
        try #require(!calls.isEmpty)
        // As if the calls had come with a later version.
        var record = try #require(try await test.grants.grants(of: test.scope()).first)
        record.approved?.items.subtract(calls)
        try await test.grants.save(record, for: test.scope())
        #expect(try await test.host.grant(of: "tides", in: test.scope()).state == .enabled(.write))
        #expect(await test.host.withheld(from: plugin, in: test.scope()) == calls)
        #expect(await test.call("tides.read_rows", ["value": []]).result != nil)
        let deadline = monotonicNanoseconds() + 5_000_000_000
        guard
            case .success(let instance) = await plugin.instance(
                for: test.scope(), withholding: calls, deadline: deadline)
        else { return }
        #expect(calls.allSatisfy { instance.isWithheld(.call, $0.name) })
        instance.endCall(now: monotonicNanoseconds())
        try await test.host.approveChanges(of: "tides", in: test.scope())
        guard case .success(let renewed) = await plugin.instance(for: test.scope(), deadline: deadline) else { return }
        #expect(renewed !== instance)
        renewed.endCall(now: monotonicNanoseconds())
    }

    @Test func keepsOldApprovalsAsTheyWere() async throws {
        let test = try TestHost()
        try await install(in: test)
        let plugin = try #require(test.host.catalogue.plugins.first)
        // As an earlier version wrote it: a hash and nothing else.
        try await test.grants.save(
            GrantRecord(plugin: "test.tides", state: .enabled(.write), approval: plugin.approval), for: test.scope())
        try await test.grants.save(
            GrantRecord(plugin: "test.tides", state: .enabled(.write), approval: "other"), for: test.scope(2))
        #expect(try await access(test) == [.allowed, .allowed, .allowed])
        #expect(try await test.host.grant(of: "tides", in: test.scope(2)).state == .offered)
        #expect(try await test.host.unasked(in: test.scope()) == nil)
    }

    @Test(arguments: ["in-process", "runner"])
    func endsCallsInFlightThatAreNoLongerCovered(isolation: String) async throws {
        let test = try TestHost()
        try await test.packApart("bad", "misbehaving")
        try test.register(["bad"]) { _, entry in entry["isolation"] = .string(isolation) }
        await test.host.start()
        for user in [1, 2] as [Int64] { #expect(await test.call("bad.counts", user: user).result != nil) }
        let deaf = Task { await test.call("bad.deaf") }
        let obedient = Task { await test.call("bad.obedient") }
        let other = Task { await test.call("bad.deaf", user: 2) }
        #expect(await eventually { (try? test.status("test.bad").counters.calls) == 5 })
        // One tool off: only its call ends.
        try await test.host.setTool("bad.deaf", to: .off, in: test.scope())
        #expect(await deaf.value.error?.code == "not_enabled")
        #expect(try test.status("test.bad").counters.cancellations == 1)
        // All off: the plugin hears of it, and what it answers then counts.
        try await test.host.switchOff("bad", in: test.scope())
        #expect(await obedient.value.error != nil)
        #expect(try await test.host.tools(for: test.scope()).isEmpty)
        #expect(await test.call("bad.counts").error?.code == "not_enabled")
        #expect(await test.call("bad.counts", user: 2).result != nil)
        other.cancel()
        _ = await other.value
    }

    @Test func endsACallInFlightWhenALevelIsTakenBack() async throws {
        let test = try TestHost()
        let names = FixtureLibrary.names("test.services", "services")
        _ = try await test.pack("services", library: try await FixtureLibrary.compile("services", names))
        try test.register(["services"])
        await test.host.start()
        let gate = OneShot<Void>()
        test.rows.answer { _ in
            await gate.value()
            return .success([])
        }
        let writing = try #require(
            test.host.catalogue.plugins.first?.tools.first { $0.definition.effect == .write }?.definition.id)
        let task = Task { await test.call(writing, ["value": []]) }
        _ = await eventually {
            CallTable.shared.calls(of: test.host.catalogue.plugins[0], for: test.scope()).count == 1
        }
        try await test.host.setLevel(.readOnly, of: "services", in: test.scope())
        for call in CallTable.shared.calls(of: test.host.catalogue.plugins[0], for: test.scope()) {
            #expect(call.cancellation != 0)
        }
        gate.resolve(())
        _ = await task.value
        #expect(await test.call(writing, ["value": []]).error?.code == "read_only")
    }

    @Test func takesBackAStartThatSomebodyWaitsFor() async throws {
        let test = try TestHost()
        try await install(in: test)
        try await test.host.switchOn("tides", in: test.scope())
        let plugin = try #require(test.host.catalogue.plugins.first)
        // As if the call had looked at the grants just before they went.
        let calls = (0..<50).map { _ in Task { await test.call("tides.look") } }
        plugin.restrict(test.scope(), to: nil, grace: 0)
        for call in calls {
            let outcome = await call.value
            #expect(outcome.result != nil || ["not_enabled", "unavailable"].contains(outcome.error?.code ?? ""))
        }
        #expect(await test.call("tides.look").result != nil)
        #expect(plugin.instanceCount == 1)
    }

    @Test func goesOnAtTheLevelItHad() async throws {
        let test = try TestHost()
        try await install(in: test)
        #expect(try await !test.host.grant(of: "tides", in: test.scope()).isApproved)
        try await test.host.switchOn("tides", level: .readOnly, in: test.scope())
        try await test.host.switchOff("tides", in: test.scope())
        #expect(try await test.host.grant(of: "tides", in: test.scope()).isApproved)
        #expect(try await test.host.switchOn("tides", in: test.scope()) == .enabled(.readOnly))
        // Whoever switches it on after a change agrees to the change.
        try await test.host.switchOff("tides", in: test.scope())
        try await install([Self.tool("look", "write")], in: test)
        #expect(try await !test.host.grant(of: "tides", in: test.scope()).isApproved)
        try await test.host.switchOn("tides", level: .write, in: test.scope())
        #expect(try await access(test) == [.allowed])
    }

    /// The code takes a tool for riskier than its manifest, and the operator for riskier still.
    @Test func takesAToolForTheRiskiestThatAnybodySays() async throws {
        let test = try TestHost()
        let library = try await FixtureLibrary.compile(
            "echo",
            FixtureLibrary.names("test.tides", "tides").merging(
                ["TOOLS": "\"" + [Self.tool("look", "write"), Self.tool("note", "read")].joined(separator: ",") + "\""]
            ) { $1 })
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: library)))
        func layOut(_ effects: [Effect]) async throws {
            try await test.layOut("tides", library: bytes) { document in
                document["tools"] = .array(
                    zip(["look", "note"], effects).map { name, effect in
                        [
                            "id": .string("tides.\(name)"), "title": .string(name), "description": "Does.",
                            "parameters": [
                                "type": "object", "properties": ["value": [:]], "additionalProperties": false,
                            ],
                            "effect": .string(effect.rawValue),
                        ]
                    })
            }
        }
        func effects() throws -> [Effect] {
            test.host.catalogue.plugins.first?.tools.map(\.definition.effect) ?? []
        }
        try await layOut([.read, .read])
        try test.register(["tides"])
        await test.host.start()
        #expect(test.refusal("test.tides") == nil)
        #expect(try effects() == [.write, .read])
        // A manifest that says more than the code: the code would loosen what is approved.
        try await layOut([.write, .delete])
        await test.host.reload()
        #expect(test.refusal("test.tides")?.code == .manifestDiffers)
        // The operator's word: more counts, less does not.
        try await layOut([.write, .read])
        try test.register(["tides"]) {
            $1["effects"] = ["tides.look": "read", "tides.note": "send", "tides.x": "send"]
        }
        await test.host.reload()
        #expect(try effects() == [.write, .send])
        #expect(
            try test.status("test.tides").warnings == [
                "the registry takes tides.look for read, but it counts as write",
                "the registry names tides.x, no tool of it",
            ])
    }
}
