import PluginCommon
import TandemSDK

/// What api.duckduckgo.com answers: a short text about one thing, or the things that a word may mean.
struct InstantAnswer: Sendable, Hashable {
    var heading: String
    /// Empty when there is none.
    var text: String
    /// `Wikipedia`.
    var source: String
    var url: String
    /// What it may mean, or what goes with it.
    var topics: [Found]
    /// Type D: the word means several things.
    var isAmbiguous: Bool

    /// Nil when the body is not such an answer.
    init?(_ json: JSON) {
        guard case .object = json, let type = json["Type"]?.stringValue else { return nil }
        func text(_ name: String) -> String { json[name]?.stringValue ?? "" }
        heading = text("Heading").singleLine(limit: 100)
        // `Answer` is an object for answers that are drawn by scripts: nothing to read.
        let direct = Markup.plain(text("Answer")).singleLine(limit: 1000)
        let abstract = text("AbstractText").singleLine(limit: 2000)
        let definition = text("Definition").singleLine(limit: 1000)
        if !direct.isEmpty {
            self.text = direct
            source = ""
            url = ""
        } else if !abstract.isEmpty {
            self.text = abstract
            source = text("AbstractSource").singleLine(limit: 40)
            url = text("AbstractURL")
        } else {
            self.text = definition
            source = text("DefinitionSource").singleLine(limit: 40)
            url = text("DefinitionURL")
        }
        if Found.host(of: url) == nil { url = "" }
        topics = []
        isAmbiguous = type == "D"
        collect(json["Results"]?.arrayValue ?? [], depth: 0)
        collect(json["RelatedTopics"]?.arrayValue ?? [], depth: 0)
    }

    private mutating func collect(_ entries: [JSON], depth: Int) {
        for entry in entries where topics.count < 20 {
            if let inner = entry["Topics"]?.arrayValue {
                if depth < 3 { collect(inner, depth: depth + 1) }
            } else if let text = entry["Text"]?.stringValue, let url = entry["FirstURL"]?.stringValue,
                let found = Found(title: text, url: url, snippet: text)
            {
                topics.append(found)
            }
        }
    }

    var isEmpty: Bool { text.isEmpty && topics.isEmpty }
}
