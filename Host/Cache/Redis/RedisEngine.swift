import Crypto
import Logging
import Synchronization
import TandemCore

/// The shared store of several processes: a Redis (5 or later) or Valkey server.
///
/// Two connections with a thread each: one for commands, one for what is published. Both come back by themselves; while the
/// first is away everything throws `unavailable` at once. Safe from any thread.
public final class RedisEngine: CacheEngine {
    public struct Options: Sendable {
        public var address: RedisAddress
        /// What keys are hashed with, so that the server cannot tell what they are of: the same in all processes of an
        /// installation, at least 16 bytes.
        public var secret: [UInt8]
        /// Until an answer has to be there; then the server counts as away.
        public var timeLimit = Duration.seconds(1)
        public var connectLimit = Duration.seconds(2)

        public init(address: RedisAddress, secret: [UInt8]) {
            self.address = address
            self.secret = secret
        }
    }

    private struct Channels {
        var receivers: [String: [Int: @Sendable (News) -> Void]] = [:]
        var live: Set<String> = []
        var next = 0
    }

    private final class Shared: Sendable {
        let channels = Mutex(Channels())
        let observers = Mutex<[@Sendable (Bool) -> Void]>([])
        let wasUp = Mutex<Bool?>(nil)
        let losses = Atomic<Int>(0)
        let commands = Mutex<RedisConnection?>(nil)
        let subscriber = Mutex<RedisConnection?>(nil)
    }

    private let options: Options
    private let key: SymmetricKey
    /// Of all keys and channels; tells installations on one server apart.
    let prefix: [UInt8]
    private let commands: RedisConnection
    private let subscriber: RedisConnection
    private let shared = Shared()

    public init(_ options: Options) {
        self.options = options
        key = SymmetricKey(data: options.secret)
        let tag = HMAC<SHA256>.authenticationCode(for: Array("tandem/1 prefix".utf8), using: key)
        prefix = Array("tandem:".utf8) + RedisEngine.hexadecimal(Array(tag).prefix(4)) + [UInt8(ascii: ":")]
        var connection = RedisConnection.Options(address: options.address)
        connection.timeLimit = options.timeLimit
        connection.connectLimit = options.connectLimit
        let shared = shared
        let address = options.address
        let prefix = prefix
        commands = RedisConnection(
            connection, role: .commands,
            events: RedisConnection.Events(
                onUp: {
                    shared.commands.withLock { $0 }?.post(
                        RedisScript.all.map { RedisCommand("SCRIPT", "LOAD", $0.source) })
                    RedisEngine.changed(shared, isUp: true, address, nil)
                },
                onDown: { RedisEngine.changed(shared, isUp: false, address, $0) }))
        subscriber = RedisConnection(
            connection, role: .pushes { RedisEngine.receive($0, shared, prefix) },
            events: RedisConnection.Events(
                onUp: {
                    let names = shared.channels.withLock { Array($0.receivers.keys) }
                    RedisEngine.subscribe(names, shared, prefix)
                },
                onDown: { _ in RedisEngine.silence(shared) }))
        shared.commands.withLock { $0 = commands }
        shared.subscriber.withLock { $0 = subscriber }
    }

    /// Begins to connect. Once.
    public func start() {
        commands.start()
        subscriber.start()
    }

    /// Returns once it is known whether the server can be reached.
    public func waitForFirstAttempt() async { await commands.waitForFirstAttempt() }

    deinit {
        commands.stop()
        subscriber.stop()
        shared.commands.withLock { $0 = nil }
        shared.subscriber.withLock { $0 = nil }
    }

    public func shutdown() async {
        await commands.shutdown()
        await subscriber.shutdown()
        shared.commands.withLock { $0 = nil }
        shared.subscriber.withLock { $0 = nil }
        RedisEngine.silence(shared)
    }

    // MARK: State

    /// Whether commands are taken now.
    public var isUp: Bool { commands.isUp }

    /// Without user and password.
    public var address: String { options.address.description }

    /// Why they are not; nil when they are. Holds no secret.
    public var problem: String? { commands.problem }

    /// Whether everything that is published arrives.
    public var isListening: Bool {
        shared.channels.withLock { $0.live.count >= $0.receivers.count } && subscriber.isUp
    }

    /// Commands that wait for an answer.
    public var pending: Int { commands.pending }

    /// How often the connection was lost.
    public var losses: Int { shared.losses.load(ordering: .relaxed) }

