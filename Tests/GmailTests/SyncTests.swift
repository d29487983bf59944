import GmailSimulator
import MailCommon
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import VendorSimulator

@testable import Gmail

struct SyncTests {
    private let box: Mailbox

    init() throws { box = try Mailbox() }

    private func sync() async { await box.ann.fireTimers() }

    /// Lets a quarter of an hour pass.
    private func pass(minutes: Int64 = 16) {
        box.host.now = Instant(milliseconds: box.host.now.milliseconds + minutes * 60_000)
    }

    private var kept: Set<String> { Set(box.ann.rows(of: IndexedMail.self).map(\.message)) }

    private func begin() async {
        #expect(await box.ann.say("gmail.sync").hasPrefix("I keep your mail up to date from now on"))
        await sync()
    }

    @Test func followsWhatComesChangesAndGoes() async throws {
        let first = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "Monday?")
        await begin()
        #expect(kept == [first])
        let second = box.gmail.deliver(from: "Kim <kim@example.com>", subject: "Hi", text: "x")
        pass()
        await sync()
        #expect(kept == [first, second])
        _ = await box.ann.call("gmail.star", ["mails": .string("#" + first)])
        box.gmail.delete(second)
        pass()
        await sync()
        #expect(kept == [first])
        #expect(box.ann.rows(of: IndexedMail.self).first?.head.isStarred == true)
        #expect(box.gmail.refusals == [])
        #expect(box.host.total(of: Gmail.syncs, labels: "changes") == 2)
    }

    /// The host says when the plugin can begin; reading is enough for it.
    @Test func beginsWhenItCan() async throws {
        let first = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "Monday?")
        await sync()
        #expect(kept == [])
        let calls = await box.ann.becomeReady()
        #expect(calls.map(\.handler) == ["gmail.refresh"])
        #expect(box.gmail.requests.isEmpty)
        await sync()
        #expect(kept == [first])
        #expect(box.gmail.requests.allSatisfy { $0.method == "GET" })
        // Told again, it looks again.
        box.gmail.deliver(from: "Kim <kim@example.com>", subject: "Hi", text: "x")
        await box.ann.becomeReady()
        await sync()
        #expect(kept.count == 2)
    }

    @Test func looksAtAllAgainWhenHistoryIsForgotten() async throws {
        let first = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "x")
        await begin()
        box.gmail.delete(first)
        let second = box.gmail.deliver(from: "Kim <kim@example.com>", subject: "Hi", text: "x")
        box.gmail.forgetHistory()
        pass()
        await sync()
        #expect(kept == [second])
        #expect(box.host.total(of: Gmail.syncs, labels: "restarted") == 1)
        pass()
        await sync()
        #expect(box.host.total(of: Gmail.syncs, labels: "changes") == 1)
    }

    @Test func goesOnWhereItStopped() async throws {
        var all: Set<String> = []
        for number in 0..<330 {
            all.insert(
                box.gmail.deliver(from: "a\(number)@example.org", subject: "S", text: "x", minutesAgo: Int64(number)))
        }
        await begin()
        #expect(kept.count == 300)
        #expect(box.ann.rows(of: SyncState.self).first?.isFull == true)
        #expect(box.ann.timers(of: "gmail").map(\.name) == ["sync", "sync_more"])
        // One fails: what was done stays, and the next goes on.
        pass(minutes: 2)
        box.gmail.fail("messages", .answer(.json(503, [:])))
        await sync()
        #expect(kept.count == 300)
        #expect(box.host.total(of: Gmail.syncs, labels: "failed") == 1)
        pass()
        await sync()
        #expect(kept == all)
        #expect(box.ann.rows(of: SyncState.self).first?.isFull == false)
        #expect(box.gmail.units < 6000)
    }

    @Test func worksFromWhatIsKeptAndSaysSo() async throws {
        let id = box.gmail.deliver(
            from: "Pat <pat@example.com>", subject: "Leaking tap", text: "Can you be home on Monday?")
        await begin()
        pass(minutes: 12)
        let down = VendorFault.answer(.json(503, [:]))
        for _ in 0..<20 { box.gmail.fail("", down) }
        let note = "Gmail does not answer; this is from 12 minutes ago"
        let list = await box.ann.call("gmail.list")
        #expect(list.message.hasPrefix("\(note).\n1 unread: 1 *Pat: Leaking tap"))
        #expect(list.value?["note"] == .string(note))
        #expect(await box.ann.say("gmail.search", ["query": "leaking"]).contains("Pat: Leaking tap"))
        #expect(
            await box.ann.say("gmail.search", ["query": "giraffe"]).hasPrefix("Nothing about that in what I have kept.")
        )
        #expect(await box.ann.say("gmail.triage").hasPrefix("\(note).\nTo answer: 1 Pat: Leaking tap"))
        #expect(
            await box.ann.say("gmail.read", ["mail": .string("#" + id)]).contains(
                "Can you be home on Monday?\n[only how it begins]"))
        // What changes something is not played.
        #expect(await box.ann.call("gmail.archive", ["mails": .string("#" + id)]).error?.code == "unavailable")
    }

    @Test func withoutAnIndexAFailureIsAFailure() async throws {
        box.gmail.fail("", .answer(.json(503, [:])))
        #expect(await box.ann.call("gmail.list").error?.message == "Gmail has a problem right now. Try again later.")
    }

    @Test func aChangeBeginsToKeepTheIndex() async throws {
        let id = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "x")
        _ = await box.ann.call("gmail.archive", ["mails": .string("#" + id)])
        #expect(box.ann.timers(of: "gmail").map(\.name) == ["sync"])
        #expect(box.ann.timers(of: "gmail").first?.repetition == .seconds(900))
    }

    @Test func nobodySeesAnothersMail() async throws {
        box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "x")
        await begin()
        #expect(box.host.person("ben").rows(of: IndexedMail.self).isEmpty)
    }
}
