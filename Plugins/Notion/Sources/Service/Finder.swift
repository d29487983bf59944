import PluginCommon
import TandemSDK

/// Finds what a reference means; asks when several fit.
struct Finder {
    let client: NotionClient

    /// - Parameter field: the argument's name, under which the person's answer to a question comes back.
    func page(_ reference: PageReference, field: String = "page") async throws -> NotionPage {
        switch try meaning(reference.meaning, field) {
        case .id(let id): return try await client.page(id)
        case .words(let words):
            let found = try await client.search(try Finder.words(words), .page, limit: 25).found
            let pages = found.compactMap { NotionPage($0) }
            let place = try choice(words, pages.map(\.title), ids: pages.map(\.id), what: "page", field: field)
            return pages[place]
        }
    }

    func dataSource(_ reference: DatabaseReference, field: String = "database") async throws -> DataSource {
        switch try meaning(reference.meaning, field) {
        case .id(let id):
            do {
                return try await client.dataSource(id)
            } catch let error as ToolError where error.code == NotionFailure.notShared || error.code == "validation" {
                // The address that people copy names the database, not its data source.
                let sources = try await client.dataSources(ofDatabase: id)
                let place = try choice("", sources.map(\.name), ids: sources.map(\.id), what: "database", field: field)
                return try await client.dataSource(sources[place].id)
            }
        case .words(let words):
            let found = try await client.search(try Finder.words(words), .dataSource, limit: 25).found
            let sources = found.compactMap { DataSource($0) }
            let place = try choice(words, sources.map(\.title), ids: sources.map(\.id), what: "database", field: field)
            return sources[place]
        }
    }

    /// The words to look for; throws when there are none.
    static func words(_ text: String) throws -> String {
        guard let words = text.singleLine(limit: 200).nonEmpty else {
            throw ToolError.invalid("Which one in Notion do you mean?")
        }
        return words
    }

    private func meaning(_ meaning: PageReference.Meaning, _ field: String) throws -> PageReference.Meaning {
        guard let answer = client.context.answer(field)?.stringValue else { return meaning }
        if answer.hasPrefix("#"), let id = NotionID(answer.dropFirst()) { return .id(id) }
        return .words(answer)
    }

    private func choice(
        _ words: String, _ titles: [String], ids: [NotionID], what: String, field: String
    ) throws -> Int {
        var places: [Int]
        switch NameMatcher(titles).match(words) {
        case .exact(let exact): places = exact
        case .close(let close): places = close
        case .none: places = Array(titles.indices)
        }
        guard let first = places.first else {
            throw ToolError.notFound(
                words.isEmpty
                    ? "There is no \(what) there."
                    : "I see no \(what) \"\(words.singleLine(limit: 60))\" in Notion. Is it shared with Tandem?",
                code: "not_found")
        }
        guard places.count > 1 else { return first }
        throw Ask(
            "Which \(what)?", field: field,
            options: places.prefix(5).map {
                Ask.Option(titles[$0].singleLine(limit: 60), value: .string("#\(ids[$0])"))
            }, state: nil)
    }
}