    /// Calls with true when commands are taken again and with false when they are not any more; on the connection's thread.
    func observe(_ observer: @escaping @Sendable (Bool) -> Void) {
        shared.observers.withLock { $0.append(observer) }
    }

    /// How many processes listen to a channel.
    func listeners(of channel: String) async throws(CacheError) -> Int {
        var command = RedisCommand("PUBSUB", count: 2)
        command.append("NUMSUB")
        command.append(prefix, Array(channel.utf8))
        let reply = try await commands.send(command).checked()
        guard let pair = reply.array, pair.count == 2, let count = pair[1].integer else {
            throw RedisEngine.unexpected
        }
        return Int(count)
    }

    private static let logger = Logger(label: "tandem.redis")

    private static func changed(_ shared: Shared, isUp: Bool, _ address: RedisAddress, _ reason: String?) {
        let before = shared.wasUp.withLock { wasUp in
            defer { wasUp = isUp }
            return wasUp
        }
        guard before != isUp else { return }
        if isUp {
            logger.notice("Redis is there", metadata: ["address": "\(address)"])
        } else {
            if before == true { shared.losses.wrappingAdd(1, ordering: .relaxed) }
            logger.error(
                "Redis is away: limits are stricter, caches miss, wake-ups are slower",
                metadata: ["address": "\(address)", "reason": "\(reason ?? "")"])
        }
        for observer in shared.observers.withLock({ $0 }) { observer(isUp) }
    }

    private static let unexpected = CacheError(.refused, "the server gave an answer of another kind")

    // MARK: Keys

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// `tandem:INSTALLATION:KIND:SPACE:HASH`.
    func name(_ kind: String, _ space: String, _ key: CacheKey) -> [UInt8] {
        prefix + Array(kind.utf8) + [UInt8(ascii: ":")] + key.name(as: kind, in: space, key: self.key)
    }

    private func run(
        _ script: RedisScript, _ keys: [[UInt8]], _ arguments: (inout RedisCommand) -> Void, count: Int
    ) async throws(CacheError) -> RedisReply {
        let reply = try await commands.send(command("EVALSHA", script.digest, keys, arguments, count))
        guard case .failure(let text) = reply, text.hasPrefix("NOSCRIPT") else { return try reply.checked() }
        return try await commands.send(command("EVAL", script.source, keys, arguments, count)).checked()
    }

    private func command(
        _ name: String, _ script: String, _ keys: [[UInt8]], _ arguments: (inout RedisCommand) -> Void, _ count: Int
    ) -> RedisCommand {
        var command = RedisCommand(name, count: 2 + keys.count + count)
        command.append(script)
        command.append(Int64(keys.count))
        for key in keys { command.append(key) }
        arguments(&command)
        return command
    }

    // MARK: Limits

    public func take(_ charges: [LimitCharge]) async throws(CacheError) -> [LimitDecision] {
        guard !charges.isEmpty else { return [] }
        let reply = try await run(
            .take, charges.map { name("limit", $0.limit.name, $0.key) },
            { command in
                for charge in charges {
                    command.append(charge.limit.interval)
                    command.append(Int64(charge.limit.quota))
                    command.append(charge.limit.span)
                    command.append(Int64(charge.cost))
                    command.append(charge.known)
                    command.append(charge.debt)
                }
            }, count: charges.count * 6)
        guard let values = reply.array, values.count == 1 + charges.count * 3 else { throw RedisEngine.unexpected }
        var decisions: [LimitDecision] = []
        decisions.reserveCapacity(charges.count)
        for (index, charge) in charges.enumerated() {
            guard let used = values[1 + index * 3].integer, let room = values[2 + index * 3].integer,
                let wait = values[3 + index * 3].integer
            else { throw RedisEngine.unexpected }
            decisions.append(LimitDecision(limit: charge.limit, hasRoom: room == 1, used: used, wait: wait))
        }
        return decisions
    }

    // MARK: Locks

    public func acquire(
        _ key: CacheKey, owner: String, for lease: Duration
    ) async throws(CacheError) -> FencedLock? {
        let milliseconds = try Bounds.milliseconds(lease)
        let end = FencedLock.end(of: lease)
        guard !owner.isEmpty, owner.utf8.allSatisfy({ $0 != UInt8(ascii: ":") }) else {
            throw CacheError(.invalid, "an owner has letters and digits")
        }
        let reply = try await run(
            .acquire, [name("lock", key.space, key), prefix + Array("fence".utf8)],
            {
                $0.append(owner)
                $0.append(milliseconds)
            }, count: 2)
        if case .null = reply { return nil }
        guard let text = reply.bytes, let fence = Int64(String(decoding: text, as: UTF8.self)) else {
            throw RedisEngine.unexpected
        }
        return FencedLock(key: key, fence: fence, owner: owner, heldUntil: end)
    }

