import TandemCore
import TandemJSON

extension NoteTools {
    static let definitions: [ToolDefinition] = [add, search, show, list, append, update, delete]

    static let contentLimit = 8000
    static let titleLimit = 120

    private static let note = SlotDefinition(.reference(entity: NoteItem.entity), required: true)
    private static let noteResult = Shape.result(
        [
            "id": Shape.string, "title": Shape.string, "content": Shape.string, "tags": Shape.array(Shape.string),
            "category": Shape.string, "updated": Shape.string, "external_source": Shape.string,
            "external_id": Shape.string,
        ], required: ["id", "title", "content", "tags"])
    private static let oneNote = Shape.result(["note": noteResult], required: ["note"])
    private static let severalNotes = Shape.result(["notes": Shape.array(noteResult)], required: ["notes"])

    private static let add = ToolDefinition(
        id: "notes.add", title: "Take a note",
        description: "Saves a text as a note, with title, tags and category where given. Words with # become tags.",
        parameters: Shape.object(
            [
                "text": Shape.text("The note itself.", upTo: contentLimit),
                "title": Shape.text("A title; the first words by default.", upTo: titleLimit),
                "tags": Shape.texts("Tags.", upTo: 40, count: 20),
                "category": Shape.text("A category.", upTo: 40),
                "external_source": Shape.text("The service that it comes from.", upTo: 40),
                "external_id": Shape.text("Its address there.", upTo: 500),
            ], required: ["text"]),
        result: oneNote, effect: .write,
        utterances: [
            Utterance("note {text}"), Utterance("write a note {text}"),
            Utterance("make a note [that|of|about] {text}"),
            Utterance("write down [that] {text}"), Utterance("jot down {text}"), Utterance("new note {text}"),
            Utterance("add a note {text}"), Utterance("save [a|this] note {text}"), Utterance("note to self {text}"),
            Utterance("note down [that] {text}"), Utterance("create a note (called|titled) {title} {text}"),
        ],
        slots: [
            "text": SlotDefinition(.text, required: true), "title": SlotDefinition(.text, hints: ["called", "titled"]),
        ])

    private static let search = ToolDefinition(
        id: "notes.search", title: "Find notes",
        description: "Finds notes by words of their title or text.",
        parameters: Shape.object(["query": Shape.text("What to look for.", upTo: 200)], required: ["query"]),
        result: severalNotes, effect: .read,
        utterances: [
            Utterance("(search|find|look in) [my] notes (for|about|on) {query}"),
            Utterance("find [my|the] note[s] about {query}"),
            Utterance("what did I (write|note) [down] about {query}"),
            Utterance("do I have [any] notes (on|about) {query}"),
            Utterance("search notes {query}"), Utterance("notes (about|on) {query}"),
        ],
        slots: ["query": SlotDefinition(.text, required: true)])

    private static let show = ToolDefinition(
        id: "notes.show", title: "Show a note", description: "Shows the text of one note.",
        parameters: Shape.object(["note": Shape.reference("note")], required: ["note"]), result: oneNote, effect: .read,
        utterances: [
            Utterance("(show|open|read) [me] [the|my] note {note}"),
            Utterance("(show|open|read) [me] [the|my] {note} note"),
            Utterance("what's in [the|my] note {note}"), Utterance("what does [the|my] {note} note say"),
        ],
        slots: ["note": note], actsOn: NoteItem.entity)

    private static let list = ToolDefinition(
        id: "notes.list", title: "List notes", description: "Lists the notes, newest first, or those with a tag.",
        parameters: Shape.object(["tag": Shape.text("Only notes with this tag or category.", upTo: 41)]),
        result: severalNotes, effect: .read,
        utterances: [
            Utterance("(show|list) [me] [all] my notes"), Utterance("my notes"), Utterance("what notes do I have"),
            Utterance("(show|list) [my] notes (tagged|with tag|in) {tag}"), Utterance("notes tagged {tag}"),
            Utterance("show my {tag} notes"), Utterance("recent notes"),
        ],
        slots: ["tag": SlotDefinition(.text, hints: ["tag", "tagged"])])

    private static let append = ToolDefinition(
        id: "notes.append", title: "Add to a note", description: "Adds a line to the end of a note.",
        parameters: Shape.object(
            [
                "note": Shape.reference("note"), "text": Shape.text("What to add.", upTo: contentLimit),
            ], required: ["note", "text"]),
        result: oneNote, effect: .write,
        utterances: [
            Utterance("add {text} to [the|my] note {note}"), Utterance("add {text} to [the|my] {note} note"),
            Utterance("append {text} to [the|my] [note] {note}"), Utterance("add to [the|my] note {note}: {text}"),
            Utterance("add to that note {text}"),
        ],
        slots: ["note": note, "text": SlotDefinition(.text, required: true)], actsOn: NoteItem.entity)

    private static let update = ToolDefinition(
        id: "notes.update", title: "Change a note",
        description: "Gives a note another title or text, or says what it belongs to elsewhere.",
        parameters: Shape.object(
            [
                "note": Shape.reference("note"), "title": Shape.text("The new title.", upTo: titleLimit),
                "text": Shape.text("The new text.", upTo: contentLimit),
                "external_source": [
                    "type": "string", "maxLength": 40,
                    "description": "The service that it belongs to; empty: none any more.",
                ],
                "external_id": [
                    "type": "string", "maxLength": 500, "description": "Its address there; empty: none any more.",
                ],
            ], required: ["note"]),
        result: oneNote, effect: .write,
        utterances: [
            Utterance("rename [the|my] note {note} to {title}"), Utterance("rename [the|my] {note} note to {title}"),
            Utterance("change the title of [the|my] note {note} to {title}"),
        ],
        slots: ["note": note, "title": SlotDefinition(.text)], actsOn: NoteItem.entity)

    private static let delete = ToolDefinition(
        id: "notes.delete", title: "Delete a note", description: "Deletes one note; it can be undone.",
        parameters: Shape.object(["note": Shape.reference("note")], required: ["note"]),
        result: Shape.result(["removed": noteResult], required: ["removed"]), effect: .write,
        utterances: [
            Utterance("(delete|remove) [the|my] note [about|on|called] {note}"),
            Utterance("(delete|remove) [the|my] {note} note"),
            Utterance("throw away [the|my] note {note}"),
        ],
        slots: ["note": note], actsOn: NoteItem.entity)
}
