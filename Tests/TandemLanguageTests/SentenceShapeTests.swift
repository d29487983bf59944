import Testing

@testable import TandemLanguage

/// How sentences are said, whatever they are about.
struct SentenceShapeTests {
    private static let planner = EmbeddedPlanner(tools: FixtureTools.all)

    private func shape(_ text: String) throws -> SentenceShape {
        let message = try #require(SentenceShapeTests.planner.pass(text, context: CorpusReport.context)).message
        var soft = [Bool](repeating: false, count: message.tokens.count)
        return SentenceShape(message.tokens, 0..<message.tokens.count, soft: &soft)
    }

    @Test(arguments: [
        "the note on the fridge was old", "notes from my last holiday were helpful",
        "his list of things for the party is on a napkin", "my app for notes is a graveyard", "the milk is sour",
        "the calendar on the wall has been there since 2019", "the dog ate my shoe",
    ])
    func knowsWhatOnlySaysHowThingsAre(text: String) throws {
        #expect(try shape(text).isDeclarative)
    }

    @Test(arguments: [
        "the list of all the tasks I have today", "emails that are unread",
        "recipes for a quick dinner with what is in the fridge",
        "add the milk that is fresh",
        "show my list, it is long", "what is on my list", "is the milk on my list",
        "the list of things for friday, it is long",
    ])
    func takesNoRequestForThat(text: String) throws {
        #expect(try !shape(text).isDeclarative)
    }
}
