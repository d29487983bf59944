import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// Notes: kept as written, found by words. Title, text and tags are sealed, so that searching happens here, over the
/// person's own notes.
struct NoteTools: Toolbox {
    let database: any Database

    private let index: PersonalIndex

    init(database: any Database, search: TextSearch) {
        self.database = database
        index = search.add(NoteTools.source, as: "note")
    }

    private static let source = SearchSource(
        table: "notes", columns: ["title", "content", "tags", "category", "status"]
    ) { row in
        guard row.values.count == 5, row.values[4].stringValue == "active" else { return nil }
        let title = row.values[0].stringValue ?? ""
        // The title counts twice.
        var text = "\(title)\n\(title)\n\(row.values[1].stringValue ?? "")\n"
        for tag in row.values[2].arrayValue ?? [] { text += " " + (tag.stringValue ?? "") }
        if let category = row.values[3].stringValue { text += " " + category }
        return (text, row.updatedAt)
    }

    static let mostNotes = 5000
    /// The longest note, in UTF-8 bytes, however it grew.
    static let longestBytes = 64 * 1024

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "notes.add": try await add(request)
        case "notes.search": try await search(request)
        case "notes.show": try await show(request)
        case "notes.list": try await list(request)
        case "notes.append": try await append(request)
        case "notes.update": try await update(request)
        case "notes.delete": try await delete(request)
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    private func add(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let content = request.text("text") else {
            throw ToolFailure.empty("There is nothing in it yet. What should the note say?")
        }
        let title = request.line("title") ?? NoteItem.title(of: content)
        var tags = NoteItem.tags(in: content)
        for tag in (request.arguments["tags"]?.arrayValue ?? []).compactMap(\.stringValue).compactMap(NoteItem.tag)
        where !tags.contains(tag) { tags.append(tag) }
        let values: JSONObject = [
            "title": .string(title), "content": .string(content), "tags": .array(tags.map { .string($0) }),
            "category": request.line("category").map { .string($0) } ?? .null,
            "external_source": request.line("external_source").map { .string($0) } ?? .null,
            "external_id": request.line("external_id").map { .string($0) } ?? .null,
        ]
        let note = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            guard try rows.count("notes") < NoteTools.mostNotes else {
                throw ToolFailure.tooMany("Your notes are full (\(NoteTools.mostNotes)). Let one go first.")
            }
            return try rows.insertNote(values)
        }
        let tail =
            note.tags.isEmpty ? "." : " (\(Wording.clip(note.tags.map { "#" + $0 }.joined(separator: " "), to: 40)))."
        return .value(["note": note.json], Wording.line("Noted: ", note.title, tail), shown: .touched([note.shown]))
    }

    private func search(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let query = request.line("query") else { throw ToolFailure.empty("What should I look for?") }
        let index = index
        let scope = request.scope
        let found = try await database.read(scope) { try NoteTools.search(query, index, of: scope.user, in: $0) }
        guard !found.isEmpty else { return .value(["notes": []], Wording.line("No note about \"", query, "\".")) }
        return several(Array(found.prefix(9)), head: found.count == 1 ? "Found:" : "Found \(found.count):")
    }

    /// Best first; only notes that are about as good as the best.
    private static func search(
        _ query: String, _ index: PersonalIndex, of user: UserID, in transaction: any ReadTransaction
    ) throws -> [NoteItem] {
        let hits = try index.search(query, limit: 20, of: user, in: transaction)
        guard let best = hits.first?.score.total else { return [] }
        let rows = Rows(transaction)
        return try hits.filter { $0.score.total >= best * 0.35 }.compactMap { try rows.note($0.key) }
    }

    private func show(_ request: ToolRequest) async throws -> ToolOutcome {
        let index = index
        let note = try await database.read(request.scope) { try NoteTools.resolve(request, index, in: $0) }
        let oneLine = Wording.oneLine(note.content)
        let isWhole = Wording.septets(oneLine) <= Wording.firstLineLimit && !note.content.contains(where: \.isNewline)
        let address = note.externalID.flatMap { $0.hasPrefix("https://") ? "\n" + $0 : nil } ?? ""
        let message: String
        if isWhole {
            let isTitled = !oneLine.hasPrefix(note.title.hasSuffix("...") ? String(note.title.dropLast(3)) : note.title)
            let whole = "\(note.title): \(oneLine)"
            message = isTitled && Wording.septets(whole) <= Wording.firstLineLimit ? whole : oneLine
        } else {
            message = Wording.clip(note.title) + ":\n" + note.content
        }
        return value(["note": note.json], message + address, shown: .touched([note.shown]), of: [note])
    }

    private func list(_ request: ToolRequest) async throws -> ToolOutcome {
        var notes = try await all(request)
        var head = "note"
        if let tag = request.line("tag").flatMap({ NoteItem.tag($0) }) {
            notes.removeAll { !$0.tags.contains(tag) && $0.category?.lowercased() != tag }
            head = "#\(Wording.clip(tag, to: 30)) note"
        }
        guard !notes.isEmpty else { return .value(["notes": []], "No \(head)s yet.") }
        return several(Array(notes.prefix(20)), head: Wording.count(notes.count, head) + ":")
    }

    private func append(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let text = request.text("text") else { throw ToolFailure.empty("What should I add?") }
        let index = index
        let note = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let note = try NoteTools.resolve(request, index, in: transaction)
            let content = note.content + "\n" + text
            guard content.utf8.count <= NoteTools.longestBytes else {
                throw ToolFailure(status: -25, code: "too_long", message: "That note is full. Start a new one?")
            }
            let tags = note.tags + NoteItem.tags(in: text).filter { !note.tags.contains($0) }
            try rows.updateNote(
                note.id, ["content": .string(content), "tags": .array(tags.map { .string($0) })])
            return try rows.note(note.id) ?? note
        }
        return .value(["note": note.json], Wording.line("Added to ", note.title, "."), shown: .touched([note.shown]))
    }

    private func update(_ request: ToolRequest) async throws -> ToolOutcome {
        var set: JSONObject = [:]
        if let title = request.line("title") { set["title"] = .string(title) }
        if let text = request.text("text") {
            set["content"] = .string(text)
            set["tags"] = .array(NoteItem.tags(in: text).map { .string($0) })
        }
        for member in ["external_source", "external_id"] where request.arguments[member] != nil {
            set[member] = request.line(member).map { .string($0) } ?? .null
        }
        let index = index
        let changes = set
        let (old, note) = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let note = try NoteTools.resolve(request, index, in: transaction)
            guard !changes.isEmpty else { throw ToolFailure.empty("What should be different about it?") }
            try rows.updateNote(note.id, changes)
            return (note, try rows.note(note.id) ?? note)
        }
        let message =
            old.title == note.title
            ? Wording.line("Changed ", note.title, ".")
            : Wording.line("Renamed ", Wording.clip(old.title, to: 50), " to \(Wording.clip(note.title, to: 50)).")
        return value(["note": note.json], message, shown: .touched([note.shown]), of: [note])
    }

    /// With the trust of the notes whose words it holds.
    private func value(
        _ value: JSON, _ message: String, shown: ShownEntities, of notes: [NoteItem]
    ) -> ToolOutcome {
        let trust = notes.contains { $0.trust == .untrusted } ? TrustLabel.untrusted : .system
        return .value(ToolValue(value: value, message: message, shown: shown, trust: trust))
    }

    private func delete(_ request: ToolRequest) async throws -> ToolOutcome {
        let index = index
        let note = try await database.write(request.scope) { transaction in
            let rows = Rows(transaction, request.call.origin)
            let note = try NoteTools.resolve(request, index, in: transaction)
            try rows.delete("notes", note.id)
            return note
        }
        return .value(["removed": note.json], Wording.line("Removed the note: ", note.title, "."))
    }

    // MARK: - Shared

    private func all(_ request: ToolRequest) async throws -> [NoteItem] {
        try await database.read(request.scope) { try Rows($0).notes() }
    }

    private func several(_ notes: [NoteItem], head: String) -> ToolOutcome {
        value(
            ["notes": .array(notes.map(\.json))], Wording.numbered(head, notes.map { Wording.clip($0.title, to: 40) }),
            shown: ShownEntities(items: notes.map(\.shown), select: "notes.show"), of: notes)
    }

    /// By id, or by title; words that no title has are looked for in the texts.
    private static func resolve(
        _ request: ToolRequest, _ index: PersonalIndex, in transaction: any ReadTransaction
    ) throws -> NoteItem {
        let rows = Rows(transaction)
        if let words = request.line("note"), words.hasPrefix("#") {
            guard let id = RecordID(String(words.dropFirst())), let note = try rows.note(id) else {
                throw ToolFailure.notFound("note", words)
            }
            return note
        }
        let notes = try rows.notes()
        let items = notes.map { Referable(id: $0.id.description, label: $0.title) }
        do {
            return notes[try request.resolve("note", among: items, noun: "note", ignoring: ["note", "notes"])]
        } catch let failure as ToolFailure where failure.code == "not_found" {
            guard let words = request.line("note") else { throw failure }
            let found = try search(words, index, of: request.scope.user, in: transaction)
            guard let first = found.first else { throw failure }
            if found.count == 1 { return first }
            throw request.choice("note", items: found.map { Referable(id: $0.id.description, label: $0.title) })
        }
    }
}
