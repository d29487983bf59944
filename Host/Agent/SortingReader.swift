public import TandemCore
public import TandemJSON
public import TandemLanguage
public import TandemModels

/// Answers what tools ask of a reader (`x-tandem-reader` in the schema of a question): of which kind each of some texts is.
///
/// A model without tools reads them, and all that comes of it is one of the names that the tool gave, for each text: whatever
/// a text says, it can do no more than choose wrongly about itself. Asked while somebody waits only, within the budgets of
/// person and turn; without a model, or when nothing fits, the answer is null.
public struct SortingReader: Sendable {
    private let language: any LanguageProvider
    private let prompt: String
    private let clock: any WallClock
    private let patience: Duration

    private static let mark = "x-tandem-reader"
    private static let mostTexts = 20
    private static let longestText = 600

    /// - Parameter patience: after which there is no answer.
    public init(
        language: any LanguageProvider, prompts: PromptLibrary, clock: any WallClock,
        patience: Duration = .seconds(8)
    ) {
        self.language = language
        prompt = prompts.extract.text
        self.clock = clock
        self.patience = patience
    }

    /// The question is for a reader, not for the person.
    public static func isAsked(_ request: InputRequest) -> Bool { request.schema[mark] != nil }

    /// A kind for each text, by name, or null; null as a whole when nothing can be told.
    public func answer(_ request: InputRequest, turn: RecordID, scope: UserScope) async -> JSON {
        guard let form = Form(request.schema[Self.mark]) else { return .null }
        let request = LanguageRequest(
            instructions: """
                \(prompt)

                The schema: \(form.schema.text)
                The data is a list of \(form.texts.count) texts. Give one kind for each, in their order. \
                \(form.question) The kinds: \(form.kinds.map { "\($0.name): \($0.meaning)" }.joined(separator: " "))
                """,
            messages: [.person(PromptLibrary.quoted(JSON.array(form.texts.map { .string($0) }).text))], tools: [],
            context: PlannerContext(now: clock.now), outputLimit: 400, toolUse: .none,
            account: LanguageAccount(scope: scope, turn: turn))
        let language = language
        let patience = patience
        let response = await withTaskGroup(of: LanguageResponse?.self) { group in
            group.addTask { try? await language.respond(to: request) }
            group.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        guard let response, response.calls.isEmpty,
            let answer = response.text.flatMap(QuarantinedReader.object(in:)),
            (try? JSONSchema(compiling: form.schema))?.isValid(answer) == true
        else { return .null }
        return answer["kinds"] ?? .null
    }

    /// What a tool asks, bounded.
    private struct Form {
        var question: String
        var texts: [String]
        var kinds: [(name: String, meaning: String)]

        init?(_ json: JSON?) {
            guard let json, let question = json["question"]?.stringValue, question.utf8.count <= 300,
                let texts = json["texts"]?.arrayValue?.compactMap(\.stringValue),
                (1...SortingReader.mostTexts).contains(texts.count)
            else { return nil }
            self.question = question
            self.texts = texts.map { text in
                String(decoding: text.utf8.prefix(SortingReader.longestText), as: UTF8.self)
            }
            kinds = (json["kinds"]?.arrayValue ?? []).compactMap { kind in
                guard let name = kind["name"]?.stringValue, let meaning = kind["meaning"]?.stringValue,
                    (1...30).contains(name.utf8.count), name.utf8.allSatisfy({ $0 &- 97 < 26 || $0 == 95 }),
                    meaning.utf8.count <= 200
                else { return nil }
                return (name, meaning)
            }
            guard (2...8).contains(kinds.count) else { return nil }
        }

        var schema: JSON {
            [
                "type": "object", "additionalProperties": false, "required": ["kinds"],
                "properties": [
                    "kinds": [
                        "type": "array", "minItems": .integer(Int64(texts.count)),
                        "maxItems": .integer(Int64(texts.count)),
                        "items": ["enum": .array(kinds.map { .string($0.name) })],
                    ]
                ],
            ]
        }
    }
}
