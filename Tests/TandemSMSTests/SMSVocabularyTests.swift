import TandemAccounts
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

    @Test func packsMessageIDs() {
        let packed = compactSID("SM00112233445566778899aabbccddeeff")
        #expect(
            packed == [
                83, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF,
            ])
        #expect(compactSID("MM00112233445566778899AABBCCDDEEFF") != packed)
    }

    @Test func addressesTravelAsText() throws {
        let number = try #require(PhoneNumber("+15555550123"))
        let address = ReplyAddress(to: number, from: "+15555550100", mediaCount: 2, segments: 3)
        #expect(ReplyAddress(address.text) == address)
        #expect(ReplyAddress(#"{"to":"x","from":"y"}"#) == nil)
        #expect(ReplyAddress("nonsense") == nil)
    }
}
