import PostgreSQLServer
import TandemCore
import TandemJSON
import TandemLife
import TandemStorage

/// The storage on both engines: what a transaction in a person's scope costs, and reading 20 tasks. The server is the
/// benchmark's own, on a socket of this machine.
enum DatabaseBenchmark {
    private static let operations = 4000
    private static let runs = 3
    private static let people = (1...64).map { UserScope(authenticated: UserID(rawValue: Int64($0))) }

    static func run(_ place: Place) async throws -> [Figure] {
        let keys = try MasterKeys(bytes: (0..<32).map { UInt8($0) })
        let file = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: place.folder + "/tasks.sqlite"), keyring: Keyring(keys))
        var figures = try await measure(file, "SQLite")
        await file.close()
        // Its settings but for the disk's are those that a server comes with.
        let server = try await PostgreSQLServer(settings: ["fsync=on", "full_page_writes=on"])
        let opened = try await PostgreSQLDatabase.open(try await server.database(), keyring: Keyring(keys))
        figures += try await measure(opened, "PostgreSQL", goal: "<= 150")
        await opened.close()
        return figures
    }

    private static func measure(
        _ database: any Database, _ engine: String, goal: String? = nil
    ) async throws -> [Figure] {
        try await LifeTools.register(in: database)
        for scope in people {
            try await database.write(scope) { transaction in
                for number in 0..<40 {
                    _ = try transaction.insert(
                        "tasks",
                        ["title": .string("task \(number)"), "status": number < 20 ? "open" : "done"])
                }
            }
        }
        var scoped: [Double] = []
        var written: [Double] = []
        var listed: [Double] = []
        for run in 0...runs {
            let empty = try await load(1) { scope, _ in
                _ = try await database.read(scope) { try $0.count("task_focus") }
            }
            let one = try await load(1, operations / 4) { scope, index in
                try await database.write(scope) { try $0.upsertFocus(RecordID(rawValue: Int64(index + 1))) }
            }
            let tasks = try await load(16) { scope, _ in
                let rows = try await database.read(scope) {
                    try $0.list(
                        "tasks", where: [RowCondition("status", .equal, "open")], order: [RowOrder("id")], limit: 20)
                }
                guard rows.count == 20 else { throw Child.Failure(description: "\(rows.count) tasks") }
            }
            // The first one warms up.
            if run == 0 { continue }
            scoped.append(empty * 1e6 / Double(operations))
            written.append(one * 1e6 / Double(operations / 4))
            listed.append(Double(operations) / tasks)
        }
        return [
            Figure(
                name: "\(engine): transaction in a person's scope, one statement", unit: "us", values: scoped,
                goal: goal),
            Figure(name: "\(engine): write in a person's scope, durable", unit: "us", values: written),
            Figure(name: "\(engine): 20 tasks read and opened, 16 at once", unit: "/s", values: listed),
        ]
    }

    /// Seconds for so many operations by so many tasks.
    private static func load(
        _ tasks: Int, _ operations: Int = operations,
        _ body: @escaping @Sendable (_ scope: UserScope, _ index: Int) async throws -> Void
    ) async throws -> Double {
        let start = monotonicNanoseconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    for index in 0..<(operations / tasks) {
                        try await body(people[(task + index * tasks) % people.count], index)
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double(monotonicNanoseconds() - start) / 1e9
    }
}

extension WriteTransaction {
    fileprivate func upsertFocus(_ task: RecordID) throws {
        if let row = try list("task_focus", limit: 1).first {
            try update("task_focus", row.id, set: ["task_id": .id(task)])
        } else {
            try insert("task_focus", ["task_id": .id(task)])
        }
    }
}
