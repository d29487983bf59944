import Foundation
import Glibc
import TandemCache
import TandemCore

/// What processes share: operations on a Redis server of the benchmark's own, one after the other and many at once, and
/// decisions of rate limits within the process and by the server.
enum SharedBenchmark {
    static func run(_ place: Place) async throws -> [Figure] {
        let socket = place.folder + "/redis.sock"
        let server = try start(socket)
        defer {
            kill(server, SIGKILL)
            var status: Int32 = 0
            waitpid(server, &status, 0)
        }
        guard await isThere(socket) else { throw Failure("redis-server does not start: apt-get install redis-server") }
        let address = try RedisAddress("unix:" + socket)
        let secret = Array("a secret for the benchmark alone".utf8)
        let shared = SharedState(redis: RedisEngine.Options(address: address, secret: secret), locks: nil)
        await shared.waitForFirstAttempt()
        guard let redis = shared.redis, redis.isUp else { throw Failure("Redis is not there") }
        let local = SharedState()
        let value = [UInt8](repeating: 97, count: 200)
        for index in 0..<1000 { try await redis.set(CacheKey("bench", Int64(index)), to: value, for: .seconds(600)) }

        let limit = RateLimit("bench", 1_000_000, per: .seconds(1))
        var figures = [
            try await measure("Redis: get, one after the other", workers: 1, count: 20_000, goal: nil) { index in
                _ = try await redis.value(of: CacheKey("bench", Int64(index % 1000)))
            },
            try await measure("Redis: get, 256 callers", workers: 256, count: 400_000, goal: ">= 100000") { index in
                _ = try await redis.value(of: CacheKey("bench", Int64(index % 1000)))
            },
            try await measure("Redis: set of 200 bytes, 256 callers", workers: 256, count: 400_000, goal: nil) {
                index in
                try await redis.set(CacheKey("bench", Int64(index % 1000)), to: value, for: .seconds(600))
            },
            try await measure("Redis: get of 16 keys, 64 callers", workers: 64, count: 25_600, times: 16, goal: nil) {
                index in
                _ = try await redis.values(of: (0..<16).map { CacheKey("bench", Int64((index + $0) % 1000)) })
            },
        ]
        figures += [
            try await measure("Redis: limit decisions, 256 callers", workers: 256, count: 100_000, goal: nil) { index in
                _ = await shared.limits.take(limit, CacheKey("bench", Int64(index % 1000)))
            },
            try await measure("Redis: lock and release, 64 callers", workers: 64, count: 20_000, goal: nil) { index in
                let key = CacheKey("bench", Int64(index))
                guard let lock = try await redis.acquire(key, owner: "o\(index)", for: .seconds(10)) else { return }
                try await redis.release(lock)
            },
            try await measure("in process: limit decisions", workers: 2, count: 1_000_000, goal: ">= 100000") { index in
                _ = await local.limits.take(limit, CacheKey("bench", Int64(index % 1000)))
            },
            try await measure("in process: get", workers: 2, count: 1_000_000, goal: ">= 100000") { index in
                _ = await local.values.value(of: CacheKey("bench", Int64(index % 1000)))
            },
        ]
        await shared.shutdown()
        return figures
    }

    private struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private static func measure(
        _ name: String, workers: Int, count: Int, times: Int = 1, goal: String?,
        _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Figure {
        var rates: [Double] = []
        for run in 0..<4 {
            let start = monotonicNanoseconds()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<workers {
                    group.addTask {
                        for index in 0..<(count / workers) { try await body(worker * (count / workers) + index) }
                    }
                }
                try await group.waitForAll()
            }
            let seconds = Double(monotonicNanoseconds() - start) / 1e9
            // The first one warms up.
            if run > 0 { rates.append(Double(count / workers * workers * times) / seconds) }
        }
        return Figure(name: name, unit: "/s", values: rates, goal: goal)
    }

    private static func start(_ socket: String) throws -> pid_t {
        var process: pid_t = 0
        let arguments = [
            "/usr/bin/redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
            "--logfile", "/dev/null",
        ]
        var list = arguments.map { strdup($0) } + [nil]
        defer { for argument in list { free(argument) } }
        guard posix_spawn(&process, arguments[0], nil, nil, &list, environ) == 0 else {
            throw Failure("redis-server is missing: apt-get install redis-server")
        }
        return process
    }

    private static func isThere(_ socket: String) async -> Bool {
        for _ in 0..<500 {
            if access(socket, F_OK) == 0 { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}
