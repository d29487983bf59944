import Synchronization
public import TandemJSON

/// DuckDuckGo's pages and its Instant Answer API, strict: what they do not know is refused, with 400 and the reason.
///
/// A function from requests to answers, for a scripted client or behind a server. The forms are those that
/// duckduckgo_search 8.1.1 and ddgs 9.16.1 send; nothing here is copied from the plugin that it tests.
public final class DuckDuckGoSimulator: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// `html.duckduckgo.com`
        public var host: String
        public var path: String
        public var query: [(name: String, value: String)]
        /// Names in lower case.
        public var headers: [String: String]
        public var form: [(name: String, value: String)]

        public init(
            method: String, host: String, path: String, query: [(name: String, value: String)],
            headers: [String: String], form: [(name: String, value: String)]
        ) {
            self.method = method
            self.host = host
            self.path = path
            self.query = query
            self.headers = headers
            self.form = form
        }
    }

    public struct Response: Sendable {
        public var status: Int
        public var contentType: String
        public var body: String
    }

    public struct Page: Sendable {
        public var title: String
        public var url: String
        public var text: String

        public init(_ title: String, _ url: String, _ text: String) {
            self.title = title
            self.url = url
            self.text = text
        }
    }

    public struct Article: Sendable {
        public var title: String
        public var url: String
        public var excerpt: String
        public var source: String
        /// Unix seconds.
        public var date: Int64

        public init(_ title: String, _ url: String, _ excerpt: String, source: String, date: Int64) {
            self.title = title
            self.url = url
            self.excerpt = excerpt
            self.source = source
            self.date = date
        }
    }

    struct State {
        var pages: [Page] = []
        var articles: [Article] = []
        var images: [(title: String, image: String, url: String)] = []
        var instant: [String: JSON] = [:]
        var isChallenging = false
        var failure: Int?
        var requests: [Request] = []
        var refusals: [String] = []
        var tokens: [String: String] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    // MARK: What it knows

    public func setPages(_ pages: [Page]) { state.withLock { $0.pages = pages } }
    public func setArticles(_ articles: [Article]) { state.withLock { $0.articles = articles } }

    public func setImages(_ images: [(title: String, image: String, url: String)]) {
        state.withLock { $0.images = images }
    }

    /// The members of an instant answer that are not empty.
    public func setInstant(_ query: String, _ members: JSONObject) {
        state.withLock { $0.instant[query] = .object(members) }
    }

    /// It takes everybody for a robot.
    public func setChallenging(_ isChallenging: Bool) { state.withLock { $0.isChallenging = isChallenging } }
    /// It answers this status to everything.
    public func setFailure(_ status: Int?) { state.withLock { $0.failure = status } }

    public var requests: [Request] { state.withLock { $0.requests } }
    /// Why requests were refused.
    public var refusals: [String] { state.withLock { $0.refusals } }

    // MARK: Answering

    public func answer(_ request: Request) -> Response {
        let (failure, isChallenging) = state.withLock { state in
            state.requests.append(request)
            return (state.failure, state.isChallenging)
        }
        if let failure { return Response(status: failure, contentType: "text/html", body: "") }
        if isChallenging, request.host != "api.duckduckgo.com" { return challenge }
        guard request.headers["user-agent"]?.hasPrefix("Mozilla/5.0") == true || request.host == "api.duckduckgo.com"
        else { return refused("no browser-like User-Agent") }
        switch (request.method, request.host, request.path) {
        case ("POST", "html.duckduckgo.com", "/html/"): return search(request, isLite: false)
        case ("POST", "lite.duckduckgo.com", "/lite/"): return search(request, isLite: true)
        case ("GET", "api.duckduckgo.com", "/"): return instant(request)
        case ("GET", "duckduckgo.com", "/"): return front(request)
        case ("GET", "duckduckgo.com", "/news.js"): return news(request)
        case ("GET", "duckduckgo.com", "/i.js"): return images(request)
        default: return refused("\(request.method) \(request.host)\(request.path) is nothing here")
        }
    }

    private func refused(_ reason: String) -> Response {
        state.withLock { $0.refusals.append(reason) }
        return Response(status: 400, contentType: "text/html", body: "")
    }

    private var challenge: Response {
        Response(
            status: 202, contentType: "text/html; charset=UTF-8",
            body: """
                <!DOCTYPE html><html><body><form id="challenge-form" \
                action="//duckduckgo.com/anomaly.js?sv=html&amp;cc=botnet" method="POST">\
                <div class="anomaly-modal__title">Unfortunately, bots use DuckDuckGo too.</div></form></body></html>
                """)
    }

    /// Nil, and refused, for a member that is unknown, stands twice, or has a value that is not allowed.
    private func members(
        _ pairs: [(name: String, value: String)], _ allowed: [String: @Sendable (String) -> Bool], required: [String]
    ) -> [String: String]? {
        var members: [String: String] = [:]
        for (name, value) in pairs {
            guard let rule = allowed[name] else {
                _ = refused("\(name) is unknown")
                return nil
            }
            guard rule(value), members.updateValue(value, forKey: name) == nil else {
                _ = refused("\(name) has a bad value or stands twice")
                return nil
            }
        }
        for name in required where members[name]?.isEmpty ?? true {
            _ = refused("\(name) is missing")
            return nil
        }
        return members
    }

    private static let anything: @Sendable (String) -> Bool = { _ in true }
    private static let digits: @Sendable (String) -> Bool = { !$0.isEmpty && $0.utf8.allSatisfy { $0 &- 48 < 10 } }
    private static let bit: @Sendable (String) -> Bool = { $0 == "0" || $0 == "1" }
    private static let age: @Sendable (String) -> Bool = { ["", "d", "w", "m", "y"].contains($0) }

    private func search(_ request: Request, isLite: Bool) -> Response {
        guard request.headers["content-type"]?.hasPrefix("application/x-www-form-urlencoded") == true else {
            return refused("the form has no Content-Type")
        }
        guard request.headers["referer"] == "https://\(request.host)/" else { return refused("no Referer") }
        guard request.query.isEmpty else { return refused("a query beside the form") }
        var allowed: [String: @Sendable (String) -> Bool] = [
            "s": Self.digits, "dc": Self.digits, "df": Self.age,
        ]
        for name in ["q", "b", "kl", "l", "v", "o", "api", "vqd", "nextParams"] { allowed[name] = Self.anything }
        guard let form = members(request.form, allowed, required: ["q"]) else {
            return Response(status: 400, contentType: "text/html", body: "")
        }
        let query = form["q"] ?? ""
        let start = Int(form["s"] ?? "0") ?? 0
        if start > 0, form["vqd"] != Self.token(query) { return refused("a further page without its vqd") }
        let pages = state.withLock { $0.pages }
        let body = isLite ? Self.lite(pages, query, start) : Self.html(pages, query, start)
        return Response(status: 200, contentType: "text/html; charset=UTF-8", body: body)
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#x27;"
            default: result.append(character)
            }
        }
        return result
    }

    private static func link(_ url: String) -> String {
        let hex = Array("0123456789ABCDEF")
        var encoded = ""
        for byte in url.utf8 {
            let isPlain = byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || [45, 46, 95, 126].contains(byte)
            encoded += isPlain ? String(UnicodeScalar(byte)) : "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
        }
        return "//duckduckgo.com/l/?uddg=\(encoded)&amp;rut=0123456789abcdef"
    }

    static func token(_ query: String) -> String {
        var sum: UInt64 = 7
        for byte in query.utf8 { sum = sum &* 31 &+ UInt64(byte) }
        return "4-" + String(repeating: "0", count: 20) + String(sum)
    }

    private static func html(_ pages: [Page], _ query: String, _ start: Int) -> String {
        guard start < pages.count else {
            return """
                <!DOCTYPE html><html><body><div id="links" class="results"><div class="result results_links \
                results_links_deep result--no-result"><div class="links_main links_deep result__body no-results">\
                No  results.</div></div></div></body></html>
                """
        }
        var body = "<!DOCTYPE html><html><head><title>\(escaped(query)) at DuckDuckGo</title>"
        body += "<script>if (1 < 2) { document.write('<div class=\"result\">') }</script></head><body>\n"
        body += "<div id=\"links\" class=\"results\">\n"
        let advertisement = "https://duckduckgo.com/y.js?ad_domain=ads.example&amp;rut=0"
        body += "<div class=\"result results_links results_links_deep result--ad\"><h2 class=\"result__title\">"
        body += "<a rel=\"nofollow\" class=\"result__a\" href=\"\(advertisement)\">An advert</a></h2>"
        body += "<a class=\"result__snippet\" href=\"\(advertisement)\">Skip me</a></div>\n"
        for page in pages[start...].prefix(10) {
            let link = link(page.url)
            body += "<div class=\"result results_links results_links_deep web-result\">"
            body += "<div class=\"links_main links_deep result__body\"><h2 class=\"result__title\">"
            body += "<a rel=\"nofollow\" class=\"result__a\" href=\"\(link)\">\(escaped(page.title))</a></h2>"
            body += "<a class=\"result__snippet\" href=\"\(link)\"><b>\(escaped(page.text))</b></a></div></div>\n"
        }
        if start + 10 < pages.count {
            body += "<div class=\"nav-link\"><form action=\"/html/\" method=\"post\">"
            body += "<input type=\"submit\" class=\"btn btn--alt\" value=\"Next\">"
            let fields = [
                ("q", query), ("s", "\(start + 10)"), ("nextParams", ""), ("v", "l"), ("o", "json"),
                ("dc", "\(start + 11)"), ("api", "d.js"), ("vqd", token(query)),
            ]
            for (name, value) in fields {
                body += "<input type=\"hidden\" name=\"\(name)\" value=\"\(escaped(value))\">"
            }
            body += "</form></div>"
        }
        return body + "</div></body></html>"
    }

    private static func lite(_ pages: [Page], _ query: String, _ start: Int) -> String {
        guard start < pages.count else { return "<!DOCTYPE html><html><body>No more results.</body></html>" }
        var body = "<!DOCTYPE html><html><body>"
        if start + 10 < pages.count {
            body += "<form class=\"next_form\" action=\"/lite/\" method=\"post\">"
            body += "<input type=\"submit\" class=\"navbutton\" value=\"Next Page &gt;\">"
            for (name, value) in [
                ("q", query), ("s", "\(start + 10)"), ("nextParams", ""), ("dc", "\(start + 11)"),
                ("vqd", token(query)),
            ] {
                body += "<input type=\"hidden\" name=\"\(name)\" value=\"\(escaped(value))\">"
            }
            body += "</form>"
        }
        body += "<table border=\"0\">\n"
        for (index, page) in pages[start...].prefix(10).enumerated() {
            body += "<tr><td valign=\"top\">\(index + 1).&nbsp;</td><td><a rel=\"nofollow\" href=\"\(link(page.url))\" "
            body += "class='result-link'>\(escaped(page.title))</a></td></tr>\n<tr><td>&nbsp;</td>"
            body += "<td class='result-snippet'>\(escaped(page.text))</td></tr>\n"
            body += "<tr><td>&nbsp;</td><td><span class='link-text'>x</span></td></tr>\n"
        }
        return body + "</table></body></html>"
    }

    private func front(_ request: Request) -> Response {
        guard let query = members(request.query, ["q": Self.anything], required: ["q"])?["q"] else {
            return Response(status: 400, contentType: "text/html", body: "")
        }
        return Response(
            status: 200, contentType: "text/html; charset=UTF-8",
            body: "<html><script>DDG.deep.initialize('/d.js?q=x');vqd=\"\(Self.token(query))\";</script></html>")
    }

    private func news(_ request: Request) -> Response {
        let allowed: [String: @Sendable (String) -> Bool] = [
            "l": Self.anything, "o": { $0 == "json" }, "noamp": Self.bit, "q": Self.anything, "vqd": Self.anything,
            "p": { ["1", "-1", "-2"].contains($0) }, "df": Self.age, "s": Self.digits,
        ]
        guard let fields = members(request.query, allowed, required: ["q", "l", "o", "vqd"]) else {
            return Response(status: 400, contentType: "text/html", body: "")
        }
        guard fields["vqd"] == Self.token(fields["q"] ?? "") else {
            return Response(status: 403, contentType: "text/html", body: "")
        }
        let articles = state.withLock { $0.articles }
        let results: [JSON] = articles.map {
            [
                "date": .integer($0.date), "title": .string(Self.escaped($0.title)), "url": .string($0.url),
                "excerpt": .string("<b>" + Self.escaped($0.excerpt) + "</b>"), "source": .string($0.source),
                "image": "", "relative_time": "x",
            ]
        }
        return json(["results": .array(results)])
    }

    private func images(_ request: Request) -> Response {
        let allowed: [String: @Sendable (String) -> Bool] = [
            "o": { $0 == "json" }, "q": Self.anything, "l": Self.anything, "vqd": Self.anything,
            "p": { ["1", "-1"].contains($0) }, "f": Self.anything, "s": Self.digits, "ct": Self.anything,
        ]
        guard let fields = members(request.query, allowed, required: ["q", "l", "o", "vqd"]) else {
            return Response(status: 400, contentType: "text/html", body: "")
        }
        guard request.headers["referer"] == "https://duckduckgo.com/" else { return refused("no Referer") }
        guard fields["vqd"] == Self.token(fields["q"] ?? "") else {
            return Response(status: 403, contentType: "text/html", body: "")
        }
        let images = state.withLock { $0.images }
        let results: [JSON] = images.map {
            [
                "title": .string($0.title), "image": .string($0.image), "thumbnail": .string($0.image),
                "url": .string($0.url), "height": 300, "width": 400, "source": "Bing",
            ]
        }
        return json(["results": .array(results), "next": "i.js?q=x&o=json&p=1&s=100"])
    }

    private func instant(_ request: Request) -> Response {
        let allowed: [String: @Sendable (String) -> Bool] = [
            "q": Self.anything, "format": { $0 == "json" }, "no_html": Self.bit, "skip_disambig": Self.bit,
            "no_redirect": Self.bit, "callback": Self.anything, "pretty": Self.bit, "t": Self.anything,
        ]
        guard let fields = members(request.query, allowed, required: ["q", "format"]) else {
            return Response(status: 400, contentType: "text/html", body: "")
        }
        var answer: JSONObject = ["Type": "", "RelatedTopics": [], "Results": [], "Infobox": "", "meta": .null]
        for name in [
            "Abstract", "AbstractSource", "AbstractText", "AbstractURL", "Answer", "AnswerType", "Definition",
            "DefinitionSource", "DefinitionURL", "Entity", "Heading", "Image", "ImageHeight", "ImageIsLogo",
            "ImageWidth", "Redirect",
        ] {
            answer[name] = ""
        }
        let known = state.withLock { $0.instant[fields["q"] ?? ""] }
        for (name, value) in known?.objectValue ?? [:] { answer[name] = value }
        // Without an answer the status may be 202, with the same JSON.
        var response = json(.object(answer))
        if known == nil { response.status = 202 }
        return response
    }

    private func json(_ value: JSON) -> Response {
        Response(
            status: 200, contentType: "application/x-javascript",
            body: String(decoding: value.serialized(), as: UTF8.self))
    }
}

extension DuckDuckGoSimulator {
    /// Something to look at, for somebody who tries the program.
    public func furnish() {
        setPages(
            (1...25).map {
                Page("Simulated page \($0)", "https://www.example.org/page/\($0)", "Text of the simulated page \($0).")
            })
        setArticles([
            Article(
                "Calm weather", "https://paper.example/calm", "No wind is expected.", source: "The Paper",
                date: 1_795_000_000)
        ])
        setImages([("A swift", "https://img.example/a.jpg", "https://birds.example/a")])
        setInstant(
            "ada lovelace",
            [
                "Type": "A", "Heading": "Ada Lovelace", "AbstractText": "English mathematician.",
                "AbstractSource": "Wikipedia", "AbstractURL": "https://en.wikipedia.org/wiki/Ada_Lovelace",
            ])
    }
}
