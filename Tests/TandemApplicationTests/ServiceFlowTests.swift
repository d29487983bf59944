import Foundation
import NotionSimulator
import OAuthSimulator
import TandemCore
import TandemJSON
import TandemOAuth
import TandemPluginHost
import Testing
import YouTubeSimulator

@testable import TandemApplication

/// Notion and YouTube from "turn on" to "turn off", by SMS, with the real program, plugins, pages and tokens.
@Suite(.timeLimit(.minutes(8)))
struct ServiceFlowTests {
    @Test func notionIsSwitchedOnConnectedReadWrittenAndGivenBack() async throws {
        try await VendorWorld.run { world in
            let notion = world.vendors.notion
            let page = notion.addPage("House", blocks: [("paragraph", "Oil the door")])
            let carol = try await world.person()
            let ask = try await carol.text("turn on notion")
            #expect(ask.contains("your Notion account"), "\(ask)")
            let isOn = try await carol.text("3")
            #expect(isOn.hasPrefix("Notion is on, read only.\nConnect Notion here: https://"), "\(isOn)")
            // Before the pages were gone through, there is nothing but the link.
            let early = try await carol.text("search notion for house")
            #expect(early.contains("/connect/"), "\(early)")
            #expect(notion.requests.isEmpty)
            let visit = try await carol.connect(isOn)
            #expect(visit.consent.contains("use what you share with it"), "\(visit.consent)")
            #expect(visit.end.contains("Notion is connected"), "\(visit.end)")

            #expect(try await carol.text("search notion for house").contains("1 House"))
            #expect(try await carol.text("1").contains("Oil the door"))
            let refused = try await carol.text("add two stamps to my notion page House")
            #expect(refused.contains("read only"), "\(refused)")
            #expect(notion.lines(of: page).count == 1)

            // Notion knows no scopes: more is allowed here alone.
            let more = try await carol.text("let notion write but ask me first")
            #expect(!more.contains("/connect/"), "\(more)")
            let confirm = try await carol.text("add two stamps to my notion page House")
            #expect(confirm.contains("two stamps"), "\(confirm)")
            #expect(notion.lines(of: page).count == 1)
            let added = try await carol.approve(confirm)
            #expect(added.hasPrefix("Added to House in Notion."), "\(added)")
            #expect(notion.lines(of: page).last == "paragraph: two stamps")

            let off = try await carol.text("turn off notion")
            #expect(off.hasPrefix("Notion is off"), "\(off)")
            let accounts = world.vendors.accounts
            #expect(await eventually { accounts.liveRefreshTokens(of: .notion).isEmpty })
            let requests = notion.requests.count
            let gone = try await carol.text("search notion for house")
            #expect(gone.contains("off"), "\(gone)")
            #expect(notion.requests.count == requests)
            #expect(notion.refusals == [])
        }
    }

