import PluginCommon
import TandemSDK

/// Asks DuckDuckGo.
struct SearchService {
    /// What was found, and how old it is when DuckDuckGo could not be asked.
    struct Answer {
        var results: [Found]
        var hasMore: Bool
        /// `from 25 minutes ago`.
        var note: String?
    }

    let context: Context
    private let recent: RecentSearches

    /// What the call asks for instead of the person's setting.
    private let wantedRegion: String?

    init(_ context: Context, region: String? = nil) {
        self.context = context
        recent = context.cache(RecentSearches.self)
        wantedRegion = region?.lowercased()
    }

    private static let pages = [
        HTTPField("User-Agent", "Mozilla/5.0 (compatible; Tandem/1.0)"), HTTPField("Accept", "text/html"),
        HTTPField("Accept-Language", "en"),
    ]

    private var region: String {
        let region = wantedRegion ?? context.config(DuckDuckGo.Settings.self).region
        let isPlain = (2...12).contains(region.utf8.count) && region.utf8.allSatisfy { $0 &- 97 < 26 || $0 == 45 }
        return isPlain ? region : "wt-wt"
    }

    private var safeSearch: SafeSearch { context.config(DuckDuckGo.Settings.self).safeSearch }

    /// The words to look for; throws when there are none.
    static func query(_ text: String) throws -> String {
        var query = text.singleLine(limit: 200)
        while query.utf8.count > ResultID.maxQueryBytes { query.removeLast() }
        guard !query.isEmpty else { throw ToolError.invalid("What should I look for?") }
        return query
    }

    func search(_ kind: ResultID.Kind, _ query: String, age: Age? = nil, page: Int = 1) async throws -> Answer {
        let key = RecentSearches.Key(
            kind: kind, query: query.lowercased(), age: age, region: region, safeSearch: safeSearch)
        let now = context.clock.now
        var entry = recent.entry(key, now: now, within: RecentSearches.freshMilliseconds)
        if entry == nil {
            do {
                let fetched = try await fetch(kind, query, age)
                recent.keep(key, fetched)
                entry = fetched
            } catch let error as ToolError where error.isRetryable {
                // Something old is better than nothing, when it is said to be old.
                guard page == 1, let old = recent.entry(key, now: now, within: RecentSearches.staleMilliseconds) else {
                    throw error
                }
                let minutes = max(1, (now.milliseconds - old.at.milliseconds) / 60_000)
                return Answer(
                    results: old.results, hasMore: false,
                    note: "DuckDuckGo does not answer; this is from \(Freshness.span(minutes: minutes)) ago.")
            }
        }
        guard var current = entry else { return Answer(results: [], hasMore: false) }
        // Ten results are a page; further ones are fetched as they are asked for.
        let wanted = max(1, min(page, 5)) * SearchService.pageSize
        var pages = 0
        while kind == .web, current.results.count < wanted, let next = current.next, pages < 4 {
            pages += 1
            let more = try await self.page(current.origin, next)
            let known = Set(current.results.map(\.url))
            let fresh = more.results.filter { !known.contains($0.url) }
            current.results += fresh
            current.next = fresh.isEmpty ? nil : more.next
            recent.keep(key, current)
        }
        let from = (max(1, page) - 1) * SearchService.pageSize
        return Answer(
            results: Array(current.results.dropFirst(from).prefix(SearchService.pageSize)),
            hasMore: current.results.count > from + SearchService.pageSize || current.next != nil)
    }

    static let pageSize = 10

    /// One result of an earlier search, found again; nil when it is no longer there.
    func result(_ id: ResultID) async throws -> (found: Found, note: String?)? {
        for page in 1...5 {
            let answer = try await search(id.kind, id.query, page: page)
            if let found = answer.results.first(where: { ResultID.mark(of: $0) == id.mark }) {
                return (found, answer.note)
            }
            guard answer.hasMore else { break }
        }
        return nil
    }

    private func fetch(_ kind: ResultID.Kind, _ query: String, _ age: Age?) async throws -> RecentSearches.Entry {
        if let wait = await quiet.rest() { throw SearchService.refused(wait) }
        let now = context.clock.now
        switch kind {
        case .web:
            let page = try await firstPage(query, age)
            return RecentSearches.Entry(
                results: page.page.results, next: page.page.next, at: now, origin: page.origin)
        case .news: return RecentSearches.Entry(results: try await news(query, age), next: nil, at: now)
        case .image: return RecentSearches.Entry(results: try await images(query), next: nil, at: now)
        case .topic:
            return RecentSearches.Entry(results: try await instant(query).answer?.topics ?? [], next: nil, at: now)
        }
    }

    // MARK: The web

    private func firstPage(_ query: String, _ age: Age?) async throws -> (page: ResultPage, origin: String) {
        var form = ["q": query, "b": "", "kl": region]
        if let age { form["df"] = age.code }
        do {
            return (try await page(SearchService.html, form), SearchService.html)
        } catch let error as ToolError where error.code != SearchService.challengeCode && error.isRetryable {
            // The same results in another dress, from another machine; its next page comes from there as well.
            return (try await page(SearchService.lite, form), SearchService.lite)
        }
    }

    static let html = "https://html.duckduckgo.com/html/"
    static let lite = "https://lite.duckduckgo.com/lite/"

    private func page(_ url: String, _ form: [String: String]) async throws -> ResultPage {
        let origin = url.hasPrefix("https://html") ? "https://html.duckduckgo.com/" : "https://lite.duckduckgo.com/"
        let pairs = form.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let answer = try await context.http.send(
            HTTPRequest(
                .post, url, headers: SearchService.pages + [HTTPField("Referer", origin)], body: .form(pairs),
                isIdempotent: true, maxResponseBytes: 2 << 20, followsRedirects: false))
        let page = ResultPage(answer.body)
        try await check(answer, isChallenge: page.isChallenge)
        guard !page.results.isEmpty || page.saysNoResults else {
            throw ToolError.rejected("DuckDuckGo answered with a page that I cannot read.", code: "unexpected_answer")
        }
        return page
    }

