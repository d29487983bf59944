import TandemApplication
import TandemCore
import TandemPluginHost
import TandemStorage

/// `tandem.kv/1` on a database file: what a plugin's request costs behind its table. Writes of one moment share a commit.
enum KeyValueBenchmark {
    static let operations = 20_000
    static let concurrency = 16

    static func run(_ place: Place) async throws -> [Figure] {
        let database = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: place.folder + "/values.sqlite"),
            keyring: Keyring(try MasterKeys(bytes: (0..<32).map { UInt8($0) })), clock: SystemClock())
        _ = try await database.migrate(Application.migrations)
        let values = StoredValues(database: database)
        let bytes = [UInt8](repeating: 97, count: 1024)
        let quota = PluginQuota(rows: 1, bytes: 1, kvEntries: 10_000, kvBytes: 64 << 20)
        @Sendable func home(_ worker: Int) -> PluginPlace {
            PluginPlace(
                plugin: "tandem.bench", scope: UserScope(authenticated: UserID(rawValue: Int64(worker + 1))))
        }
        @Sendable func set(_ worker: Int, _ index: Int) async throws {
            _ = try await values.set(
                bytes, for: "key\(index % 500)", expected: nil, lifetimeMilliseconds: 0, quota: quota, in: home(worker))
        }
        var sets: [Double] = []
        var gets: [Double] = []
        for run in 0..<4 {
            let writing = try await load(set)
            let reading = try await load { worker, index in
                _ = try await values.value(of: "key\(index % 500)", in: home(worker))
            }
            // The first one warms up.
            if run == 0 { continue }
            sets.append(Double(operations) / writing)
            gets.append(Double(operations) / reading)
        }
        await database.close()
        return [
            Figure(name: "tandem.kv writes of 1 KB, \(concurrency) people at once", unit: "/s", values: sets),
            Figure(name: "tandem.kv reads of 1 KB, \(concurrency) people at once", unit: "/s", values: gets),
        ]
    }

    /// Seconds for all operations.
    private static func load(_ body: @escaping @Sendable (_ worker: Int, _ index: Int) async throws -> Void)
        async throws -> Double
    {
        let start = monotonicNanoseconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<concurrency {
                group.addTask {
                    for index in 0..<(operations / concurrency) { try await body(worker, index) }
                }
            }
            try await group.waitForAll()
        }
        return Double(monotonicNanoseconds() - start) / 1e9
    }
}
