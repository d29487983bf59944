import Foundation
import GraphSimulator
import OAuthSimulator
import TandemCore
import TandemJSON
import TandemPluginHost
import Testing
import VendorSimulator

@testable import TandemApplication

/// Outlook from "turn on outlook" to "turn off outlook", by SMS, with the real program, plugin, pages and tokens, before a
/// simulated Microsoft.
@Suite(.timeLimit(.minutes(8)))
struct GraphFlowTests {
    @Test func switchedOnConnectedReadAndWrittenWith() async throws {
        try await VendorWorld.run { world in
            let graph = world.vendors.graph
            graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
            graph.deliver(from: "pat@contoso.example", name: "Pat Sample", subject: "Leaking tap", text: "Monday?")
            let carol = try await world.person()
            let ask = try await carol.text("turn on outlook")
            #expect(ask.contains("Microsoft account"), "\(ask)")
            let isOn = try await carol.text("3")
            #expect(isOn.hasPrefix("Outlook is on, read only.\nConnect Microsoft here: https://"), "\(isOn)")
            let visit = try await carol.connect(isOn)
            #expect(visit.consent.contains("to show what is planned and when you are free"), "\(visit.consent)")
            #expect(!visit.consent.contains("to send what you approved"), "\(visit.consent)")
            #expect(visit.end.contains("Microsoft is connected"), "\(visit.end)")
            let scopes = try #require(try await carol.scopes(at: "microsoft"))
            #expect(scopes.isSuperset(of: ["Calendars.Read", "Mail.Read"]))
            #expect(scopes.isDisjoint(with: ["Calendars.ReadWrite", "Mail.ReadWrite", "Mail.Send"]))

            let calendar = try await carol.text("what is in my calendar on monday")
            #expect(calendar.contains("Dentist"), "\(calendar)")
            let inbox = try await carol.text("show my outlook inbox")
            #expect(inbox.contains("Leaking tap"), "\(inbox)")
            let refused = try await carol.text("add choir to my calendar on tuesday at 18:00")
            #expect(refused.contains("read only"), "\(refused)")
            #expect(graph.eventIDs.count == 1)

            // Sending is asked for when it is wanted, not before.
            let more = try await carol.text("let outlook write")
            let wider = try await carol.connect(more)
            #expect(wider.consent.contains("to send what you approved"), "\(wider.consent)")
            #expect(
                try await carol.scopes(at: "microsoft")?.isSuperset(
                    of: ["Calendars.ReadWrite", "Mail.ReadWrite", "Mail.Send"]) == true)
            let added = try await carol.text("add choir to my calendar on tuesday at 18:00")
            #expect(graph.eventIDs.count == 2, "\(added)")
            let confirm = try await carol.text("send an outlook mail to kim@contoso.example: See you on Tuesday")
            #expect(graph.notices.isEmpty)
            #expect(confirm.contains("kim@contoso.example"), "\(confirm)")
            let sent = try await carol.approve(confirm)
            #expect(sent.contains("Sent to kim@contoso.example."), "\(sent)")
            #expect(graph.notices.map(\.to) == [["kim@contoso.example"]])
            #expect(graph.refusals == [])
        }
    }

    @Test func aConnectionThatWasRevokedIsToldOnceAndHeals() async throws {
        try await VendorWorld.run { world in
            let (graph, microsoft) = (world.vendors.graph, world.vendors.accounts)
            graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
            let carol = try await world.person()
            _ = try await carol.text("turn on outlook")
            try await carol.connect(try await carol.text("3"))
            #expect(try await carol.text("what is in my calendar on monday").contains("Dentist"))

            microsoft.revokeGrant(at: .microsoft)
            try await world.pass(.seconds(7200))
            let lost = try await carol.text("what is in my calendar on monday")
            #expect(lost.contains("/connect/"), "\(lost)")
            #expect(
                try await world.application.plugins.grant(of: "graph", in: carol.scope).state.name == "needs_reauth")
            for _ in 0..<3 { try await world.pass(.seconds(60)) }
            #expect(await eventually { carol.notices(of: "Outlook").count == 1 }, "\(carol.received)")
            try await carol.connect(lost)
            #expect(try await world.application.plugins.grant(of: "graph", in: carol.scope).state.name == "enabled")
            #expect(try await carol.text("what is in my calendar on monday").contains("Dentist"))
            #expect(carol.notices(of: "Outlook").count == 1, "\(carol.received)")
        }
    }

    /// Microsoft has no way to be told that access ends: the keys go here, and the person learns where it is ended there.
    @Test func switchedOffItIsGoneAndSaysWhatIsLeftToDo() async throws {
        try await VendorWorld.run { world in
            let graph = world.vendors.graph
            graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
            let carol = try await world.person()
            _ = try await carol.text("turn on outlook")
            try await carol.connect(try await carol.text("1"))
            #expect(try await eventually { try await world.household.rows("graph_events", of: carol.scope).count == 1 })

            let off = try await carol.text("turn off outlook")
            #expect(off.hasPrefix("Outlook is off, and the keys to Microsoft are deleted here."), "\(off)")
            #expect(off.contains("https://account.live.com/consent/Manage"), "\(off)")
            let whole = try await carol.whole(off)
            #expect(whole.contains("Deleted here: your appointments"), "\(whole)")
            #expect(whole.contains("Kept: which of your tasks came from which mail."), "\(whole)")
            #expect(try await carol.scopes(at: "microsoft") == nil)
            for table in ["graph_events", "graph_mail", "graph_sync"] {
                #expect(try await world.household.rows(table, of: carol.scope).isEmpty)
            }
            let requests = graph.requests.count
            let gone = try await carol.text("what is in my calendar on monday")
            #expect(gone.contains("off"), "\(gone)")
            try await world.pass(.seconds(3600))
            #expect(graph.requests.count == requests)
        }
    }

    /// Microsoft takes a mail and breaks the line, or breaks it before: nobody is told that it failed, and it goes once.
    @Test func aMailWhoseAnswerIsLostIsSentOnce() async throws {
        try await VendorWorld.run { world in
            let graph = world.vendors.graph
            let carol = try await world.person()
            _ = try await carol.text("turn on outlook")
            try await carol.connect(try await carol.text("1"))
            graph.fail("/send", .cutAfter)
            let confirm = try await carol.text("send an outlook mail to kim@contoso.example: See you on Monday")
            let sent = try await carol.approve(confirm)
            #expect(sent.contains("Sent to kim@contoso.example."), "\(sent)")
            #expect(graph.notices.map(\.to) == [["kim@contoso.example"]])
            graph.fail("/send", .cutBefore)
            let again = try await carol.text("send an outlook mail to lee@contoso.example: See you on Tuesday")
            let second = try await carol.approve(again)
            #expect(second.contains("Sent to lee@contoso.example."), "\(second)")
            #expect(graph.notices.map(\.to) == [["kim@contoso.example"], ["lee@contoso.example"]])
            #expect(graph.refusals == [])
        }
    }
}
