import NotionSimulator
import TandemJSON
import TandemSDK
import Testing

@testable import Notion

/// Forms of ids, texts and values.
struct ReadingTests {
    @Test(arguments: [
        ("0000000000004000800000000000001A", true), ("00000000-0000-4000-8000-00000000001a", true), ("", false),
        ("0000000000004000800000000000001", false), ("00000000-0000-4000-8000-00000000001g", false),
        ("--------------------------------", false), ("0000-0000000040008000000000000001a0", false),
    ])
    func readsIDs(text: String, isOne: Bool) {
        #expect((NotionID(text) != nil) == isOne)
        if isOne { #expect(NotionID(text)?.description == "00000000-0000-4000-8000-00000000001a") }
    }

    @Test func readsAddresses() {
        let id = "0000000000004000800000000000001a"
        for address in [
            "https://www.notion.so/Title-\(id)", "https://www.notion.so/team/A-b-\(id)?v=1",
            "https://notion.so/\(id)#x",
            "HTTPS://me.notion.site/\(id)",
        ] {
            #expect(NotionID(address: address) != nil, "\(address)")
        }
        for address in [
            "https://evil.example/\(id)", "https://notion.so.evil.example/\(id)", "https://www.notion.so/",
            "notion.so/\(id)",
        ] {
            #expect(NotionID(address: address) == nil, "\(address)")
        }
    }

    @Test func cutsTextsAtTheLimitAndLosesNothing() {
        let family = "\u{1F469}\u{200D}\u{1F467}"
        for text in [
            String(repeating: "a", count: 2000), String(repeating: "a", count: 2001),
            String(repeating: "word ", count: 999),
            String(repeating: family, count: 900), "e" + String(repeating: "\u{301}", count: 5000),
        ] {
            let parts = RichText.parts(text)
            #expect(parts.allSatisfy { $0.utf16.count <= 2000 && !$0.isEmpty })
            #expect(parts.joined().unicodeScalars.elementsEqual(text.unicodeScalars))
        }
        #expect(RichText.parts("") == [])
        let items = RichText.items("see https://example.org/a, or not")
        #expect(
            items.map { $0["text"]?["content"]?.stringValue ?? "" } == ["see ", "https://example.org/a", ", or not"])
        #expect(items[1]["text"]?["link"]?["url"] == "https://example.org/a")
    }

    @Test func aTextOfAnyKindMakesBlocksThatNotionTakes() {
        for text in ["", "\n\n", "```", "```\nx", "- ", "# ", "1. ", "---", "-----", "[ ] ", "9999. x", "\u{0}", "> "] {
            for block in BlockWriter.blocks(text) {
                if let checker = World.checker {
                    #expect(checker.problem(block, "BlockObjectRequest") == nil, "\(text)")
                }
            }
        }
        #expect(BlockWriter.blocks(String(repeating: "a", count: 250_000)).count == 2)
    }

    @Test func readsEveryKindOfValue() {
        let values: [(JSON, String?)] = [
            (["type": "number", "number": 3], "3"), (["type": "number", "number": 3.5], "3.5"),
            (["type": "number", "number": .null], nil), (["type": "select", "select": ["name": "A"]], "A"),
            (["type": "date", "date": ["start": "2026-01-01", "end": "2026-01-02"]], "2026-01-01 to 2026-01-02"),
            (["type": "people", "people": [["name": "Ann"], ["id": "x"]]], "Ann, x"),
            (["type": "formula", "formula": ["type": "boolean", "boolean": true]], "yes"),
            (["type": "rollup", "rollup": ["type": "array", "array": [["type": "number", "number": 2]]]], "2"),
            (["type": "unique_id", "unique_id": ["prefix": "T", "number": 4]], "T-4"),
            (["type": "relation", "relation": [["id": "x"]]], "1 linked"),
            (["type": "created_by", "created_by": ["object": "user", "id": "x"]], "x"),
            (["type": "files", "files": [["name": "a.pdf"]]], "a.pdf"), (["type": "button", "button": [:]], nil),
            (["type": "something_new", "something_new": 1], nil), ([:], nil), (.null, nil),
        ]
        for (value, text) in values { #expect(PropertyValue.text(value) == text) }
    }

    @Test func readsBlocksOfBothVersionsAndThoseItDoesNotKnow() {
        func line(_ type: String, _ content: JSON) -> String? {
            BlockReader.line(["type": .string(type), type: content], type, number: 1)
        }
        #expect(line("transcription", ["title": [["plain_text": "Standup"]]]) == "[Meeting notes: Standup]")
        #expect(line("meeting_notes", [:]) == "[Meeting notes]")
        #expect(line("child_page", ["title": "Sub"]) == "[Page: Sub]")
        #expect(line("table_row", ["cells": [[["plain_text": "a"]], [["plain_text": "b"]]]]) == "a | b")
        #expect(line("image", ["caption": [["plain_text": "A cat"]]]) == "[Image: A cat]")
        #expect(line("bookmark", ["url": "https://example.org"]) == "[Link: https://example.org]")
        #expect(line("unheard_of", ["rich_text": [["plain_text": "text"]]]) == "text")
        #expect(line("breadcrumb", [:]) == nil)
    }
}
