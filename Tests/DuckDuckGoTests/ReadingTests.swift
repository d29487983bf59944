import Foundation
import PluginCommon
import TandemJSON
import TandemSDK
import Testing

@testable import DuckDuckGo

/// Reading of pages and answers, also of the golden samples where they are on this machine.
@Suite struct ReadingTests {
    private func page(_ text: String) -> ResultPage { ResultPage(Array(text.utf8)) }

    @Test func readsTagsTextAndReferences() {
        let tokens = Array(
            Markup(
                Array(
                    "<!DOCTYPE x><A HREF='a&amp;b' b c=d/>x &lt; &#39;y&#x27; &bogus; & z</a><!-- <p> --><br/>1 < 2"
                        .utf8)))
        #expect(
            tokens == [
                .open("a", ["href": "a&b", "b": "", "c": "d/"]), .text("x < 'y' &bogus; & z"), .close("a"),
                .open("br", [:]), .text("1 "), .text("<"), .text(" 2"),
            ])
        let script = Array(Markup(Array("<script>a<b && '<div>'</SCRIPT>x<style>p{}".utf8)))
        #expect(script == [.open("script", [:]), .close("script"), .text("x"), .open("style", [:])])
    }

    @Test func survivesAnyBytes() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("<>/='\"& ;#x!-adivresultformscript\u{0}\u{ff}".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            _ = ResultPage(bytes)
        }
        // Linear: half a megabyte of unclosed tags.
        let clock = ContinuousClock()
        let spent = clock.measure { _ = ResultPage([UInt8](repeating: UInt8(ascii: "<"), count: 500_000)) }
        #expect(spent < .seconds(60))
    }

    @Test(
        arguments: [
            ("//duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1%26c&rut=x", "https://example.org/a?b=1&c"),
            ("https://example.org/direct", "https://example.org/direct"),
            ("https://duckduckgo.com/y.js?ad_domain=x", nil), ("//duckduckgo.com/l/?uddg=javascript%3Aalert(1)", nil),
            ("//duckduckgo.com/l/?rut=x", nil), ("javascript:alert(1)", nil), ("/relative", nil),
            ("https://a@b.example/", nil), ("https://duckduckgo.com/Swift", "https://duckduckgo.com/Swift"),
        ] as [(String, String?)])
    func findsWhereALinkLeads(link: String, expected: String?) { #expect(ResultPage.target(of: link) == expected) }

    @Test func tellsPagesApart() {
        #expect(page("<div class=\"no-results\">No  results.</div>").saysNoResults)
        #expect(!page("<p>nothing</p>").saysNoResults)
        #expect(page("<form id=\"challenge-form\" action=\"//duckduckgo.com/anomaly.js\">").isChallenge)
        #expect(page("<div class='anomaly-modal__title'>").isChallenge)
    }

    @Test func namesResultsSoThatTheyCanBeFoundAgain() throws {
        let found = try #require(Found(title: "", url: "https://www.example.org/x", snippet: "s"))
        #expect(found.title == "example.org")
        let id = ResultID(.web, "a:b c", found)
        #expect(ResultID(id.text) == id)
        for text in ["", "w", "w:12345678", "w:12345678:", "x:12345678:q", "w:1234:q"] {
            #expect(ResultID(text) == nil)
        }
        #expect(Found(title: "x", url: "ftp://x", snippet: "") == nil)
    }

    // MARK: Golden samples

    /// The folder of the samples, beside the project's; nil on machines without them.
    static let samples: String? = {
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent()
            .appendingPathComponent("../../../shared/contracts/duckduckgo").standardized.path
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }()

    private func sample(_ name: String) throws -> [UInt8] {
        let folder = try #require(Self.samples)
        return Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
    }

    @Test(.enabled(if: samples != nil, "the golden samples are not on this machine"))
    func readsTheSampleOfResults() throws {
        let page = ResultPage(try sample("html-results.sample.html"))
        #expect(page.results.map(\.title) == ["Swift & concurrency", "A direct link"])
        #expect(page.results.map(\.url) == ["https://example.org/swift?a=1", "https://example.com/direct"])
        #expect(page.results.map(\.snippet) == ["About swift concurrency.", "No redirect here."])
        #expect(page.next?["s"] == "10")
        #expect(page.next?["vqd"] == "4-000000000000000000000000000000000000000")
        #expect(page.next?.count == 9)
        #expect(!page.saysNoResults)
        #expect(!page.isChallenge)
    }

    @Test(.enabled(if: samples != nil, "the golden samples are not on this machine"))
    func readsTheOtherSamplePages() throws {
        let lite = ResultPage(try sample("lite-results.sample.html"))
        #expect(lite.results.map(\.title) == ["Swift & concurrency"])
        #expect(lite.results.map(\.url) == ["https://example.org/swift?a=1"])
        #expect(lite.results.map(\.snippet) == ["About swift concurrency."])
        #expect(lite.next?["s"] == "10")
        let empty = ResultPage(try sample("html-empty.sample.html"))
        #expect(empty.results.isEmpty)
        #expect(empty.saysNoResults)
        let challenge = ResultPage(try sample("html-challenge.sample.html"))
        #expect(challenge.isChallenge)
        #expect(!challenge.saysNoResults)
    }

    @Test(.enabled(if: samples != nil, "the golden samples are not on this machine"))
    func readsTheSampleAnswers() throws {
        func answer(_ name: String) throws -> InstantAnswer {
            let exchange = try JSON(parsing: try sample("samples/\(name).json"))
            return try #require(InstantAnswer(exchange["response"]?["json"] ?? .null))
        }
        let article = try answer("instant-article")
        #expect(article.text == "Swifts are birds.")
        #expect(article.source == "Wikipedia")
        #expect(article.heading == "Swift (bird)")
        #expect(article.topics.map(\.title) == ["Official site", "Birds"])
        #expect(try answer("instant-calc").text == "Base64 encoded: aGk=")
        let several = try answer("instant-disambiguation")
        #expect(several.isAmbiguous)
        #expect(several.topics.map(\.title) == ["Swift birds", "Swift a language"])
        #expect(try answer("instant-none").isEmpty)
    }
}
