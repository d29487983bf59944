import Testing

@testable import TandemSMS

struct OptOutPhraseTests {
    @Test(arguments: [
        "please don't text me any more", "Please dont text me anymore.", "do not text me again", "Stop texting me",
        "stop messaging me please", "STOP TEXTING ME!!!", "Please stop sending me messages", "stop sending texts",
        "quit texting me", "no more texts please", "No more messages from you", "I don't want any more texts",
        "I don't want these messages", "I no longer want to receive text messages", "take me off your list",
        "remove me from your list please", "Remove my number", "unsubscribe me", "please unsubscribe me from this list",
        "opt me out", "I want to opt out", "leave me alone", "lose my number", "I don't want to hear from you again",
        "never contact me again", "Wrong number. Stop texting me.", "hey, could you please stop texting me, thanks",
        "i would like to unsubscribe", "I revoke my consent", "don\u{2019}t message me anymore",
        "Stop contacting this number",
        "pls stop txting me", "I said stop texting me", "don't send me any more texts",
        "do not contact this number again",
        "I don't want you to text me", "Please remove me from your texts", "stop spamming me", "no more sms",
    ])
    func isUnderstood(text: String) { #expect(OptOutPhrase.says(text)) }

    @Test(arguments: [
        "stop", "Stop the timer", "stop texting me about milk", "don't text me before nine",
        "don't text me today about work",
        "remind me to stop texting Bob", "don't text Bob", "no more reminders about milk",
        "stop reminding me about the gym",
        "remove milk from my list", "take milk off the list", "take eggs off my list",
        "delete my number from Tom's note",
        "add unsubscribe from newsletters to my tasks", "leave at eight", "leave me a note", "I want to text Anna",
        "note: they said stop texting me", "don't want to go to work", "no more milk", "text me at nine",
        "delete my list",
        "I don't want coffee anymore", "remove me from the meeting", "stop", "cancel", "opt for the blue one",
        "remind me to tell my ex to leave me alone", "Did Tom say leave me alone?", "send me the texts", "no", "more",
        "please don't", "don't", "I don't want to", "remove 2", "delete it", "get me off the hook with Ann",
        "lose 5 kg",
    ])
    func isNotMistaken(text: String) { #expect(!OptOutPhrase.says(text)) }
}
