import TandemCore
import Testing

@testable import TandemSMS

@Suite struct SMSVocabularyTests {
    @Test(arguments: [
        "STOP", "stop", " Stop \n", "StopAll", "unsubscribe", "CANCEL", "end", "quit", "Revoke", "OPTOUT",
    ])
    func knowsStop(text: String) { #expect(CarrierKeyword(text) == .stop) }

    @Test func knowsStartAndHelp() {
        #expect(CarrierKeyword("start") == .start(isYes: false))
        #expect(CarrierKeyword("UNSTOP") == .start(isYes: false))
        #expect(CarrierKeyword("Yes") == .start(isYes: true))
        #expect(CarrierKeyword("info") == .help)
        #expect(CarrierKeyword("HELP") == .help)
    }

    @Test(arguments: ["stop it", "stopp", "cancel the timer", "", " ", "end.", "yes please", "ＳＴＯＰ", "STOP\u{0}x"])
    func leavesOtherTextsToTheAgent(text: String) { #expect(CarrierKeyword(text) == nil) }

    @Test func readsPhoneNumbers() {
        #expect(PhoneNumber("+15555550123")?.text == "+15555550123")
        for text in [
            "15555550123", "+0555", "+1555555012345678", "+1 5555550123", "whatsapp:+15555550123", "", "+", "12345",
        ] {
            #expect(PhoneNumber(text) == nil)
        }
        #expect(PhoneNumber("+15555550123").map { "\($0)" } == "[phone]")
    }

    @Test func statusesNeverLeadBack() {
        #expect(MessageStatus.queued.isFollowed(by: .sent))
        #expect(!MessageStatus.sent.isFollowed(by: .queued))
        #expect(!MessageStatus.sent.isFollowed(by: .sent))
        #expect(!MessageStatus.delivered.isFollowed(by: .failed))
        #expect(!MessageStatus.failed.isFollowed(by: .delivered))
        #expect(MessageStatus.delivered.isFollowed(by: .read))
        #expect(!MessageStatus.undelivered.isFollowed(by: .read))
        #expect(!MessageStatus.sent.isFollowed(by: MessageStatus("novel")))
        #expect(MessageStatus("a\nb\"").rawValue == "ab")
    }

    @Test func readsRFC2822Dates() {
        #expect(timestamp(rfc2822: "Sat, 21 Nov 2026 09:00:00 +0000")?.description == "2026-11-21T09:00:00.000Z")
        #expect(timestamp(rfc2822: "Sat, 21 Nov 2026 09:00:00 -0130")?.description == "2026-11-21T10:30:00.000Z")
        for text in ["", "21 Nov 2026", "Sat, 31 Nov 2026 09:00:00 +0000", "Sat, 21 Nov 2026 09:00:00 GMT"] {
            #expect(timestamp(rfc2822: text) == nil)
        }
    }

    @Test func addressesTravelAsText() throws {
        let number = try #require(PhoneNumber("+15555550123"))
        let address = ReplyAddress(to: number, from: "+15555550100", mediaCount: 2)
        #expect(ReplyAddress(address.text) == address)
        #expect(ReplyAddress(#"{"to":"x","from":"y"}"#) == nil)
        #expect(ReplyAddress("nonsense") == nil)
    }
}
