import Testing

@testable import TandemLife

/// What is read as a wish for a copy of everything or for the end of the account, and what is not.
@Suite
struct AccountPhrasesTests {
    @Test(arguments: [
        "delete my account", "Delete my account!", "please delete my account", "Erase all my data", "forget me",
        "forget me completely", "Forget me completely, please.", "close my account for good", "cancel my account",
        "I want to delete my account", "can you delete my account?", "how do I delete my account?",
        "remove me from your system", "delete my tandem account and all my data", "erase everything you have about me",
        "wipe all the data you have on me", "delete all of my personal information", "delete my data",
        "i want my account deleted", "I'd like to have my data erased", "I want to be forgotten", "erase me",
        "use my right to be forgotten", "delete my account permanently", "hey Tandem, could you close my account now",
        "delete everything you\u{2019}ve stored about me", "get rid of my account", "shut down my account",
        "remove all my data from your servers", "delete my account and everything in it", "GDPR deletion request",
        "delete my data and my account", "remove every trace of me", "terminate my account", "account deletion please",
        "purge my personal data", "I want you to erase everything about me", "ok delete my account right now",
        "completely delete my account", "shut my account down", "delete all data about me",
        "I need to delete my account",
    ])
    func readsTheEndOfTheAccount(text: String) {
        #expect(AccountPhrases.call(for: text)?.tool == "account.erase")
    }

    @Test(arguments: [
        "send me my data", "export everything you have about me", "export my data", "Export all my data, please!",
        "give me a copy of my data", "I want a copy of everything you have about me", "download my data",
        "can I have all my data?", "can you send me all the data you have on me", "how can I export my data",
        "how do I download my data?", "I'd like to get a copy of all my data", "data export", "export everything",
        "give me my data as a zip", "email me my data", "show me all the data you have about me",
        "what data do you have about me?", "what information do you keep on me", "take my data with me",
        "I want to export my account", "send me a full export of my data", "request my personal data",
        "get me an archive of my data", "back up all my data", "can i get a backup of my data", "GDPR access request",
        "make a copy of all my data", "export my account", "download everything you've stored about me",
        "I want all of my data", "send my data to me", "give me everything you have stored about me",
        "please prepare an archive with everything you have on me", "give me my data back", "subject access request",
    ])
    func readsACopyOfEverything(text: String) {
        #expect(AccountPhrases.call(for: text)?.tool == "account.export")
    }

    @Test(arguments: [
        "delete my account number from the notes", "delete my last expense", "delete my bank account",
        "delete all my tasks",
        "remind me to delete my account", "note: delete my account", "add delete my account to my tasks",
        "don't delete my account", "do not erase my data", "delete my netflix account", "delete my notes",
        "delete everything on my list", "delete everything", "forget my dentist", "forget that", "forget it",
        "don't forget me",
        "forget everything", "forget everything about me", "forget about me being late", "forget me not flowers 3 euro",
        "remove me from the guest list", "erase the board", "cancel", "close", "cancel my dentist account appointment",
        "delete the account of Anna", "I spent 20 on my account", "clear my grocery list", "wipe the table",
        "send me my shopping list", "send my data to Anna", "export my expenses", "give me my notes",
        "show me my tasks",
        "what do you know about me", "info dump", "download the report", "copy my data sheet to Bob", "backup",
        "back up my phone", "send data", "give me everything about bananas", "show me everything", "export",
        "get my mail",
        "email me my tickets", "take my keys with me", "task: request my data", "buy a data plan",
        "delete my data plan expense",
        "I want to see my data plan", "did you delete my account", "was my account deleted?", "my account", "",
        "how much data do you have", "close my tabs and delete my account on twitter", "remember that I want my data",
        String(repeating: "delete my account ", count: 12),
    ])
    func takesNothingElseForOne(text: String) {
        #expect(AccountPhrases.call(for: text) == nil)
    }

    @Test func aFormIsReadAsAWhole() {
        let pattern = PhrasePattern("a [b|c d]* (e|f [g])")
        for text in ["a e", "a b e", "a c d b f", "a f g", "a b b b e"] {
            #expect(pattern.matches(PhraseWords.split(text)), "\(text)")
        }
        for text in ["", "a", "a c e", "a e e", "e", "a b f g g", "x a e"] {
            #expect(!pattern.matches(PhraseWords.split(text)), "\(text)")
        }
    }

    @Test func aFormOfAnyLengthEndsAtTheMostWords() {
        let pattern = PhrasePattern("a [b]* c")
        func words(_ count: Int) -> [String] { ["a"] + [String](repeating: "b", count: count - 2) + ["c"] }
        #expect(pattern.matches(words(PhrasePattern.mostWords)))
        #expect(!pattern.matches(words(PhrasePattern.mostWords + 1)))
        #expect(!pattern.matches(words(PhrasePattern.mostWords).dropLast() + ["b"]))
    }
}
