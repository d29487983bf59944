import Foundation
import GmailSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import VendorSimulator

@testable import Gmail

struct ReadingTests {
    @Test func theDefinitionHolds() { #expect(Gmail.definition.validate() == []) }

    @Test func listsTheInbox() async throws {
        let box = try Mailbox()
        box.gmail.deliver(
            from: "Pat Sample <pat@example.com>", subject: "Leaking tap", text: "I can come on Monday?", minutesAgo: 30)
        box.gmail.deliver(
            from: "=?utf-8?Q?Andr=C3=A9?= <andre@example.org>", subject: "=?utf-8?B?UsOpdW5pb24=?=", text: "Demain.",
            labels: ["INBOX"], minutesAgo: 3000)
        box.gmail.deliver(from: "Old <old@example.org>", subject: "Gone", text: "x", labels: [], minutesAgo: 9000)
        let list = await box.ann.call("gmail.list")
        #expect(
            list.message.hasPrefix("1 unread: 1 *Pat Sample: Leaking tap (09:30), 2 Andr\u{E9}: R\u{E9}union (19 Nov).")
        )
        #expect(list.trust == .untrusted)
        #expect(list.shown?.select == "gmail.read")
        #expect(list.shown?.items.first?.label == "pat@example.com (Pat Sample): Leaking tap")
        #expect(list.value?["mails"]?.arrayValue?.count == 2)
        #expect(list.value?["mails"]?[0]?["unread"] == true)
        let unread = await box.ann.call("gmail.list", ["filter": "unread"])
        #expect(unread.value?["mails"]?.arrayValue?.count == 1)
        let from = await box.ann.call("gmail.list", ["from": "old"])
        #expect(from.message.contains("Old: Gone"))
        #expect(await box.ann.say("gmail.list", ["filter": "starred"]) == "No mail there.")
        #expect(await box.ann.say("gmail.list", ["filter": "unread", "from": "kim"]) == "No mail from kim.")
        #expect(box.gmail.refusals == [])
    }

    @Test func aPeriodIsThePersonsDays() async throws {
        let box = try Mailbox()
        box.ann.setTimeZone("Asia/Tokyo") { _ in 9 * 3600 }
        // 23:30 and 00:30 in Tokyo.
        box.gmail.deliver(from: "a@example.org", subject: "Late", text: "x", minutesAgo: 19 * 60 + 30)
        box.gmail.deliver(from: "b@example.org", subject: "Early", text: "x", minutesAgo: 18 * 60 + 30)
        let today = await box.ann.call("gmail.list", ["period": ["from": "2026-11-21", "to": "2026-11-21"]])
        #expect(today.message.contains("Early"))
        #expect(!today.message.contains("Late"))
    }

    @Test func searches() async throws {
        let box = try Mailbox()
        box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Leaking tap", text: "The quote is attached.")
        let found = await box.ann.call("gmail.search", ["query": "quote"])
        #expect(found.message.hasPrefix("1 *Pat: Leaking tap"))
        #expect(await box.ann.say("gmail.search", ["query": "giraffe"]) == "No mail about that.")
        #expect(box.gmail.refusals == [])
    }

    @Test func readsPlainTextWithoutHistory() async throws {
        let box = try Mailbox()
        let id = box.gmail.deliver(
            from: "Pat Sample <pat@example.com>", subject: "Re: Tap",
            text: "Monday is fine.\r\n\r\nOn Fri, 20 Nov 2026, Me <me@example.org> wrote:\r\n> Monday?\r\n")
        let mail = await box.ann.call("gmail.read", ["mail": .string("#" + id)])
        #expect(mail.message.hasPrefix("Pat Sample, 09:00: Re: Tap\nMonday is fine.\n[older mails in it left out]"))
        #expect(mail.value?["text"] == "Monday is fine.")
        #expect(mail.value?["has_history"] == true)
        #expect(mail.trust == .untrusted)
        #expect(box.gmail.labels(of: id)?.contains("UNREAD") == true)
    }

