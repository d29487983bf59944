import TandemCore
import TandemJSON
import TandemLanguage
import TandemModels

/// Reads what others wrote, without tools and with a typed answer: whatever the text says, all that comes of it is a few
/// short values, which stay untrusted.
struct QuarantinedReader: Sendable {
    let language: any LanguageProvider
    let account: LanguageAccount
    let context: PlannerContext
    /// The standing instructions of whoever reads for a form.
    let prompt: String

    /// Results of others that are longer than this are summed up for the model that has tools.
    static let longest = 1500

    static let schema: JSON = [
        "type": "object", "additionalProperties": false, "required": ["gist"],
        "properties": [
            "gist": ["type": "string", "maxLength": 500],
            "facts": [
                "type": "array", "maxItems": 24,
                "items": [
                    "type": "object", "additionalProperties": false, "required": ["name", "value"],
                    "properties": [
                        "name": ["type": "string", "maxLength": 60], "value": ["type": "string", "maxLength": 200],
                    ],
                ],
            ],
        ],
    ]

    private static let compiled = try? JSONSchema(compiling: schema)

    /// What the text says as far as it matters for the question. Nil when the answer does not fit the schema.
    func digest(_ value: JSON, message: String, question: String) async -> JSON? {
        let text = JSON.object(["message": .string(message), "value": value]).text
        let bounded = text.utf8.count > 60_000 ? String(text.prefix(30_000)) : text
        let request = LanguageRequest(
            instructions: """
                \(prompt)

                The schema: \(QuarantinedReader.schema.text)
                The gist is what the text says as far as it matters for the request; names, dates, amounts and addresses \
                are facts.
                """,
            messages: [.person("Request of the owner: \(question)\n\n\(PromptLibrary.quoted(bounded))")], tools: [],
            context: context, outputLimit: 1000, toolUse: .none, account: account)
        guard let response = try? await language.respond(to: request), response.calls.isEmpty,
            let answer = response.text.flatMap(QuarantinedReader.object(in:)),
            QuarantinedReader.compiled?.isValid(answer) == true
        else { return nil }
        return answer
    }

    /// The JSON object in an answer, which may have a fence around it.
    static func object(in text: String) -> JSON? {
        guard let first = text.firstIndex(of: "{"), let last = text.lastIndex(of: "}"), first < last else { return nil }
        guard let json = try? JSON(parsing: Array(text[first...last].utf8)), json.objectValue != nil else { return nil }
        return json
    }
}
