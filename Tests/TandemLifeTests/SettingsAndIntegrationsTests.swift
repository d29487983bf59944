import Synchronization
import TandemCore
import TandemJSON
import TestDatabases
import Testing

@testable import TandemLife

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SettingsToolsTests {
    @Test func showsAndSets() async throws {
        let world = try await World()
        #expect(
            try await world.value("settings.show").message
                == "Time zone: UTC (now 10:00). Quiet: 21:00-08:00. Currency: EUR.\nLanguage: English.")
        #expect(try await world.value("settings.name", ["name": "Ann."]).message == "Nice to meet you, Ann.")
        #expect(
            try await world.value("settings.time_zone", ["place": "Paris"]).message
                == "Time zone: Europe/Paris. It is 11:00 for you.")
        #expect(
            try await world.value("settings.quiet_hours", ["from": "22:00", "to": "7"]).message
                == "Quiet from 22:00 to 07:00. I won't text you first then.")
        #expect(try await world.value("settings.currency", ["currency": "pounds"]).message == "Currency: GBP.")
        #expect(
            try await world.value("settings.show").message.hasPrefix(
                "Name: Ann. Time zone: Europe/Paris (now 11:00). Quiet: 22:00-07:00. Currency: GBP."))
        let turn = world.ids.next()
        #expect(
            try await world.value("settings.quiet_hours", ["off": true], turn: turn).message == "Quiet hours are off.")
        try await world.undo(turn)
        #expect(try await world.value("settings.show").value["quiet_hours"] == "22:00-07:00")
    }

    @Test func asksForWhatIsUnclear() async throws {
        let world = try await World()
        let zone = try await world.question("settings.time_zone", ["place": "Portland"])
        #expect(zone.message == "Which one? 1 Oregon, 2 Maine.")
        #expect(
            await world.answer(zone, "2", to: "settings.time_zone", ["place": "Portland"]).message.hasPrefix(
                "Time zone: America/New_York"))
        #expect(
            await world.answer(zone, "#../etc/passwd", to: "settings.time_zone", ["place": "x"]).message.contains(
                "don't know that time zone"))
        let currency = try await world.question("settings.currency", ["currency": "dollars"])
        #expect(
            await world.answer(currency, "1", to: "settings.currency", ["currency": "dollars"]).message
                == "Currency: USD.")
        let quiet = try await world.question("settings.quiet_hours")
        #expect(
            await world.answer(quiet, "10pm", to: "settings.quiet_hours").message.hasPrefix("Quiet from 22:00 to 08:00")
        )
    }

    @Test func refusesWhatItDoesNotKnow() async throws {
        let world = try await World()
        #expect(try await world.failure("settings.time_zone", ["place": "Atlantis"]).code == "not_found")
        #expect(try await world.failure("settings.currency", ["currency": "shells"]).code == "not_found")
        #expect(try await world.failure("settings.quiet_hours", ["from": "soon"]).code == "invalid_time")
        #expect(try await world.failure("settings.quiet_hours", ["from": "9 pm", "to": "21:00"]).code == "invalid")
        #expect(try await world.failure("settings.name", ["name": "..."]).code == "empty")
    }

    @Test(arguments: [
        ("Paris", "Europe/Paris"), ("I'm in Paris", "Europe/Paris"), ("paris, france", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"), ("New York City", "America/New_York"), ("new york", "America/New_York"),
        ("San Francisco", "America/Los_Angeles"), ("PST", "America/Los_Angeles"), ("eastern time", "America/New_York"),
        ("Tokyo", "Asia/Tokyo"), ("india", "Asia/Kolkata"), ("Zürich", "Europe/Zurich"),
        ("Montréal", "America/Toronto"),
        ("UTC", "Etc/UTC"), ("UTC+2", "Etc/GMT-2"), ("gmt -5", "Etc/GMT+5"), ("Germany", "Europe/Berlin"),
        ("Portland, Oregon", "America/Los_Angeles"), ("London", "Europe/London"), ("the UK", "Europe/London"),
        ("Sidney", "Australia/Sydney"), ("Berlln", "Europe/Berlin"), ("Ho Chi Minh", "Asia/Ho_Chi_Minh"),
        ("Kiev", "Europe/Kyiv"), ("moved to Lisbon", "Europe/Lisbon"),
        ("Buenos Aires", "America/Argentina/Buenos_Aires"),
    ])
    func findsZones(place: String, zone: String) {
        #expect(ZonePlaces.find(place) == .zone(zone))
    }

    @Test(arguments: ["USA", "CST", "IST", "Georgia", "Australia", "Texas", "GMT", "canada"])
    func asksAboutZones(place: String) {
        guard case .ambiguous(let options) = ZonePlaces.find(place) else {
            Issue.record("\(ZonePlaces.find(place))")
            return
        }
        #expect((2...9).contains(options.count))
        for option in options { #expect(ZoneOffsets.isKnown(option.zone), "\(option.zone)") }
    }

    @Test(arguments: [
        "", "   ", "nowhere at all", "the moon", "+", "UTC+99", "UTC+5:30", "in", String(repeating: "a", count: 9000),
    ])
    func doesNotGuessZones(place: String) {
        #expect(ZonePlaces.find(place) == .unknown)
    }

    @Test func everyNamedZoneExists() {
        for line in CityNames.byZone.split(separator: "\n") {
            let zone = String(line.prefix(while: { $0 != "|" }))
            #expect(ZoneOffsets.isKnown(zone), "\(zone)")
        }
    }

    @Test(arguments: [
        ("22:00", 1320, false), ("10pm", 1320, false), ("10 p.m.", 1320, false), ("7", 420, true), ("7am", 420, false),
        ("noon", 720, false), ("midnight", 0, false), ("7 in the morning", 420, false), ("half past nine", 570, true),
        ("quarter to 8 pm", 1185, false), ("22h30", 1350, false), ("2230", 1350, false), ("07:30", 450, false),
        ("24:00", 0, false), ("12 am", 0, false), ("12pm", 720, false), ("ten", 600, true),
    ])
    func readsClockTimes(text: String, minute: Int, isOpen: Bool) {
        #expect(ClockTime.read(text) == ClockTime.Reading(time: ClockTime(minuteOfDay: minute), isHalfDayOpen: isOpen))
    }

    @Test(arguments: ["", "25:00", "7:61", "soon", "13 am", "99", "-1", "7:5", "1 2", "pm", "past"])
    func refusesOtherTimes(text: String) {
        #expect(ClockTime.read(text) == nil)
    }

    @Test(arguments: [
        ("10", "7", "22:00-07:00"), ("9 pm", "7 am", "21:00-07:00"), ("9", "17:00", "09:00-17:00"),
        ("1", "7", "01:00-07:00"), ("midnight", "8", "00:00-08:00"),
    ])
    func readsQuietHoursAsANight(from: String, to: String, expected: String) async throws {
        let world = try await World()
        let value = try await world.value("settings.quiet_hours", ["from": .string(from), "to": .string(to)])
        #expect(value.value["value"] == .string(expected))
    }

    @Test(arguments: [
        ("EUR", "EUR"), ("eur", "EUR"), ("euros", "EUR"), ("€", "EUR"), ("£", "GBP"), ("US dollars", "USD"),
        ("swiss francs", "CHF"), ("in yen", "JPY"), ("my currency is rupees", "INR"),
    ])
    func findsCurrencies(text: String, code: String) {
        #expect(CurrencyNames.find(text) == .code(code))
    }
}

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct IntegrationToolsTests {
    @Test func switchesOnAndOffByText() async throws {
        let world = try await World()
        #expect(
            try await world.value("integrations.list", ["filter": "off"]).message
                == "You can switch on: 1 Grocery list, 2 Expenses, 3 Recipes, 4 Post (dev), 5 Notes box. A number is enough."
        )
        #expect(try await world.value("integrations.list", ["filter": "off"]).shown?.select == "integrations.on")
        #expect(
            try await world.value("integrations.on", ["integration": "expenses"]).message
                == "Expenses is on. It keeps your expenses; may read your grocery list.")
        #expect(
            try await world.value("integrations.on", ["integration": "#expenses"]).message == "Expenses is on already.")
        #expect(try await world.value("integrations.list", ["filter": "on"]).message == "On: 1 Expenses.")
        let off = try await world.value("integrations.off", ["integration": "spendings"])
        #expect(off.message == "Expenses is off. What it saved stays; switch it on again any time.")
        #expect(off.value == ["integration": "#expenses", "enabled": false])
        // What undo of an earlier version calls.
        #expect(
            try await world.value("integrations.restore", ["integration": "#expenses", "enabled": true]).message
                == "Expenses is on.")
        #expect(
            try await world.value("integrations.list").message
                == "Integrations: 1 Grocery list (off), 2 Expenses (on), 3 Recipes (off), 4 Tides (not available), 5 Post (dev) (off), 6 Notes box (off)."
        )
    }

    @Test func showsWhatAStrangersIntegrationMayDoBeforeItIsOn() async throws {
        let world = try await World()
        let ask = try await world.question("integrations.on", ["integration": "post"])
        let first = ask.message.split(separator: "\n").first.map(String.init) ?? ""
        #expect(
            first.hasPrefix("Post (dev) (NOT reviewed by anybody): may send messages, asking first; reaches mail."))
        #expect(first.hasSuffix(". Turn on? 1 on, 2 read only, 3 leave it"))
        #expect(SMSText.segments(of: first) == 1)
        #expect(ask.options.map(\.label) == ["turn it on", "read only", "leave it"])
        let call: JSON = ["integration": "post"]
        #expect(
            await world.answer(ask, "leave", to: "integrations.on", call).message == "Alright, Post (dev) stays off.")
        #expect(world.integrations.integrations(for: world.ann)[4].state == .off)
        #expect(
            await world.answer(ask, "read_only", to: "integrations.on", call).message
                == "Post (dev) is on, read only.")
        #expect(world.integrations.integrations(for: world.ann)[4].level == .readOnly)
        try await world.value("integrations.off", call)
        #expect(
            await world.answer(ask, "yes", to: "integrations.on", call).message
                == "Post (dev) is on and asks before it changes anything.")
        #expect(world.integrations.integrations(for: world.bob)[4].state == .off)
    }

    @Test func showsWhatAnIntegrationOfTheHostMayDoTheFirstTime() async throws {
        let world = try await World()
        let ask = try await world.question("integrations.on", ["integration": "notes box"])
        #expect(
            ask.message == """
                Notes box: keeps your boxes. Turn on? 1 on, 2 ask first, 3 read only, 4 leave it
                Its tools: 1 looks things up, 2 change things, 1 deletes things (asks first).
                """)
        let call: JSON = ["integration": "notes box"]
        for (answer, text, level): (String, String, IntegrationLevel) in [
            ("agree", "Notes box is on.", .write), ("read only", "Notes box is on, read only.", .readOnly),
            ("ask me first", "Notes box is on and asks before it changes anything.", .confirm),
        ] {
            #expect(await world.answer(ask, .string(answer), to: "integrations.on", call).message == text)
            #expect(world.integrations.integrations(for: world.ann).first { $0.namespace == "box" }?.level == level)
            try await world.value("integrations.off", call)
        }
        #expect(
            await world.answer(ask, "4", to: "integrations.on", call).message == "Alright, Notes box stays off.")
    }

    @Test func saysHowFarAnIntegrationMayGo() async throws {
        let world = try await World()
        let call: JSONObject = ["integration": "expenses"]
        func level(_ level: String) -> JSON { ["integration": "expenses", "level": .string(level)] }
        #expect(try await world.failure("integrations.level", level("read_only")).code == "off")
        try await world.value("integrations.on", .object(call))
        #expect(
            try await world.value("integrations.level", level("read_only")).message
                == "Expenses is read only now: it looks things up and changes nothing.")
        #expect(try await world.value("integrations.list", ["filter": "all"]).message.contains("Expenses (read only)"))
        #expect(
            try await world.value("integrations.level", level("confirm")).message
                == "Expenses asks you before each change now.")
        #expect(
            try await world.value("integrations.level", level("write")).message
                == "Expenses writes without asking now. Before it deletes, sends or spends, it asks all the same.")
        #expect(world.integrations.integrations(for: world.ann)[1].level == .write)
    }

    @Test(arguments: ["delete", "Delete an expense", "remove", "#expenses.remove", "the delete tool"])
    func switchesOneToolOff(words: String) async throws {
        let world = try await World()
        try await world.value("integrations.on", ["integration": "expenses"])
        let call: JSON = ["integration": "expenses", "tool": .string(words), "state": "off"]
        #expect(
            try await world.value("integrations.tool", call).message == "\"Delete an expense\" of Expenses is off.")
        let described = try await world.value("integrations.describe", ["integration": "expenses"])
        #expect(described.message.hasPrefix("Expenses (on): Keeps your expenses; may read your grocery list"))
        #expect(described.message.contains("- Delete an expense (off)"))
        #expect(described.value["tools"]?[1]?["state"] == "off")
        #expect(
            try await world.failure(
                "integrations.tool", ["integration": "expenses", "tool": "fly", "state": "off"]
            ).code == "not_found")
    }

    @Test func asksForWhatIsNew() async throws {
        let world = try await World()
        let call: JSON = ["integration": "grocery"]
        try await world.value("integrations.on", call)
        #expect(
            try await world.value("integrations.review", call).message == "Grocery list asks for nothing new.")
        world.integrations.requests.withLock { $0["grocery"] = "wants to send messages now" }
        let ask = try await world.question("integrations.review", call)
        #expect(ask.message == "Grocery list wants to send messages now. Turn it on? 1 turn it on, 2 leave it")
        #expect(
            await world.answer(ask, "2", to: "integrations.review", call).message
                == "Alright, that stays off. The rest goes on as before.")
        #expect(
            await world.answer(ask, "agree", to: "integrations.review", call).message
                == "Done: Grocery list may do that now.")
        #expect(try await world.value("integrations.on", call).message == "Grocery list is on already.")
    }

    @Test func letsOnlyTheOwnersWordsDecide() {
        let deciding = IntegrationTools.definitions.filter { $0.effect != .read }
        #expect(deciding.count == 6)
        #expect(deciding.allSatisfy { $0.isOwnersAlone })
    }

    @Test(arguments: ["grocery", "groceries", "the grocery list", "shopping", "Grocery List", "shopping list"])
    func knowsAliases(words: String) async throws {
        let world = try await World()
        let value = try await world.value("integrations.on", ["integration": .string(words)])
        #expect(value.value["integration"] == "#grocery")
    }

    @Test func refusesWhatIsNotThere() async throws {
        let world = try await World()
        #expect(try await world.failure("integrations.on", ["integration": "the lights"]).code == "not_found")
        #expect(try await world.failure("integrations.on", ["integration": "#nope"]).code == "not_found")
        #expect(try await world.failure("integrations.on", ["integration": "tides"]).code == "unavailable")
        #expect(try await world.value("integrations.off", ["integration": "tides"]).message == "Tides is off already.")
    }
}
