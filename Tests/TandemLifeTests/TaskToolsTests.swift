import TandemAccounts
import TandemCore
import TandemJSON
import TestDatabases
import Testing

@testable import TandemLife

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct TaskToolsTests {
    @Test func savesATaskWithItsDay() async throws {
        let world = try await World()
        let saved = try await world.value("tasks.add", ["title": "renew my passport", "due": "2027-03-31"])
        #expect(saved.message == "Saved: renew my passport, by Wed 31 Mar 2027.")
        #expect(saved.shown?.isNumbered == false)
        #expect(saved.value["task"]?["due"] == "2027-03-31")
        let later = try await world.value("tasks.add", ["title": "call mum.", "due": "2026-11-21T17:00:00.000Z"])
        #expect(later.message == "Saved: call mum, today 17:00.")
        let plain = try await world.value("tasks.add", ["title": " buy\n stamps "])
        #expect(plain.message == "Saved: buy stamps.")
        let near = try await world.value("tasks.add", ["title": "pay rent", "due": "2026-12-01", "reminder": true])
        #expect(near.message.hasPrefix("Saved: pay rent, by Tue 1 Dec. I have no number to text you on"))
    }

    @Test func saysTimesInThePersonsZone() async throws {
        let world = try await World()
        try await world.accounts.set(.timeZone, to: "Europe/Paris", of: world.ann)
        let saved = try await world.value("tasks.add", ["title": "call", "due": "2026-11-21T23:30:00.000Z"])
        #expect(saved.message == "Saved: call, tomorrow 00:30.")
    }

    @Test func doesNotSaveTheSameTaskTwice() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "call mum"])
        let again = try await world.value("tasks.add", ["title": "Call Mum", "due": "2026-11-27"])
        #expect(again.message == "Already on your list: call mum, by Fri 27 Nov.")
        #expect(try await world.value("tasks.list").value["tasks"]?.arrayValue?.count == 1)
    }

    @Test(arguments: ["", "   ", ".", "\n\t", "\"\"", "..."])
    func refusesAnEmptyTaskKindly(title: String) async throws {
        let world = try await World()
        let failure = try await world.failure("tasks.add", ["title": .string(title)])
        #expect(failure.code == "empty")
        #expect(failure.message.hasPrefix("There is nothing in it yet."))
    }

    @Test func refusesWhatIsTooLong() async throws {
        let world = try await World()
        let failure = try await world.failure("tasks.add", ["title": .string(String(repeating: "x", count: 201))])
        #expect(failure.code == "too_long")
        #expect(try await world.failure("tasks.add", ["title": "x", "due": "soon"]).code == "invalid_date")
        #expect(try await world.failure("tasks.add", ["title": "x", "extra": 1]).code == "invalid_arguments")
        #expect(try await world.failure("tasks.add", [:]).code == "missing")
        #expect(try await world.failure("tasks.nope", [:]).code == "unknown_tool")
        #expect(try await world.value("tasks.list").message == "Your task list is empty. Tell me what is on your mind.")
    }

    @Test func savesABrainDump() async throws {
        let world = try await World()
        let saved = try await world.value("tasks.add_many", ["titles": ["call mum", "buy stamps", " ", "Call mum"]])
        #expect(saved.message == "Saved 2: 1 call mum, 2 buy stamps.")
        #expect(saved.shown?.select == "tasks.done")
        #expect(try await world.failure("tasks.add_many", ["titles": [" ", "."]]).code == "empty")
    }

    @Test func listsByDayAndNeverCountsWhatWasMissed() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "send letter", "due": "2026-11-01"])
        try await world.value("tasks.add", ["title": "tidy desk"])
        try await world.value("tasks.add", ["title": "call bank", "due": "2026-11-21", "priority": "high"])
        let open = try await world.value("tasks.list")
        #expect(open.message == "3 tasks: 1 send letter (still wanted?), 2 call bank (by today), 3 tidy desk.")
        #expect(open.shown?.items.map(\.label) == ["send letter", "call bank", "tidy desk"])
        #expect(!open.message.lowercased().contains("overdue"))
        let today = try await world.value("tasks.list", ["filter": "today"])
        #expect(today.value["tasks"]?.arrayValue?.count == 2)
        #expect(
            try await world.value("tasks.list", ["filter": "high"]).message
                == "1 high priority: 1 call bank (by today).")
        #expect(try await world.value("tasks.list", ["filter": "done"]).message.contains("One small thing is enough"))
    }

    @Test func marksDoneAndReopens() async throws {
        let world = try await World()
        let saved = try await world.value("tasks.add", ["title": "call mum"])
        #expect(try await world.value("tasks.done", ["task": "mum"]).message == "Done: call mum. Well done.")
        let id = JSON.string(try world.id(saved))
        #expect(try await world.value("tasks.done", ["task": id]).message == "call mum is done already. Nice.")
        #expect(try await world.failure("tasks.done", ["task": "mum"]).code == "not_found")
        #expect(try await world.value("tasks.list", ["filter": "done"]).message == "Done lately: 1 call mum.")
        #expect(try await world.value("tasks.reopen", ["task": "call mum"]).message == "Open again: call mum.")
        #expect(try await world.value("tasks.done", [:]).message == "Done: call mum. Well done.")
    }

    @Test func asksWhichOneAndTakesADigitOrWords() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "call the dentist"])
        try await world.value("tasks.add", ["title": "call the bank"])
        let question = try await world.question("tasks.done", ["task": "call"])
        #expect(question.message == "Which one? 1 call the dentist, 2 call the bank.")
        #expect(question.options.map(\.label) == ["call the dentist", "call the bank"])
        let byDigit = await world.answer(question, "2", to: "tasks.done", ["task": "call"])
        #expect(byDigit.message == "Done: call the bank. Well done.")
        let byValue = await world.answer(question, question.options[0].value, to: "tasks.done", ["task": "call"])
        #expect(byValue.message == "Done: call the dentist. Well done.")
    }

    @Test func findsInSpiteOfTyposAndFiller() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "renew my passport"])
        try await world.value("tasks.add", ["title": "buy stamps"])
        for words in [
            "the pasport thing", "renewing passport", "passport task", "Passport", "renew the passport please",
        ] {
            let shown = try await world.value("tasks.show", ["task": .string(words)])
            #expect(shown.message.hasPrefix("renew my passport"), "\(words)")
        }
        #expect(try await world.failure("tasks.show", ["task": "zebra"]).message == "I found no task like \"zebra\".")
    }

    @Test func changesOneTask() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "call mum"])
        #expect(
            try await world.value("tasks.due", ["task": "mum", "due": "2026-11-27"]).message
                == "call mum: by Fri 27 Nov.")
        #expect(
            try await world.value("tasks.due", ["task": "mum", "clear": true]).message
                == "No day set any more: call mum.")
        #expect(
            try await world.value("tasks.priority", ["task": "mum", "priority": "high"]).message
                == "call mum is high priority now.")
        #expect(
            try await world.value("tasks.priority", ["task": "mum", "priority": "low"]).message
                == "call mum can wait (low priority).")
        #expect(
            try await world.value("tasks.rename", ["task": "mum", "title": "call dad"]).message
                == "Now called: call dad.")
        #expect(try await world.value("tasks.snooze", ["task": "dad"]).message == "Parked until tomorrow: call dad.")
        #expect(try await world.value("tasks.next").message == "Nothing for now: the rest is parked.")
        world.clock.advance(by: .seconds(86_400))
        #expect(try await world.value("tasks.next").message == "Next: call dad. Too big? Say smaller.")
        #expect(try await world.value("tasks.delete", ["task": "dad"]).message == "Removed: call dad.")
        #expect(try await world.value("tasks.next").message == "Nothing is waiting. Enjoy the free moment.")
    }

    @Test func asksForTheDayThatIsMissing() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "call mum"])
        let question = try await world.question("tasks.due", ["task": "mum"])
        #expect(question.field == "due")
        let outcome = await world.answer(question, "2026-11-22", to: "tasks.due", ["task": "mum"])
        #expect(outcome.message == "call mum: by tomorrow.")
        #expect(
            await world.answer(question, "whenever", to: "tasks.due", ["task": "mum"]).message.contains(
                "did not get that date"))
    }

    @Test func breaksDownInThePersonsWords() async throws {
        let world = try await World()
        let saved = try await world.value("tasks.add", ["title": "renew my passport", "due": "2027-03-31"])
        let id = JSON.string(try world.id(saved))
        let question = try await world.question("tasks.breakdown", ["task": id])
        #expect(question.field == "steps")
        #expect(question.message.contains("\"renew my passport\""))
        let outcome = await world.answer(
            question, "find the old one, then take a photo and fill in the form", to: "tasks.breakdown", ["task": id])
        #expect(outcome.message == "3 steps: 1 find the old one, 2 take a photo, 3 fill in the form. Start with 1.")
        let next = try await world.value("tasks.next")
        #expect(next.message == "Next: find the old one (for renew my passport). Too big? Say smaller.")
        let done = try await world.value("tasks.done", ["task": .string(try world.id(next))])
        #expect(done.message == "Done: find the old one. Next: take a photo.")
        #expect(done.shown?.items.first?.label == "take a photo")
        #expect(
            try await world.value("tasks.show", ["task": "renew my passport"]).message
                .hasPrefix("renew my passport: by Wed 31 Mar 2027, 1 of 3 steps done"))
        #expect(try await world.value("tasks.list").message == "1 task: 1 renew my passport (2 steps left).")
        try await world.value("tasks.done", ["task": "photo"])
        let last = try await world.value("tasks.done", ["task": "form"])
        #expect(last.message == "Done: fill in the form. Was that all of \"renew my passport\"? Then say done.")
        #expect(last.shown?.items.first?.label == "renew my passport")
        #expect(try await world.value("tasks.done", ["task": id]).message == "Done: renew my passport. Well done.")
    }

    @Test func cutsTheStepSmallerAndComesBackToIt() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "tax return"])
        try await world.value("tasks.breakdown", ["task": "tax", "steps": ["find the papers", "fill in page 1"]])
        let question = try await world.question("tasks.smaller")
        #expect(question.message == "Smaller, then. What is the very first movement of \"find the papers\"?")
        let outcome = await world.answer(question, "open the drawer", to: "tasks.smaller")
        #expect(outcome.message == "Good. Start with: open the drawer. Say done after.")
        #expect(
            try await world.value("tasks.done", ["task": "drawer"]).message
                == "Done: open the drawer. Was that all of \"find the papers\"? Then say done.")
        #expect(
            try await world.value("tasks.done", ["task": "papers"]).message
                == "Done: find the papers. Next: fill in page 1.")
    }

    @Test func inventsNothingWhenThePersonDoesNotKnow() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "tax return"])
        var question = try await world.question("tasks.breakdown", ["task": "tax"])
        for _ in 0..<1 {
            let outcome = await world.answer(question, "I don't know", to: "tasks.breakdown", ["task": "tax"])
            guard case .inputRequired(let again) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(again.message.hasPrefix("No problem."))
            question = again
        }
        let outcome = await world.answer(question, "no idea", to: "tasks.breakdown", ["task": "tax"])
        #expect(outcome.message.hasPrefix("That's fine."))
        #expect(try await world.value("tasks.list").message == "1 task: 1 tax return.")
    }

    @Test func asksWhatToBreakDown() async throws {
        let world = try await World()
        #expect(try await world.failure("tasks.breakdown").code == "not_found")
        try await world.value("tasks.add", ["title": "one"])
        #expect(try await world.question("tasks.breakdown").field == "steps")
        try await world.value("tasks.add", ["title": "two"])
        world.clock.advance(by: .seconds(7 * 3600))
        let question = try await world.question("tasks.breakdown")
        #expect(question.message == "Which one? 1 one, 2 two.")
        let outcome = await world.answer(question, "2", to: "tasks.breakdown")
        #expect(outcome.message.contains("\"two\""))
    }

    @Test func boundsSteps() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "big"])
        for level in 0..<5 {
            try await world.value("tasks.smaller", ["task": "big", "steps": [.string("part\(level) thing")]])
        }
        #expect(try await world.failure("tasks.smaller", ["task": "big", "steps": ["x"]]).code == "too_deep")
        for batch in 0..<2 {
            try await world.value(
                "tasks.breakdown", ["task": "big", "steps": .array((0..<20).map { .string("s\(batch)x\($0)") })])
        }
        let failure = try await world.failure(
            "tasks.breakdown", ["task": "big", "steps": .array((0..<20).map { .string("t\($0)") })])
        #expect(failure.code == "too_many")
    }

    @Test func doneOnATaskFinishesItsStepsAndOneUndoTakesAllBack() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "tax return"])
        try await world.value("tasks.breakdown", ["task": "tax", "steps": ["a1", "b2"]])
        let turn = world.ids.next()
        try await world.value("tasks.done", ["task": "tax return"], turn: turn)
        #expect(try await world.value("tasks.next").message.hasPrefix("Nothing is waiting"))
        try await world.undo(turn)
        #expect(try await world.value("tasks.list").message == "1 task: 1 tax return (2 steps left).")
        let removal = world.ids.next()
        #expect(
            try await world.value("tasks.delete", ["task": "tax return"], turn: removal).message
                == "Removed: tax return and its 2 steps.")
        try await world.undo(removal)
        #expect(try await world.value("tasks.list").message == "1 task: 1 tax return (2 steps left).")
    }

    @Test func clearsOnlyWhatIsFinished() async throws {
        let world = try await World()
        try await world.value("tasks.add_many", ["titles": ["one", "two"]])
        try await world.value("tasks.done", ["task": "one"])
        #expect(try await world.value("tasks.clear", ["which": "done"]).message == "Removed 1 finished task.")
        #expect(try await world.value("tasks.list").message == "1 task: 1 two.")
        #expect(try await world.value("tasks.clear", ["which": "all"]).message == "Removed 1 task.")
        #expect(try await world.value("tasks.clear", ["which": "all"]).message == "There was nothing to remove.")
    }

    @Test func picksWhatMattersNow() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "old thing"])
        try await world.value("tasks.add", ["title": "minor thing", "priority": "low"])
        #expect(try await world.value("tasks.next").value["task"]?["title"] == "old thing")
        try await world.value("tasks.add", ["title": "next week", "due": "2026-11-27"])
        #expect(try await world.value("tasks.next").value["task"]?["title"] == "next week")
        try await world.value("tasks.add", ["title": "important", "priority": "high"])
        #expect(try await world.value("tasks.next").value["task"]?["title"] == "important")
        try await world.value("tasks.add", ["title": "long past", "due": "2026-10-01"])
        try await world.value("tasks.add", ["title": "today", "due": "2026-11-21"])
        #expect(try await world.value("tasks.next").value["task"]?["title"] == "today")
        try await world.value("tasks.add", ["title": "soon", "due": "2026-11-21T11:00:00.000Z"])
        #expect(try await world.value("tasks.next").value["task"]?["title"] == "soon")
    }

    @Test func aBareWordMeansTheTaskLastSpokenOf() async throws {
        let world = try await World()
        try await world.value("tasks.add", ["title": "water plants"])
        try await world.value("tasks.add", ["title": "tax return"])
        let question = try await world.question("tasks.breakdown")
        #expect(question.message.contains("\"tax return\""))
        _ = await world.answer(question, "find the papers, call Tom", to: "tasks.breakdown")
        #expect(try await world.value("tasks.done").message == "Done: find the papers. Next: call Tom.")
        #expect(try await world.question("tasks.smaller").message.contains("\"call Tom\""))
        #expect(try await world.value("tasks.snooze").message == "Parked until tomorrow: call Tom.")
        world.clock.advance(by: .seconds(7 * 3600))
        #expect(try await world.question("tasks.done").message.hasPrefix("Which one?"))
    }

    @Test func keepsWhatIsDueThoughItWasNotThere() async throws {
        let world = try await World()
        let due: JSON = ["task": "rent", "due": "2026-11-27", "create": true]
        #expect(try await world.value("tasks.due", due).message == "Saved: rent, by Fri 27 Nov.")
        #expect(try await world.value("tasks.due", due).message == "rent: by Fri 27 Nov.")
        #expect(try await world.failure("tasks.due", ["task": "bread", "due": "2026-11-27"]).code == "not_found")
    }
}
