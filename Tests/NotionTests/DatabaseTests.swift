import NotionSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing

@testable import Notion

/// Databases and their data sources.
struct DatabaseTests {
    private let world: World
    private let source: String
    private let database: String

    init() throws {
        world = try World()
        (source, database) = world.simulator.addDatabase(
            "Tasks",
            [
                ("Status", "status:Open,Doing,Done"), ("Due", "date"), ("Cost", "number"), ("Urgent", "checkbox"),
                ("Tags", "multi_select:home,work"), ("Room", "select:Kitchen,Bath"), ("Notes", "rich_text"),
                ("Link", "url"), ("Mail", "email"), ("Phone", "phone_number"), ("Sum", "formula"), ("Who", "people"),
            ])
        world.simulator.addEntry(
            "Paint", in: source,
            [
                "Status": ["status": ["name": "Open"]], "Due": ["date": ["start": "2026-11-30"]],
                "Cost": ["number": 20], "Urgent": ["checkbox": true], "Tags": ["multi_select": [["name": "home"]]],
                "Room": ["select": ["name": "Bath"]], "Notes": ["rich_text": [["text": ["content": "two coats"]]]],
            ])
        world.simulator.addEntry(
            "Report", in: source,
            ["Status": ["status": ["name": "Done"]], "Due": ["date": ["start": "2026-12-05"]], "Cost": ["number": 5]])
        world.simulator.addEntry("Idea", in: source)
    }

    private func entries(_ arguments: JSONObject) async throws -> [String] {
        var arguments = arguments
        arguments["database"] = "tasks"
        let outcome = await world.call("query", .object(arguments))
        let value = try #require(outcome.value, "\(outcome.message)")
        return (value["entries"]?.arrayValue ?? []).compactMap { $0["title"]?.stringValue }
    }

