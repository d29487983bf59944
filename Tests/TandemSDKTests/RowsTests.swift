import TandemSDK
import TandemTesting
import Testing

@Suite struct RowsTests {
    @Test func rowsComeBackAsTheyWere() async throws {
        let host = try TestHost(Shelf.self)
        let ann = host.person()
        let arguments: JSON = [
            "items": [["name": "milk", "quantity": "2.5"], ["name": "eggs"]], "best_before": "2026-12-01",
            "note": "shh",
        ]
        let value = try await ann.value("shelf.add", arguments)
        let things = ann.rows(of: Thing.self)
        #expect(things.map(\.name) == ["milk", "eggs"])
        #expect(things[0].amount == 2.5)
        #expect(things[0].note == "shh")
        #expect(things[0].createdAt == host.now)
        #expect(things[0].state == .present)
        #expect(things[1].amount == nil)
        #expect(value == things.json)
    }

    @Test func twoPeopleNeverMeet() async throws {
        let host = try TestHost(Shelf.self)
        try await host.person("ann").value("shelf.add", ["items": [["name": "milk"]]])
        #expect(host.person("ben").rows(of: Thing.self).isEmpty)
        #expect(await host.person("ben").call("shelf.take", ["thing": "milk"]).error?.code == "not_found")
        let id = host.person("ann").rows(of: Thing.self)[0].id
        #expect(await host.person("ben").call("shelf.take", ["thing": .string("#\(id)")]).error?.code == "not_found")
        #expect(host.person("ben").undo() == false)
        #expect(host.person("ann").rows(of: Thing.self)[0].state == .present)
    }

    @Test func referencesAreResolvedByIdByWordsAndByAsking() async throws {
        let ann = try TestHost(Shelf.self).person()
        try await ann.value(
            "shelf.add", ["items": [["name": "oat milk"], ["name": "whole milk"], ["name": "Tomatoes"]]])
        #expect(await ann.say("shelf.take", ["thing": "the tomato"]) == "Took Tomatoes.")
        #expect(await ann.call("shelf.take", ["thing": "tomatoes"]).error?.code == "not_found")
        let ask = try #require(await ann.call("shelf.take", ["thing": "milk"]).question)
        #expect(ask.message == "Which one? 1 whole milk, 2 oat milk")
        #expect(
            await ann.answer(ask, ask.options[1].value, to: "shelf.take", ["thing": "milk"]).message == "Took oat milk."
        )
        #expect(await ann.say("shelf.take", ["thing": "milk"]) == "Took whole milk.")
    }

    @Test func aBatchIsAllOrNothing() async throws {
        let ann = try TestHost(Shelf.self).person()
        #expect(await ann.say("shelf.box", ["name": "red", "contents": ["a", "b"]]) == "Put a box with 2.")
        let box = ann.rows(of: Box.self)[0]
        #expect(ann.rows(of: Thing.self).map(\.boxID) == [box.id, box.id])
        let outcome = await ann.call("shelf.box", ["name": "red", "contents": ["c"]])
        #expect(outcome.error?.code == "unique")
        #expect(ann.rows(of: Thing.self).count == 2)
    }

    @Test func aReadingToolCannotWrite() async throws {
        let ann = try TestHost(Shelf.self).person()
        #expect(await ann.call("shelf.peek").error?.code == "not_allowed")
        #expect(ann.rows(of: Box.self).isEmpty)
    }

    @Test func theQuotaHolds() async throws {
        let ann = try TestHost(Shelf.self).person()
        let many = JSON.array((0..<51).map { ["name": .string("thing \($0)")] })
        #expect(await ann.call("shelf.add", ["items": many]).error?.code == "over_quota")
        #expect(ann.rows(of: Thing.self).isEmpty)
    }

    @Test func aDeletedBoxTakesItsThingsAlong() async throws {
        let ann = try TestHost(RowsProbe.self).person()
        try await ann.value("probe.run")
    }
}

