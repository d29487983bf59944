import DuckDuckGoSimulator
import Foundation
import GraphSimulator
import NotionSimulator
import TandemCore
import Testing
import YouTubeSimulator

@testable import TandemApplication

/// `read 1` and `the second one` after a list, whatever it lists: pages, videos, search results, events, mails, tasks.
@Suite(.timeLimit(.minutes(4)))
struct ListedThingsTests {
    @Test func pagesAndVideos() async throws {
        try await VendorWorld.run { world in
            let notion = world.vendors.notion
            notion.addPage("House one", blocks: [("paragraph", "Oil the door")])
            notion.addPage("House two", blocks: [("paragraph", "Sweep the yard")])
            world.vendors.youtube.furnish()
            let carol = try await world.person()
            _ = try await carol.text("turn on notion")
            try await carol.connect(try await carol.text("3"))
            let pages = try await carol.text("search notion for house")
            #expect(pages.contains("1 House two, 2 House one"), "\(pages)")
            for words in ["read 1", "open the first one", "show me number 1", "read the first page", "1"] {
                let answer = try await carol.text(words)
                #expect(answer.contains("Sweep the yard"), "\(words): \(answer)")
            }
            for words in ["the second one", "read 2", "open page 2", "tell me more about the last one"] {
                let answer = try await carol.text(words)
                #expect(answer.contains("Oil the door"), "\(words): \(answer)")
            }

            _ = try await carol.text("turn on youtube")
            _ = try await carol.text("3")
            let videos = try await carol.text("search youtube for bread")
            #expect(videos.contains("1 Bread in ten minutes"), "\(videos)")
            for words in ["open 1", "show me the first video", "play the first one", "more about 1"] {
                let answer = try await carol.text(words)
                #expect(answer.contains("https://youtu.be/SAMPLEvid02"), "\(words): \(answer)")
            }
            // The list that was shown last counts, whatever came before.
            let again = try await carol.text("search notion for house")
            #expect(again.contains("1 House two"), "\(again)")
            #expect(try await carol.text("read 1").contains("Sweep the yard"))
            // What is not on the list is nothing.
            let beyond = try await carol.text("read 7")
            #expect(!beyond.contains("Sweep") && !beyond.contains("Oil"), "\(beyond)")
        }
    }

    @Test func resultsEventsMailsAndTasks() async throws {
        try await VendorWorld.run { world in
            world.vendors.search.setPages([
                .init("Candle holders by hand", "https://craft.example/candles", "Make them of wax and clay."),
                .init("Holders of old", "https://old.example/holders", "From brass."),
            ])
            let graph = world.vendors.graph
            graph.add("Dentist", start: "2026-11-23T08:00:00", end: "2026-11-23T09:00:00")
            graph.add("Choir", start: "2026-11-23T18:00:00", end: "2026-11-23T19:00:00")
            graph.deliver(from: "pat@contoso.example", name: "Pat Sample", subject: "Leaking tap", text: "Monday?")
            let carol = try await world.person()
            _ = try await carol.text("turn on duckduckgo")
            _ = try await carol.text("3")
            let results = try await carol.text("search the web for candle holders")
            #expect(results.contains("1 Candle holders by hand"), "\(results)")
            for words in ["open 2", "show me the second result", "tell me more about the second one"] {
                let answer = try await carol.text(words)
                #expect(answer.contains("https://old.example/holders"), "\(words): \(answer)")
            }

            _ = try await carol.text("turn on outlook")
            try await carol.connect(try await carol.text("3"))
            let events = try await carol.text("what is in my calendar on monday")
            #expect(events.contains("1 ") && events.contains("Choir"), "\(events)")
            for words in ["show me the second one", "open 2", "details of the second event"] {
                let answer = try await carol.text(words)
                #expect(answer.contains("Choir") && !answer.contains("Dentist"), "\(words): \(answer)")
            }
            let mails = try await carol.text("show my outlook inbox")
            #expect(mails.contains("Leaking tap"), "\(mails)")
            #expect(try await carol.text("read 1").contains("Monday?"))

            // A list that a digit does something to can be looked at all the same.
            _ = try await carol.text("add task water the roses")
            let tasks = try await carol.text("show my tasks")
            #expect(tasks.contains("1 water the roses") || tasks.contains("1 Water the roses"), "\(tasks)")
            let shown = try await carol.text("show me 1")
            #expect(shown.lowercased().contains("water the roses"), "\(shown)")
            #expect(try await carol.text("show my tasks").lowercased().contains("water the roses"))
        }
    }
}
