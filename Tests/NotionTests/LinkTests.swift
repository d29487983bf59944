import NotionSimulator
import Synchronization
import TandemJSON
import TandemSDK
import TandemTesting
import Testing

@testable import Notion

/// Ties between pages and notes; the host's note tools are played by a little notebook.
struct LinkTests {
    /// The person's notes, as `notes.*` keep them.
    final class Notes: Sendable {
        struct Note: Sendable {
            var title: String
            var text: String
            var source = ""
            var address = ""
            var updated: Int64
        }

        let state = Mutex<(notes: [String: Note], serial: Int, clock: Int64)>(([:], 100, 1_795_000_000_000))

        func add(_ title: String, _ text: String, source: String = "", address: String = "") -> String {
            state.withLock { state in
                state.serial += 1
                state.clock += 1000
                state.notes["\(state.serial)"] = Note(
                    title: title, text: text, source: source, address: address, updated: state.clock)
                return "\(state.serial)"
            }
        }

        subscript(id: String) -> Note? { state.withLock { $0.notes[id] } }

        func change(_ id: String, _ edit: @Sendable (inout Note) -> Void) {
            state.withLock { state in
                state.clock += 1_000_000
                guard var note = state.notes[id] else { return }
                edit(&note)
                note.updated = state.clock
                state.notes[id] = note
            }
        }

        func remove(_ id: String) { state.withLock { $0.notes[id] = nil } }

        var all: [Note] { state.withLock { $0.notes.sorted { $0.key < $1.key }.map(\.value) } }

        private func json(_ id: String, _ note: Note) -> JSON {
            [
                "id": .string(id), "title": .string(note.title), "content": .string(note.text), "tags": [],
                "updated": .string(Instant(milliseconds: note.updated).description),
            ]
        }

        private func find(_ reference: JSON?) -> String? {
            let text = reference?.stringValue ?? ""
            if text.hasPrefix("#") { return self[String(text.dropFirst())].map { _ in String(text.dropFirst()) } }
            return state.withLock { state in
                state.notes.first { $0.value.title.lowercased() == text.lowercased() }?.key
            }
        }

        func serve(_ host: TestHost) {
            let missing = Outcome.failure(.notFound("I do not find that note."))
            host.stub("notes.show") { arguments in
                guard let id = self.find(arguments["note"]), let note = self[id] else { return missing }
                return .value(["note": self.json(id, note)], message: note.text, shown: nil, trust: nil)
            }
            host.stub("notes.add") { arguments in
                let id = self.add(
                    arguments["title"]?.stringValue ?? "", arguments["text"]?.stringValue ?? "",
                    source: arguments["external_source"]?.stringValue ?? "",
                    address: arguments["external_id"]?.stringValue ?? "")
                guard let note = self[id] else { return missing }
                return .value(["note": self.json(id, note)], message: "", shown: nil, trust: nil)
            }
            host.stub("notes.update") { arguments in
                guard let id = self.find(arguments["note"]) else { return missing }
                self.change(id) { note in
                    if let title = arguments["title"]?.stringValue { note.title = title }
                    if let text = arguments["text"]?.stringValue { note.text = text }
                    if let source = arguments["external_source"]?.stringValue { note.source = source }
                    if let address = arguments["external_id"]?.stringValue { note.address = address }
                }
                guard let note = self[id] else { return missing }
                return .value(["note": self.json(id, note)], message: "", shown: nil, trust: nil)
            }
            host.stub("notes.delete") { arguments in
                guard let id = self.find(arguments["note"]) else { return missing }
                self.remove(id)
                return .value([:], message: "", shown: nil, trust: nil)
            }
        }
    }

    private let world: World
    private let notes = Notes()

    init() throws {
        world = try World()
        notes.serve(world.host)
    }

    private func refresh() async {
        world.host.now = Instant(milliseconds: world.host.now.milliseconds + 7 * 3_600_000)
        await world.ann.fireTimers()
    }