    @Test func readsAnyMIME() async throws {
        let box = try Mailbox()
        box.gmail.attach("ATT1", Array("The long text from elsewhere.".utf8))
        let html = "<p>Bonjour, c'est <b>moi</b></p><div style='display:none'>secret</div>"
        func data(_ bytes: [UInt8]) -> JSON { .string(GmailSimulator.encoded(Data(bytes)).replacing("=", with: "")) }
        func part(_ type: String, _ body: JSON, _ headers: [(String, String)] = [], name: String = "") -> JSON {
            [
                "mimeType": .string(type), "filename": .string(name), "headers": GmailSimulator.headers(headers),
                "body": body,
            ]
        }
        let payload: JSON = [
            "mimeType": "multipart/mixed", "filename": "",
            "headers": GmailSimulator.headers([
                ("From", "Pat <pat@example.com>"), ("To", "me@example.org"), ("Subject", "S"),
            ]),
            "body": ["size": 0],
            "parts": [
                [
                    "mimeType": "multipart/alternative", "filename": "",
                    "parts": [
                        part("text/plain", ["size": 3, "data": data([32, 10, 10])]),
                        part(
                            "text/html", ["size": 3, "data": data(Array(html.utf8))],
                            [("Content-Type", "text/html; charset=utf-8")]),
                    ],
                ],
                part(
                    "text/plain", ["size": 4, "data": data([0x63, 0x61, 0x66, 0xE9])],
                    [("Content-Type", "text/plain; charset=iso-8859-1")]),
                part("text/plain", ["size": 29, "attachmentId": "ATT1"]),
                part("application/pdf", ["size": 51234, "attachmentId": "ATT2"], name: "quote.pdf"),
                part(
                    "text/plain", ["size": 9, "attachmentId": "ATT3"],
                    [("Content-Disposition", "attachment; filename=\"notes.txt\"")], name: "notes.txt"),
            ],
        ]
        let id = box.gmail.deliver(payload: payload, text: "Bonjour")
        let mail = await box.ann.call("gmail.read", ["mail": .string("#" + id)])
        let text = mail.value?["text"]?.stringValue ?? ""
        #expect(text.contains("Bonjour, c'est moi"))
        #expect(text.contains("caf\u{E9}"))
        #expect(text.contains("The long text from elsewhere."))
        #expect(!text.contains("secret"))
        #expect(mail.message.contains("Attached: quote.pdf (51 KB), notes.txt (9 B)."))
        #expect(mail.value?["attachments"]?.arrayValue?.count == 2)
        #expect(box.gmail.refusals == [])
    }

    @Test func readsALongMail() async throws {
        let box = try Mailbox()
        let line = String(repeating: "All work and no play. ", count: 60_000)
        let id = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Novel", text: line)
        let mail = await box.ann.call("gmail.read", ["mail": .string("#" + id)])
        #expect(mail.value?["cut"] == true)
        #expect(mail.value?["text"]?.stringValue?.count == 6000)
    }

    @Test func findsAMailByWordsAndAsksWhichOfSeveral() async throws {
        let box = try Mailbox()
        box.gmail.deliver(from: "Pat Plumber <pat@example.com>", subject: "Tap", text: "Monday?")
        #expect(await box.ann.say("gmail.read", ["mail": "pat"]).hasPrefix("Pat Plumber, 09:00: Tap"))
        let second = box.gmail.deliver(
            from: "Pat Baker <baker@example.com>", subject: "Bread", text: "Ready.", minutesAgo: 90)
        let outcome = await box.ann.call("gmail.read", ["mail": "pat"])
        let ask = try #require(outcome.question)
        #expect(ask.options.map(\.label) == ["Pat Plumber: Tap", "Pat Baker: Bread"])
        let answered = await box.ann.answer(ask, .string("#" + second), to: "gmail.read", ["mail": "pat"])
        #expect(answered.message.hasPrefix("Pat Baker"))
        #expect(await box.ann.say("gmail.read", ["mail": "giraffe"]).hasPrefix("I find no mail for giraffe."))
        #expect(await box.ann.say("gmail.read", ["mail": "latest mail"]).hasPrefix("Pat Plumber"))
    }

