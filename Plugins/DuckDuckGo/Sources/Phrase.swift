import PluginCommon
public import TandemSDK

/// Short messages about what was found.
enum Phrase {
    /// `1 Swift & concurrency (example.org), 2 …`, and how to read one.
    static func list(
        _ lead: String, _ results: [Found], note: String?, from first: Int = 1, detail: (Found) -> String
    ) -> String {
        let parts = results.enumerated().map { index, found in
            "\(first + index) \(found.title.cut(to: 50)) (\(detail(found)))"
        }
        var text = MessageText.flow(lead, parts)
        if let note { text = note + "\n" + text }
        return text + "\nSend a number to read more."
    }

    /// `2 h` ago, `3 d`.
    static func age(of instant: Instant, now: Instant) -> String {
        let minutes = max(0, (now.milliseconds - instant.milliseconds) / 60_000)
        if minutes < 60 { return "\(minutes) min" }
        return minutes < 48 * 60 ? "\(minutes / 60) h" : "\(minutes / 1440) d"
    }
}

/// What was found, for programs.
public struct SearchResults: Object {
    public var query: String
    public var results: [SearchResult]
    /// There are further ones.
    public var more: Bool

    init(_ kind: ResultID.Kind, _ query: String, _ results: [Found], more: Bool) {
        self.query = query
        self.results = results.map { SearchResult(kind, query, $0) }
        self.more = more
    }
}

public struct SearchResult: Object {
    public var id: String
    public var title: String
    public var url: String
    public var snippet: String?
    public var source: String
    public var published: Instant?
    public var image: String?

    init(_ kind: ResultID.Kind, _ query: String, _ found: Found) {
        id = ResultID(kind, query, found).text
        title = found.title
        url = found.url
        snippet = found.snippet.nonEmpty
        source = found.source
        published = found.published
        image = found.image
    }
}

extension Shown {
    static func results(
        _ kind: ResultID.Kind, _ query: String, _ results: [Found], numbered: Bool = true
    ) -> Shown {
        Shown(
            results.map {
                Item(type: ResultID.entity, id: ResultID(kind, query, $0).text, label: $0.title.cut(to: 100))
            }, select: "duckduckgo.show", numbered: numbered)
    }
}
