import PluginCommon
public import TandemSDK

public struct LinkNote: Tool {
    public static let declaration = ToolDeclaration(
        "notion.link", "Tie a note to a Notion page", effect: .write,
        """
        Ties one of the person's notes here to a page in Notion: each then names the other, also after a rename.
        """, undo: .tool("notion.undo"), trust: .untrusted,
        utterances: [
            "(link|connect|tie) [the|my] note {note} (to|with) [the|my] notion page {page}",
            "(link|connect|tie) [the|my] {note} note (to|with) [the|my] notion page {page}",
            "(link|connect|tie) [the|my] notion page {page} (to|with) [the|my] note {note}",
        ], actsOn: NotionPage.entity, timeoutMilliseconds: 30_000)

    @Argument("Which note: #id as shown, or its title") var note: NoteReference
    @Argument("Which page: #id as shown, its address, or its title") var page: PageReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NoteChange> {
        let links = NoteLinks(NotionClient(context))
        guard let note = try await links.note(note.text) else { throw ToolError.notFound("I do not find that note.") }
        let found = try await Finder(client: links.client).page(page)
        guard try await links.link(found.id.description, note.id) == nil else {
            throw ToolError.conflict("They are tied already.")
        }
        _ = try await links.tie(note, found)
        return NoteChange.reply(
            "\(note.title.cut(to: 50)) and the Notion page \(found.title.cut(to: 50)) now name each other.", found,
            note: note.id)
    }
}

public struct CopyPage: Tool {
    public static let declaration = ToolDeclaration(
        "notion.keep", "Keep a Notion page as a note", effect: .write,
        "Copies a page from Notion to the person's notes, and keeps the note up to date with it.",
        undo: .tool("notion.undo_link"), trust: .untrusted,
        utterances: [
            "(save|keep|copy|sync) [the|my] notion page {page} (as|to|in|with) [a|my] note[s]",
            "(save|keep|copy|sync) {page} from notion (as|to|in) [a|my] note[s]",
            "sync [the|my] notion page {page}",
        ], actsOn: NotionPage.entity, timeoutMilliseconds: 30_000)

    @Argument("Which page: #id as shown, its address, or its title") var page: PageReference

    public init() {}

    public func run(_ context: Context) async throws -> Reply<NoteChange> {
        let client = NotionClient(context)
        let links = NoteLinks(client)
        let found = try await Finder(client: client).page(page)
        let kept = try await context.rows(NoteLink.self).list(
            where: \.pageID == found.id.description, \.isCopy == true, limit: 1)
        guard kept.isEmpty else { throw ToolError.conflict("That page is among your notes already.") }
        let (note, isWhole) = try await links.copy(found)
        return NoteChange.reply(
            "\(found.title.cut(to: 80)) is among your notes now\(isWhole ? "" : ", as much of it as a note holds").",
            found, note: note.id)
    }
}

public struct ShowLinks: Tool {
    public static let declaration = ToolDeclaration(
        "notion.links", "Show notes tied to Notion", effect: .read,
        "Lists which notes belong to which Notion pages.", trust: .untrusted,
        utterances: [
            "which [of my] notes are (linked|tied|connected) to notion", "[show] [my] notion links",
            "which notion pages are (linked|tied|connected) to [my] notes", "[show] [my] notes from notion",
        ])

    public init() {}

    public struct Link: Object {
        public var note: String
        public var noteTitle: String
        public var page: String
        public var title: String
        public var url: String
        public var copy: Bool
    }