    // MARK: News and pictures

    private func news(_ query: String, _ age: Age?) async throws -> [Found] {
        var fields = [
            ("l", region), ("o", "json"), ("noamp", "1"), ("q", query), ("vqd", try await token(query)),
            ("p", safeSearch.news),
        ]
        if let age { fields.append(("df", age.code)) }
        return try await list("https://duckduckgo.com/news.js", fields).compactMap { item in
            Found(
                title: Markup.plain(item["title"]?.stringValue ?? ""), url: item["url"]?.stringValue ?? "",
                snippet: Markup.plain(item["excerpt"]?.stringValue ?? ""), source: item["source"]?.stringValue,
                published: item["date"]?.int64Value.map { Instant(milliseconds: $0 &* 1000) })
        }
    }

    private func images(_ query: String) async throws -> [Found] {
        let fields = [
            ("o", "json"), ("q", query), ("l", region), ("vqd", try await token(query)), ("p", safeSearch.images),
            ("f", ",,,,,"),
        ]
        return try await list("https://duckduckgo.com/i.js", fields).compactMap { item in
            guard let image = item["image"]?.stringValue, Found.host(of: image) != nil else { return nil }
            return Found(
                title: Markup.plain(item["title"]?.stringValue ?? ""), url: item["url"]?.stringValue ?? "",
                snippet: "", image: image)
        }
    }

    /// What the pages' own scripts send along with a search.
    private func token(_ query: String) async throws -> String {
        let answer = try await get("https://duckduckgo.com/", [("q", query)])
        try await check(answer, isChallenge: ResultPage(answer.body).isChallenge)
        let text = answer.text
        for (start, end) in [("vqd=\"", "\""), ("vqd='", "'"), ("vqd=", "&")] {
            guard let range = text.firstRange(of: start) else { continue }
            let value = text[range.upperBound...].prefix(100).prefix { !end.contains($0) }
            if !value.isEmpty, value.utf8.allSatisfy({ $0 &- 48 < 10 || $0 == UInt8(ascii: "-") }) {
                return String(value)
            }
        }
        throw ToolError.rejected("DuckDuckGo answered with a page that I cannot read.", code: "unexpected_answer")
    }

    private func list(_ url: String, _ fields: [(String, String)]) async throws -> [JSON] {
        let answer = try await get(url, fields, [HTTPField("Referer", "https://duckduckgo.com/")])
        try await check(answer, isChallenge: false)
        guard let results = try answer.json()["results"]?.arrayValue else {
            throw ToolError.rejected("DuckDuckGo answered in a way that I cannot read.", code: "unexpected_answer")
        }
        return results
    }

    /// Without redirects: where one leads somebody who searches, it is a refusal.
    private func get(
        _ url: String, _ fields: [(String, String)], _ headers: [HTTPField] = []
    ) async throws -> HTTPResponse {
        try await context.http.send(
            HTTPRequest(
                .get, HTTPRequest.url(url, query: fields), headers: SearchService.pages + headers,
                followsRedirects: false))
    }

    // MARK: Instant answers

    /// Nil when there is no answer; the note says how old it is when it comes from the cache.
    func instant(_ query: String) async throws -> (answer: InstantAnswer?, note: String?) {
        let answer = try await context.http.get(
            "https://api.duckduckgo.com/",
            query: [
                ("q", query), ("format", "json"), ("no_html", "1"), ("no_redirect", "1"), ("t", "tandem"),
            ],
            cache: .allowed(staleFor: .seconds(86_400)))
        // With no answer the status may be 202 as well; then the body is JSON all the same.
        let json = try? answer.json()
        if answer.status == 202, json != nil {
            await quiet.end()
        } else {
            try await check(answer, isChallenge: false)
        }
        guard let json, let read = InstantAnswer(json) else {
            throw ToolError.rejected("DuckDuckGo answered in a way that I cannot read.", code: "unexpected_answer")
        }
        return (read.isEmpty ? nil : read, answer.cacheNote)
    }

    // MARK: Refusals

    static let challengeCode = "challenge"

    /// Statuses that mean "not so fast" (as the clients duckduckgo_search 8 and ddgs 9 read them): 202 is the challenge, not
    /// an empty result.
    private static let refusals: Set<Int> = [202, 301, 400, 403, 418, 429]

    private func check(_ answer: HTTPResponse, isChallenge: Bool) async throws {
        if isChallenge || SearchService.refusals.contains(answer.status) {
            let wait = await quiet.begin()
            context.log.warning(
                "DuckDuckGo refused",
                ["status": .integer(Int64(answer.status)), "challenge": .bool(isChallenge), "wait.ms": .integer(wait)])
            throw SearchService.refused(wait)
        }
        try answer.successful()
        await quiet.end()
    }

    /// Two minutes, twice as long each time, an hour at most.
    private var quiet: QuietTime { QuietTime(context, of: "searches", first: 120_000, longest: 3_600_000) }

    private static func refused(_ milliseconds: Int64) -> ToolError {
        let minutes = max(1, (milliseconds + 59_999) / 60_000)
        var error = ToolError.rateLimited(
            "DuckDuckGo takes me for a robot and gives no results. Try again in \(Freshness.span(minutes: minutes)).",
            retryAfter: .milliseconds(milliseconds))
        error.code = challengeCode
        return error
    }
}