    @Test func searchWordsOfAReferenceCannotBecomeOperators() async throws {
        let box = try Mailbox()
        _ = await box.ann.call("gmail.read", ["mail": "x) OR in:trash {a -b \"c"])
        for request in box.gmail.requests { #expect(request.first("q")?.contains("in:trash") != true) }
    }

    @Test func showsLabelsAndDrafts() async throws {
        let box = try Mailbox()
        #expect(await box.ann.say("gmail.labels") == "No labels of your own yet.")
        _ = box.gmail.addLabel("House")
        #expect(await box.ann.say("gmail.labels") == "1 label: House.")
        #expect(await box.ann.say("gmail.drafts") == "No drafts.")
    }

    @Test func saysWhatNeedsAnAnswer() async throws {
        let box = try Mailbox()
        let tap = box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "Can you be home on Monday?")
        box.gmail.deliver(
            from: "Shop <news@shop.example>", subject: "Sale?", text: "Buy now",
            headers: [("List-Unsubscribe", "<mailto:x@shop.example>")])
        box.gmail.deliver(
            from: "me@example.org", to: "Lee <lee@example.com>", subject: "Offer", text: "Could you send the offer?",
            labels: ["SENT"], minutesAgo: 4000)
        let answered = box.gmail.deliver(
            from: "me@example.org", to: "Kim <kim@example.com>", subject: "Dinner", text: "Are you coming?",
            labels: ["SENT"], minutesAgo: 5000)
        // The answer was archived: only the thread knows.
        box.gmail.deliver(
            from: "kim@example.com", subject: "Re: Dinner", text: "Yes", labels: [], minutesAgo: 4900, thread: answered)
        let sorted = await box.ann.call("gmail.triage")
        #expect(sorted.message.hasPrefix("To answer: 1 Pat: Tap (asks, 1 h ago)."))
        #expect(sorted.message.contains("You wait for Lee. 1 is noise: say archive newsletters."))
        #expect(sorted.shown?.items.map(\.id) == [tap])
        #expect(sorted.trust == .untrusted)
        #expect(sorted.value?["noise"] == 1)
        let waiting = await box.ann.call("gmail.triage", ["kind": "waiting"])
        #expect(waiting.message.hasPrefix("You wait for: 1 to Lee: Offer (you asked 2 d ago)."))
        #expect(box.gmail.refusals == [])
    }

    /// What seems to ask nothing is given to a reader, when the host has one; it can only choose a kind.
    @Test func whatTheRulesLeaveIsRead() async throws {
        let box = try Mailbox()
        box.gmail.deliver(from: "Pat <pat@example.com>", subject: "Tap", text: "Can you come?")
        let leak = box.gmail.deliver(from: "Lee <lee@example.com>", subject: "Leak", text: "It drips since Monday.")
        box.gmail.deliver(from: "Kim <kim@example.com>", subject: "Lake", text: "Photos from the lake.")
        box.gmail.deliver(from: "Ann <ann@shop.example>", subject: "Sale", text: "Only this week.")
        let before = await box.ann.call("gmail.triage")
        #expect(before.value?["other"]?.arrayValue?.count == 3)
        let requests = box.gmail.requests.count
        box.host.reader = { text in
            text.contains("drips") ? "answer" : text.contains("Only this week") ? "noise" : nil
        }
        let after = await box.ann.call("gmail.triage")
        #expect(after.message.hasPrefix("To answer: 1 Pat: Tap (asks, 1 h ago), 2 Lee: Leak (seems to ask)."))
        #expect(after.value?["noise"] == 1 && after.value?["other"]?.arrayValue?.count == 1)
        #expect(after.shown?.items.last?.id == leak && after.trust == .untrusted)
        // The service was not asked again for it.
        #expect(box.gmail.requests.count <= 2 * requests)
        // Whatever it says besides is nothing.
        box.host.reader = { _ in "waiting" }
        #expect(await box.ann.call("gmail.triage").value?["other"]?.arrayValue?.count == 3)
        #expect(await box.ann.say("gmail.triage", ["kind": "waiting"]) == "You wait for nobody's answer.")
        #expect(box.gmail.refusals == [])
    }
}