    @Test func notionThatWasTakenBackIsToldOnceAndHeals() async throws {
        try await VendorWorld.run { world in
            let notion = world.vendors.notion
            notion.addPage("House", blocks: [("paragraph", "Oil the door")])
            let carol = try await world.person()
            _ = try await carol.text("turn on notion")
            try await carol.connect(try await carol.text("1"))
            #expect(try await carol.text("search notion for house").contains("1 House"))

            world.vendors.accounts.revokeGrant(at: .notion)
            try await world.pass(.seconds(7200))
            let lost = try await carol.text("search notion for house")
            #expect(lost.contains("/connect/"), "\(lost)")
            for _ in 0..<3 { try await world.pass(.seconds(3600)) }
            #expect(await eventually { carol.notices(of: "Notion").count == 1 }, "\(carol.received)")
            #expect(
                try await world.application.plugins.grant(of: "notion", in: carol.scope).state.name == "needs_reauth")
            let again = try await carol.text("search notion for house")
            try await carol.connect(again)
            #expect(try await carol.text("search notion for house").contains("1 House"))
            #expect(carol.notices(of: "Notion").count == 1)
        }
    }

    /// All that is shared is kept from the beginning, found by words of the texts, there when Notion is not, and gone with
    /// the plugin.
    @Test func notionIsKeptAndThereWhenNotionIsNot() async throws {
        try await VendorWorld.run { world in
            let notion = world.vendors.notion
            for number in 1...120 { notion.addPage("Diary \(number)", blocks: [("paragraph", "Day \(number)")]) }
            notion.addPage("House", blocks: [("paragraph", "The valve is twelve years old")])
            let carol = try await world.person()
            func kept() async throws -> [JSON] { try await world.household.rows("notion_pages", of: carol.scope) }
            _ = try await carol.text("turn on notion")
            // Reading is enough for it.
            try await carol.connect(try await carol.text("3"))
            #expect(try await eventually { try await kept().count == 121 })
            // The newest is read first; the others follow by and by.
            #expect(
                try await eventually {
                    try await kept().contains { $0["text"]?.stringValue?.contains("valve") == true }
                })
            let found = try await carol.text("search notion for valve")
            #expect(found.contains("1 House"), "\(found)")

            world.vendors.trouble.begin(.down, at: .notion)
            world.clock.advance(by: .seconds(1500))
            let old = try await carol.text("search notion for house")
            #expect(old.contains("Notion does not answer; this is from") && old.contains("1 House"), "\(old)")
            let read = try await carol.text("1")
            #expect(read.contains("Notion does not answer"), "\(read)")
            #expect(try await carol.whole(read).contains("twelve years old"))
            world.vendors.trouble.end(at: .notion)

            let off = try await carol.whole(try await carol.text("turn off notion"))
            #expect(off.contains("Deleted here: the Notion pages that you share, with their texts"), "\(off)")
            #expect(try await kept().isEmpty)
            let requests = notion.requests.count
            try await world.pass(.seconds(7200))
            #expect(notion.requests.count == requests)
            #expect(notion.refusals == [])
        }
    }

    @Test func youTubeIsSwitchedOnAndItsScopesGrowWithWhatItMay() async throws {
        try await VendorWorld.run { world in
            let (youtube, google) = (world.vendors.youtube, world.vendors.accounts)
            youtube.furnish()
            var own = YouTubeSimulator.Video("SAMPLEvid09", "My garden")
            own.isOwn = true
            own.captions = [.init("en", [(0, "these are the roses")])]
            youtube.add(own)
            let carol = try await world.person()
            _ = try await carol.text("turn on youtube")
            let isOn = try await carol.text("3")
            #expect(isOn.hasPrefix("YouTube is on, read only.\nConnect YouTube here: https://"), "\(isOn)")
            // Searching needs the operator's key only.
            #expect(try await carol.text("search youtube for bread").contains("Bread in ten minutes"))
            let visit = try await carol.connect(isOn)
            #expect(visit.consent.contains("to show your playlists"), "\(visit.consent)")
            #expect(try await carol.scopes(at: "youtube")?.contains { $0.hasSuffix("youtube.readonly") } == true)
            #expect(try await carol.scopes(at: "youtube")?.contains { $0.hasSuffix("force-ssl") } == false)
            #expect(try await carol.text("my youtube playlists").contains("Watch later"))

            // What writes a note is refused, and asks YouTube for nothing.
            let refused = try await carol.text("keep the summary of the video bread in ten minutes as a note")
            #expect(refused.contains("read only"), "\(refused)")
            let more = try await carol.text("let youtube write")
            let wider = try await carol.connect(more)
            #expect(wider.consent.contains("captions"), "\(wider.consent)")
            #expect(try await carol.scopes(at: "youtube")?.contains { $0.hasSuffix("force-ssl") } == true)
            let kept = try await carol.text("keep the summary of the video bread in ten minutes as a note")
            #expect(kept.hasPrefix("Noted what Bread in ten minutes says."), "\(kept)")

            google.revokeGrant(at: .google)
            try await world.pass(.seconds(7200))
            let lost = try await carol.text("my youtube playlists")
            #expect(lost.contains("/connect/"), "\(lost)")
            try await carol.connect(lost)
            #expect(try await carol.text("my youtube playlists").contains("Watch later"))

            let off = try await carol.text("turn off youtube")
            #expect(off.hasPrefix("YouTube is off"), "\(off)")
            #expect(await eventually { google.liveRefreshTokens(of: .google).isEmpty })
            let requests = youtube.requests.count
            _ = try await carol.text("search youtube for bread")
            #expect(youtube.requests.count == requests)
            // The note was made here, and stays.
            #expect(try await carol.text("show my notes").contains("Bread in ten minutes"))
            #expect(youtube.refusals.filter { !$0.hasPrefix("401") } == [])
        }
    }
}
