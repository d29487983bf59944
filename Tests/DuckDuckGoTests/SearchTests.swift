import DuckDuckGoSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing

@testable import DuckDuckGo

/// The tools against the strict simulator.
struct SearchTests {
    private let simulator = DuckDuckGoSimulator()
    private let host: TestHost
    private let ann: TestPerson

    init() throws {
        host = try TestHost(DuckDuckGo.self)
        ann = host.person("ann")
        let simulator = simulator
        for method in ["GET", "POST"] {
            host.http.on(method, "https://*") { request in
                let rest = request.address.dropFirst("https://".count)
                let slash = rest.firstIndex(of: "/") ?? rest.endIndex
                let response = simulator.answer(
                    .init(
                        method: request.method, host: String(rest[..<slash]), path: String(rest[slash...]),
                        query: request.query,
                        headers: Dictionary(
                            request.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 }),
                        form: request.form))
                return .response(
                    HTTPResponse(
                        status: response.status, headers: [HTTPField("content-type", response.contentType)],
                        body: Array(response.body.utf8)))
            }
        }
        simulator.setPages(
            (1...25).map { .init("Page \($0) & more", "https://www.example.org/p?n=\($0)", "Text <b> number \($0).") })
        simulator.setArticles([
            .init(
                "A storm & its name", "https://paper.example/storm", "Wind, 120 km/h.", source: "The Paper",
                date: (host.now.milliseconds / 1000) - 7200),
            .init("Calm", "https://other.example/calm", "No wind.", source: "Other", date: 1_700_000_000),
        ])
        simulator.setImages([("A swift", "https://img.example/a.jpg", "https://birds.example/a")])
        simulator.setInstant(
            "ada lovelace",
            [
                "Type": "A", "Heading": "Ada Lovelace", "AbstractText": "English mathematician.",
                "AbstractSource": "Wikipedia", "AbstractURL": "https://en.wikipedia.org/wiki/Ada_Lovelace",
            ])
        simulator.setInstant(
            "swift",
            [
                "Type": "D", "Heading": "Swift",
                "RelatedTopics": [
                    ["FirstURL": "https://duckduckgo.com/Swift_(bird)", "Text": "Swift birds", "Result": "x"],
                    [
                        "Name": "Computing",
                        "Topics": [
                            ["FirstURL": "https://duckduckgo.com/Swift_(language)", "Text": "Swift a language"]
                        ],
                    ],
                ],
            ])
    }

    @Test func theDefinitionHolds() { #expect(DuckDuckGo.definition.validate() == []) }

    @Test func searchesTheWeb() async throws {
        let outcome = await ann.call("duckduckgo.search", ["query": "  swift\n concurrency "])
        #expect(simulator.refusals == [])
        #expect(outcome.message.hasPrefix("1 Page 1 & more (example.org), 2 Page 2 & more (example.org)"))
        #expect(outcome.message.hasSuffix("Send a number to read more."))
        for line in outcome.message.split(separator: "\n") { #expect(line.unicodeScalars.count <= 153) }
        #expect(outcome.value?["query"] == "swift concurrency")
        #expect(outcome.value?["results"]?.arrayValue?.count == 10)
        #expect(outcome.value?["results"]?[0]?["url"] == "https://www.example.org/p?n=1")
        #expect(outcome.value?["results"]?[0]?["snippet"] == "Text <b> number 1.")
        #expect(outcome.value?["more"] == true)
        guard case .value(_, _, let shown, let trust) = outcome else { return }
        #expect(trust == .untrusted)
        #expect(shown?.select == "duckduckgo.show")
        #expect(shown?.items.count == 10)
        #expect(shown?.items.allSatisfy { $0.id.utf8.count <= 256 } == true)
    }

    @Test func turnsPagesWithTheFormOfThePage() async throws {
        for (page, count, more) in [(1, 10, true), (2, 10, true), (3, 5, false)] {
            let outcome = await ann.call("duckduckgo.search", ["query": "swift", "page": .integer(Int64(page))])
            #expect(outcome.value?["results"]?.arrayValue?.count == count)
            #expect(outcome.value?["more"] == .bool(more))
        }
        #expect(simulator.refusals == [])
        #expect(simulator.requests.count == 3)
        let beyond = await ann.call("duckduckgo.search", ["query": "swift", "page": 4])
        #expect(beyond.message == "There are no further results.")
    }

    @Test func asksOnlyOnceForTheSame() async {
        for _ in 0..<3 { _ = await ann.call("duckduckgo.search", ["query": "swift"]) }
        _ = await ann.call("duckduckgo.search", ["query": "Swift"])
        #expect(simulator.requests.count == 1)
        _ = await ann.call("duckduckgo.search", ["query": "swift", "age": "week"])
        #expect(simulator.requests.count == 2)
        #expect(simulator.requests.last?.form.contains { $0 == ("df", "w") } == true)
        host.now = Instant(milliseconds: host.now.milliseconds + 700_000)
        _ = await ann.call("duckduckgo.search", ["query": "swift"])
        #expect(simulator.requests.count == 3)
    }

    @Test func saysThatNothingWasFound() async {
        simulator.setPages([])
        simulator.setArticles([])
        simulator.setImages([])
        #expect(await ann.say("duckduckgo.search", ["query": "x"]) == "Nothing found on the web. Try other words.")
        #expect(await ann.say("duckduckgo.news", ["query": "x"]) == "No news about that. Try other words.")
        #expect(await ann.say("duckduckgo.images", ["query": "x"]) == "No pictures of that. Try other words.")
        #expect(simulator.refusals == [])
    }

    @Test(arguments: ["duckduckgo.search", "duckduckgo.news", "duckduckgo.images"])
    func tellsAChallengeFromAnEmptyResult(tool: String) async throws {
        simulator.setChallenging(true)
        let error = try #require(await ann.call(tool, ["query": "swift"]).error)
        #expect(error.code == "challenge")
        #expect(error.status == -61)
        #expect(error.isRetryable)
        #expect(error.message.contains("takes me for a robot"))
        #expect(error.retryAfterMilliseconds == 120_000)
        // It is left alone, and for longer the next time.
        let asked = simulator.requests.count
        let again = try #require(await ann.call("duckduckgo.search", ["query": "other"]).error)
        #expect(again.code == "challenge")
        #expect(simulator.requests.count == asked)
        host.now = Instant(milliseconds: host.now.milliseconds + 121_000)
        let later = try #require(await ann.call("duckduckgo.search", ["query": "other"]).error)
        #expect(later.retryAfterMilliseconds == 240_000)
        #expect(simulator.requests.count == asked + 1)
        // What others asked for slows nobody down; when it answers again, all is forgotten.
        simulator.setChallenging(false)
        #expect(await host.person("ben").call("duckduckgo.search", ["query": "swift"]).error == nil)
        host.now = Instant(milliseconds: host.now.milliseconds + 241_000)
        #expect(await ann.call("duckduckgo.search", ["query": "other"]).error == nil)
        simulator.setChallenging(true)
        let new = try #require(await ann.call("duckduckgo.search", ["query": "third"]).error)
        #expect(new.retryAfterMilliseconds == 120_000)
    }

    @Test(arguments: [403, 418, 429])
    func readsRefusalsAsSuch(status: Int) async throws {
        simulator.setFailure(status)
        #expect(try #require(await ann.call("duckduckgo.search", ["query": "swift"]).error).code == "challenge")
    }

    @Test func givesOldResultsWhenItFails() async throws {
        _ = await ann.call("duckduckgo.search", ["query": "swift"])
        host.now = Instant(milliseconds: host.now.milliseconds + 25 * 60_000)
        simulator.setFailure(503)
        let outcome = await ann.call("duckduckgo.search", ["query": "swift"])
        #expect(outcome.message.hasPrefix("DuckDuckGo does not answer; this is from 25 minutes ago.\n1 Page 1"))
        let unknown = try #require(await ann.call("duckduckgo.search", ["query": "other"]).error)
        #expect(unknown.code == "unavailable")
        #expect(simulator.requests.last?.host == "lite.duckduckgo.com")
    }

    @Test func readsTheLitePageWhenTheOtherFails() async throws {
        host.http.on("POST", "https://html.duckduckgo.com/html/") { _ in .status(500) }
        let outcome = await ann.call("duckduckgo.search", ["query": "swift"])
        #expect(outcome.message.hasPrefix("1 Page 1 & more (example.org), 2 Page 2"))
        #expect(simulator.refusals == [])
    }

    @Test func turnsTheLitePagesWithTheirOwnForm() async {
        host.http.on("POST", "https://html.duckduckgo.com/html/") { _ in .status(500) }
        for (page, count) in [(1, 10), (2, 10), (3, 5)] {
            let outcome = await ann.call("duckduckgo.search", ["query": "swift", "page": .integer(Int64(page))])
            #expect(outcome.value?["results"]?.arrayValue?.count == count)
        }
        #expect(simulator.refusals == [])
        #expect(simulator.requests.count == 3)
        #expect(simulator.requests.allSatisfy { $0.host == "lite.duckduckgo.com" })
    }

    @Test func asksForARegionAndLeavesOutWhatThePersonWantsLeftOut() async {
        var settings = DuckDuckGo.Settings()
        settings.safeSearch = .strict
        settings.region = "fr-fr"
        ann.configure("duckduckgo", settings)
        _ = await ann.call("duckduckgo.search", ["query": "a", "region": "us-en"])
        #expect(simulator.requests.last?.form.contains { $0 == ("kl", "us-en") } == true)
        _ = await ann.call("duckduckgo.search", ["query": "a"])
        #expect(simulator.requests.last?.form.contains { $0 == ("kl", "fr-fr") } == true)
        _ = await ann.call("duckduckgo.search", ["query": "a", "region": "x\ny"])
        #expect(simulator.requests.last?.form.contains { $0 == ("kl", "wt-wt") } == true)
        for (safe, news, images) in [(SafeSearch.strict, "1", "1"), (.moderate, "-1", "1"), (.off, "-2", "-1")] {
            settings.safeSearch = safe
            ann.configure("duckduckgo", settings)
            _ = await ann.call("duckduckgo.news", ["query": "storm"])
            #expect(simulator.requests.last?.query.contains { $0 == ("p", news) } == true)
            _ = await ann.call("duckduckgo.images", ["query": "storm"])
            #expect(simulator.requests.last?.query.contains { $0 == ("p", images) } == true)
        }
        #expect(simulator.refusals == [])
    }

    @Test func searchesTheNews() async throws {
        let outcome = await ann.call("duckduckgo.news", ["query": "storm", "age": "day"])
        #expect(simulator.refusals == [])
        #expect(outcome.message.hasPrefix("1 A storm & its name (The Paper, 2 h), 2 Calm (Other, "))
        #expect(outcome.value?["results"]?[0]?["snippet"] == "Wind, 120 km/h.")
        let shown = try #require(outcome.shown)
        let more = await ann.call("duckduckgo.show", ["result": .string("#" + shown.items[0].id)])
        #expect(
            more.message
                == "A storm & its name (The Paper, 2 h ago). Wind, 120 km/h.\nhttps://paper.example/storm")
    }

    @Test func findsPictures() async throws {
        let outcome = await ann.call("duckduckgo.images", ["query": "swift"])
        #expect(simulator.refusals == [])
        #expect(outcome.message.hasPrefix("1 A swift (birds.example)."))
        let shown = try #require(outcome.shown)
        let more = await ann.call("duckduckgo.show", ["result": .string("#" + shown.items[0].id)])
        #expect(more.message == "A swift\nhttps://img.example/a.jpg\nhttps://birds.example/a")
    }

    @Test func answersShortly() async throws {
        let outcome = await ann.call("duckduckgo.answer", ["query": "ada lovelace"])
        #expect(
            outcome.message == "English mathematician. (Wikipedia)\nhttps://en.wikipedia.org/wiki/Ada_Lovelace")
        #expect(simulator.requests.count == 1)
        #expect(host.http.requests.first?.flags == 3)
    }

    @Test func asksWhatIsMeant() async throws {
        let outcome = await ann.call("duckduckgo.answer", ["query": "swift"])
        #expect(outcome.message == "Which one? 1 Swift birds, 2 Swift a language.")
        let second = try #require(outcome.shown?.items.last)
        let more = await ann.call("duckduckgo.show", ["result": .string("#" + second.id)])
        #expect(more.message == "Swift a language\nhttps://duckduckgo.com/Swift_(language)")
    }

    @Test func turnsToTheWebWithoutAnAnswer() async throws {
        let outcome = await ann.call("duckduckgo.answer", ["query": "the best tea"])
        #expect(outcome.message.hasPrefix("No short answer, but: 1 Page 1 & more (example.org), 2 "))
        #expect(outcome.shown?.items.count == 5)
        #expect(simulator.refusals == [])
    }

    @Test func findsAResultOfAFurtherPage() async throws {
        let second = await ann.call("duckduckgo.search", ["query": "swift", "page": 2])
        let id = try #require(second.shown?.items.last?.id)
        host.now = Instant(milliseconds: host.now.milliseconds + 700_000)
        let more = await ann.call("duckduckgo.show", ["result": .string("#" + id)])
        #expect(more.message == "Page 20 & more. Text <b> number 20.\nhttps://www.example.org/p?n=20")
        simulator.setPages([])
        host.now = Instant(milliseconds: host.now.milliseconds + 700_000)
        let gone = try #require(await ann.call("duckduckgo.show", ["result": .string("#" + id)]).error)
        #expect(gone.code == "not_found")
        let words = try #require(await ann.call("duckduckgo.show", ["result": "the blue one"]).error)
        #expect(words.code == "not_found")
    }

    @Test func sendsNoMoreThanNeeded() async throws {
        _ = await ann.call("duckduckgo.search", ["query": "a&b=c d"])
        let sent = try #require(host.http.requests.first)
        #expect(sent.form.contains { $0 == ("q", "a&b=c d") })
        #expect(sent["cookie"] == nil)
        #expect(sent["referer"] == "https://html.duckduckgo.com/")
        #expect(Set(sent.form.map(\.name)) == ["q", "b", "kl"])
        let nothing = try #require(await ann.call("duckduckgo.search", ["query": "\u{200B} "]).error)
        #expect(nothing.code == "invalid")
    }
}
