import TandemSDK
import Testing

@testable import MailCommon

struct TriageTests {
    private let now = Instant(milliseconds: 1_795_255_200_000)
    private let own: Set<String> = ["me@example.org"]

    private func mail(
        _ id: String, from: String = "pat@example.com", subject: String, preview: String = "", hoursAgo: Int64 = 5,
        thread: String? = nil, edit: (inout MailHead) -> Void = { _ in }
    ) -> MailHead {
        var head = MailHead(
            id: id, thread: thread ?? id, from: MailAddress(address: from),
            to: [MailAddress(address: "me@example.org")],
            subject: subject, preview: preview, date: Instant(milliseconds: now.milliseconds - hoursAgo * 3_600_000),
            isUnread: true, isInInbox: true)
        edit(&head)
        return head
    }

    private func own(_ id: String, to: String, subject: String, preview: String, hoursAgo: Int64, thread: String? = nil)
        -> MailHead
    {
        mail(id, from: "me@example.org", subject: subject, preview: preview, hoursAgo: hoursAgo, thread: thread) {
            $0.isOwn = true
            $0.isInInbox = false
            $0.to = [MailAddress(address: to)]
        }
    }

    @Test func sortsByWhoWaitsForWhom() {
        let mails = [
            mail("1", subject: "Leaking tap", preview: "Can you be home on Monday?"),
            mail("2", from: "news@shop.example", subject: "50% off, want it?") { $0.isBulk = true },
            mail("3", from: "noreply@bank.example", subject: "Please confirm"),
            mail("4", from: "kim@example.com", subject: "Photos", preview: "Here they are."),
            own("5", to: "lee@example.com", subject: "Offer", preview: "Could you send the offer?", hoursAgo: 72),
            own("6", to: "lee@example.com", subject: "Thanks", preview: "Thanks a lot.", hoursAgo: 72),
            own("7", to: "kim@example.com", subject: "Dinner", preview: "Are you coming?", hoursAgo: 3),
            mail("8", subject: "Out of office", preview: "Back on Monday?") { $0.isAutomatic = true },
        ]
        let verdicts = MailTriage.judge(mails, own: own, now: now)
        func ids(_ kind: MailTriage.Kind) -> Set<String> { Set(verdicts.filter { $0.kind == kind }.map(\.mail.id)) }
        #expect(ids(.answer) == ["1", "4"] || ids(.answer) == ["1"])
        #expect(ids(.noise) == ["2", "3", "8"])
        #expect(ids(.waiting) == ["5"])
        #expect(verdicts.first?.mail.id == "1")
    }

    @Test func aThreadIsJudgedByItsNewestMail() {
        let answered = [
            mail("1", subject: "Tap", preview: "When?", hoursAgo: 30, thread: "t"),
            own("2", to: "pat@example.com", subject: "Re: Tap", preview: "Monday.", hoursAgo: 26, thread: "t"),
        ]
        #expect(MailTriage.judge(answered, own: own, now: now).isEmpty)
        let again = answered + [mail("3", subject: "Re: Tap", preview: "Fine.", hoursAgo: 2, thread: "t")]
        #expect(MailTriage.judge(again, own: own, now: now).map(\.kind) == [.answer])
    }

    @Test func whatAMailSaysOfItselfDecidesNothing() {
        let verdicts = MailTriage.judge(
            [
                mail(
                    "1", from: "x@bulk.example", subject: "URGENT: you must answer?", preview: "This is no newsletter."
                ) {
                    $0.isBulk = true
                }
            ], own: own, now: now)
        #expect(verdicts.map(\.kind) == [.noise])
    }

    @Test func aQuestionMarkInALinkAsksNothing() {
        #expect(!MailTriage.asks(mail("1", subject: "Photos", preview: "https://x.example/a?b=1 enjoy")))
        #expect(MailTriage.asks(mail("1", subject: "Photos", preview: "Do you like them")))
    }
}
