import NotionSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing

@testable import Notion

/// The copy of the workspace: how it comes about, how it follows, and what it is good for.
struct SyncTests {
    private let world: World

    init() throws { world = try World(isTimed: true) }

    private var kept: [KeptPage] { world.ann.rows(of: KeptPage.self) }
    private var titles: Set<String> { Set(kept.map(\.entry.title)) }
    private var state: SyncState? { world.ann.rows(of: SyncState.self).first }

    private func pass(minutes: Int64) {
        world.host.now = Instant(milliseconds: world.host.now.milliseconds + minutes * 60_000)
    }

    private func begin() async {
        #expect(await world.say("sync").hasPrefix("I keep a copy of your Notion pages from now on"))
        await world.ann.fireTimers()
    }

    /// Minute after minute, until everything is read.
    private func finish(most rounds: Int = 60) async {
        for _ in 0..<rounds where kept.contains(where: { !$0.isRead }) || state?.isUnderWay == true {
            pass(minutes: 1)
            await world.ann.fireTimers()
        }
    }

    @Test func keepsPagesAndTheEntriesOfDatabases() async throws {
        let house = world.simulator.addPage("House", blocks: [("paragraph", "Oil the door"), ("paragraph", "Key 7")])
        world.simulator.addPage("Attic", under: house)
        let secret = world.simulator.addPage("Secret")
        world.simulator.unshare(secret)
        let tasks = world.simulator.addDatabase("Chores", [("Status", "status:Open,Done")])
        world.simulator.addEntry("Sweep", in: tasks.source, ["Status": ["status": ["name": "Open"]]])
        await begin()
        #expect(titles == ["House", "Attic", "Sweep"])
        let page = try #require(kept.first { $0.page == house })
        #expect(page.text == "Oil the door\nKey 7" && page.isRead && page.isWhole)
        #expect(kept.first { $0.entry.title == "Sweep" }?.entry.properties == ["Status": "Open"])
        #expect(state?.isUnderWay == false && state?.syncedAt == world.host.now && state?.fullAt == world.host.now)
        #expect(state?.databases.count == 1)
        #expect(world.simulator.requests.allSatisfy { $0.method == "GET" || $0.method == "POST" })
        #expect(world.simulator.refusals == [])
        #expect(await world.say("sync") == "Looking again. 3 pages kept, last looked at 1 minute ago.")
        #expect(world.host.total(of: Notion.syncs, labels: "full") == 1)
    }

    @Test func beginsWhenItCan() async throws {
        world.simulator.addPage("House", blocks: [("paragraph", "Oil the door")])
        #expect(await world.ann.becomeReady().map(\.handler) == ["notion.refresh"])
        #expect(world.simulator.requests.isEmpty)
        await world.ann.fireTimers()
        #expect(kept.map(\.text) == ["Oil the door"])
    }

    @Test func goesOnWhereItStopped() async throws {
        for number in 1...230 {
            world.simulator.addPage("Page \(number)", blocks: [("paragraph", "words of \(number)")])
        }
        await begin()
        #expect(kept.count == 230)
        #expect(world.simulator.requests.count <= PageSync.requests)
        #expect(await world.say("sync").contains("still to be read"))
        var asked = world.simulator.requests.count
        for _ in 0..<20 where kept.contains(where: { !$0.isRead }) {
            pass(minutes: 1)
            await world.ann.fireTimers()
            #expect(world.simulator.requests.count - asked <= 2 * PageSync.requests)
            asked = world.simulator.requests.count
        }
        #expect(kept.allSatisfy { $0.isRead && $0.text == "words of \($0.entry.title.dropFirst(5))" })
        #expect(world.simulator.refusals == [])
        // Nothing changed: a round is one request for all pages.
        pass(minutes: 16)
        await world.ann.fireTimers()
        pass(minutes: 16)
        let before = world.simulator.requests.count
        await world.ann.fireTimers()
        #expect(world.simulator.requests.count - before == 1)
    }

    @Test func followsWhatIsEditedAndForgetsWhatIsGone() async throws {
        let house = world.simulator.addPage("House", blocks: [("paragraph", "Oil the door")])
        let garden = world.simulator.addPage("Garden", blocks: [("paragraph", "Water the roses")])
        let shed = world.simulator.addPage("Shed")
        let tasks = world.simulator.addDatabase("Chores", [("Done", "checkbox")])
        await begin()
        #expect(kept.count == 3)
        pass(minutes: 16)
        world.simulator.write("Paint it", on: house)
        world.simulator.rename(garden, "Back garden")
        world.simulator.addEntry("Sweep", in: tasks.source)
        await world.ann.fireTimers()
        await finish()
        #expect(titles == ["House", "Back garden", "Shed", "Sweep"])
        #expect(kept.first { $0.page == house }?.text == "Oil the door\nPaint it")
        #expect(world.host.total(of: Notion.syncs, labels: "changes") >= 1)
        // Notion does not tell what went: a full round, once a day, sees that it is not there.
        world.simulator.trash(shed)
        world.simulator.unshare(garden)
        pass(minutes: 16)
        await world.ann.fireTimers()
        #expect(kept.count == 4)
        pass(minutes: 1440)
        await world.ann.fireTimers()
        await finish()
        #expect(titles == ["House", "Sweep"])
        #expect(state?.round == 2)
        #expect(world.simulator.refusals == [])
    }