/// Runs row functions within a call, where alone they work.
private struct RowsProbe: Plugin {
    static let definition = PluginDefinition(
        id: "org.example.probe", namespace: "probe", name: "Probe", version: "1.0.0", summary: "Probes rows.",
        tables: [Box.self, Thing.self], tools: [Run.self])

    struct Run: Tool {
        static let declaration = ToolDeclaration("probe.run", "Run", effect: .write)

        func run(_ context: Context) async throws -> String {
            let boxes = context.rows(Box.self)
            let things = context.rows(Thing.self)
            let red = try await boxes.insert(Box(name: "red"))
            let blue = try await boxes.insert(Box(name: "blue"))
            for (index, name) in ["Apple", "banana", "cherry", "Date", "elder"].enumerated() {
                try await things.insert(
                    Thing(
                        name: name, amount: index == 4 ? nil : Decimal(index),
                        price: Decimal(Int64(index * 110), places: 2),
                        bestBefore: context.clock.today.adding(days: index), boxID: index < 2 ? red : blue,
                        note: "n\(index)"))
            }
            #expect(try await things.count(where: \.amount == nil) == 1)
            #expect(try await things.count(where: \.amount != nil, \.boxID == blue) == 2)
            #expect(try await things.count(where: \.amount > 1) == 2)
            #expect(try await things.count(where: \.price >= 1.1, \.price < 3.3) == 2)
            #expect(try await things.count(where: \.bestBefore <= context.clock.today.adding(days: 1)) == 2)
            #expect(try await things.count(where: \.note == "n3") == 1)
            #expect(try await things.count(where: \.amount != 1) == 4)
            #expect(try await things.list(where: .contains(\.name, "AN")).map(\.name) == ["banana"])
            #expect(try await things.count(where: .any(of: ["banana", "elder", "none"], \.name)) == 2)
            #expect(try await things.list(order: .descending(\.amount), limit: 2).map(\.name) == ["Date", "cherry"])
            #expect(
                try await things.list(order: .ascending(\.boxID), .descending(\.id), limit: 2, offset: 1).map(\.name)
                    == ["Apple", "elder"])
            #expect(try await things.all(where: \.boxID == red).count == 2)
            #expect(try await things.sum(\.price) == 11)
            #expect(try await things.sum(\.price, where: \.name == "nobody") == 0)
            let groups = try await things.sum(\.price, by: \.boxID)
            #expect(groups.map(\.sum) == [1.1, 9.9])
            #expect(groups.map(\.count) == [2, 3])
            #expect(groups.map { $0[\.boxID] } == [red, blue])

            var apple = try #require(try await things.first(where: \.name == "Apple"))
            apple.amount = 9
            apple.note = nil
            #expect(try await things.update(apple))
            #expect(try await things.get(apple.id)?.note == nil)
            #expect(
                try await things.update(where: \.boxID == blue, set: .set(\.state, .taken), .set(\.amount, nil)) == 3)
            #expect(try await things.update(RowID(1), .set(\.state, .taken)) == false)
            #expect(try await things.get(RowID()) == nil)
            #expect(try await things.list(where: .id(apple.id)).map(\.name) == ["Apple"])

            await #expect(throws: ToolError.self) { try await things.list(order: .ascending(\.note)) }
            await #expect(throws: ToolError.self) { try await things.insert(Thing(name: "x", price: 0.001)) }
            await #expect(throws: ToolError.self) { try await things.insert(Thing(name: "x", boxID: RowID(1))) }
            await #expect(throws: ToolError.self) { try await things.list(limit: 501) }
            await #expect(throws: ToolError.self) { try await context.execute([["drop": "probe"]]) }
            await #expect(throws: ToolError.self) { try await things.insert(Thing(name: "x", price: .notANumber)) }

            #expect(try await boxes.delete(red))
            #expect(try await things.count() == 3)
            #expect(try await things.delete(where: \.state == .taken) == 3)
            #expect(try await boxes.delete(red) == false)
            return "ok"
        }
    }
}
