import PluginCommon
import TandemSDK

/// Keeps notes here and pages in Notion tied to each other: the note holds the page's address, the page a line that names
/// the note. Both follow renames and deletions of either side.
struct NoteLinks {
    /// A note, as the host's tools show it.
    struct Note {
        var id: String
        var title: String
        var content: String
        var updated: Instant?

        init?(_ json: JSON?) {
            guard let json, let id = json["id"]?.stringValue, let title = json["title"]?.stringValue else { return nil }
            self.id = id
            self.title = title
            content = json["content"]?.stringValue ?? ""
            updated = json["updated"]?.stringValue.flatMap { Instant($0) }
        }
    }

    /// What refreshing did.
    struct Refreshed {
        var renamed = 0
        var updated = 0
        var ended = 0
    }

    static let source = "notion"
    /// The longest text that a note takes.
    static let noteLimit = 8000

    let client: NotionClient
    private var context: Context { client.context }
    private var rows: Rows<NoteLink> { context.rows(NoteLink.self) }

    init(_ client: NotionClient) { self.client = client }

    // MARK: Notes

    /// Nil when it is gone.
    func note(_ reference: String) async throws -> Note? {
        do {
            return Note(try await context.tools.call("notes.show", ["note": .string(reference)]).value["note"])
        } catch let error as ToolError where error.code == "not_found" {
            return nil
        }
    }

    @discardableResult
    private func update(_ noteID: String, _ members: JSONObject) async throws -> Note? {
        var arguments = members
        arguments["note"] = .string("#" + noteID)
        return Note(try await context.tools.call("notes.update", .object(arguments)).value["note"])
    }

    private static func line(_ title: String) -> String { "Tandem note: \(title.singleLine(limit: 200))" }

    // MARK: Tying and untying

    /// Ties them and gives the block that was added to the page.
    func tie(_ note: Note, _ page: NotionPage, isCopy: Bool = false) async throws -> NotionID? {
        let block =
            isCopy
            ? nil : try await client.append([BlockWriter.paragraph(Self.line(note.title))], to: page.id).ids.first
        let changed = try await update(
            note.id,
            ["external_source": .string(Self.source), "external_id": .string(NoteLink.address(page.id.description))])
        try await rows.insert(
            NoteLink(
                pageID: page.id.description, noteID: note.id, title: page.title, noteTitle: note.title,
                backlink: block?.description, isCopy: isCopy, pageEdited: page.edited, noteChanged: changed?.updated))
        try await follow()
        return block
    }

    func link(_ pageID: String, _ noteID: String) async throws -> NoteLink? {
        try await rows.list(where: \.pageID == pageID, \.noteID == noteID, limit: 1).first
    }

    /// Takes both ends away, as far as they are there.
    func untie(_ link: NoteLink) async throws {
        if let block = link.backlink.flatMap({ NotionID($0) }) { try await client.deleteBlock(block) }
        try await forgetPage(link)
        try await rows.delete(link.id)
    }

    private func forgetPage(_ link: NoteLink) async throws {
        do {
            try await update(link.noteID, ["external_source": "", "external_id": ""])
        } catch let error as ToolError where error.code == "not_found" {
            // The note is gone, and its end of the tie with it.
        }
    }

    /// A timer looks every six hours whether something was renamed or removed.
    private func follow() async throws {
        try await context.timers.set(
            "links", RefreshLinks.self, at: Instant(milliseconds: context.clock.now.milliseconds + 6 * 3_600_000),
            repeating: .seconds(21_600))
    }

    // MARK: Following

    /// The page has another title, by our own hand.
    func renamed(_ page: NotionPage) async throws {
        for link in try await rows.list(where: \.pageID == page.id.description, limit: 100) {
            try await rows.update(link.id, .set(\.title, page.title))
            guard link.isCopy else { continue }
            let note = try? await update(link.noteID, ["title": .string(page.title.cut(to: 120))])
            try await rows.update(
                link.id, .set(\.noteTitle, note?.title ?? link.noteTitle), .set(\.pageEdited, page.edited),
                .set(\.noteChanged, note?.updated ?? link.noteChanged))
        }
    }

    /// The page went to the trash, by our own hand: its notes stay, without an address that leads nowhere.
    func trashed(_ page: NotionPage) async throws {
        for link in try await rows.list(where: \.pageID == page.id.description, limit: 100) {
            try await forgetPage(link)
            try await rows.delete(link.id)
        }
    }

