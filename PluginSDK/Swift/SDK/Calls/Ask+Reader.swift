internal import TandemJSON

extension Ask {
    /// A question that no person is asked: of which kind each of some texts is, which others wrote.
    ///
    /// The host gives the texts to a reader without tools, where a language model is configured and there is budget for it,
    /// and calls the tool again at once; all that comes back is one of the names of `kinds` for each text, or that there is
    /// no answer: `context.kinds(_:of:)`. What was found out stays as untrusted as the texts. Ask only in a tool that reads,
    /// and only for what rules cannot tell.
    ///
    ///     guard let kinds = context.kinds("kinds", of: texts.count) else {
    ///         throw Ask.reader("kinds", "Does the mail want an answer?", texts, kinds: ["answer": "…", "other": "…"])
    ///     }
    ///
    /// - Parameters:
    ///   - texts: 1 to 20, of which the first 600 bytes count.
    ///   - kinds: 2 to 8 words with what they mean.
    public static func reader(
        _ field: String, _ question: String, _ texts: [String], kinds: KeyValuePairs<String, String>
    ) -> Ask {
        let names = kinds.map { JSON.string($0.key) }
        return Ask(
            question, field: field,
            schema: [
                "type": ["array", "null"], "items": ["enum": .array(names + [.null])],
                "x-tandem-reader": [
                    "question": .string(question), "texts": .array(texts.map { .string($0) }),
                    "kinds": .array(kinds.map { ["name": .string($0.key), "meaning": .string($0.value)] }),
                ],
            ])
    }

    /// The host answers it, not the person.
    public var isForReader: Bool { schema["x-tandem-reader"] != nil }
}

extension Context {
    /// What a reader said of the texts of `Ask.reader`, in their order: nil for each that it could not tell. Nil as a whole
    /// when it was not asked yet; when there is no reader, nothing is told of any.
    public func kinds(_ field: String, of count: Int) -> [String?]? {
        guard let answer = call.answers[field] else { return nil }
        let told = answer.arrayValue ?? []
        return (0..<count).map { $0 < told.count ? told[$0].stringValue : nil }
    }
}
