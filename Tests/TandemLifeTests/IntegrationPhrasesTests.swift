import TandemCore
import TandemJSON
import Testing

@testable import TandemLife

/// Decisions about integrations in plain words: what is read as one, and what is not.
@Suite
struct IntegrationPhrasesTests {
    private static let phrases = IntegrationPhrases([
        IntegrationPhrases.Named(
            namespace: "grocery", name: "Grocery list", aliases: ["groceries", "shopping", "expenses"],
            tools: [
                ("grocery.add", "Add to the list", .write), ("grocery.list", "Show the list", .read),
                ("grocery.remove", "Remove items", .delete),
            ]),
        IntegrationPhrases.Named(
            namespace: "expenses", name: "Expenses", aliases: ["spending"],
            tools: [
                ("expenses.record", "Record an expense", .write),
                ("expenses.change_recurring", "Change a series", .write),
                ("expenses.delete", "Delete an expense", .delete),
            ]),
        IntegrationPhrases.Named(
            namespace: "post", name: "Night Post", tools: [("post.send", "Send a letter", .send)]),
    ])

    private func read(_ text: String) -> String? {
        guard let (tool, arguments) = Self.phrases.call(for: text) else { return nil }
        let name = arguments["integration"]?.stringValue?.dropFirst() ?? ""
        let more = ["tool", "level", "state"].compactMap { arguments[$0]?.stringValue }
        return ([tool.replacing("integrations.", with: ""), String(name)] + more).joined(separator: " ")
    }

    @Test(arguments: [
        ("turn on grocery", "on grocery"), ("Turn grocery on please!", "on grocery"), ("expenses on", "on expenses"),
        ("could you switch off the shopping plugin", "off grocery"), ("disable Night Post", "off post"),
        ("only let expenses read", "level expenses read_only"), ("let expenses only read", "level expenses read_only"),
        ("expenses read-only", "level expenses read_only"), ("make expenses read only", "level expenses read_only"),
        ("expenses may only look things up", "level expenses read_only"),
        ("don't let expenses write", "level expenses read_only"),
        ("don\u{2019}t let expenses change anything", "level expenses read_only"),
        ("expenses must not write", "level expenses read_only"),
        ("give night post read access", "level post read_only"),
        ("let expenses write but ask me first", "level expenses confirm"),
        ("expenses should ask me before changing things", "level expenses confirm"),
        ("I want expenses to ask me first", "level expenses confirm"),
        ("ask me before expenses writes", "level expenses confirm"),
        ("don't let expenses write without asking", "level expenses confirm"),
        ("let expenses write", "level expenses"), ("allow spending to write", "level expenses"),
        ("let expenses write without asking", "level expenses write"),
        ("expenses doesn't have to ask", "level expenses write"),
        ("expenses need not ask me before writing", "level expenses write"),
        ("give expenses full access", "level expenses write"),
        ("let grocery add without asking", "tool grocery add write"),
        ("let grocery add to the list without asking me", "tool grocery add to the list write"),
        ("let grocery remove things but ask me first", "tool grocery remove things confirm"),
        ("don't let grocery remove anything", "tool grocery remove anything off"),
        ("grocery may not delete", "tool grocery delete off"), ("let post send letters", "tool post send letters on"),
        ("never let post send", "tool post send off"), ("ask me before post sends", "tool post send confirm"),
        ("let expenses change recurring without asking", "tool expenses change recurring write"),
        ("turn off the delete tool of expenses", "tool expenses delete off"),
        ("turn \"Delete an expense\" of expenses on", "tool expenses delete an expense on"),
        ("disable remove in grocery", "tool grocery remove off"),
        ("what can expenses do?", "describe expenses"), ("what is night post allowed to do", "describe post"),
        ("show me the permissions of grocery", "describe grocery"),
        ("what's new with expenses?", "review expenses"), ("what does post want now", "review post"),
    ])
    func readsADecision(text: String, expected: String) {
        #expect(read(text) == expected)
    }

    @Test(arguments: [
        "turn on the lights", "turn expenses off, then show my grocery list", "let me write a note about expenses",
        "how much did I spend on groceries", "add milk to grocery", "let grocery rest for a while",
        "only let expenses record", "only expenses", "what can I do about my expenses", "shopping on", "spending off",
        "remind me to turn on expenses tomorrow", "let expenses read and then send it to Anna",
        "note: don't let expenses write over budget", "grocery", "", "what can I turn on", "let it write",
        "my expenses must not grow", "ask me before dinner about expenses", "is grocery on?",
        String(repeating: "let expenses only read ", count: 30),
    ])
    func takesNothingElseForOne(text: String) {
        #expect(read(text) == nil)
    }

    @Test(arguments: ["me", "it", "everything", "Permissions"])
    func doesNotTakeAnEverydayWordForAName(name: String) {
        let phrases = IntegrationPhrases([IntegrationPhrases.Named(namespace: "trick", name: name)])
        #expect(phrases.call(for: "let \(name) write without asking") == nil)
        #expect(phrases.call(for: "turn on \(name)") == nil)
        #expect(phrases.call(for: "let trick write") != nil)
    }

    @Test func prefersTheNamespaceToAnothersAlias() {
        #expect(read("turn off expenses") == "off expenses")
    }
}
