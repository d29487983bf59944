import Foundation
import TandemJSON
import TandemSDK
import Testing

@testable import YouTube

/// Forms of ids, durations and transcripts.
struct ReadingTests {
    @Test(arguments: [
        ("PT1H2M3S", 3723), ("PT0S", 0), ("P0D", 0), ("P1DT2H", 93_600), ("PT15M", 900), ("P2W", 1_209_600),
        ("PT1.5S", 1),
        ("PT100H", 360_000), ("P1DT0S", 86_400),
    ])
    func readsDurations(text: String, seconds: Int) { #expect(VideoLength.seconds(text) == seconds) }

    @Test(arguments: [
        "", "P", "PT", "P1", "PT1", "1H", "PT1S2M", "PT1H1H", "P1Y", "P1M", "PTS", "P1DT", "PT-1S", "PT1.5M3S", "pt1s",
        "PT99999999999S", "PTT1S", "P1H", "PT1D",
    ])
    func refusesOtherDurations(text: String) { #expect(VideoLength.seconds(text) == nil, "\(text)") }

    @Test func writesAndReadsClocks() {
        #expect(
            [0, 59, 60, 3599, 3600, 36_061].map(VideoLength.clock) == [
                "0:00", "0:59", "1:00", "59:59", "1:00:00", "10:01:01",
            ])
        for (text, seconds) in [
            ("0:00", 0), ("1:02:03", 3723), ("90:00", 5400), ("1:60", nil), ("12", nil), ("1:2", nil), ("a:00", nil),
        ] as [(String, Int?)] {
            #expect(VideoLength.seconds(clock: text) == seconds, "\(text)")
        }
    }

    @Test(arguments: [
        "https://www.youtube.com/watch?v=SAMPLEvid01", "http://youtube.com/watch?app=x&v=SAMPLEvid01#t=1",
        "https://youtu.be/SAMPLEvid01?t=3", "youtu.be/SAMPLEvid01", "https://m.youtube.com/shorts/SAMPLEvid01",
        "https://www.youtube.com/embed/SAMPLEvid01?x=1", "https://www.youtube.com/live/SAMPLEvid01",
        "https://music.youtube.com/watch?v=SAMPLEvid01", "https://www.youtube-nocookie.com/embed/SAMPLEvid01",
    ])
    func readsAddresses(address: String) { #expect(VideoID(address: address)?.description == "SAMPLEvid01") }

    @Test(arguments: [
        "https://evil.example/watch?v=SAMPLEvid01", "https://youtube.com.evil.example/watch?v=SAMPLEvid01",
        "https://youtube.com@evil.example/watch?v=SAMPLEvid01", "https://www.youtube.com/watch?v=short", "youtube", "",
        "https://www.youtube.com/watch", "https://www.youtube.com/@someone",
    ])
    func refusesOtherAddresses(address: String) { #expect(VideoID(address: address) == nil) }

    @Test func readsChaptersAsYouTubeDoes() throws {
        let id = try #require(VideoID("SAMPLEvid01"))
        func titles(_ text: String) -> [String] { Chapter.chapters(of: text, id).map { "\($0.second) \($0.title)" } }
        #expect(
            titles("Intro:\n0:00 Start\n(1:30) - Middle\nThe end 1:02:03\n") == [
                "0 Start", "90 Middle", "3723 The end",
            ])
        #expect(titles("0:00 a\n1:00 b") == [])
        #expect(titles("0:10 a\n1:00 b\n2:00 c") == [])
        // Not backwards.
        #expect(titles("0:00 a\n2:00 b\n1:00 c\n3:00 d") == ["0 a", "120 b", "180 d"])
    }

    @Test func readsBothFormsOfTimedText() throws {
        let plain = """
            <?xml version="1.0" encoding="utf-8" ?><transcript>
            <text start="0" dur="1.54">Hello &amp;amp; welcome</text>
            <text start="1.54" dur="4.16">it&amp;#39;s a &lt;i&gt;sample&lt;/i&gt;</text>
            <text start="5" dur="0.5"></text>
            <text start="5.7">the last line has no dur</text></transcript>
            """
        let lines = try #require(Transcript(xml: Array(plain.utf8), language: "en", isAutomatic: false)).lines
        #expect(lines.map(\.text) == ["Hello & welcome", "it's a sample", "the last line has no dur"])
        #expect(lines.map(\.milliseconds) == [0, 1540, 5700])
        let words =
            "<timedtext format=\"3\"><body><p t=\"0\" d=\"1540\"><s>Hello</s><s t=\"320\"> world</s></p><p t=\"1540\">a paragraph</p></body></timedtext>"
        let other = try #require(Transcript(xml: Array(words.utf8), language: "en", isAutomatic: true)).lines
        #expect(other.map(\.text) == ["Hello world", "a paragraph"])
        if let folder = World.contracts {
            for (name, count) in [("timedtext.sample.xml", 3), ("timedtext.srv3.sample.xml", 2)] {
                let data = try #require(FileManager.default.contents(atPath: "\(folder)/youtube/\(name)"))
                #expect(Transcript(xml: Array(data), language: "en", isAutomatic: false)?.lines.count == count)
            }
        }
        for text in [
            "", "<transcript></transcript>", "<html>", "<text>no time</text>", "<text start=\"x\">a</text>",
            "<p t=\"1\">",
        ] {
            #expect(Transcript(xml: Array(text.utf8), language: "en", isAutomatic: false) == nil, "\(text)")
        }
    }

    @Test func readsSubRip() throws {
        let srt =
            "1\r\n00:00:01,500 --> 00:00:03,000\r\nHello\r\nthere\r\n\r\n2\r\n01:00:00,000 --> 01:00:02,000\r\nIn 1999 it\r\n"
        let lines = try #require(Transcript(srt: srt, language: "en", isAutomatic: false)).lines
        #expect(lines.map(\.text) == ["Hello there", "In 1999 it"])
        #expect(lines.map(\.milliseconds) == [1500, 3_600_000])
        #expect(Transcript(srt: "nothing", language: "en", isAutomatic: false) == nil)
    }

    @Test func choosesTheTrackThatPeopleWroteInTheLanguageWanted() throws {
        func track(_ language: String, _ isAutomatic: Bool = false) throws -> TranscriptService.Track {
            var json: JSON = [
                "baseUrl": "https://www.youtube.com/api/timedtext?v=x&fmt=srv3", "languageCode": .string(language),
            ]
            if isAutomatic { json["kind"] = "ASR" }
            return try #require(TranscriptService.Track(json))
        }
        let tracks = try [track("en", true), track("de"), track("pt-BR", true), track("en-GB")]
        func best(_ wanted: String...) -> String? { TranscriptService.Track.best(of: tracks, wanted)?.language }
        #expect(best("en") == "en-gb")
        #expect(best("pt") == "pt-br")
        #expect(best("fr", "de") == "de")
        #expect(best("fr") == "de")
        #expect(TranscriptService.Track.best(of: [], ["en"]) == nil)
        #expect(try track("en").address == "https://www.youtube.com/api/timedtext?v=x")
        // Elsewhere it is not fetched.
        #expect(
            TranscriptService.Track(["baseUrl": "https://evil.example/api/timedtext?v=x", "languageCode": "en"]) == nil)
    }

    @Test func aHugeTranscriptCostsNoMoreThanItsLength() {
        let lines = (0..<20_000).map {
            Transcript.Line(milliseconds: Int64($0) * 2000, text: "word\($0 % 50) of line \($0)")
        }
        let transcript = Transcript(lines: lines, language: "en", isAutomatic: true)
        #expect(transcript.passages(about: "word7").count == 3)
        #expect(transcript.keyPassages(5).count == 5)
        #expect(Transcript(json: transcript.json) == transcript)
    }
}
