import GraphSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import VendorSimulator

@testable import Graph

struct SyncTests {
    private let box: Office365

    init() throws { box = try Office365() }

    private func pass(minutes: Int64 = 16) async {
        box.host.now = Instant(milliseconds: box.host.now.milliseconds + minutes * 60_000)
        await box.ann.fireTimers()
    }

    private func begin() async {
        _ = await box.ann.call("graph.sync")
        await box.ann.fireTimers()
    }

    private var subjects: [String] { box.ann.rows(of: KeptEvent.self).map(\.event.subject).sorted() }

    @Test func followsWhatComesChangesAndGoes() async throws {
        let first = box.graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
        let mail = box.graph.deliver(from: "pat@contoso.example", subject: "Tap", text: "x")
        await begin()
        #expect(subjects == ["Dentist"])
        #expect(box.ann.rows(of: KeptMail.self).map(\.key) == [mail])
        box.graph.add("Choir", start: "2026-11-24T18:00:00", end: "2026-11-24T19:00:00")
        box.graph.delete(first)
        box.graph.delete(mail)
        await pass()
        #expect(subjects == ["Choir"])
        #expect(box.ann.rows(of: KeptMail.self).isEmpty)
        #expect(box.graph.refusals == [])
    }

    @Test func beginsAgainWhenThePlaceIsForgotten() async throws {
        let first = box.graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
        await begin()
        box.graph.delete(first)
        box.graph.add("Choir", start: "2026-11-24T18:00:00", end: "2026-11-24T19:00:00")
        box.graph.forgetChanges()
        await pass()
        #expect(subjects == ["Choir"])
        #expect(box.host.total(of: Graph.syncs, labels: "calendar", "restarted") == 1)
        #expect(box.graph.refusals == [])
    }

    @Test func worksFromWhatIsKeptAndSaysSo() async throws {
        box.graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
        box.graph.deliver(from: "pat@contoso.example", name: "Pat", subject: "Tap", text: "x")
        await begin()
        box.host.now = Instant(milliseconds: box.host.now.milliseconds + 12 * 60_000)
        for _ in 0..<4 { box.graph.fail("", .answer(.json(503, [:]))) }
        let note = "Microsoft does not answer; this is from 12 minutes ago.\n"
        #expect(
            await box.ann.say("graph.calendar", ["period": ["from": "2026-11-23", "to": "2026-11-23"]]) == note
                + "Mon 23 Nov: 1 09:00 Dentist.")
        #expect(await box.ann.say("graph.mail").hasPrefix(note + "1 *Pat: Tap"))
        #expect(await box.ann.say("graph.find_event", ["query": "dentist"]).hasPrefix(note))
    }

    @Test func oneThatFailsDoesNotHoldTheOtherBack() async throws {
        box.graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
        box.graph.fail("messages/delta", .answer(.json(503, [:])))
        await begin()
        #expect(subjects == ["Dentist"])
        #expect(box.host.total(of: Graph.syncs, labels: "mail", "failed") == 1)
    }
}
