import Dispatch
import Glibc
import TandemCore
import Testing

@testable import TandemStorage

/// The write-ahead log is copied into the file beside the writes, and does not grow without end.
@Suite(.timeLimit(.minutes(5)))
struct SQLiteLogTests {
    private static let page = 4096 + 24

    /// Changes about so many pages, in transactions of a hundred.
    private static func write(pages: Int, to database: SQLiteDatabase) async throws {
        for round in 0..<(pages / 100) {
            try await database.write(.system) { transaction in
                for id in 0..<5 {
                    let data = [UInt8](repeating: UInt8(truncatingIfNeeded: round + id), count: 20 * 4096)
                    try transaction.execute("INSERT OR REPLACE INTO things (id, data) VALUES (\(id), \(data))")
                }
            }
        }
    }

    /// Pages of the log's file, which never gets shorter by itself.
    private static func length(_ fixture: Fixture) -> Int {
        var status = stat()
        return stat(fixture.folder.file("tandem.db-wal"), &status) == 0 ? Int(status.st_size) / page : -1
    }

    @Test func startsOverUnderSteadyWriting() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([ConformanceCase.things])
        try await SQLiteLogTests.write(pages: 60_000, to: fixture.database)
        let length = SQLiteLogTests.length(fixture)
        #expect((4000..<24_000).contains(length), "\(length) pages of 60,000")
    }

    @Test func startsOverOnceALongReaderHasGone() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([ConformanceCase.things])
        try await SQLiteLogTests.write(pages: 100, to: fixture.database)
        let (begun, beginning) = AsyncStream<Void>.makeStream()
        let over = DispatchSemaphore(value: 0)
        let database = fixture.database
        async let reading: Int = database.read(.system) { transaction in
            let count = try transaction.query("SELECT count(*) AS n FROM things")[0].int("n")
            beginning.yield()
            // On the reader's own thread.
            over.wait()
            return count + (try transaction.query("SELECT count(*) AS n FROM things")[0].int("n"))
        }
        for await _ in begun { break }
        // Writers go on meanwhile, and nothing of what the reader sees is written over.
        try await SQLiteLogTests.write(pages: 24_000, to: database)
        let held = SQLiteLogTests.length(fixture)
        #expect(held >= 20_000, "\(held) pages")
        over.signal()
        #expect(try await reading == 10)
        try await SQLiteLogTests.write(pages: 60_000, to: database)
        let length = SQLiteLogTests.length(fixture)
        #expect(length < held + 24_000, "\(length) pages after \(held)")
    }

    @Test func canBeEmptiedAmidWrites() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([ConformanceCase.things])
        for _ in 0..<6 {
            try await SQLiteLogTests.write(pages: 4100, to: fixture.database)
            // A round has just been asked for: emptying comes after it.
            #expect(try await fixture.database.emptyLog())
            #expect(SQLiteLogTests.length(fixture) == 0)
        }
    }

    @Test func losesNothingWhenClosedAmidARound() async throws {
        let fixture = try await Fixture()
        try await fixture.database.migrate([ConformanceCase.things])
        try await SQLiteLogTests.write(pages: 4100, to: fixture.database)
        await fixture.database.close()
        #expect(SQLiteLogTests.length(fixture) == -1)
        let again = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: fixture.folder.file("tandem.db")), keyring: fixture.keyring)
        let sizes = try await again.read(.system) { transaction in
            try transaction.query("SELECT length(data) AS n FROM things").map { try $0.int("n") }
        }
        #expect(sizes == [Int](repeating: 20 * 4096, count: 5))
        await again.close()
    }
}
