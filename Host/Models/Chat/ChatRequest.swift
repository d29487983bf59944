import TandemCore
import TandemJSON
import TandemLanguage

extension ChatCompletionsProvider {
    /// The body of a request, and the tools that it declares; ordered for caches as Gemini's is.
    func content(of request: LanguageRequest) -> (JSONObject, [DeclarationCache.Declared]) {
        var body: JSONObject = ["model": .string(options.model)]
        body["messages"] = .array(messages(of: request))
        let tools = declarations.declared(request.tools)
        if !tools.isEmpty {
            body["tools"] = .array(tools.compactMap(\.declaration))
            switch request.toolUse {
            case .automatic: break
            case .none: body["tool_choice"] = "none"
            case .required: body["tool_choice"] = "required"
            }
        }
        // OpenAI's newer models refuse the older name, which all other servers know.
        let limit = options.base.host == "api.openai.com" ? "max_completion_tokens" : "max_tokens"
        body[limit] = .integer(Int64(request.outputLimit ?? options.outputLimit))
        return (body, tools)
    }

    private func messages(of request: LanguageRequest) -> [JSON] {
        var messages: [JSON] = []
        if !request.instructions.isEmpty {
            messages.append(["role": "system", "content": .string(request.instructions)])
        }
        var lastPerson: Int?
        for exchange in Exchange.list(request.messages) {
            switch exchange {
            case .person(let text):
                lastPerson = messages.count
                messages.append(["role": "user", "content": .string(text)])
            case .reply(let text): messages.append(["role": "assistant", "content": .string(text)])
            case .step(let text, let calls):
                messages.append([
                    "role": "assistant", "content": text.map { .string($0) } ?? .null,
                    "tool_calls": .array(calls.map { toolCall($0.call) }),
                ])
                for (call, result) in calls {
                    messages.append([
                        "role": "tool", "tool_call_id": .string(call.id), "content": .string(result.text),
                    ])
                }
            }
        }
        let situation = Situation.text(request.context)
        if let lastPerson, let text = messages[lastPerson]["content"]?.stringValue {
            messages[lastPerson] = ["role": "user", "content": .string("\(situation)\n\(text)")]
        } else {
            // Some servers refuse a conversation without a word of the user.
            messages.append(["role": "user", "content": .string(situation)])
        }
        return messages
    }

    private func toolCall(_ call: LanguageCall) -> JSON {
        [
            "id": .string(call.id), "type": "function",
            "function": [
                "name": .string(ChatDeclaration.name(for: call.tool)),
                "arguments": .string(call.arguments.objectValue == nil ? "{}" : call.arguments.text),
            ],
        ]
    }
}
