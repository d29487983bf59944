public import TandemSDK

/// A note of the person's and a page in Notion that belong together.
struct NoteLink: Row {
    static let table = Table<NoteLink>(
        "notion_links", "which notes belong to which Notion pages", .sealed(\.title), .sealed(\.noteTitle),
        .searchable(\.title), .index(\.pageID), .index(\.noteID), .standard(\.isCopy, false))

    var id = RowID()
    var pageID: String
    /// Of the note, as `notes.show` takes it without `#`.
    var noteID: String
    var title: String
    var noteTitle: String
    /// The block in the page that names the note.
    var backlink: String?
    /// The note holds what the page says, and follows it.
    var isCopy: Bool
    /// When the page was last edited, as far as the copy knows.
    var pageEdited: Instant?
    /// When the note last changed by the copy's own hand.
    var noteChanged: Instant?

    /// An address that outlives renames: Notion looks at the id alone.
    var address: String { NoteLink.address(pageID) }

    static func address(_ pageID: String) -> String { "https://www.notion.so/" + pageID.filter { $0 != "-" } }
}

/// A note that the person means: `#` and its id, or words of its title.
public struct NoteReference: JSONRepresentable, Hashable {
    var text: String

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "minLength": 1, "maxLength": 300], slot: .reference(entity: "notes.note"),
            column: nil)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, !text.isEmpty else { throw ShapeError("a note") }
        self.text = text
    }

    public var json: JSON { .string(text) }
}
