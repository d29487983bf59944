import RedisServer
import TandemCore
import Testing

@testable import TandemCache

/// An engine under test and what keeps it alive. `peer` is the same store as another process sees it.
struct EngineWorld: Sendable {
    let engine: any CacheEngine
    let peer: any CacheEngine
    let server: RedisServer?

    enum Kind: String, Sendable, CaseIterable {
        case inProcess, redis, redisSocket, redisTLS
    }

    static func with<Result>(
        _ kind: Kind, _ body: (EngineWorld) async throws -> Result
    ) async throws -> Result {
        guard kind != .inProcess else {
            let engine = InProcessEngine()
            return try await body(EngineWorld(engine: engine, peer: engine, server: nil))
        }
        var options = RedisServer.Options()
        options.usesSocket = kind == .redisSocket
        options.usesTLS = kind == .redisTLS
        options.password = kind == .redisSocket ? "pass word" : nil
        let server = try await RedisServer(options)
        let one = try await connect(server)
        let two = try await connect(server)
        let result: Result
        do {
            result = try await body(EngineWorld(engine: one, peer: two, server: server))
        } catch {
            await one.shutdown()
            await two.shutdown()
            throw error
        }
        await one.shutdown()
        await two.shutdown()
        return result
    }

    static let secret = Array("0123456789abcdef0123456789abcdef".utf8)

    static func options(_ server: RedisServer) throws -> RedisEngine.Options {
        var options = RedisEngine.Options(
            address: try RedisAddress(server.url.replacing(" ", with: "%20")), secret: secret)
        // Machines that run tests are slow at times.
        options.timeLimit = .seconds(10)
        options.connectLimit = .seconds(10)
        return options
    }

    static func connect(_ server: RedisServer) async throws -> RedisEngine {
        let engine = RedisEngine(try options(server))
        engine.start()
        await engine.waitForFirstAttempt()
        guard engine.isUp else { throw CacheError(.unavailable, engine.problem ?? "?") }
        return engine
    }
}

/// Waits until it holds; false when it never does.
func eventually(
    within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let end = monotonicNanoseconds() + UInt64(limit.milliseconds) * 1_000_000
    while monotonicNanoseconds() < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}

/// Records an issue when it never holds.
func expectEventually(
    within limit: Duration = .seconds(60), location: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async rethrows {
    guard try await !eventually(within: limit, condition) else { return }
    Issue.record("it never came to hold", sourceLocation: location)
}
