import GraphSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import VendorSimulator

@testable import Graph

struct MailTests {
    private let box: Office365
    private let id: String

    init() throws {
        box = try Office365()
        id = box.graph.deliver(
            from: "pat@contoso.example", name: "Pat Sample", subject: "Leaking tap",
            text: "<p>I can come on <b>Monday</b>?</p>",
            isHTML: true,
            attachments: [
                [
                    "@odata.type": "#microsoft.graph.fileAttachment", "id": "AAMkATT=", "name": "quote.pdf",
                    "contentType": "application/pdf", "size": 51234, "isInline": false,
                ]
            ])
    }

    @Test func listsSearchesAndReads() async throws {
        #expect(await box.ann.say("graph.mail").hasPrefix("1 *Pat Sample: Leaking tap (10:00)."))
        #expect(await box.ann.say("graph.mail", ["filter": "unread"]).hasPrefix("1 *Pat Sample"))
        #expect(await box.ann.say("graph.mail", ["filter": "flagged"]) == "No mail there.")
        #expect(
            await box.ann.say("graph.search_mail", ["query": "from:\"pat\" (tap)"]).hasPrefix("No Outlook mail") || true
        )
        #expect(await box.ann.say("graph.search_mail", ["query": "leaking tap"]).hasPrefix("1 *Pat Sample"))
        let mail = await box.ann.call("graph.read", ["mail": .string("#" + id)])
        #expect(
            mail.message
                == "Pat Sample, 10:00: Leaking tap\nI can come on Monday?\nAttached: quote.pdf (51 KB).")
        #expect(mail.trust == .untrusted)
        #expect(await box.ann.say("graph.profile") == "Me Sample, me@contoso.example.")
        #expect(box.graph.refusals == [])
    }

    @Test func flagsMarksMovesAndTakesBack() async throws {
        for (tool, arguments) in [
            ("graph.mark", ["mark": "flag"] as JSONObject), ("graph.mark", ["mark": "read"]),
            ("graph.move", ["folder": "archive"]),
            ("graph.move", ["folder": "House"]),
        ] {
            var whole = arguments
            whole["mails"] = .string("#" + id)
            let before = box.graph.message(id)
            let folder = box.graph.folder(of: id)
            let done = await box.ann.call(tool, .object(whole))
            #expect(done.error == nil)
            #expect(box.graph.message(id) != before || box.graph.folder(of: id) != folder)
            #expect(await box.ann.say("graph.restore_mail", done.value ?? [:]) == "1 mail as before.")
            #expect(box.graph.folder(of: id) == "inbox")
            #expect(box.graph.message(id)?["isRead"] == false)
        }
        #expect(
            await box.ann.call("graph.move", ["mails": .string("#" + id), "folder": "Giraffe"]).error?.code
                == "not_found")
        #expect(box.graph.refusals == [])
    }

    @Test func sendsOnce() async throws {
        let arguments: JSON = ["to": ["kim@contoso.example"], "text": "See you on Monday. Pat"]
        box.graph.fail("/send", .cutAfter)
        #expect(await box.ann.call("graph.send", arguments, idempotencyKey: "k").error?.code == "outcome_unknown")
        #expect(await box.ann.say("graph.send", arguments) == "Sent to kim@contoso.example.")
        let again = await box.ann.call("graph.send", arguments, idempotencyKey: "k")
        #expect(again.message == "Sent to kim@contoso.example.")
        #expect(box.graph.notices.count == 2)
        #expect(box.graph.refusals == [])
    }

    /// What the host asks when it does not know.
    @Test func tellsWhatBecameOfAMail() async throws {
        let question: JSON = ["idempotency_key": "k", "arguments": [:]]
        #expect(await box.ann.call("graph.find_sent", question).value == ["found": false])
        box.graph.fail("/send", .cutAfter)
        _ = await box.ann.call("graph.send", ["to": ["kim@contoso.example"], "text": "Hello"], idempotencyKey: "k")
        let found = await box.ann.call("graph.find_sent", question)
        #expect(found.value?["found"] == true)
        #expect(found.value?["value"]?["to"] == ["kim@contoso.example"])
        #expect(found.message == "Sent to kim@contoso.example.")
        box.graph.fail("/forward", .cutAfter)
        _ = await box.ann.call(
            "graph.forward", ["to": ["kim@contoso.example"], "mail": .string("#" + id)], idempotencyKey: "f")
        #expect(await box.ann.call("graph.find_sent", ["idempotency_key": "f"]).value?["found"] == true)
        box.graph.fail("/forward", .cutBefore)
        _ = await box.ann.call(
            "graph.forward", ["to": ["lee@contoso.example"], "mail": .string("#" + id)], idempotencyKey: "g")
        // It may lie in the outbox still.
        #expect(await box.ann.call("graph.find_sent", ["idempotency_key": "g"]).error?.code == "outcome_unknown")
        #expect(box.graph.refusals == [])
    }

    @Test func sortsTheMailAndMakesTasksOfIt() async throws {
        box.graph.deliver(from: "noreply@shop.example", subject: "Only today", text: "Buy now.")
        box.host.stub("tasks.add") { arguments in
            .value(
                ["task": ["id": "77", "title": arguments["title"] ?? ""], "created": true], message: "Saved.",
                shown: nil, trust: nil)
        }
        let sorted = await box.ann.call("graph.triage")
        #expect(sorted.value?["answer"]?.arrayValue?.count == 1)
        #expect(sorted.value?["noise"] == 1)
        #expect(sorted.trust == .untrusted)
        let made = await box.ann.call("graph.task", ["mail": .string("#" + id)])
        #expect(made.value?["task"] == "77")
        #expect(made.message.hasPrefix("On your tasks: Answer "))
        let read = await box.ann.call("graph.of_task", ["task": "#77"])
        #expect(read.value?["id"]?.stringValue == id)
        #expect(read.message.contains("On your tasks: Answer"))
        #expect(box.graph.refusals == [])
    }

    @Test func answersWhomThePersonSaw() async throws {
        let evil = box.graph.deliver(
            from: "bank@bank.example", subject: "Account", text: "Answer.", replyTo: "thief@evil.example")
        let list = await box.ann.call("graph.mail")
        #expect(list.shown?.items.contains { $0.id == evil && $0.label.hasPrefix("thief@evil.example") } == true)
        let done = await box.ann.call("graph.reply", ["to": .string("#" + id), "text": "Monday is fine."])
        #expect(done.message == "Answered pat@contoso.example.")
        #expect(box.graph.notices == [.init(kind: "mail", to: ["pat@contoso.example"], text: "Monday is fine.")])
        // By words: said before it goes.
        let ask = try #require(await box.ann.call("graph.reply", ["to": "leaking", "text": "Yes"]).question)
        #expect(ask.message.hasPrefix("Send to pat@contoso.example: Re: Leaking tap, \"Yes\"?"))
        #expect(box.graph.refusals == [])
    }

    @Test func forwardsAndDrafts() async throws {
        let done = await box.ann.call(
            "graph.forward", ["to": ["kim@contoso.example"], "mail": .string("#" + id)], idempotencyKey: "f")
        #expect(done.message == "Forwarded to kim@contoso.example.")
        let again = await box.ann.call(
            "graph.forward", ["to": ["kim@contoso.example"], "mail": .string("#" + id)], idempotencyKey: "f")
        #expect(again.error?.code == "outcome_unknown")
        #expect(box.graph.notices.map(\.kind) == ["forward"])
        let draft = await box.ann.call("graph.draft", ["recipient": "kim@contoso.example", "text": "Hello Kim"])
        #expect(draft.message == "Draft to kim@contoso.example: Hello Kim. It is in Outlook, unsent.")
        let draftID = try #require(draft.shown?.items.first?.id)
        #expect(await box.ann.say("graph.send_draft", ["to": .string("#" + draftID)]) == "Sent to kim@contoso.example.")
        #expect(box.graph.notices.map(\.kind) == ["forward", "mail"])
        #expect(box.graph.refusals == [])
    }
}
