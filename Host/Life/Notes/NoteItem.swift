import TandemCore
import TandemJSON
import TandemStorage

/// One note, as a row of `notes` holds it.
struct NoteItem: Sendable, Equatable {
    var id: RecordID
    var title: String
    var content: String
    var tags: [String]
    var category: String?
    /// Where it comes from or belongs to elsewhere: `notion`, and the address there.
    var externalSource: String?
    var externalID: String?
    var createdAt: Timestamp
    var updatedAt: Timestamp

    /// The entity type of notes in `shown`.
    static let entity = "notes.note"

    /// What came from elsewhere is somebody's words.
    var trust: TrustLabel { externalSource == nil ? .system : .untrusted }

    init(row: UserRow) {
        id = row.id
        title = row.string("title") ?? ""
        content = row.string("content") ?? ""
        tags = (row["tags"].arrayValue ?? []).compactMap(\.stringValue)
        category = row.string("category")
        externalSource = row.string("external_source")
        externalID = row.string("external_id")
        createdAt = row.createdAt
        updatedAt = row.updatedAt
    }

    var shown: ShownEntities.Item {
        ShownEntities.Item(type: NoteItem.entity, id: id.description, label: Wording.clip(title))
    }

    var json: JSON {
        var object: JSONObject = [
            "id": .string(id.description), "title": .string(title), "content": .string(content),
            "tags": .array(tags.map { .string($0) }), "updated": .string(updatedAt.description),
        ]
        if let category { object["category"] = .string(category) }
        if let externalSource { object["external_source"] = .string(externalSource) }
        if let externalID { object["external_id"] = .string(externalID) }
        return .object(object)
    }

    /// The title of a text that was given without one: its first sentence or line, cut at 60 septets.
    static func title(of content: String) -> String {
        let line = content.split(whereSeparator: \.isNewline).first.map { Wording.oneLine($0) } ?? ""
        var end = line.endIndex
        for mark in [". ", "? ", "! ", ": "] {
            if let range = line.firstRange(of: mark), range.lowerBound < end { end = range.lowerBound }
        }
        let sentence = line[..<end]
        return Wording.clip(sentence.isEmpty ? Substring(line) : sentence)
    }

    /// The `#words` of a text, lower case, in order, without repetition.
    static func tags(in text: String) -> [String] {
        var tags: [String] = []
        for word in text.split(whereSeparator: { $0.isWhitespace }) where word.first == "#" {
            if let tag = tag(word), !tags.contains(tag) { tags.append(tag) }
        }
        return Array(tags.prefix(20))
    }

    /// A tag as it is stored: lower case, letters, digits, `-` and `_`, at most 40; nil when nothing is left.
    static func tag(_ text: some StringProtocol) -> String? {
        let kept = text.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        guard !kept.isEmpty, kept.contains(where: { $0.isLetter }) else { return nil }
        return String(kept.prefix(40))
    }
}