    public func extend(_ lock: FencedLock, for lease: Duration) async throws(CacheError) -> FencedLock? {
        let milliseconds = try Bounds.milliseconds(lease)
        let end = FencedLock.end(of: lease)
        let reply = try await run(
            .extend, [name("lock", lock.key.space, lock.key)],
            {
                $0.append("\(lock.owner):\(lock.fence)")
                $0.append(milliseconds)
            }, count: 2)
        return reply.integer == 1
            ? FencedLock(key: lock.key, fence: lock.fence, owner: lock.owner, heldUntil: end) : nil
    }

    @discardableResult
    public func release(_ lock: FencedLock) async throws(CacheError) -> Bool {
        let reply = try await run(
            .release, [name("lock", lock.key.space, lock.key)], { $0.append("\(lock.owner):\(lock.fence)") }, count: 1)
        return reply.integer == 1
    }

    // MARK: Values

    public func values(of keys: [CacheKey]) async throws(CacheError) -> [CachedValue?] {
        guard !keys.isEmpty else { return [] }
        var command = RedisCommand("MGET", count: keys.count)
        for key in keys { command.append(name("value", key.space, key)) }
        guard let replies = try await commands.send(command).checked().array, replies.count == keys.count else {
            throw RedisEngine.unexpected
        }
        return replies.map { $0.bytes.flatMap(RedisEngine.value) }
    }

    @discardableResult
    public func set(
        _ key: CacheKey, to bytes: [UInt8]?, for lifetime: Duration
    ) async throws(CacheError) -> ValueVersion {
        let milliseconds = try Bounds.milliseconds(lifetime)
        let version = ValueVersion.random()
        var command = RedisCommand("SET", count: 4)
        command.append(name("value", key.space, key))
        try RedisEngine.append(bytes, version, to: &command)
        command.append("PX")
        command.append(milliseconds)
        _ = try await commands.send(command).checked()
        return version
    }

    public func replace(
        _ key: CacheKey, _ expected: ValueVersion?, with bytes: [UInt8]?, for lifetime: Duration
    ) async throws(CacheError) -> ValueVersion? {
        let milliseconds = try Bounds.milliseconds(lifetime)
        let version = ValueVersion.random()
        guard bytes?.count ?? 0 <= Bounds.longestValue else { throw RedisEngine.tooLong }
        let reply = try await run(
            .replace, [name("value", key.space, key)],
            { command in
                command.append(expected.map { RedisEngine.bytes($0.number) } ?? [])
                command.append(RedisEngine.head(bytes, version), bytes ?? [])
                command.append(milliseconds)
            }, count: 3)
        return reply.integer == 1 ? version : nil
    }

    @discardableResult
    public func remove(_ key: CacheKey) async throws(CacheError) -> Bool {
        var command = RedisCommand("DEL", count: 1)
        command.append(name("value", key.space, key))
        return try await commands.send(command).checked().integer == 1
    }

    /// Removes every value, a thousand at a time.
    func removeAllValues() async throws(CacheError) {
        var cursor: [UInt8] = [UInt8(ascii: "0")]
        repeat {
            var scan = RedisCommand("SCAN", count: 5)
            scan.append(cursor)
            scan.append("MATCH")
            scan.append(prefix, Array("value:*".utf8))
            scan.append("COUNT")
            scan.append("1000")
            guard let answer = try await commands.send(scan).checked().array, answer.count == 2,
                let next = answer[0].bytes, let keys = answer[1].array
            else { throw RedisEngine.unexpected }
            if !keys.isEmpty {
                var delete = RedisCommand("DEL", count: keys.count)
                for key in keys { delete.append(key.bytes ?? []) }
                _ = try await commands.send(delete).checked()
            }
            cursor = next
        } while cursor != [UInt8(ascii: "0")]
    }

    private static let tooLong = CacheError(.invalid, "a value has at most 1 MiB")