    /// Looks at both ends of every tie, as long as there is time, the one that was looked at longest ago first.
    func refresh() async throws -> Refreshed {
        var result = Refreshed()
        let links = try await rows.list(limit: 200)
        for link in links {
            guard context.timeRemaining > .seconds(4) else { break }
            try await refresh(link, &result)
        }
        if try await rows.list(limit: 1).isEmpty { try await context.timers.cancel("links") }
        return result
    }

    private func refresh(_ link: NoteLink, _ result: inout Refreshed) async throws {
        guard let note = try await note("#" + link.noteID) else {
            // The note is gone: the page no longer names it.
            if let block = link.backlink.flatMap({ NotionID($0) }) { try await client.deleteBlock(block) }
            try await rows.delete(link.id)
            result.ended += 1
            return
        }
        guard let id = NotionID(link.pageID), let page = try await present(id) else {
            try await forgetPage(link)
            try await rows.delete(link.id)
            result.ended += 1
            return
        }
        if note.title != link.noteTitle, let block = link.backlink.flatMap({ NotionID($0) }) {
            try await client.replaceText(ofParagraph: block, with: Self.line(note.title))
            result.renamed += 1
        }
        if link.isCopy, page.edited != link.pageEdited {
            try await copyAgain(link, note, page)
            result.updated += 1
        } else if page.title != link.title || note.title != link.noteTitle {
            if page.title != link.title { result.renamed += 1 }
            try await rows.update(link.id, .set(\.title, page.title), .set(\.noteTitle, note.title))
        }
    }

    private func present(_ id: NotionID) async throws -> NotionPage? {
        do {
            let page = try await client.page(id)
            return page.isInTrash ? nil : page
        } catch let error as ToolError where error.code == NotionFailure.notShared {
            return nil
        }
    }

    // MARK: Copies

    /// The page as a note that follows it.
    func copy(_ page: NotionPage) async throws -> (note: Note, isWhole: Bool) {
        let (text, isWhole) = try await text(of: page)
        let answer = try await context.tools.call(
            "notes.add",
            [
                "text": .string(text), "title": .string(page.title.cut(to: 120)), "category": "notion",
                "external_source": .string(Self.source),
                "external_id": .string(NoteLink.address(page.id.description)),
            ])
        guard let note = Note(answer.value["note"]) else {
            throw ToolError.rejected("The note could not be saved.", code: "unexpected_answer")
        }
        try await rows.insert(
            NoteLink(
                pageID: page.id.description, noteID: note.id, title: page.title, noteTitle: note.title, isCopy: true,
                pageEdited: page.edited, noteChanged: note.updated))
        try await follow()
        return (note, isWhole)
    }

    private func text(of page: NotionPage) async throws -> (text: String, isWhole: Bool) {
        let read = try await BlockReader.read(page.id, client)
        var text = read.whole.nonEmpty ?? page.title
        let isWhole = read.rest == nil && text.count <= Self.noteLimit
        if text.count > Self.noteLimit { text = String(text.prefix(Self.noteLimit - 3)) + "..." }
        return (text, isWhole)
    }

    /// The page changed. Where the note changed here as well, the newer one stays in its place, and the other is kept beside
    /// it.
    private func copyAgain(_ link: NoteLink, _ note: Note, _ page: NotionPage) async throws {
        let isChangedHere = note.updated.map { updated in link.noteChanged.map { updated > $0 } ?? false } ?? false
        let (text, _) = try await text(of: page)
        if isChangedHere, note.content != text {
            let isPageNewer = (page.edited ?? Instant(milliseconds: 0)) >= (note.updated ?? Instant(milliseconds: 0))
            let kept = isPageNewer ? (note.title, note.content) : (page.title, text)
            try await context.tools.call(
                "notes.add",
                [
                    "text": .string(kept.1.cut(to: Self.noteLimit)),
                    "title": .string((kept.0.cut(to: 100) + " (other version)")), "category": "notion",
                    "external_source": .string(Self.source), "external_id": .string(link.address),
                ])
            guard isPageNewer else {
                try await rows.update(
                    link.id, .set(\.pageEdited, page.edited), .set(\.noteChanged, note.updated),
                    .set(\.title, page.title))
                return
            }
        }
        let changed = try await update(
            link.noteID, ["text": .string(text), "title": .string(page.title.cut(to: 120))])
        try await rows.update(
            link.id, .set(\.title, page.title), .set(\.noteTitle, changed?.title ?? note.title),
            .set(\.pageEdited, page.edited), .set(\.noteChanged, changed?.updated))
    }
}
