public import TandemSDK

/// Looking things up with DuckDuckGo: the web, the news, pictures, and its instant answers.
///
/// DuckDuckGo has an API for instant answers only; the rest is what its pages for people answer, which it may change, and
/// which it answers with a challenge when it takes somebody for a robot.
public enum DuckDuckGo: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.duckduckgo", namespace: "duckduckgo", name: "DuckDuckGo", version: "1.0.0",
        summary: "Searches the web, the news and pictures, and answers short questions.",
        aliases: ["web search", "internet search"], license: "Apache-2.0",
        tools: [
            SearchWeb.self, SearchNews.self, FindImages.self, AnswerQuestion.self, ShowResult.self, ReadPage.self,
        ],
        hosts: [
            .init("html.duckduckgo.com", reason: "to search the web", reads: ["POST /html/"]),
            .init("lite.duckduckgo.com", reason: "to search the web when that does not work", reads: ["POST /lite/"]),
            .init("api.duckduckgo.com", reason: "to answer short questions"),
            .init("duckduckgo.com", reason: "to search the news and pictures"),
            .init("*", reason: "to read the pages that you ask for"),
        ], uses: [.keyValues], configuration: Settings.self)

    public struct Settings: Configuration {
        /// DuckDuckGo's name of a region, such as `us-en` or `fr-fr`; `wt-wt` is everywhere.
        public var region = "wt-wt"
        /// What is left out of news and pictures; the pages of web results have no such choice.
        public var safeSearch = SafeSearch.moderate

        public init() {}
    }
}

/// What a search leaves out.
public enum SafeSearch: String, Choice {
    case off, moderate, strict

    /// The value of `p` for news.
    var news: String {
        switch self {
        case .off: "-2"
        case .moderate: "-1"
        case .strict: "1"
        }
    }

    /// The value of `p` for pictures, which know two.
    var images: String { self == .off ? "-1" : "1" }
}

/// How far back to look.
public enum Age: String, Choice {
    case day, week, month, year

    public var words: [String] {
        switch self {
        case .day: ["today", "last 24 hours", "past day", "last day"]
        case .week: ["this week", "last week", "past week"]
        case .month: ["this month", "last month", "past month"]
        case .year: ["this year", "last year", "past year"]
        }
    }

    /// The value of `df`.
    var code: String { String(rawValue.prefix(1)) }
}
