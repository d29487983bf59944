import Synchronization
import TandemAgent
import TandemCore
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemSMS

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SMSWebhookTests {
    @Test func acceptsASignedMessage() async throws {
        try await SMSFixture.run { fixture async throws in
            #expect(await fixture.text("add milk ☕ 1+1=2") == .accepted)
            #expect(try await fixture.accepted() == ["add milk ☕ 1+1=2"])
            #expect(fixture.inbox.wakes == [fixture.annScope])
        }
    }

    @Test func givesParallelDuplicatesOneEffect() async throws {
        try await SMSFixture.run { fixture async throws in
            let sid = "SM00112233445566778899aabbccddeeff"
            let answers = await withTaskGroup(of: SMSWebhook.Answer.self) { group in
                for _ in 0..<20 { group.addTask { await fixture.text("once", sid: sid) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == Array(repeating: .accepted, count: 20))
            #expect(try await fixture.accepted() == ["once"])
            #expect(fixture.inbox.wakes.count == 1)
            #expect(fixture.exposition().contains("tandem_sms_received_total{outcome=\"duplicate\"} 19"))
        }
    }

    @Test func takesEachPersonsMessagesApart() async throws {
        try await SMSFixture.run { fixture async throws in
            _ = await fixture.text("from ann")
            _ = await fixture.text("from bob", from: SMSFixture.bob)
            #expect(fixture.inbox.wakes == [fixture.annScope, fixture.bobScope])
        }
    }

    @Test func refusesWhatIsNotSignedByTwilio() async throws {
        try await SMSFixture.run { fixture async throws in
            var request = fixture.simulator.inbound(
                from: SMSFixture.ann, body: "x", url: SMSFixture.publicBase + "/webhook/sms")
            request.signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
            #expect(await fixture.deliver(request) == .refused(status: 403, reason: "signature"))
            let signed = fixture.simulator.inbound(
                from: SMSFixture.ann, body: "x", url: "https://other.example/webhook/sms")
            var moved = signed
            moved.url = SMSFixture.publicBase + "/webhook/sms"
            #expect(await fixture.deliver(moved) == .refused(status: 403, reason: "signature"))
            let unsigned = SMSWebhook.Request(
                signature: nil, target: "/webhook/sms", contentType: request.contentType,
                body: Array(request.body.utf8))
            #expect(await fixture.webhook.receive(unsigned) == .refused(status: 403, reason: "unsigned"))
            #expect(try await fixture.accepted().isEmpty)
        }
    }

    @Test func coversTheQueryAsReceived() async throws {
        try await SMSFixture.run { fixture async throws in
            let url = SMSFixture.publicBase + "/webhook/sms?x=a%20b&y=%2B"
            let request = fixture.simulator.inbound(from: SMSFixture.ann, body: "hi", url: url)
            #expect(await fixture.deliver(request) == .accepted)
        }
    }

    @Test func refusesOtherAccountsAndNumbers() async throws {
        try await SMSFixture.run { fixture async throws in
            #expect(
                await fixture.text("x", extra: [("AccountSid", "ACffffffffffffffffffffffffffffffff")])
                    == .refused(status: 403, reason: "wrong_account"))
            #expect(await fixture.text("x", to: "+15555550199") == .refused(status: 403, reason: "wrong_account"))
            #expect(await fixture.text("x", sid: "SM1") == .refused(status: 400, reason: "incomplete"))
        }
    }

    @Test func refusesWhatIsNoForm() async throws {
        try await SMSFixture.run { fixture async throws in
            let json = SMSWebhook.Request(
                signature: "x", target: "/webhook/sms", contentType: "application/json", body: Array("{}".utf8))
            #expect(await fixture.webhook.receive(json) == .refused(status: 415, reason: "content_type"))
            let broken = SMSWebhook.Request(
                signature: "x", target: "/webhook/sms", contentType: "application/x-www-form-urlencoded",
                body: Array("a=%zz".utf8))
            #expect(await fixture.webhook.receive(broken) == .refused(status: 400, reason: "malformed"))
            let large = SMSWebhook.Request(
                signature: "x", target: "/webhook/sms", contentType: "application/x-www-form-urlencoded",
                body: [UInt8](repeating: 65, count: 70_000))
            #expect(await fixture.webhook.receive(large) == .refused(status: 413, reason: "malformed"))
        }
    }

    @Test func acknowledgesNothingThatIsNotStored() async throws {
        try await SMSFixture.run { fixture async throws in
            let sid = "SM00112233445566778899aabbccddeeff"
            fixture.inbox.failure.withLock { $0 = StorageError(.diskFull, "full") }
            #expect(await fixture.text("x", sid: sid) == .refused(status: 503, reason: "unavailable"))
            fixture.inbox.failure.withLock { $0 = nil }
            // Twilio tries again: the first attempt left nothing behind.
            #expect(await fixture.text("x", sid: sid) == .accepted)
            #expect(try await fixture.accepted() == ["x"])
        }
    }

    @Test func mirrorsCarrierKeywords() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("waits")
            for word in ["STOP", "help", "Info", "stopall"] { #expect(await fixture.text(word) == .accepted) }
            #expect(try await fixture.accepted().isEmpty)
            #expect(try await fixture.rows().map(\.state) == [.suppressed])
            #expect(try await fixture.rows().map(\.hasText) == [false])

            try await fixture.enqueue("while opted out")
            try await fixture.sending {
                try await fixture.until { try await $0.rows().map(\.state) == [.suppressed, .suppressed] }
            }
            #expect(fixture.simulator.sendRequests == 0)

            #expect(await fixture.text(" start ") == .accepted)
            #expect(fixture.directory.optOuts == [true, true, false])
            try await fixture.enqueue("welcome back")
            try await fixture.sending { await fixture.simulator.untilAccepted(1) }
            #expect(fixture.simulator.messages.map(\.body) == ["welcome back"])
        }
    }

    @Test func honoursARefusalInOnesOwnWordsAndConfirmsItOnce() async throws {
        try await SMSFixture.run { fixture async throws in
            try await fixture.enqueue("waits")
            for _ in 0..<2 { #expect(await fixture.text("Please don't text me any more.") == .accepted) }
            #expect(try await fixture.accepted().isEmpty)
            try await fixture.enqueue("while opted out")
            try await fixture.sending {
                try await fixture.until { fixture in
                    let states = try await fixture.rows().map(\.state)
                    return states.count == 3 && states.allSatisfy { [.suppressed, .sent].contains($0) }
                }
            }
            #expect(fixture.simulator.messages.count == 1)
            #expect(fixture.simulator.messages.first?.body.contains("no more texts") == true)

            #expect(await fixture.text("start") == .accepted)
            #expect(await fixture.text("stop texting me about milk") == .accepted)
            #expect(try await fixture.accepted() == ["stop texting me about milk"])
            #expect(fixture.directory.optOuts == [true, true, false])
        }
    }

    @Test func takesYesForAnAnswerUnlessOptedOut() async throws {
        try await SMSFixture.run { fixture async throws in
            _ = await fixture.text("yes")
            #expect(try await fixture.accepted() == ["yes"])
            _ = await fixture.text("stop")
            _ = await fixture.text("YES")
            #expect(try await fixture.accepted() == ["yes"])
            _ = await fixture.text("Yes")
            #expect(try await fixture.accepted() == ["yes", "Yes"])
        }
    }

    @Test func honoursOptOutType() async throws {
        try await SMSFixture.run { fixture async throws in
            _ = await fixture.text("no more please", extra: [("OptOutType", "STOP")])
            _ = await fixture.text("arret", extra: [("OptOutType", "HELP")])
            #expect(try await fixture.accepted().isEmpty)
            let state = try await fixture.database.read(.system) { try $0.first("SELECT state FROM sms_consents") }
            #expect(try state?.int("state") == 1)
        }
    }

    @Test func saysThatPicturesCannotBeRead() async throws {
        try await SMSFixture.run { fixture async throws in
            _ = await fixture.text(
                "what is this?", extra: [("NumMedia", "1"), ("MediaUrl0", "https://api.twilio.com/x")])
            #expect(try await fixture.accepted() == ["what is this?"])
            let stored = try await fixture.database.read(.system) { try $0.first("SELECT body FROM test_inbox") }
            let address = try #require(try stored?.text("body").split(separator: "|").last.map(String.init))
            try await fixture.database.write(fixture.annScope) { transaction in
                try fixture.outbox.enqueue(
                    OutboundMessage(
                        scope: fixture.annScope, turn: transaction.nextID(), ordinal: 0, address: address,
                        text: "I don't know."), in: transaction)
            }
            _ = await fixture.text("", extra: [("NumMedia", "2")])
            try await fixture.sending { await fixture.simulator.untilAccepted(2) }
            #expect(
                fixture.simulator.messages.map(\.body)
                    == ["I don't know." + SMSOutbox.mediaLine, SMSOutbox.mediaNotice])
        }
    }

    @Test func dropsEmptyMessages() async throws {
        try await SMSFixture.run { fixture async throws in
            #expect(await fixture.text(" \n") == .accepted)
            #expect(try await fixture.accepted().isEmpty)
        }
    }

    @Test func answersUnknownNumbersOnceADay() async throws {
        var limits = SMSLimits()
        limits.invitationsPerDay = 2
        try await SMSFixture.run(limits: limits) { fixture async throws in
            for _ in 0..<3 { #expect(await fixture.text("hi", from: "+15555550177") == .accepted) }
            #expect(await fixture.text("STOP", from: "+15555550178") == .accepted)
            #expect(await fixture.text("hi", from: "+15555550178") == .accepted)
            #expect(await fixture.text("hi", from: "+15555550179") == .accepted)
            #expect(await fixture.text("hi", from: "+15555550180") == .accepted)
            try await fixture.sending { await fixture.simulator.untilAccepted(2) }
            #expect(fixture.simulator.messages.map(\.to).sorted() == ["+15555550177", "+15555550179"])
            #expect(try await fixture.accepted().isEmpty)
            // Only keyed hashes are kept.
            let kept = try await fixture.database.read(.system) { try $0.query("SELECT * FROM sms_invitations") }
            #expect(kept.count == 2)
            for row in kept { #expect(try row.blob("number").count == 16) }
        }
    }

    @Test func acknowledgesSendersThatCannotBeAnswered() async throws {
        try await SMSFixture.run { fixture async throws in
            #expect(await fixture.text("code 1234", from: "55555") == .accepted)
            #expect(try await fixture.accepted().isEmpty)
        }
    }
}