    @Test func tiesANoteAndAPageBothWaysAndUntiesThem() async throws {
        let note = notes.add("Teeth", "Which dentist?")
        let page = world.simulator.addPage("Dentist notes")
        let tied = await world.call("link", ["note": "teeth", "page": "dentist"])
        #expect(
            tied.message.hasPrefix("Teeth and the Notion page Dentist notes now name each other.\n"), "\(tied.message)")
        #expect(notes[note]?.address == "https://www.notion.so/" + page.filter { $0 != "-" })
        #expect(notes[note]?.source == "notion")
        #expect(world.simulator.lines(of: page) == ["paragraph: Tandem note: Teeth"])
        #expect(await world.say("links") == "1 Teeth - Dentist notes.")
        #expect(await world.say("link", ["note": "teeth", "page": "dentist"]) == "They are tied already.")
        #expect(try await world.undo(tied, by: "notion.undo_link") == "Dentist notes and the note are no longer tied.")
        #expect(world.simulator.lines(of: page) == [])
        #expect(notes[note]?.address == "")
        #expect(await world.say("links") == "No note is tied to a Notion page yet.")

        _ = await world.call("link", ["note": "teeth", "page": "dentist"])
        #expect(await world.say("unlink", ["note": "teeth"]) == "Teeth is no longer tied to Notion.")
        #expect(world.simulator.lines(of: page) == [])
        #expect(world.simulator.refusals == [])
    }

    @Test func followsRenamesOnBothSides() async throws {
        let note = notes.add("Teeth", "Which dentist?")
        let page = world.simulator.addPage("Dentist notes")
        _ = await world.call("link", ["note": "teeth", "page": "dentist"])
        notes.change(note) { $0.title = "My teeth" }
        world.simulator.rename(page, "Dental")
        await refresh()
        #expect(world.simulator.lines(of: page) == ["paragraph: Tandem note: My teeth"])
        #expect(await world.say("links") == "1 My teeth - Dental.")
        _ = await world.call("rename", ["page": .id(page), "title": "Dental care"])
        #expect(await world.say("links") == "1 My teeth - Dental care.")
    }

    @Test func endsTheTieWhenEitherSideGoes() async throws {
        let first = notes.add("One", "1")
        let second = notes.add("Two", "2")
        let third = notes.add("Three", "3")
        let page = world.simulator.addPage("Page")
        let other = world.simulator.addPage("Other")
        let last = world.simulator.addPage("Last")
        for (note, page) in [("one", page), ("two", other), ("three", last)] {
            _ = await world.call("link", ["note": .string(note), "page": .id(page)])
        }
        notes.remove(first)
        world.simulator.trash(other)
        await refresh()
        #expect(world.simulator.lines(of: page) == [])
        #expect(notes[second]?.address == "")
        #expect(await world.say("links") == "1 Three - Last.")
        // Our own archiving says so at once.
        _ = await world.call("archive", ["page": .id(last)])
        #expect(notes[third]?.address == "")
        await refresh()
        #expect(world.ann.timers(of: "notion").isEmpty)
    }

    @Test func keepsACopyThatFollowsThePage() async throws {
        let page = world.simulator.addPage("Recipe", blocks: [("paragraph", "Flour")])
        let kept = await world.call("keep", ["page": "recipe"])
        #expect(kept.message.hasPrefix("Recipe is among your notes now.\n"), "\(kept.message)")
        let note = try #require(kept.value?["note"]?.stringValue)
        #expect(notes[note]?.text == "Flour")
        #expect(notes[note]?.source == "notion")
        #expect(await world.say("keep", ["page": "recipe"]) == "That page is among your notes already.")
        let asked = world.simulator.requests.count
        await refresh()
        // Nothing changed: one look, no more.
        #expect(world.simulator.requests.count == asked + 1)
        world.simulator.write("Sugar", on: page)
        await refresh()
        #expect(notes[note]?.text == "Flour\nSugar")
        // Both changed: the newer one stays, the other is kept beside it.
        notes.change(note) { $0.text = "My own words" }
        world.simulator.write("Eggs", on: page)
        await refresh()
        #expect(Set(notes.all.map(\.text)) == ["Flour\nSugar\nEggs", "My own words"])
        let titles = notes.all.map(\.title)
        #expect(titles.contains("Recipe (other version)"))
        #expect(try await world.undo(kept, by: "notion.undo_link") == "Recipe and the note are no longer tied.")
        #expect(notes[note] == nil)
        #expect(world.simulator.refusals == [])
    }

    @Test func aFailureInBetweenIsTriedAgainAndDoublesNothing() async throws {
        let page = world.simulator.addPage("Recipe", blocks: [("paragraph", "Flour")])
        _ = await world.call("keep", ["page": "recipe"])
        world.simulator.write("Sugar", on: page)
        world.simulator.fail(.error(503, "service_unavailable"))
        await refresh()
        await refresh()
        #expect(notes.all.map(\.text) == ["Flour\nSugar"])
    }
}
