import TandemCore
import TandemJSON
import TandemLanguage

extension GeminiProvider {
    /// The body of generateContent, and the tools that it declares.
    ///
    /// What stays the same from turn to turn comes first: instructions, tools in the order of their ids, then the
    /// conversation; the time stands in the last message. The service's implicit cache goes by such beginnings.
    func content(of request: LanguageRequest) -> (JSONObject, [DeclarationCache.Declared]) {
        var body: JSONObject = [:]
        if !request.instructions.isEmpty {
            body["systemInstruction"] = ["parts": [["text": .string(request.instructions)]]]
        }
        let tools = declarations.declared(request.tools)
        if !tools.isEmpty {
            body["tools"] = [["functionDeclarations": .array(tools.compactMap(\.declaration))]]
            switch request.toolUse {
            case .automatic: break
            case .none: body["toolConfig"] = ["functionCallingConfig": ["mode": "NONE"]]
            case .required: body["toolConfig"] = ["functionCallingConfig": ["mode": "ANY"]]
            }
        }
        body["contents"] = .array(contents(of: request))
        body["generationConfig"] = ["maxOutputTokens": .integer(Int64(request.outputLimit ?? options.outputLimit))]
        return (body, tools)
    }

    private func contents(of request: LanguageRequest) -> [JSON] {
        var contents: [(role: String, parts: [JSON])] = []
        func add(_ role: String, _ parts: [JSON]) {
            // Results stand alone.
            if let last = contents.last, last.role == role,
                !last.parts.contains(where: { $0["functionResponse"] != nil })
            {
                contents[contents.count - 1].parts += parts
            } else {
                contents.append((role, parts))
            }
        }
        for exchange in Exchange.list(request.messages) {
            switch exchange {
            case .person(let text): add("user", [["text": .string(text)]])
            case .reply(let text): add("model", [["text": .string(text)]])
            case .step(let text, let calls):
                // A part that is a response may not share its content with the texts before it.
                contents.append(("model", modelParts(text, calls.map(\.call))))
                let responses = calls.map { call, result -> JSON in
                    var response: JSONObject = [:]
                    if let id = vendorID(of: call) { response["id"] = .string(id) }
                    response["name"] = .string(GeminiDeclaration.name(for: call.tool))
                    response["response"] = result
                    return ["functionResponse": .object(response)]
                }
                contents.append(("user", responses))
            }
        }
        // The API wants the person's word first; and an empty conversation is none.
        if contents.first?.role != "user" { contents.insert(("user", [["text": "(continued)"]]), at: 0) }
        let situation: JSON = ["text": .string(Situation.text(request.context))]
        if let last = contents.lastIndex(where: { content in
            content.role == "user" && !content.parts.contains { $0["functionResponse"] != nil }
        }) {
            contents[last].parts.insert(situation, at: 0)
        }
        return contents.map { ["role": .string($0.role), "parts": .array($0.parts)] }
    }

    /// Exactly the parts that the model gave where they are known: their signatures must come back unchanged.
    private func modelParts(_ text: String?, _ calls: [LanguageCall]) -> [JSON] {
        var parts: [JSON] = []
        let hasTexts = calls.contains { call in
            (call.continuation?["before"]?.arrayValue ?? []).contains { $0["text"]?.stringValue?.isEmpty == false }
        }
        if let text, !text.isEmpty, !hasTexts { parts.append(["text": .string(text)]) }
        for (index, call) in calls.enumerated() {
            if let before = call.continuation?["before"]?.arrayValue { parts += before }
            if let part = call.continuation?["part"], part["functionCall"] != nil {
                parts.append(part)
            } else {
                var function: JSONObject = [:]
                if let id = vendorID(of: call) { function["id"] = .string(id) }
                function["name"] = .string(GeminiDeclaration.name(for: call.tool))
                function["args"] = call.arguments.objectValue == nil ? [:] : call.arguments
                var part: JSONObject = ["functionCall": .object(function)]
                // Another provider's call has no signature; newer models want one on the first of a step and take this word
                // instead (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
                if index == 0, wantsSignatures { part["thoughtSignature"] = "skip_thought_signature_validator" }
                parts.append(.object(part))
            }
            if let after = call.continuation?["after"]?.arrayValue { parts += after }
        }
        return parts
    }

    private var wantsSignatures: Bool { !options.model.hasPrefix("gemini-1") && !options.model.hasPrefix("gemini-2") }

    /// The id that the model gave, if it gave one; calls of others have ours.
    private func vendorID(of call: LanguageCall) -> String? {
        guard let part = call.continuation?["part"] else { return call.id }
        return part["functionCall"]?["id"]?.stringValue
    }
}
