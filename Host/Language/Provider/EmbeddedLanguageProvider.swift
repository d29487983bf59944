import TandemCore
import TandemJSON

/// The provider that needs no network and no key: the embedded planner behind the provider's protocol.
///
/// It plans the last message of the person, once; after results it has nothing to add, since tools word their own answers.
public struct EmbeddedLanguageProvider: LanguageProvider {
    public let name = "local"
    private let cache: PlannerCache

    public init(cache: PlannerCache = PlannerCache()) { self.cache = cache }

    public func respond(to request: LanguageRequest) async throws -> LanguageResponse { plan(request) }

    /// The same without suspension, for callers that must not yield.
    public func plan(_ request: LanguageRequest) -> LanguageResponse {
        guard case .person(let text)? = request.messages.last else { return LanguageResponse() }
        guard request.toolUse != .none else { return LanguageResponse(finish: .unclear(nil)) }
        switch cache.planner(for: request.allTools ?? request.tools).plan(text, context: request.context) {
        case .calls(let calls):
            let asked = calls.enumerated().map { index, call in EmbeddedLanguageProvider.call(call, id: index + 1) }
            return LanguageResponse(calls: asked)
        case .smallTalk(let reply): return LanguageResponse(text: reply)
        case .unclear(let best):
            return LanguageResponse(finish: .unclear(best.map { EmbeddedLanguageProvider.call($0, id: 1) }))
        }
    }

    private static func call(_ planned: PlannedCall, id: Int) -> LanguageCall {
        LanguageCall(
            id: "call-\(id)", tool: planned.tool, arguments: planned.arguments, confidence: planned.confidence,
            text: planned.text, missing: planned.missing)
    }
}