    private static func bytes(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    /// What stands before a value: eight bytes of version, one that says whether there is one.
    private static func head(_ bytes: [UInt8]?, _ version: ValueVersion) -> [UInt8] {
        self.bytes(version.number) + [bytes == nil ? 0 : 1]
    }

    private static func append(
        _ bytes: [UInt8]?, _ version: ValueVersion, to command: inout RedisCommand
    ) throws(CacheError) {
        guard bytes?.count ?? 0 <= Bounds.longestValue else { throw tooLong }
        command.append(head(bytes, version), bytes ?? [])
    }

    private static func value(_ bytes: [UInt8]) -> CachedValue? {
        guard bytes.count >= 9 else { return nil }
        let number = bytes[0..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return CachedValue(version: ValueVersion(number: number), bytes: bytes[8] == 0 ? nil : Array(bytes[9...]))
    }

    // MARK: Counters

    public func add(
        _ amount: Int64, to key: CacheKey, for lifetime: Duration
    ) async throws(CacheError) -> Int64 {
        let milliseconds = try Bounds.milliseconds(lifetime)
        let reply = try await run(
            .add, [name("count", key.space, key)],
            {
                $0.append(amount)
                $0.append(milliseconds)
            }, count: 2)
        return try RedisEngine.number(reply)
    }

    public func count(of key: CacheKey) async throws(CacheError) -> Int64 {
        var command = RedisCommand("GET", count: 1)
        command.append(name("count", key.space, key))
        let reply = try await commands.send(command).checked()
        if case .null = reply { return 0 }
        return try RedisEngine.number(reply)
    }

    private static func number(_ reply: RedisReply) throws(CacheError) -> Int64 {
        guard let bytes = reply.bytes, let number = Int64(String(decoding: bytes, as: UTF8.self)) else {
            throw unexpected
        }
        return number
    }

    // MARK: News

    public func publish(_ messages: [[UInt8]], on channel: String) async throws(CacheError) {
        let name = Array(channel.utf8)
        let replies = try await commands.send(
            all: messages.map { message in
                var command = RedisCommand("PUBLISH", count: 2)
                command.append(prefix, name)
                command.append(message)
                return command
            })
        for reply in replies { _ = try reply.checked() }
    }

    public func subscribe(
        to channel: String, _ receiver: @escaping @Sendable (News) -> Void
    ) -> NewsSubscription {
        let (number, isLive, isNew) = shared.channels.withLock { channels in
            channels.next += 1
            let isNew = channels.receivers[channel] == nil
            channels.receivers[channel, default: [:]][channels.next] = receiver
            return (channels.next, channels.live.contains(channel), isNew)
        }
        if isNew { RedisEngine.subscribe([channel], shared, prefix) }
        if isLive { receiver(.gap) }
        return NewsSubscription { [shared, prefix] in
            let isLast = shared.channels.withLock { channels in
                guard channels.receivers[channel]?.removeValue(forKey: number) != nil,
                    channels.receivers[channel]?.isEmpty == true
                else { return false }
                channels.receivers[channel] = nil
                channels.live.remove(channel)
                return true
            }
            if isLast {
                var command = RedisCommand("UNSUBSCRIBE", count: 1)
                command.append(prefix, Array(channel.utf8))
                shared.subscriber.withLock { $0 }?.post([command])
            }
        }
    }

    private static func subscribe(_ channels: [String], _ shared: Shared, _ prefix: [UInt8]) {
        guard !channels.isEmpty else { return }
        var command = RedisCommand("SUBSCRIBE", count: channels.count)
        for channel in channels { command.append(prefix, Array(channel.utf8)) }
        shared.subscriber.withLock { $0 }?.post([command])
    }

    /// `subscribe`, `message` and `unsubscribe` with a channel; anything else is an answer to a PING.
    private static func receive(_ reply: RedisReply, _ shared: Shared, _ prefix: [UInt8]) {
        guard let parts = reply.array, parts.count == 3, let kind = parts[0].bytes, let name = parts[1].bytes,
            name.starts(with: prefix)
        else { return }
        let channel = String(decoding: name.dropFirst(prefix.count), as: UTF8.self)
        if kind.elementsEqual("message".utf8), let message = parts[2].bytes {
            let receivers = shared.channels.withLock { $0.receivers[channel].map { Array($0.values) } ?? [] }
            for receiver in receivers { receiver(.message(message)) }
        } else if kind.elementsEqual("subscribe".utf8) {
            let receivers = shared.channels.withLock { channels -> [@Sendable (News) -> Void] in
                guard let receivers = channels.receivers[channel] else { return [] }
                channels.live.insert(channel)
                return Array(receivers.values)
            }
            for receiver in receivers { receiver(.gap) }
        }
    }

    private static func silence(_ shared: Shared) { shared.channels.withLock { $0.live.removeAll() } }
}