    @Test func waitsAsLongAsNotionSays() async throws {
        for number in 1...150 { world.simulator.addPage("Page \(number)") }
        world.simulator.fail(.error(429, "rate_limited", retryAfter: 120), after: 1)
        await begin()
        #expect(kept.count == 100)
        #expect(state?.isUnderWay == true && state?.cursor != nil && state?.syncedAt == nil)
        #expect(world.host.total(of: Notion.syncs, labels: "waiting") == 1)
        let asked = world.simulator.requests.count
        pass(minutes: 1)
        await world.ann.fireTimers()
        #expect(world.simulator.requests.count == asked)
        pass(minutes: 1)
        await world.ann.fireTimers()
        #expect(kept.count == 150)
        await finish()
        #expect(state?.isUnderWay == false)
        // A failure at the first request changes nothing.
        world.simulator.fail(.error(503, "service_unavailable"))
        pass(minutes: 16)
        await world.ann.fireTimers()
        #expect(kept.count == 150 && state?.isUnderWay == false)
    }

    @Test func beginsAgainWhenThePlaceIsNoLongerThere() async throws {
        for number in 1...130 { world.simulator.addPage("Page \(number)") }
        world.simulator.fail(.error(429, "rate_limited"), after: 1)
        await begin()
        #expect(state?.cursor != nil)
        world.simulator.fail(.error(400, "validation_error"))
        pass(minutes: 1)
        await world.ann.fireTimers()
        #expect(world.host.total(of: Notion.syncs, labels: "restarted") == 1)
        await finish()
        #expect(kept.count == 130 && state?.isUnderWay == false)
    }

    @Test func answersFromTheCopyWhenNotionDoesNot() async throws {
        let house = world.simulator.addPage("House", blocks: [("paragraph", "The valve is twelve years old")])
        world.simulator.addPage("Garden", blocks: [("paragraph", "Water the roses")])
        world.simulator.fail(.error(503, "service_unavailable"))
        // Without a copy there is nothing to say.
        #expect(await world.call("search", ["query": "house"]).error?.code == "unavailable")
        await begin()
        pass(minutes: 12)
        world.simulator.fail(.error(503, "service_unavailable"))
        let found = await world.call("search", ["query": "house"])
        #expect(
            found.message
                == "Notion does not answer; this is from 12 minutes ago.\nIn Notion: 1 House.\nSend a number to read one."
        )
        #expect(found.value?["note"] == "Notion does not answer; this is from 12 minutes ago")
        #expect(found.shown?.items.map(\.id) == [house])
        world.simulator.fail(.error(529, "service_overload", retryAfter: 30))
        let read = await world.call("read", ["page": .id(house)])
        #expect(read.message.hasPrefix("Notion does not answer; this is from 12 minutes ago.\nHouse: The valve is"))
        #expect(read.value?["complete"] == true)
        world.simulator.fail(.error(503, "service_unavailable"))
        #expect(await world.say("read", ["page": "garden"]).contains("Water the roses"))
        world.simulator.fail(.error(503, "service_unavailable"))
        #expect(await world.say("search").contains("Last edited: 1 Garden, 2 House."))
        // Writing is not done from a copy.
        world.simulator.fail(.error(503, "service_unavailable"))
        #expect(await world.call("append", ["page": .id(house), "text": "x"]).error != nil)
        guard case .value(_, _, _, let trust) = read else { return }
        #expect(trust == .untrusted)
    }

    @Test func findsWordsWithinPages() async throws {
        world.simulator.addPage("House", blocks: [("paragraph", "The valve is twelve years old")])
        world.simulator.addPage("Valve shop")
        await begin()
        #expect(await world.say("search", ["query": "valve"]).hasPrefix("In Notion: 1 Valve shop, 2 House."))
        #expect(await world.say("search", ["query": "valve twelve"]).hasPrefix("In Notion: 1 House."))
        #expect(await world.say("search", ["query": "tide"]).hasPrefix("Nothing in Notion about that."))
    }

    @Test func isOnePersonsOnly() async throws {
        world.simulator.addPage("House", blocks: [("paragraph", "Oil the door")])
        await begin()
        world.simulator.fail(.error(503, "service_unavailable"))
        #expect(await world.host.person("ben").call("notion.search", ["query": "house"]).error != nil)
        #expect(world.host.person("ben").rows(of: KeptPage.self).isEmpty)
    }
}
