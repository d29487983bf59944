import Foundation
import TandemAgent
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemSMS

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SMSOutboxTests {
    @Test func sendsWhatIsEnqueued() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("It\u{2019}s done \u{2013} ok")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            let message = try #require(fixture.simulator.messages.first)
            #expect(message.body == "It's done - ok")
            #expect(message.to == SMSFixture.ann)
            #expect(message.from == "+15555550100")
            #expect(message.statusCallback == "https://tandem.example/webhook/sms/status")
            #expect(fixture.simulator.refusals.isEmpty)
            let usage = try await fixture.database.read(fixture.annScope) { try $0.list("sms_usage_logs") }
            #expect(usage.map { $0.string("direction") } == ["in", "out"])
            #expect(usage.map { $0.string("status") } == ["received", "queued"])
            #expect(usage.map { $0.integer("segments") } == [1, 1])
        }
    }

    @Test func sealsNumberAndText() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("a private matter")
            let row = try await fixture.database.read(.system) { try $0.first("SELECT * FROM sms_outbox") }
            let values = try #require(row)
            for column in values.columns {
                switch values[column] {
                case .text(let text)?: #expect(!text.contains("private") && !text.contains("555555012"))
                case .blob(let bytes)?:
                    #expect(String(decoding: bytes, as: UTF8.self).firstRange(of: "private") == nil)
                    #expect(String(decoding: bytes, as: UTF8.self).firstRange(of: "5555550123") == nil)
                default: break
                }
            }
        }
    }

    @Test func enqueuesTheSameAnswerOnce() async throws {
        try await SMSFixture.run { fixture async throws in
            let turn = fixture.database.store.ids.next()
            for _ in 0..<3 { try await fixture.enqueue("once", turn: turn) }
            try await fixture.enqueue("second part", turn: turn, ordinal: 1)
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent, .sent] }
            }
            #expect(fixture.simulator.messages.map(\.body) == ["once", "second part"])
        }
    }

    @Test func endsADaysTextsWithANotice() async throws {
        try await SMSFixture.run(daySegments: 4) { fixture async throws in
            for text in ["one", "two", String(repeating: "long ", count: 60), "four", "five"] {
                try await fixture.enqueue(text)
            }
            // Other people have their own.
            try await fixture.enqueue("for bob", to: fixture.bobScope, number: SMSFixture.bob)
            try await fixture.sending {
                try await fixture.until { rows in
                    try await rows.rows().map(\.state).filter { $0 == .sent }.count == 4
                }
            }
            let ann = fixture.simulator.messages.filter { $0.to == SMSFixture.ann }.map(\.body)
            #expect(ann == ["one", "two", SMSOutbox.lastOfDay])
            #expect(fixture.simulator.messages.contains { $0.body == "for bob" })
            #expect(SMSText.segments(of: SMSOutbox.lastOfDay) == 1)
            #expect(try await fixture.rows().filter { $0.state == .suppressed }.count == 2)
        }
    }

    @Test func keepsEachPersonsOrder() async throws {
        try await SMSFixture.run { fixture async throws in
            fixture.simulator.script([
                .refuse(status: 429, code: 20429), .refuse(status: 429, code: 20429, retryAfter: 0),
            ])
            for index in 0..<5 {
                try await fixture.enqueue("ann \(index)")
                try await fixture.enqueue("bob \(index)", to: fixture.bobScope, number: SMSFixture.bob)
            }
            try await fixture.sending([fixture.outbox, fixture.otherOutbox()]) {
                await fixture.simulator.untilAccepted(10)
            }
            for (number, name) in [(SMSFixture.ann, "ann"), (SMSFixture.bob, "bob")] {
                #expect(
                    fixture.simulator.messages.filter { $0.to == number }.map(\.body) == (0..<5).map { "\(name) \($0)" }
                )
            }
        }
    }

    @Test func severalProcessesSendEachMessageOnce() async throws {
        try await SMSFixture.run { fixture async throws in
            for index in 0..<30 {
                try await fixture.enqueue(
                    "m\(index)", to: UserScope(authenticated: fixture.database.store.ids.nextUser()))
            }
            try await fixture.sending([fixture.outbox, fixture.otherOutbox(), fixture.otherOutbox()]) {
                try await fixture.until { try await $0.rows().allSatisfy { $0.state == .sent } }
            }
            #expect(Set(fixture.simulator.messages.map(\.body)).count == 30)
            #expect(fixture.simulator.messages.count == 30)
        }
    }

    @Test(arguments: [
        TwilioSimulator.Fault.refuse(status: 429, code: 20429, retryAfter: 1), .refuse(status: 429, code: 20429),
        .refuse(status: 503, code: 20503), .refuse(status: 500, code: 20500), .refuse(status: 401, code: 20003),
    ])
    func triesAgainWhenTwilioIsBusy(fault: TwilioSimulator.Fault) async throws {
        try await SMSFixture.run { fixture async throws in
            // Our own credentials being refused waits longer than a test should.
            let isQuick = if case .refuse(401, _, _) = fault { false } else { true }
            fixture.simulator.script([fault])
            let start = monotonicNanoseconds()
            try await fixture.enqueue("hello")
            try await fixture.sending {
                if isQuick {
                    await fixture.simulator.untilAccepted(1)
                } else {
                    try await fixture.until { $0.simulator.sendRequests == 1 }
                    try await fixture.until { try await $0.rows().map(\.state) == [.pending] }
                }
            }
            if case .refuse(_, _, 1?) = fault { #expect(monotonicNanoseconds() - start >= 1_000_000_000) }
            #expect(fixture.simulator.messages.count == (isQuick ? 1 : 0))
        }
    }

    @Test(arguments: [
        TwilioSimulator.Fault.cutAfterAccepting, .failAfterAccepting(status: 500), .failAfterAccepting(status: 504),
    ])
    func neverSendsTwiceWhatTwilioHas(fault: TwilioSimulator.Fault) async throws {
        try await SMSFixture.run { fixture async throws in
            // An older message of the same text is not mistaken for this one.
            fixture.simulator.plant(to: SMSFixture.ann, body: "hello", age: 3600)
            fixture.simulator.script([fault])
            try await fixture.enqueue("hello")
            try await fixture.enqueue("next")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent, .sent] }
            }
            #expect(fixture.simulator.messages.map(\.body) == ["hello", "hello", "next"])
            #expect(fixture.simulator.listRequests >= 1)
            #expect(fixture.simulator.refusals.isEmpty)
        }
    }

    @Test func doesNotTakeAnotherMessageForALostOne() async throws {
        try await SMSFixture.run { fixture async throws in
            // The same answer twice: the first has the first message, so the second must be sent.
            try await fixture.enqueue("ok")
            fixture.simulator.script([nil, .refuse(status: 500, code: 20500)])
            try await fixture.enqueue("ok")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent, .sent] }
            }
            #expect(fixture.simulator.messages.map(\.body) == ["ok", "ok"])
        }
    }

    @Test func looksWhetherADeadProcessHadSent() async throws {
        try await SMSFixture.run { fixture async throws in
            // Dies between Twilio's answer and the commit: the row stays leased.
            try await fixture.enqueue("hello")
            let round = try await fixture.outbox.claim(limit: 1)
            let claim = try #require(round.claims.first)
            let outcome = await fixture.outbox.client.send(
                to: claim.to, from: claim.sender, body: claim.text, statusCallback: nil)
            guard case .accepted = outcome else {
                Issue.record("\(outcome)")
                return
            }
            try await fixture.endLeases()
            let successor = fixture.otherOutbox()
            try await fixture.sending([successor]) {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            #expect(fixture.simulator.messages.count == 1)
        }
    }

    /// The answer of a claim whose lease ran out comes after the message was found, delivered badly and due once more.
    @Test func aLateAnswerDoesNotEndTheSecondTry() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("hello")
            fixture.simulator.script([.slow(.milliseconds(1500))])
            let slow = Task { try await fixture.sending { await fixture.simulator.untilAccepted(2) } }
            await fixture.simulator.untilAccepted(1)
            try await fixture.endLeases()
            let first = try #require(fixture.simulator.messages.first?.sid)
            try await fixture.sending([fixture.otherOutbox { $0.lateRetry = .seconds(2) }]) {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            #expect(await fixture.report("undelivered", of: first, errorCode: 30003) == .accepted)
            try await slow.value
            #expect(fixture.simulator.messages.count == 2)
        }
    }

    /// The failed first one is on Twilio's list too, and is not the second.
    @Test func sendsTheSecondTryThatADeadProcessHadNot() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("hello")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            let first = try #require(fixture.simulator.messages.first?.sid)
            #expect(await fixture.report("undelivered", of: first, errorCode: 30003) == .accepted)
            try await fixture.until { try await $0.outbox.claim(limit: 1).claims.count == 1 }
            try await fixture.endLeases()
            try await fixture.sending([fixture.otherOutbox()]) {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            #expect(fixture.simulator.messages.count == 2)
        }
    }

    @Test func sendsWhatADeadProcessHadNot() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("hello")
            #expect(try await fixture.outbox.claim(limit: 1).claims.count == 1)
            // Leased: nobody else may touch it yet.
            #expect(try await fixture.otherOutbox().claim(limit: 1).claims.isEmpty)
            try await fixture.endLeases()
            try await fixture.sending([fixture.otherOutbox()]) {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            #expect(fixture.simulator.messages.count == 1)
        }
    }

    @Test func mirrorsAnOptOutThatTwilioKnows() async throws {
        try await SMSFixture.run { fixture async throws in
            fixture.simulator.optOut(SMSFixture.ann)
            try await fixture.enqueue("one")
            try await fixture.enqueue("two")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.failed, .suppressed] }
            }
            #expect(fixture.simulator.sendRequests == 1)
            #expect(try await fixture.rows().map(\.error) == [21610, nil])
        }
    }

    @Test(arguments: [21211, 21614, 21408])
    func neverRepeatsWhatCannotSucceed(code: Int) async throws {
        try await SMSFixture.run { fixture async throws in
            fixture.simulator.script([.refuse(status: 400, code: code)])
            try await fixture.enqueue("one")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.failed] }
            }
            #expect(fixture.simulator.sendRequests == 1)
            #expect(
                try await fixture.rows() == [.init(state: .failed, status: nil, error: Int64(code), hasText: false)])
        }
    }

    enum Fate: Sendable { case sentLater, waits, ends }

    /// Every refusal that Twilio's samples show: a message waits for what is not its fault, and ends with what is.
    @Test(arguments: [
        ("error-400-from", 400, 21606, Fate.waits), ("error-400-optout", 400, 21610, .ends),
        ("error-400-to", 400, 21211, .ends), ("error-400-trial", 400, 21608, .waits),
        ("error-401", 401, 20003, .waits), ("error-403", 403, 20403, .waits), ("error-404", 404, 20404, .waits),
        ("error-429", 429, 20429, .sentLater), ("error-500", 500, 20500, .sentLater),
        ("error-503", 503, 20503, .sentLater),
    ])
    func whatARefusalMeansForAMessage(sample: String, status: Int, code: Int, fate: Fate) async throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../shared/contracts/twilio/samples/\(sample).json").standardized
        if let data = FileManager.default.contents(atPath: file.path) {
            let response = try JSON(parsing: data)["response"]
            #expect(response?["status"] == .integer(Int64(status)))
            #expect(response?["json"]?["code"] == .integer(Int64(code)))
        } else {
            print("skipped: ../shared/contracts is not at hand; \(sample) is made up")
        }
        try await SMSFixture.run { fixture async throws in
            fixture.simulator.script([.refuse(status: status, code: code)])
            try await fixture.enqueue("one")
            try await fixture.sending {
                switch fate {
                case .sentLater: try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
                case .waits:
                    try await fixture.until { fixture in
                        try await fixture.rows().map(\.state) == [.pending] && fixture.simulator.sendRequests == 1
                    }
                case .ends: try await fixture.until { try await $0.rows().map(\.state) == [.failed] }
                }
            }
            #expect(fixture.simulator.sendRequests == (fate == .sentLater ? 2 : 1))
            #expect(fixture.simulator.messages.map(\.body) == (fate == .sentLater ? ["one"] : []))
            // What may still have to be sent has its text, what is over has not.
            #expect(try await fixture.rows().map(\.hasText) == [fate != .ends])
        }
    }

    @Test func sendsAgainToANumberThatWritesToUs() async throws {
        try await SMSFixture.run { fixture async throws in
            fixture.simulator.script([.refuse(status: 400, code: 21614)])
            try await fixture.enqueue("one")
            try await fixture.enqueue("two")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.failed, .suppressed] }
            }
            _ = await fixture.text("hi")
            try await fixture.enqueue("three")
            try await fixture.sending { await fixture.simulator.untilAccepted(1) }
            #expect(fixture.simulator.messages.map(\.body) == ["three"])
        }
    }

    @Test func takesReportsInAnyOrderOnce() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("hello")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            let sid = try #require(fixture.simulator.messages.first?.sid)
            for status in ["delivered", "sent", "sending", "delivered", "failed", "queued"] {
                #expect(await fixture.report(status, of: sid, errorCode: status == "failed" ? 30008 : nil) == .accepted)
            }
            #expect(
                try await fixture.rows() == [.init(state: .sent, status: "delivered", error: nil, hasText: false)])
            let usage = try await fixture.database.read(fixture.annScope) { try $0.list("sms_usage_logs") }
            #expect(usage.map { $0.string("status") } == ["received", "delivered"])
        }
    }

    @Test func appliesReportsThatComeBeforeTheAnswer() async throws {
        try await SMSFixture.run { fixture async throws in
            fixture.simulator.script([.slow(.milliseconds(200))])
            try await fixture.enqueue("hello")
            try await fixture.sending {
                await fixture.simulator.untilAccepted(1)
                let sid = try #require(fixture.simulator.messages.first?.sid)
                #expect(await fixture.report("delivered", of: sid) == .accepted)
                #expect(await fixture.report("sent", of: sid) == .accepted)
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            #expect(try await fixture.rows().map(\.status) == ["delivered"])
        }
    }

    @Test(arguments: [(30003, 2), (30008, 2), (30007, 1), (30005, 1), (21610, 1)])
    func triesUndeliveredMessagesOnceMoreWhereThatHelps(code: Int, sends: Int) async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("hello")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
                let first = try #require(fixture.simulator.messages.first?.sid)
                #expect(await fixture.report("undelivered", of: first, errorCode: code) == .accepted)
                await fixture.simulator.untilAccepted(sends)
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
                // The second failure is the last.
                let last = try #require(fixture.simulator.messages.last?.sid)
                _ = await fixture.report("undelivered", of: last, errorCode: code)
                try await fixture.until { try await $0.rows().map(\.hasText) == [false] }
            }
            #expect(fixture.simulator.messages.count == sends)
            #expect(try await fixture.rows().map(\.status) == ["undelivered"])
        }
    }

    @Test func asksOnceForPriceAndMissingReports() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("hello")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.sent] }
            }
            let sid = try #require(fixture.simulator.messages.first?.sid)
            fixture.simulator.setStatus("delivered", price: "-0.00790", of: sid)
            let asking = fixture.otherOutbox { $0.followUpAfter = .zero }
            try await fixture.sending([asking]) {
                try await fixture.until { try await $0.rows().map(\.status) == ["delivered"] }
            }
            let usage = try await fixture.database.read(fixture.annScope) { try $0.list("sms_usage_logs") }
            #expect(usage.last?.string("price") == "0.00790")
            #expect(usage.last?.string("currency") == "USD")
            #expect(usage.last?.string("status") == "delivered")
        }
    }

    @Test func refusesAddressesOfOtherChannels() async throws {
        try await SMSFixture.run { fixture async throws in
            await #expect(throws: StorageError.self) {
                try await fixture.database.write(fixture.annScope) { transaction in
                    try fixture.outbox.enqueue(
                        OutboundMessage(
                            scope: fixture.annScope, turn: transaction.nextID(), ordinal: 0, address: "terminal",
                            text: "x"), in: transaction)
                }
            }
        }
    }

    @Test func waitsForWhatIsUnderWayWhenStopped() async throws {
        try await SMSFixture.run { fixture async throws in
            fixture.simulator.script([.slow(.milliseconds(150))])
            try await fixture.enqueue("hello")
            try await fixture.sending { await fixture.simulator.untilAccepted(1) }
            // `sending` has returned: the sender ended only after the outcome was stored.
            #expect(try await fixture.rows().map(\.state) == [.sent])
        }
    }
}
