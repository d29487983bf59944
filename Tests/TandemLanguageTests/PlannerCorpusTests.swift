import TandemCore
import TandemLanguage
import Testing

/// Accuracy on wordings that are not in the templates. Both halves have thresholds; the second half was written with the
/// first and never looked at while tuning.
struct PlannerCorpusTests {
    private static let planner = EmbeddedPlanner(tools: FixtureTools.all)
    private static let effects = Dictionary(
        FixtureTools.all.map { ($0.id, $0.effect) }, uniquingKeysWith: { first, _ in first })

    private static let requests = [
        CorpusRequests.grocery, CorpusRequests.recipes, CorpusRequests.expenses, CorpusRequests.life,
    ]
    private static let negatives = [
        CorpusNegatives.smallTalk, CorpusNegatives.unserved, CorpusNegatives.mood, CorpusNegatives.noise,
    ]

    private static func report(_ sets: [[Phrase]], _ half: ([Phrase]) -> [Phrase]) -> CorpusReport {
        CorpusReport(sets.flatMap { half($0) }, planner: planner, effects: effects)
    }

    @Test func theFixtureHasNoBadUtterance() { #expect(Self.planner.diagnostics.isEmpty) }

    @Test func findsTheToolForUnseenWordings() {
        let tuned = Self.report(Self.requests, Phrase.tuned)
        #expect(tuned.count >= 140)
        #expect(tuned.toolAccuracy >= 0.92, "\(tuned.failures)")
        #expect(tuned.argumentAccuracy >= 0.92, "\(tuned.failures)")
        let untouched = Self.report(Self.requests, Phrase.untouched)
        #expect(untouched.toolAccuracy >= 0.87)
        #expect(untouched.argumentAccuracy >= 0.83)
    }

    @Test func plansNothingForWhatIsNoRequest() {
        let tuned = Self.report(Self.negatives, Phrase.tuned)
        #expect(tuned.falsePlanRate <= 0.02, "\(tuned.failures)")
        let untouched = Self.report(Self.negatives, Phrase.untouched)
        #expect(untouched.falsePlanRate <= 0.1)
    }

    @Test func splitsSeveralRequests() {
        let report = CorpusReport(CorpusRequests.several, planner: Self.planner, effects: Self.effects)
        #expect(report.toolAccuracy >= 0.85, "\(report.failures)")
    }
}
