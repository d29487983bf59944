import Synchronization
import TandemCore
import TandemEmbedding
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemMemory

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct VectorKeepingTests {
    /// Counts what it is asked; knows that `car` and `automobile` are one thing, and nothing else of meaning.
    private final class Service: PersonalEmbedder {
        struct Broken: Error {}

        let identity: EmbedderIdentity
        private let state = Mutex((texts: [String](), failsAfter: Int.max))

        init(_ name: String = "service") { identity = EmbedderIdentity(name: name, version: "1", dimensions: 24) }

        var texts: [String] { state.withLock { $0.texts } }
        func fail(after count: Int) { state.withLock { $0.failsAfter = count } }

        func embed(_ texts: [String], as role: EmbeddingRole, for scope: UserScope) async throws -> [[Float]] {
            try state.withLock { state in
                guard state.texts.count + texts.count <= state.failsAfter else { throw Broken() }
                if role == .document { state.texts += texts }
            }
            return texts.map { text in
                var vector = [Float](repeating: 0.01, count: 24)
                for word in TextAnalyzer.words(text) {
                    let word = word == "automobile" ? "car" : word
                    let hash = word.utf8.reduce(UInt64(14_695_981)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
                    vector[word == "car" ? 0 : 1 + Int((hash >> 17) % 23)] += word == "car" ? 3 : 0.3
                }
                StaticEmbedder.normalise(&vector)
                return vector
            }
        }
    }

    private struct World {
        let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_795_255_200_000))
        let database: any Database
        let search: TextSearch
        let ann: UserScope
        let bob: UserScope

        static let diary = TableDefinition(
            name: "diary", columns: [ColumnDefinition("entry", .text, sealed: true, searchable: true)],
            purpose: "what you wrote into your diary")

        init(entries: Int) async throws {
            let ids = IDGenerator(clock: clock, node: 2)
            database = try await TestDatabase(migrations: MemoryTables.migrations).open(clock: clock, ids: ids)
            try await database.migrate(MemoryTables.migrations)
            try await database.register([World.diary], owner: "host.diary")
            try await database.register([RowLabels.table], owner: RowLabels.owner)
            search = TextSearch(database: database)
            ann = UserScope(authenticated: ids.nextUser())
            bob = UserScope(authenticated: ids.nextUser())
            try await database.write(ann) { transaction in
                for number in 0..<entries {
                    try transaction.insert("diary", ["entry": .string("stone\(number) lies in field\(number % 7)")])
                }
                try transaction.insert("diary", ["entry": "the car is red"])
            }
        }

        func found(_ question: String) async throws -> [String] {
            try await search.find(question, limit: 3, in: ann).map(\.text)
        }

        /// Goes on until the round is over; returns how many texts were embedded.
        @discardableResult
        func round(of scope: UserScope? = nil) async throws -> (embedded: Int, dropped: Int) {
            let keeping = VectorKeeping(search)
            var total = (embedded: 0, dropped: 0)
            while true {
                let step = try await keeping.step(in: scope ?? ann)
                total.embedded += step.embedded
                total.dropped += step.dropped
                if step.isOver { return total }
            }
        }

        func vectors() async throws -> [String: Int] {
            let rows = try await database.read(.system) { try $0.query("SELECT model FROM search_vectors") }
            return try Dictionary(rows.map { (try $0.text("model"), 1) }, uniquingKeysWith: +)
        }
    }

    @Test func movesInStepsWhileSearchesWork() async throws {
        let world = try await World(entries: 230)
        let service = Service()
        world.search.models.use(service)
        let keeping = VectorKeeping(world.search)
        var steps = 0
        while try await !keeping.step(in: world.ann).isOver {
            steps += 1
            #expect(try await world.found("where is stone17").first == "stone17 lies in field3")
            // Not before all of them are there.
            let question = await world.search.models.vector(of: "automobile", for: world.ann, in: world.database)
            #expect(question == nil)
        }
        #expect(steps >= 2 && service.texts.count == 231)
        #expect(try await world.vectors() == [service.identity.description: 231])
        _ = try await world.found("stone17")
        let question = await world.search.models.vector(of: "automobile", for: world.ann, in: world.database)
        #expect(question?.count == 24)
        let hit = try #require(try await world.search.find("automobile", limit: 1, in: world.ann).first)
        #expect(hit.text == "the car is red" && hit.score.meaning > 3)
        #expect(try await world.found("where is stone17").first == "stone17 lies in field3")
        // Nothing to do, nothing asked; and nobody else has any.
        #expect(try await world.round() == (0, 0))
        #expect(try await world.round(of: world.bob) == (0, 0))
        // Sealed: the numbers say what the text is about.
        let bytes = try await world.database.read(.system) {
            try $0.first("SELECT vector FROM search_vectors LIMIT 1")?.blob("vector")
        }
        #expect((bytes?.count ?? 0) > 24 + 4 + 16)
    }

    @Test func goesOnWhereItWasCutOff() async throws {
        let world = try await World(entries: 300)
        let service = Service()
        service.fail(after: 150)
        world.search.models.use(service)
        await #expect(throws: Service.Broken.self) { try await world.round() }
        let first = service.texts.count
        #expect(first > 0 && first < 301)
        #expect(try await world.found("where is stone17").first == "stone17 lies in field3")
        service.fail(after: .max)
        // Another process: nothing but the database knows how far it was.
        let other = TextSearch(database: world.database)
        other.models.use(service)
        let keeping = VectorKeeping(other)
        while try await !keeping.step(in: world.ann).isOver {}
        #expect(service.texts.count == 301 && Set(service.texts).count == 301)
        #expect(try await other.find("automobile", limit: 1, in: world.ann).count <= 1)
        #expect(try await other.find("automobile", limit: 1, in: world.ann).first?.text == "the car is red")
    }

    @Test func keepsUpWithChanges() async throws {
        let world = try await World(entries: 40)
        let service = Service()
        world.search.models.use(service)
        try await world.round()
        let rows = try await world.database.read(world.ann) { try $0.list("diary", order: [RowOrder("id")]) }
        world.clock.advance(by: .seconds(5))
        try await world.database.write(world.ann) { transaction in
            try transaction.update("diary", rows[3].id, set: ["entry": "an automobile drove by"])
            try transaction.delete("diary", rows[4].id)
            try transaction.insert("diary", ["entry": "a new tree"])
        }
        // What has no vector yet is found by the built-in one and by its words.
        #expect(try await world.found("new tree").first == "a new tree")
        #expect(try await world.round() == (2, 1))
        #expect(service.texts.suffix(2).sorted() == ["a new tree", "an automobile drove by"])
        #expect(try await world.vectors().values.reduce(0, +) == 41)
        #expect(Set(try await world.found("car").prefix(2)) == ["the car is red", "an automobile drove by"])
    }

    @Test func movesToAnotherAndBack() async throws {
        let world = try await World(entries: 30)
        let (first, second) = (Service("first"), Service("second"))
        world.search.models.use(first)
        try await world.round()
        #expect(try await world.found("automobile").first == "the car is red")
        world.search.models.use(second)
        // The vectors of the one say nothing to the other.
        #expect(await world.search.models.vector(of: "automobile", for: world.ann, in: world.database) == nil)
        try await world.round()
        #expect(try await world.vectors() == [second.identity.description: 31])
        _ = try await world.found("stone1")
        #expect(try await world.found("automobile").first == "the car is red")
        // A service that does not answer is not waited for twice.
        second.fail(after: 0)
        #expect(try await world.found("where is stone17").first == "stone17 lies in field3")
        #expect(await world.search.models.vector(of: "car", for: world.ann, in: world.database) == nil)
        world.search.models.use(nil)
        try await world.round()
        #expect(try await world.vectors().isEmpty)
        #expect(try await world.found("where is stone17").first == "stone17 lies in field3")
    }

    @Test func textsWithAndWithoutAnotherVectorCompare() {
        var index = RecallIndex<Int>()
        for number in 0..<40 {
            index.insert(number, text: "stone\(number) lies here", at: Timestamp(millisecondsSinceEpoch: 0))
        }
        var vector = [Float](repeating: 0, count: 24)
        vector[0] = 1
        var far = [Float](repeating: 0, count: 24)
        far[1] = 1
        for number in 0..<30 {
            index.attach(VectorStore.packed(number == 7 ? vector : far), dimensions: 24, to: number)
        }
        // Of another length: not taken.
        index.attach([1, 2, 3], dimensions: 24, to: 8)
        index.remove(3)
        #expect(index.search("pebble", limit: 1, vector: vector).first?.key == 7)
        // Nothing of the other one is left.
        index.detachAll()
        #expect(index.search("stone7", limit: 1, vector: vector).first?.key == 7)
        for number in 0..<33 where number != 7 { index.remove(number) }
        #expect(index.search("stone7", limit: 1).first?.key == 7)
    }
}
