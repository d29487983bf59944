import RedisServer
import Synchronization
import TandemCore
import Testing

@testable import TandemCache

/// Who holds a lock, as seen from within.
private final class Turns: Sendable {
    private let state = Mutex<(inside: Int, fences: [Int64])>((0, []))

    var fences: [Int64] { state.withLock { $0.fences } }

    func begin(_ fence: Int64) -> Int {
        state.withLock { state in
            state.inside += 1
            state.fences.append(fence)
            return state.inside
        }
    }

    func end() { state.withLock { $0.inside -= 1 } }
}

/// What holds for every store, whatever it is made of.
@Suite(.timeLimit(.minutes(8)))
struct ConformanceTests {
    static let kinds = EngineWorld.Kind.allCases
    static let two: [EngineWorld.Kind] = [.inProcess, .redis]

    // MARK: Limits

    @Test(arguments: kinds)
    func aQuotaIsThereAtOnceAndNoMore(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let limit = RateLimit("test", 5, per: .seconds(3600))
            let key = CacheKey("conformance", "+15555550100")
            for expected in stride(from: 4, through: 0, by: -1) {
                let decision = try await world.engine.take([LimitCharge(limit, key)])[0]
                #expect(decision.hasRoom)
                #expect(decision.remaining == expected)
                #expect(decision.retryAfter == .zero)
            }
            let refused = try await world.peer.take([LimitCharge(limit, key)])[0]
            #expect(!refused.hasRoom)
            #expect(refused.remaining == 0)
            let wait = try #require(refused.retryAfter)
            #expect(wait > .seconds(600) && wait <= .seconds(720))
            #expect(refused.reset > .seconds(3400) && refused.reset <= .seconds(3600))
            // Another key and another limit are not concerned.
            #expect(try await world.engine.take([LimitCharge(limit, CacheKey("conformance", "x"))])[0].hasRoom)
            let other = RateLimit("other", 5, per: .seconds(3600))
            #expect(try await world.engine.take([LimitCharge(other, key)])[0].remaining == 4)
        }
    }

    @Test(arguments: two)
    func unitsComeBackOneByOne(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let limit = RateLimit("test", 20, per: .seconds(1), burst: 2)
            let key = CacheKey("conformance", 1)
            #expect(try await world.engine.take([LimitCharge(limit, key, cost: 2)])[0].hasRoom)
            try await expectEventually { try await world.peer.take([LimitCharge(limit, key)])[0].hasRoom }
            try await expectEventually {
                let decision = try await world.peer.take([LimitCharge(limit, key, cost: 0)])[0]
                return decision.remaining == 2 && decision.reset == .zero
            }
        }
    }

    @Test(arguments: two)
    func costsCountAndWhatIsMoreThanTheQuotaNeverFits(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let limit = RateLimit("test", 10, per: .seconds(3600))
            let key = CacheKey("conformance", 2)
            let never = try await world.engine.take([LimitCharge(limit, key, cost: 11)])[0]
            #expect(!never.hasRoom && never.retryAfter == nil && never.remaining == 10)
            #expect(try await world.engine.take([LimitCharge(limit, key, cost: 7)])[0].remaining == 3)
            #expect(try await world.engine.take([LimitCharge(limit, key, cost: 4)])[0].hasRoom == false)
            // A look takes nothing; what is given back is there again, and never more than the quota.
            #expect(try await world.engine.take([LimitCharge(limit, key, cost: 0)])[0].remaining == 3)
            #expect(try await world.engine.take([LimitCharge(limit, key, cost: -4)])[0].remaining == 7)
            #expect(try await world.engine.take([LimitCharge(limit, key, cost: -100)])[0].remaining == 10)
            #expect(try await world.engine.take([LimitCharge(limit, key, cost: 10)])[0].remaining == 0)
        }
    }

    @Test(arguments: two)
    func severalLimitsGiveAllOrNothing(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let wide = RateLimit("wide", 100, per: .seconds(3600))
            let narrow = RateLimit("narrow", 2, per: .seconds(3600))
            let charges = [LimitCharge(wide, CacheKey("all", 1)), LimitCharge(narrow, CacheKey("user", 1))]
            #expect(try await world.engine.take(charges).map(\.remaining) == [99, 1])
            #expect(try await world.engine.take(charges).map(\.remaining) == [98, 0])
            let refused = try await world.engine.take(charges)
            #expect(refused.map(\.hasRoom) == [true, false])
            #expect(refused.map(\.remaining) == [98, 0])
            // The same key twice is charged twice.
            let twice = [LimitCharge(narrow, CacheKey("user", 2)), LimitCharge(narrow, CacheKey("user", 2), cost: 2)]
            #expect(try await world.engine.take(twice).contains { !$0.hasRoom })
            #expect(try await world.engine.take(Array(twice.prefix(1)))[0].remaining == 1)
        }
    }

    @Test(arguments: two)
    func manyAtOnceGetExactlyTheQuota(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let limit = RateLimit("test", 50, per: .seconds(36_000))
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    let engine = index % 2 == 0 ? world.engine : world.peer
                    group.addTask { try await engine.take([LimitCharge(limit, CacheKey("storm", 1))])[0].hasRoom }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(taken == 50)
        }
    }

    @Test(arguments: two)
    func extremesAreHeld(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let limits = [
                RateLimit("a", 1, per: .seconds(31 * 86_400)), RateLimit("b", 1_000_000_000, per: .seconds(1)),
                RateLimit("c", 0, per: .zero), RateLimit("d", 1_000_000_000, per: .seconds(31 * 86_400 * 100)),
            ]
            for limit in limits {
                for cost in [1, Int.max, Int.min, 0] {
                    let decision = try await world.engine.take([LimitCharge(limit, CacheKey("x", 1), cost: cost)])[0]
                    #expect((0...limit.quota).contains(decision.remaining))
                    #expect(decision.reset >= .zero)
                }
            }
            #expect(try await world.engine.take([]) == [])
        }
    }

    // MARK: Locks

    @Test(arguments: kinds)
    func aLockIsHeldByOneAndItsFenceRises(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let key = CacheKey("refresh", 7, 8)
            let owner = FencedLock.makeOwner()
            let first = try #require(try await world.engine.acquire(key, owner: owner, for: .seconds(60)))
            #expect(first.isHeld)
            #expect(try await world.peer.acquire(key, owner: FencedLock.makeOwner(), for: .seconds(60)) == nil)
            // A repeated call of the same owner gets the same lock.
            #expect(try await world.engine.acquire(key, owner: owner, for: .seconds(60))?.fence == first.fence)
            // Another key has its own.
            let other = try await world.peer.acquire(
                CacheKey("refresh", 7, 9), owner: FencedLock.makeOwner(), for: .seconds(60))
            #expect(other != nil)
            // Only the owner gives it back.
            let thief = FencedLock(key: key, fence: first.fence, owner: "thief", heldUntil: first.heldUntil)
            #expect(try await world.peer.release(thief) == false)
            #expect(try await world.peer.extend(thief, for: .seconds(60)) == nil)
            #expect(try await world.engine.extend(first, for: .seconds(60))?.fence == first.fence)
            #expect(try await world.engine.release(first))
            #expect(try await world.engine.release(first) == false)
            #expect(try await world.engine.extend(first, for: .seconds(60)) == nil)
            let second = try #require(
                try await world.peer.acquire(key, owner: FencedLock.makeOwner(), for: .seconds(60)))
            #expect(second.fence > first.fence)
        }
    }

    @Test(arguments: two)
    func aLockThatRanOutIsNobodysAndItsFenceStillRises(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let key = CacheKey("refresh", 1)
            let first = try #require(
                try await world.engine.acquire(key, owner: FencedLock.makeOwner(), for: .milliseconds(30)))
            var second: FencedLock?
            let isTaken = try await eventually {
                second = try await world.peer.acquire(key, owner: FencedLock.makeOwner(), for: .seconds(60))
                return second != nil
            }
            #expect(isTaken)
            #expect(!first.isHeld)
            #expect(try #require(second).fence > first.fence)
            // The first comes too late for everything.
            #expect(try await world.engine.extend(first, for: .seconds(60)) == nil)
            #expect(try await world.engine.release(first) == false)
            #expect(try await world.engine.acquire(key, owner: first.owner, for: .seconds(60)) == nil)
        }
    }

    @Test(arguments: two)
    func manyWhoWantALockGetItInTurn(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let turns = Turns()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    let locks = SharedLocks(
                        usual: index % 2 == 0 ? world.engine : world.peer, durable: nil,
                        metrics: CacheMetrics(MetricsRegistry()))
                    group.addTask {
                        let done: Void? = try await locks.withLock(
                            CacheKey("turn", 1), for: .seconds(30), waiting: .seconds(60)
                        ) { lock in
                            #expect(turns.begin(lock.fence) == 1)
                            try await Task.sleep(for: .milliseconds(1))
                            turns.end()
                        }
                        #expect(done != nil)
                    }
                }
                try await group.waitForAll()
            }
            let seen = turns.fences
            #expect(seen.count == 20 && seen == seen.sorted() && Set(seen).count == 20)
        }
    }

    // MARK: Values

    @Test(arguments: kinds)
    func valuesAreKeptSeenByOthersAndRemoved(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let key = CacheKey("session", [0, 255, 13, 10])
            #expect(try await world.engine.value(of: key) == nil)
            let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
            let version = try await world.engine.set(key, to: bytes, for: .seconds(60))
            #expect(try await world.peer.value(of: key) == CachedValue(version: version, bytes: bytes))
            // That there is none is an answer, too, and so is nothing.
            let none = try await world.peer.set(key, to: nil, for: .seconds(60))
            #expect(try await world.engine.value(of: key) == CachedValue(version: none, bytes: nil))
            let empty = try await world.peer.set(key, to: [], for: .seconds(60))
            #expect(
                try await world.engine.values(of: [CacheKey("a", 1), key]) == [
                    nil, CachedValue(version: empty, bytes: []),
                ])
            #expect(try await world.engine.remove(key))
            #expect(try await world.engine.remove(key) == false)
            #expect(try await world.peer.value(of: key) == nil)
        }
    }

    @Test(arguments: two)
    func valuesExpire(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            try await world.engine.set(CacheKey("v", 1), to: [1], for: .milliseconds(20))
            try await expectEventually { try await world.peer.value(of: CacheKey("v", 1)) == nil }
            #expect(
                try await world.engine.replace(CacheKey("v", 1), nil, with: [2], for: .seconds(60)) != nil)
        }
    }

    @Test(arguments: two)
    func replacingNeedsTheVersionThatIsThere(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let key = CacheKey("v", 2)
            let first = try #require(try await world.engine.replace(key, nil, with: [1], for: .seconds(60)))
            #expect(try await world.peer.replace(key, nil, with: [2], for: .seconds(60)) == nil)
            let second = try #require(try await world.peer.replace(key, first, with: nil, for: .seconds(60)))
            #expect(try await world.engine.replace(key, first, with: [3], for: .seconds(60)) == nil)
            #expect(try await world.engine.value(of: key) == CachedValue(version: second, bytes: nil))
            // Of many who replace the same version, one does.
            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<40 {
                    let engine = index % 2 == 0 ? world.engine : world.peer
                    group.addTask {
                        try await engine.replace(key, second, with: [UInt8(index)], for: .seconds(60)) != nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(winners == 1)
        }
    }

    @Test(arguments: two)
    func whatIsTooLongOrHasNoLifetimeIsRefused(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let long = [UInt8](repeating: 7, count: Bounds.longestValue)
            try await world.engine.set(CacheKey("v", 3), to: long, for: .seconds(60))
            #expect(try await world.peer.value(of: CacheKey("v", 3))?.bytes == long)
            await #expect(throws: CacheError.self) {
                try await world.engine.set(CacheKey("v", 3), to: long + [1], for: .seconds(60))
            }
            await #expect(throws: CacheError.self) {
                _ = try await world.engine.replace(CacheKey("v", 3), nil, with: long + [1], for: .seconds(60))
            }
            for lifetime in [Duration.zero, .seconds(-1), .seconds(32 * 86_400)] {
                await #expect(throws: CacheError.self) {
                    try await world.engine.set(CacheKey("v", 3), to: [], for: lifetime)
                }
                await #expect(throws: CacheError.self) {
                    _ = try await world.engine.add(1, to: CacheKey("c", 3), for: lifetime)
                }
                await #expect(throws: CacheError.self) {
                    _ = try await world.engine.acquire(CacheKey("l", 3), owner: "o", for: lifetime)
                }
            }
        }
    }

    // MARK: Counters

    @Test(arguments: two)
    func countersAddUpExactlyAndExpire(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let key = CacheKey("count", "ann@example.org")
            #expect(try await world.engine.count(of: key) == 0)
            #expect(try await world.engine.add(2, to: key, for: .seconds(60)) == 2)
            #expect(try await world.peer.add(-5, to: key, for: .seconds(60)) == -3)
            #expect(try await world.engine.count(of: key) == -3)
            let large = CacheKey("count", 1)
            #expect(
                try await world.engine.add(9_007_199_254_740_993, to: large, for: .seconds(60)) == 9_007_199_254_740_993
            )
            await #expect(throws: CacheError.self) {
                _ = try await world.peer.add(.max, to: large, for: .seconds(60))
            }
            #expect(try await world.engine.count(of: large) == 9_007_199_254_740_993)
            _ = try await world.engine.add(1, to: CacheKey("count", 2), for: .milliseconds(20))
            try await expectEventually { try await world.peer.count(of: CacheKey("count", 2)) == 0 }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    let engine = index % 2 == 0 ? world.engine : world.peer
                    group.addTask { _ = try await engine.add(1, to: CacheKey("count", 3), for: .seconds(60)) }
                }
                try await group.waitForAll()
            }
            #expect(try await world.engine.count(of: CacheKey("count", 3)) == 100)
        }
    }

    // MARK: News

    @Test(arguments: kinds)
    func whatIsPublishedArrivesInOrderAfterAGap(kind: EngineWorld.Kind) async throws {
        try await EngineWorld.with(kind) { world in
            let received = Mutex<[News]>([])
            let others = Mutex<[News]>([])
            let subscription = world.peer.subscribe(to: "wake") { news in received.withLock { $0.append(news) } }
            let second = world.peer.subscribe(to: "other") { news in others.withLock { $0.append(news) } }
            await expectEventually { received.withLock { $0 } == [.gap] && others.withLock { $0 } == [.gap] }
            try await world.engine.publish([[1], [2], []], on: "wake")
            try await world.engine.publish([[0, 13, 10, 255]], on: "wake")
            let expected: [News] = [.gap, .message([1]), .message([2]), .message([]), .message([0, 13, 10, 255])]
            await expectEventually { received.withLock { $0 } == expected }
            // One who comes later hears what comes later.
            let late = Mutex<[News]>([])
            let third = world.peer.subscribe(to: "wake") { news in late.withLock { $0.append(news) } }
            await expectEventually { late.withLock { !$0.isEmpty } }
            subscription.cancel()
            try await world.engine.publish([[3]], on: "wake")
            await expectEventually { late.withLock { $0.last } == .message([3]) }
            #expect(received.withLock { $0 } == expected)
            // Nothing of the other one's; on a machine that is slow enough, a connection may be made anew.
            #expect(others.withLock { $0.allSatisfy { $0 == .gap } })
            third.cancel()
            second.cancel()
        }
    }
}
