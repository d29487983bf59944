import TandemSDK
import TandemTesting
import Testing

@Suite struct ToolCallTests {
    @Test func everyKindOfArgumentArrivesAndComesBack() async throws {
        let ann = try TestHost(Shelf.self).person()
        let arguments: JSON = [
            "text": "h\u{e9}llo", "number": 2.5, "count": -3, "flag": true,
            "price": ["amount": "3.20", "currency": "EUR"],
            "day": "2026-11-21", "when": "2026-11-22", "at": "2026-11-21T10:00:00.000Z",
            "span": ["from": "2026-11-01", "to": "2026-11-30"], "length": 90, "choice": "taken", "words": ["a", "b"],
            "inner": [["name": "flour", "amount": "250"], ["name": "eggs", "on": "2026-12-01"]], "map": ["x": 1],
            "raw": [1, ["two": nil]],
        ]
        #expect(try await ann.value("shelf.everything", arguments) == arguments)
    }

    @Test func theCurrencyOfThePersonIsFilledIn() async throws {
        let ann = try TestHost(Ledger.self).person()
        ann.currency = "CHF"
        #expect(
            try await ann.value("ledger.record", ["price": ["amount": "4"]]) == ["amount": "4.00", "currency": "CHF"])
    }

    @Test func argumentsThatTheSchemaForbidsNeverArrive() async throws {
        let ann = try TestHost(Shelf.self).person()
        #expect(await ann.call("shelf.add").error?.code == "schema")
        #expect(await ann.call("shelf.add", ["items": [["name": ""]]]).error?.code == "schema")
        #expect(await ann.call("shelf.add", ["items": [], "more": 1]).error?.code == "schema")
        #expect(await ann.call("shelf.nothing").error?.code == "no_such_tool")
        #expect(ann.counts("shelf").completions == 0)
    }

    @Test func questionsComeWithOptionsAndGoOnWithTheAnswer() async throws {
        let host = try TestHost(Shelf.self)
        let ask = try #require(await host.person().call("shelf.speak").question)
        #expect(ask.question == "Which size?")
        #expect(ask.message == "Which size? 1 small, 2 large")
        #expect(ask.options.map(\.value) == ["small", "large"])
        let outcome = await host.person().answer(ask, "large", to: "shelf.speak")
        #expect(outcome.message == "large it is, with a key")
        guard case .value(_, _, _, let trust) = outcome else {
            Issue.record("no value")
            return
        }
        #expect(trust == .untrusted)
        #expect(host.logs.map(\.message) == ["answered"])
        #expect(host.logs[0].fields == ["step": 1])
        #expect(await host.person().answer(ask, 7, to: "shelf.speak").error?.code == "invalid_answer")
    }

    @Test func otherOutcomesArrive() async throws {
        let ann = try TestHost(Shelf.self).person()
        guard case .accepted(let accepted) = await ann.call("shelf.later") else {
            Issue.record("not accepted")
            return
        }
        #expect(accepted.job == "job-1")
        guard case .authRequired(let auth) = await ann.call("shelf.connect") else {
            Issue.record("no auth")
            return
        }
        #expect(auth == AuthRequired(grant: "example", "Connect your account first."))
        #expect(try await ann.value("shelf.bare", ["n": 21]) == ["doubled": 42])
    }

    @Test func anUnknownErrorTellsNothing() async throws {
        let host = try TestHost(Shelf.self)
        let outcome = await host.person().call("shelf.crash")
        #expect(outcome.error?.code == "failed")
        #expect(!outcome.message.contains("hunter2"))
        #expect(host.logs.map(\.fields) == [["error.type": "Leak"]])
    }

    @Test func settingsHaveDefaultsAndChange() async throws {
        let ann = try TestHost(Shelf.self).person()
        #expect(await ann.say("shelf.list") == "Nearly empty: ")
        ann.configure("shelf", ShelfSettings(warnBelow: 0))
        #expect(await ann.say("shelf.list") == "")
    }

    // MARK: Other plugins

    @Test func pluginsCallEachOtherThroughTheHost() async throws {
        let ann = try TestHost(Shelf.self, Ledger.self).person()
        let outcome = await ann.call("shelf.sell", ["price": ["amount": "2.50", "currency": "EUR"]])
        #expect(outcome.message == "Sold for 2.50 EUR. Recorded.")
        #expect(ann.rows(of: Sale.self).map(\.amount) == [2.5])
        #expect(ann.calledTools.map(\.tool) == ["ledger.record"])
        ann.undo()
        #expect(ann.rows(of: Sale.self).isEmpty)
    }

    @Test func callsThatWereNotDeclaredOrGrantedFail() async throws {
        let price: JSON = ["amount": "2.50", "currency": "EUR"]
        let ann = try TestHost(Shelf.self, Ledger.self).person()
        #expect(await ann.call("shelf.sell", ["price": price, "tool": "ledger.erase"]).error?.code == "not_granted")
        ann.setEnabled("ledger", false)
        #expect(await ann.say("shelf.sell", ["price": price]) == "The ledger is off.")
        #expect(ann.rows(of: Sale.self).isEmpty)
    }

    @Test func theOtherToolsErrorIsPassedOn() async throws {
        let ann = try TestHost(Shelf.self, Ledger.self).person()
        let outcome = await ann.call("shelf.sell", ["price": ["amount": "0.001", "currency": "EUR"]])
        #expect(outcome.error?.code == "price")
        #expect(outcome.message == "That is no price.")
    }

    @Test func otherToolsCanBeStubbed() async throws {
        let host = try TestHost(Shelf.self)
        host.stub("ledger.record") { arguments in
            .value(["got": arguments], message: "Stubbed.", shown: nil, trust: nil)
        }
        let outcome = await host.person().call("shelf.sell", ["price": ["amount": "1", "currency": "EUR"]])
        #expect(outcome.message == "Sold for 1.00 EUR. Stubbed.")
        #expect(outcome.value?["got"]?["price"]?["amount"] == "1.00")
    }
}
