import TandemCore
import TandemJSON
import TandemMemory
import TandemStorage

/// A whole recall of one person who has 100,000 memories: the check that the index is of the table's present state, the
/// search, ten rows read and unsealed. Also the build of the index, on the first question.
enum RecallBenchmark {
    private static let memories = 100_000
    private static let questions = 1000
    private static let runs = 3

    static func run(_ place: Place) async throws -> [Figure] {
        let keys = try MasterKeys(bytes: (0..<32).map { UInt8($0) })
        let file = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: place.folder + "/recall.sqlite"), keyring: Keyring(keys))
        let figures = try await measure(file)
        await file.close()
        return figures
    }

    static func measure(_ database: any Database) async throws -> [Figure] {
        try await database.register(MemoryTables.definitions, owner: MemoryTables.owner)
        let person = UserScope(authenticated: UserID(rawValue: 7))
        var sentences = SentenceMaker()
        for _ in 0..<memories / 1000 {
            let texts = (0..<1000).map { _ in sentences.statement() }
            try await database.write(person) { transaction in
                for text in texts {
                    _ = try transaction.insert(
                        "ltm_memories",
                        [
                            "content": .string(text), "memory_type": "fact", "importance_score": 5,
                        ])
                }
            }
        }
        let memory = LongTermMemory(database: database)
        var start = monotonicNanoseconds()
        _ = try await memory.recall("where is the spare key", limit: 10, in: person)
        let built = Double(monotonicNanoseconds() - start) / 1e6
        var medians: [Double] = []
        var slow: [Double] = []
        for run in 0...runs {
            var times: [Double] = []
            var found = 0
            for _ in 0..<questions {
                let question = sentences.question()
                start = monotonicNanoseconds()
                found += try await memory.recall(question, limit: 10, in: person).count
                times.append(Double(monotonicNanoseconds() - start) / 1e6)
            }
            // The first one warms up.
            if run == 0 { continue }
            guard found > questions * 5 else { throw Child.Failure(description: "\(found) memories were found") }
            times.sort()
            medians.append(times[questions / 2])
            slow.append(times[questions * 99 / 100])
        }
        return [
            Figure(name: "recall among 100,000 memories, ten unsealed, P50", unit: "ms", values: medians, goal: nil),
            Figure(name: "recall among 100,000 memories, ten unsealed, P99", unit: "ms", values: slow, goal: "< 4"),
            Figure(
                name: "index of 100,000 memories, from the sealed rows", unit: "ms", values: [built],
                goal: "< 2000"),
            Figure(
                name: "index of 100,000 memories", unit: "MB", values: [Double(memory.budget.size) / 1e6],
                goal: "<= 100"),
        ]
    }

    /// Statements and questions of everyday words and of names that nobody has heard, by a fixed seed.
    private struct SentenceMaker {
        private var state: UInt64 = 0x2545_F491_4F6C_DD1D

        private mutating func next(_ count: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33) % count
        }

        private mutating func pick(_ words: [String]) -> String { words[next(words.count)] }

        /// Some twenty thousand, the earlier ones more often.
        private mutating func name() -> String {
            let number = next(140) * next(140)
            let parts = ["ka", "lo", "mi", "ne", "ru", "so", "ta", "vi", "wen", "zor", "bel", "dan", "fer", "gil"]
            var name = ""
            var rest = number + 14
            while rest > 0 {
                name += parts[rest % 14]
                rest /= 14
            }
            return name
        }

        mutating func statement() -> String {
            switch next(4) {
            case 0: "my \(pick(things)) is \(pick(places)) the \(pick(rooms)) of \(name())"
            case 1: "\(name()) \(pick(verbs)) \(pick(things)) with \(name()) \(pick(times))"
            case 2: "the \(pick(things)) code of \(name()) is \(1000 + next(9000))"
            default: "\(name()) lives in \(name()) and likes \(pick(things)) \(pick(times))"
            }
        }

        mutating func question() -> String {
            switch next(5) {
            case 0: "where is my \(pick(things)) \(name())"
            case 1: "who \(pick(verbs)) the \(pick(things)) with \(name()) \(pick(times))"
            case 2: "what is the code of the \(pick(things)) at \(name())"
            // A slip of the finger, and a word that no text has.
            case 3: "what does \(name())x like about \(pick(things)) and the quixotic \(pick(rooms))"
            default: "tell me what you know about \(name()) in \(name()) and the \(pick(things))"
            }
        }

        private let things = [
            "key", "bike", "passport", "locker", "guitar", "umbrella", "camera", "ladder", "tent", "wallet", "lamp",
            "piano", "kettle", "blanket", "charger", "suitcase", "notebook", "medicine", "glasses", "scarf", "drill",
            "cake", "garden", "boat", "jacket", "ticket", "mirror", "carpet", "sofa", "violin",
        ]
        private let places = ["in", "behind", "under", "next to", "on", "above", "near", "inside"]
        private let rooms = [
            "kitchen", "attic", "cellar", "hall", "office", "garage", "bedroom", "balcony", "shed", "library", "pantry",
        ]
        private let verbs = ["bought", "lost", "repaired", "sold", "painted", "borrowed", "found", "gave away"]
        private let times = [
            "last summer", "in May", "on Tuesday", "every week", "yesterday evening", "two years ago", "before noon",
        ]
    }
}
