public import TandemCore
import TandemJSON
public import TandemLanguage

/// How many tokens something may be, before a service has counted: rather too many than too few.
///
/// English has about four characters in a token; other scripts are counted by their bytes.
public enum TokenEstimate {
    public static func tokens(of text: String) -> Int { tokens(bytes: text.utf8.count) }

    static func tokens(bytes: Int) -> Int { (bytes + 2) / 3 }

    public static func tokens(of messages: [LanguageMessage]) -> Int { messages.reduce(0) { $0 + tokens(of: $1) } }

    static func tokens(of message: LanguageMessage) -> Int {
        switch message {
        case .person(let text): 4 + tokens(of: text)
        case .assistant(let text, let calls):
            4 + (text.map(tokens(of:)) ?? 0)
                + calls.reduce(0) { $0 + 8 + tokens(of: $1.tool) + tokens(of: $1.arguments.text) }
        case .result(_, let tool, let value, _, _): 8 + tokens(of: tool) + tokens(of: value.text)
        }
    }

    /// The declaration of a tool.
    public static func tokens(of tool: ToolDefinition) -> Int {
        12 + tokens(bytes: tool.id.utf8.count + tool.description.utf8.count + size(of: tool.parameters))
    }

    /// Input of a whole request.
    public static func input(of request: LanguageRequest) -> Int {
        let tools = request.tools.reduce(0) { $0 + tokens(of: $1) }
        return tokens(of: request.instructions) + tokens(of: request.messages) + tools + 32
    }

    /// Bytes of a schema, nearly, without writing it.
    private static func size(of value: JSON) -> Int {
        switch value {
        case .object(let object): object.reduce(2) { $0 + $1.key.utf8.count + 4 + size(of: $1.value) }
        case .array(let list): list.reduce(2) { $0 + 1 + size(of: $1) }
        case .string(let text): text.utf8.count + 2
        default: 5
        }
    }
}
