public import TandemJSON

/// A rule that plays a model, for trying the assistant without an account: understands little, always the same.
///
/// `call NAME {…}` makes a call; after results it tells of them; anything else it answers in a line. Reads both services'
/// requests.
public enum PlayedModel {
    public static func reply(to body: JSON) -> ModelReply {
        let entries = body["contents"]?.arrayValue ?? body["messages"]?.arrayValue ?? []
        guard let last = entries.last else { return .text("I am here.") }
        if last["role"] == "tool" { return told([last["content"]?.stringValue ?? ""]) }
        let parts = last["parts"]?.arrayValue ?? []
        let results = parts.compactMap { $0["functionResponse"]?["response"]?.text }
        if !results.isEmpty { return told(results) }
        let text = parts.compactMap { $0["text"]?.stringValue }.last ?? last["content"]?.stringValue ?? ""
        let line = text.split(separator: "\n").last.map(String.init) ?? ""
        let words = line.split(separator: " ", maxSplits: 2)
        if words.count >= 2, words[0].lowercased() == "call" {
            let arguments = words.count == 3 ? (try? JSON(parsing: String(words[2]))) ?? [:] : [:]
            return .calls([(String(words[1]), arguments.objectValue == nil ? [:] : arguments)])
        }
        return .text("Simulated model: I read \"\(line.prefix(80))\". What is the smallest next step?")
    }

    private static func told(_ results: [String]) -> ModelReply {
        let failed = results.count { $0.hasPrefix("{\"error\"") || $0.contains("\"error\":") }
        return .text(failed == 0 ? "Done." : "\(failed) of \(results.count) did not work.")
    }
}