    public func run(_ context: Context) async throws -> Reply<[Link]> {
        let links = try await context.rows(NoteLink.self).list(limit: 50)
        let value = links.map {
            Link(
                note: $0.noteID, noteTitle: $0.noteTitle, page: $0.pageID, title: $0.title, url: $0.address,
                copy: $0.isCopy)
        }
        guard !links.isEmpty else { return Reply("No note is tied to a Notion page yet.", value: value) }
        let parts = links.enumerated().map { index, link in
            link.isCopy
                ? "\(index + 1) \(link.title.cut(to: 40)) (copy)"
                : "\(index + 1) \(link.noteTitle.cut(to: 40)) - \(link.title.cut(to: 40))"
        }
        return Reply(
            MessageText.flow("", parts), value: value,
            shown: Shown(
                links.map { Shown.Item(type: NotionPage.entity, id: $0.pageID, label: $0.title.cut(to: 100)) },
                select: "notion.read"), trust: .untrusted)
    }
}

public struct UnlinkNote: Tool {
    public static let declaration = ToolDeclaration(
        "notion.unlink", "Untie a note from Notion", effect: .write,
        "Unties a note from its Notion page; both stay, and neither names the other any more.", undo: .none,
        trust: .untrusted,
        utterances: [
            "(unlink|disconnect|untie) [the|my] note {note} from notion",
            "(unlink|disconnect|untie) [the|my] {note} note from notion",
            "(unlink|disconnect|untie) [the|my] note {note} from [the|my] notion page",
        ], timeoutMilliseconds: 30_000)

    @Argument("Which note: #id as shown, or its title") var note: NoteReference

    public init() {}

    public func run(_ context: Context) async throws -> String {
        let links = NoteLinks(NotionClient(context))
        let note = try await links.note(note.text)
        let tied = try await context.rows(NoteLink.self).list(where: \.noteID == (note?.id ?? ""), limit: 20)
        guard let note, !tied.isEmpty else { throw ToolError.notFound("That note is tied to no Notion page.") }
        for link in tied { try await links.untie(link) }
        return "\(note.title.cut(to: 80)) is no longer tied to Notion."
    }
}

/// What tied a note and a page: all that `notion.undo_link` needs to untie them.
public struct NoteChange: Object {
    public var page: String
    public var note: String
    public var title: String
    public var url: String

    static func reply(_ message: String, _ page: NotionPage, note: String) -> Reply<NoteChange> {
        Reply(
            message + "\n" + page.url,
            value: NoteChange(page: page.id.description, note: note, title: page.title, url: page.url),
            shown: Shown(
                [page.shown, Shown.Item(type: "notes.note", id: note, label: page.title.cut(to: 100))], numbered: false)
        )
    }
}

/// Takes back what tied a note and a page. The host calls it with that tool's value.
public struct UndoLink: Tool {
    public static let declaration = ToolDeclaration(
        "notion.undo_link", "Take back a tie to Notion", effect: .write,
        "Unties a note and a Notion page again, given what the tying tool returned.", undo: .none,
        timeoutMilliseconds: 20_000)

    @Argument("The page", planned: false) var page: String
    @Argument("The note", planned: false) var note: String
    @Argument("The page's title", planned: false) var title: String
    @Argument("The page's address", planned: false) var url: String

    public init() {}

    public func run(_ context: Context) async throws -> String {
        let links = NoteLinks(NotionClient(context))
        guard let link = try await links.link(page, note) else {
            throw ToolError.notFound("They are no longer tied.")
        }
        try await links.untie(link)
        // The copy was made by the tool that is taken back.
        if link.isCopy { try await context.tools.call("notes.delete", ["note": .string("#" + note)]) }
        return "\(title.singleLine(limit: 80)) and the note are no longer tied."
    }
}

/// Looks after renames and removals on either side.
struct RefreshLinks: Handler {
    static let declaration = HandlerDeclaration(
        "refresh_links", "Keeps notes and Notion pages that belong together up to date", effect: .write,
        timeoutMilliseconds: 60_000)

    func run(_ context: Context, _ occasion: Occasion) async throws {
        let refreshed = try await NoteLinks(NotionClient(context)).refresh()
        context.log.info(
            "Links are up to date",
            [
                "renamed": .integer(Int64(refreshed.renamed)), "updated": .integer(Int64(refreshed.updated)),
                "ended": .integer(Int64(refreshed.ended)),
            ])
    }
}
