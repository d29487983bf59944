import PluginCommon
import TandemSDK

/// One thing that was found.
struct Found: Sendable, Hashable {
    var title: String
    var url: String
    /// What the page says, or the address of the picture's page.
    var snippet: String
    /// The host, or the newspaper.
    var source: String
    /// Of a piece of news.
    var published: Instant?
    /// The address of a picture.
    var image: String?

    /// Nil without an address on the web.
    init?(
        title: String, url: String, snippet: String, source: String? = nil, published: Instant? = nil,
        image: String? = nil
    ) {
        guard let host = Found.host(of: url) else { return nil }
        let name = title.singleLine(limit: 200)
        self.title = name.isEmpty ? host : name
        self.url = url
        self.snippet = snippet.singleLine(limit: 600)
        self.source = source?.singleLine(limit: 40).nonEmpty ?? host
        self.published = published
        self.image = image
    }

    /// `example.org` of a web address; nil for anything else.
    static func host(of url: String) -> String? {
        guard url.utf8.count <= 2048, url.hasPrefix("https://") || url.hasPrefix("http://"),
            let slashes = url.firstRange(of: "://"), url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { return nil }
        let authority = url[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        // An address that shows one host and leads to another is no result.
        guard !authority.isEmpty, !authority.contains("@"), !authority.contains("\\") else { return nil }
        let host = authority.prefix { $0 != ":" }.lowercased()
        return host.hasPrefix("www.") ? String(host.dropFirst(4)) : host
    }
}

/// A page of results of html.duckduckgo.com or lite.duckduckgo.com.
struct ResultPage: Sendable, Hashable {
    var results: [Found] = []
    /// The fields of the form that leads to the next page.
    var next: [String: String]?
    /// The page says that there are none.
    var saysNoResults = false
    /// It asks for proof that no robot is asking.
    var isChallenge = false

    init(_ body: [UInt8]) {
        var reader = Reader()
        for token in Markup(body) { reader.read(token) }
        reader.endResult()
        results = reader.results
        next = reader.next
        saysNoResults = reader.text.contains("No  results.") || reader.text.contains("No more results.")
        isChallenge = reader.isChallenge
    }

    /// Where a link of a result leads: the target behind DuckDuckGo's redirect; nil for an advertisement.
    static func target(of link: String) -> String? {
        var link = link
        if link.hasPrefix("//") { link = "https:" + link }
        guard let host = Found.host(of: link) else { return nil }
        guard host == "duckduckgo.com" || host.hasSuffix(".duckduckgo.com") else { return link }
        guard let mark = link.firstIndex(of: "?") else { return link }
        let path = link[..<mark]
        if path.hasSuffix("/y.js") { return nil }
        guard path.hasSuffix("/l/") else { return link }
        for pair in link[link.index(after: mark)...].prefix(while: { $0 != "#" }).split(separator: "&")
        where pair.hasPrefix("uddg=") {
            return HTTPRequest.formDecoded(pair.dropFirst(5)).flatMap { Found.host(of: $0) == nil ? nil : $0 }
        }
        return nil
    }

    /// What a page of either kind says, tag by tag.
    private struct Reader {
        var results: [Found] = []
        var next: [String: String]?
        var isChallenge = false
        /// The first text of the page's body, enough to find a sentence in.
        var text = ""
        private var link: String?
        private var title = ""
        private var snippet = ""
        private var isAdvertisement = false
        /// Which text is being collected, and the tag that ends it.
        private var target: WritableKeyPath<Reader, String>?
        private var endTag = ""
        private var form: [String: String]?
        private var isNextForm = false
        private var seen: Set<String> = []

        mutating func read(_ token: Markup.Token) {
            switch token {
            case .text(let piece):
                if let target { self[keyPath: target] += piece }
                if text.utf8.count < 4096 { text += piece }
            case .close(let name):
                if name == endTag {
                    target = nil
                    endTag = ""
                }
                if name == "form" { endForm() }
            case .open(let name, let attributes): open(name, attributes)
            }
        }

        private mutating func open(_ name: String, _ attributes: [String: String]) {
            let classes = Set((attributes["class"] ?? "").split(separator: " ").map(String.init))
            switch name {
            case "div" where classes.contains("result"):
                endResult()
                isAdvertisement = classes.contains("result--ad")
            case "div" where classes.contains(where: { $0.hasPrefix("anomaly-modal") }): isChallenge = true
            case "a" where classes.contains("result__a") || classes.contains("result-link"):
                // On the lite page a link begins a result.
                if classes.contains("result-link") || link != nil { endResult(keepingKind: true) }
                link = attributes["href"]
                collect(\.title, until: "a")
            case "a" where classes.contains("result__snippet"): collect(\.snippet, until: "a")
            case "td" where classes.contains("result-snippet"), "div" where classes.contains("result__snippet"):
                collect(\.snippet, until: name)
            case "form":
                if attributes["id"] == "challenge-form" || attributes["action"]?.contains("anomaly") == true {
                    isChallenge = true
                }
                form = [:]
                isNextForm = classes.contains("next_form")
            case "input":
                guard form != nil else { return }
                if attributes["type"] == "hidden", let field = attributes["name"] {
                    form?[field] = attributes["value"] ?? ""
                }
                if attributes["type"] == "submit", attributes["value"]?.hasPrefix("Next") == true { isNextForm = true }
            default: break
            }
        }

        private mutating func collect(_ path: WritableKeyPath<Reader, String>, until tag: String) {
            target = path
            endTag = tag
        }

        private mutating func endForm() {
            if isNextForm, let form, form["q"] != nil { next = form }
            form = nil
            isNextForm = false
        }

        mutating func endResult(keepingKind: Bool = false) {
            if let link, !isAdvertisement, let url = ResultPage.target(of: link),
                let found = Found(title: title, url: url, snippet: snippet), seen.insert(url).inserted
            {
                results.append(found)
            }
            link = nil
            title = ""
            snippet = ""
            if !keepingKind { isAdvertisement = false }
        }
    }
}
