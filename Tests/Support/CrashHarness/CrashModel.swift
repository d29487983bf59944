import TandemCore
import TandemJSON
import TandemLanguage

/// A model within the process that needs several requests for one message: `arrange NAME for AMOUNT` is an item on the
/// list, then an expense, then a word. Everything else is left to the embedded planner.
struct CrashModel: LanguageProvider {
    let name = "scripted"
    private let embedded = EmbeddedLanguageProvider()

    func respond(to request: LanguageRequest) async throws -> LanguageResponse {
        var words = ""
        var rounds = 0
        for message in request.messages {
            switch message {
            case .person(let text): (words, rounds) = (text, 0)
            case .assistant(_, let calls): rounds += calls.isEmpty ? 0 : 1
            case .result: break
            }
        }
        let parts = words.split(separator: " ").map(String.init)
        guard parts.count == 4, parts[0] == "arrange" else {
            var response = embedded.plan(request)
            response.handledBy = embedded.name
            return response
        }
        switch rounds {
        case 0:
            return LanguageResponse(calls: [
                LanguageCall(id: "list", tool: "grocery.add", arguments: ["items": [["name": .string(parts[1])]]])
            ])
        case 1:
            return LanguageResponse(calls: [
                LanguageCall(
                    id: "money", tool: "expenses.record",
                    arguments: [
                        "amount": ["amount": .string(parts[3]), "currency": "EUR"], "description": "lunch",
                    ])
            ])
        default: return LanguageResponse(text: "I arranged \(parts[1]).")
        }
    }
}