    @Test func listsDatabasesAndTheirEntries() async throws {
        let list = await world.call("databases")
        #expect(list.message == "In Notion: 1 Tasks.\nSend a number to see what is in it.")
        #expect(list.value?["databases"]?[0]?["properties"]?["Status"] == "status (Open, Doing, Done)")
        #expect(list.shown?.select == "notion.query")
        // By the id of the data source, by that of the database, and by name.
        for reference in [source, database] {
            let shown = await world.call("query", ["database": .id(reference)])
            #expect(
                shown.message == "Tasks: 1 Paint (Open, 2026-11-30, 20), 2 Report (Done, 2026-12-05, 5), 3 Idea.")
        }
        #expect(world.simulator.refusals.allSatisfy { $0.contains("object_not_found") })
    }

    @Test(arguments: [
        ("status is open", ["Paint"]), ("status is not done", ["Paint", "Idea"]), ("Status = Done", ["Report"]),
        ("due before 2026-12-01", ["Paint"]), ("due on or after 2026-12-05", ["Report"]), ("due is empty", ["Idea"]),
        ("cost more than 10", ["Paint"]), ("cost at most 5", ["Report"]), ("cost >= 5 and urgent", ["Paint"]),
        ("not urgent", ["Report", "Idea"]), ("urgent is yes", ["Paint"]), ("tags contains home", ["Paint"]),
        ("room is bath or status is done", ["Paint", "Report"]), ("notes contains coats", ["Paint"]),
        ("name contains ea", ["Idea"]), ("due on or before 2026-11-30 or name is Idea", ["Paint", "Idea"]),
        ("room is not empty", ["Paint"]),
    ])
    func understandsConditions(condition: String, expected: [String]) async throws {
        #expect(try await entries(["condition": .string(condition)]) == expected)
        #expect(world.simulator.refusals == [])
    }

    @Test func takesTheConditionOutOfTheName() async {
        let outcome = await world.call("query", ["database": "tasks where status is done"])
        #expect(outcome.message == "Tasks: 1 Report (Done, 2026-12-05, 5).")
    }

    @Test func refusesConditionsThatMeanNothing() async throws {
        for (condition, message) in [
            (
                "colour is red",
                "I do not see which property that is. There are Name, Status, Due, Cost, Urgent, Tags and 7 more."
            ),
            ("cost is much", "Cost takes a number."), ("due before soon", "Due takes a date like 2026-11-30."),
            ("status is blocked", "Status can be Open, Doing and Done."),
            ("who is Ann", "I cannot look for Who in that way."),
        ] {
            #expect(
                await world.say("query", ["database": "tasks", "condition": .string(condition)]) == message)
        }
        #expect(world.simulator.refusals == [])
    }

    @Test func sortsAndTurnsPages() async throws {
        #expect(try await entries(["sort": "name"]) == ["Idea", "Paint", "Report"])
        #expect(try await entries(["sort": "due descending"]) == ["Report", "Paint", "Idea"])
        for number in 1...150 { world.simulator.addEntry("Entry \(number)", in: source) }
        let outcome = await world.call("query", ["database": "tasks", "limit": 130])
        #expect(outcome.value?["entries"]?.arrayValue?.count == 130)
        #expect(outcome.value?["more"] == true)
        #expect(outcome.message.hasSuffix("There are more."))
        #expect(world.simulator.refusals == [])
    }

    @Test func addsAnEntryWithValuesOfEveryKind() async throws {
        let made = await world.call(
            "add_entry",
            [
                "database": "tasks", "title": "Tiles",
                "properties": [
                    "status": "doing", "due": "tomorrow", "cost": "12.50", "urgent": "yes", "tags": "work, home",
                    "room": "kitchen", "notes": "grey", "link": "https://example.org", "mail": "a@example.org",
                    "phone": "none",
                ], "text": "Measure first",
            ])
        #expect(made.message.hasPrefix("Added Tiles to Tasks in Notion.\n"), "\(made.message)")
        #expect(world.simulator.refusals == [])
        let page = try #require(made.value?["page"]?.stringValue)
        #expect(world.simulator.property("Status", of: page)?["name"] == "Doing")
        #expect(world.simulator.property("Due", of: page)?["start"] == "2026-11-22")
        #expect(world.simulator.property("Cost", of: page) == 12.5)
        #expect(world.simulator.property("Tags", of: page)?.arrayValue?.count == 2)
        #expect(world.simulator.lines(of: page) == ["paragraph: Measure first"])
        #expect(try await world.undo(made) == "Tiles is in Notion's trash.")
    }

    @Test(arguments: [
        ("status", "done", "Status of Paint is now Done.\n"),
        ("due", "2026-12-24", "Due of Paint is now 2026-12-24.\n"),
        ("due", "nothing", "Due of Paint is now empty.\n"), ("cost", "3", "Cost of Paint is now 3.\n"),
        ("urgent", "no", "Urgent of Paint is now no.\n"),
        ("notes", "three coats", "Notes of Paint is now three coats.\n"),
        ("room", "KITCHEN", "Room of Paint is now Kitchen.\n"),
        ("name", "Paint it", "Name of Paint it is now Paint it.\n"),
    ])
    func setsAPropertyAndTakesItBack(property: String, value: String, message: String) async throws {
        let page = try #require(world.simulator.pages.first)
        let names = [
            "status": "Status", "due": "Due", "cost": "Cost", "urgent": "Urgent", "notes": "Notes", "room": "Room",
        ]
        let before = world.simulator.property(names[property] ?? "Name", of: page)
        let outcome = await world.call(
            "set", ["page": .id(page), "property": .string(property), "value": .string(value)])
        #expect(outcome.message.hasPrefix(message), "\(outcome.message)")
        _ = try await world.undo(outcome)
        let after = world.simulator.property(names[property] ?? "Name", of: page)
        #expect(after?["name"] == before?["name"] || after == before)
        #expect(world.simulator.refusals == [])
    }

    @Test func setsNothingThatNotionWorksOutOrThatDoesNotFit() async throws {
        let page = JSON.id(try #require(world.simulator.pages.first))
        for (property, value, message) in [
            ("sum", "3", "Notion works out Sum by itself."),
            ("who", "Ann", "I cannot set Who from here. Please do it in Notion."),
            ("status", "blocked", "Status can be Open, Doing and Done."), ("cost", "a lot", "Cost takes a number."),
            ("mail", "nobody", "Mail takes a mail address."), ("urgent", "perhaps", "Urgent takes yes or no."),
        ] {
            #expect(
                await world.say("set", ["page": page, "property": .string(property), "value": .string(value)])
                    == message)
        }
        #expect(world.simulator.requests.allSatisfy { $0.method != "PATCH" })
        #expect(world.simulator.refusals == [])
    }
}
