import TandemJSON
import Testing

@testable import TandemLife

struct MemoryPhrasesTests {
    @Test(arguments: [
        "why did you say that?", "Why did you say this", "how do you know that", "where did you get that from?",
        "who told you that", "what makes you think so", "but why did you say that", "explain your last answer",
        "how did you know that about me?", "where does that come from", "what is that based on",
    ])
    func readsQuestionsForReasons(text: String) {
        #expect(MemoryPhrases.call(for: text)?.tool == "memory.why")
    }

    @Test(arguments: [
        ("note: hello", "notes.add", "hello"), ("NOTE:hello", "notes.add", "hello"),
        ("please note - the tap drips", "notes.add", "the tap drips"),
        ("memo: call it a day", "notes.add", "call it a day"),
        ("note: a\nb", "notes.add", "a\nb"), ("note that the gate is shut", "notes.add", "the gate is shut"),
        ("Hey, note the gate is shut", "notes.add", "the gate is shut"),
        ("remember that the sky is blue", "memory.remember", "the sky is blue"),
        ("Remember: the sky is blue", "memory.remember", "the sky is blue"),
        ("don't forget that Ann likes tulips", "memory.remember", "Ann likes tulips"),
    ])
    func keepsTheLetters(text: String, tool: String, kept: String) {
        let call = MemoryPhrases.call(for: text)
        #expect(call?.tool == tool)
        #expect(call?.arguments["text"]?.stringValue == kept)
    }

    @Test(arguments: [
        "", "note", "note:", "note: ", "note about the harbour", "note 2", "notes", "note-taking is hard",
        "notebook: blue",
        "remember", "remember that", "remember that time", "remember to buy milk", "remember that I need to call mum",
        "remember that recipe", "remember that time we went to Rome?", "don't forget to call mum",
        "don't forget the milk",
        "add a note", "show my notes", "why is the sky blue", "how do you make bread", "who told you",
        "remember that my code is 12. Add milk to my list", "note called shopping", "forget that",
    ])
    func leavesTheRestToThePlanner(text: String) {
        #expect(MemoryPhrases.call(for: text) == nil)
    }
}
