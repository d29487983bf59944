internal import CTandemPlugin
internal import TandemJSON

/// Small values by key, for this plugin and this person (`tandem.kv/1`): a cursor, an answer kept for an hour, a mark that
/// something was done. Needs `uses: [.keyValues]` in the definition.
///
///     if let known = try await context.keyValues.get("rates", as: Rates.self) { return known.value }
///     try await context.keyValues.set("rates", to: rates, expiresIn: .seconds(3600))
///
/// A tool of effect `read` may write here, too: it is the plugin's notebook and no part of undo; what was written stays
/// when the call fails. Keys have 1 to 256 bytes without control characters, values at most 256 KiB. All functions throw
/// `ToolError`: `version_conflict`, `over_quota`, `too_large`, `not_granted` and what `tandem/ext/kv.h` lists.
public struct KeyValues: Sendable {
    let call: Call

    /// When a value is written.
    public enum Condition: Sendable, Hashable {
        /// Whatever is there now.
        case always
        /// Only when the key has no value.
        case isAbsent
        /// Only when its value is of this version.
        case isVersion(UInt64)

        fileprivate var expected: UInt64 {
            switch self {
            case .always: TANDEM_KV_ANY_VERSION
            case .isAbsent: TANDEM_KV_NO_VALUE
            case .isVersion(let version): version
            }
        }
    }

    // MARK: Values in their JSON form

    /// The value, or nil when there is none or it has expired. Throws `unreadable_value` when it has another form.
    public func get<V: JSONRepresentable>(_ key: String, as type: V.Type) async throws -> StoredValue<V>? {
        guard let stored = try await get(key) else { return nil }
        return StoredValue(
            value: try Self.read(stored.value, as: type, call.reader), version: stored.version,
            expiresAt: stored.expiresAt)
    }

    /// Writes a value and gives its version.
    ///
    /// - Parameter lifetime: after which it goes; nil keeps it. At most ten years.
    @discardableResult
    public func set<V: JSONRepresentable>(
        _ key: String, to value: V, if condition: Condition = .always, expiresIn lifetime: Duration? = nil
    ) async throws -> UInt64 {
        try await set(key, toBytes: value.json.serialized(), if: condition, expiresIn: lifetime)
    }

    /// Replaces a value by what `change` makes of it; again when somebody else was faster. Gives what was written.
    ///
    ///     let visits = try await context.keyValues.update("visits", as: Int.self) { ($0 ?? 0) + 1 }
    public func update<V: JSONRepresentable>(
        _ key: String, as type: V.Type, expiresIn lifetime: Duration? = nil, _ change: (V?) throws -> V
    ) async throws -> V {
        while true {
            let stored = try await get(key, as: type)
            let value = try change(stored?.value)
            do {
                let condition = stored.map { Condition.isVersion($0.version) } ?? .isAbsent
                try await set(key, to: value, if: condition, expiresIn: lifetime)
                return value
            } catch let error as ToolError where error.code == Self.conflict {
                try Task.checkCancellation()
            }
        }
    }

    // MARK: Values of any bytes

    /// The bytes, or nil when there are none or they have expired.
    public func get(_ key: String) async throws -> StoredValue<[UInt8]>? {
        let id = call.id
        let answer = await request { host, table, context in
            withSlice(key) { table.get(host, id, $0, context, tandemSDKKeyValueDone) }
        }
        if answer.status == TANDEM_E_NOT_FOUND { return nil }
        try Self.check(answer)
        return StoredValue(value: answer.bytes, version: answer.version, expiresAt: answer.expiresAt)
    }

    @discardableResult
    public func set(
        _ key: String, toBytes bytes: [UInt8], if condition: Condition = .always, expiresIn lifetime: Duration? = nil
    ) async throws -> UInt64 {
        let id = call.id
        let milliseconds = lifetime.map { max(1, $0.wholeMilliseconds) } ?? 0
        let answer = await request { host, table, context in
            withSlice(key) { key in
                withSlice(bytes) {
                    table.set(
                        host, id, key, $0, condition.expected, UInt64(milliseconds), context, tandemSDKKeyValueDone)
                }
            }
        }
        try Self.check(answer)
        return answer.version
    }

    /// Removes a value; false when there is none.
    ///
    /// - Parameter version: only when it is of this version.
    @discardableResult
    public func remove(_ key: String, ifVersion version: UInt64? = nil) async throws -> Bool {
        let id = call.id
        let answer = await request { host, table, context in
            withSlice(key) {
                table.remove(host, id, $0, version ?? TANDEM_KV_ANY_VERSION, context, tandemSDKKeyValueDone)
            }
        }
        if answer.status == TANDEM_E_NOT_FOUND { return false }
        try Self.check(answer)
        return true
    }

    // MARK: What is there

    /// Keys that start with `prefix`, in the order of their bytes, after `after`; at most `limit` (1–1000).
    public func keys(
        prefix: String = "", after: String = "", limit: Int = 100
    ) async throws -> (keys: [StoredKey], hasMore: Bool) {
        let id = call.id
        let answer = await request { host, table, context in
            withSlice(prefix) { prefix in
                withSlice(after) {
                    table.list(host, id, prefix, $0, UInt32(clamping: limit), context, tandemSDKKeyValueDone)
                }
            }
        }
        let json = try Self.json(answer)
        let keys = (json["entries"]?.arrayValue ?? []).compactMap { StoredKey($0) }
        return (keys, json["more"]?.boolValue ?? false)
    }

    /// How much of the quota is taken.
    public func usage() async throws -> KeyValueUsage {
        let id = call.id
        let answer = await request { host, table, context in
            table.usage(host, id, context, tandemSDKKeyValueDone)
        }
        let json = try Self.json(answer)
        func number(_ json: JSON?) -> Int { Int(json?.int64Value ?? 0) }
        return KeyValueUsage(
            entries: number(json["entries"]), bytes: number(json["bytes"]),
            maxEntries: number(json["quota"]?["entries"]), maxBytes: number(json["quota"]?["bytes"]))
    }

    // MARK: Internals

    private static let conflict = "version_conflict"

    private func request(
        _ submit: (UnsafePointer<tandem_host>, tandem_kv, UnsafeMutableRawPointer) -> Int32
    ) async -> KeyValueAnswer {
        let access = call.instance.host
        return await access.request(access.keyValuesTable) { submit(access.host, $0, $1) }
    }

    private static func check(_ answer: KeyValueAnswer) throws {
        switch answer.status {
        case TANDEM_OK: return
        case TANDEM_E_CONFLICT: throw ToolError.conflict("That was changed meanwhile.", code: conflict)
        default: throw ToolError.service(answer.status)
        }
    }

    private static func json(_ answer: KeyValueAnswer) throws -> JSON {
        try check(answer)
        return (try? JSON(parsing: answer.bytes)) ?? .null
    }

    private static func read<V: JSONRepresentable>(_ bytes: [UInt8], as type: V.Type, _ reader: Reader) throws -> V {
        if let json = try? JSON(parsing: bytes), let value = try? V(json: json, reader: reader) { return value }
        throw ToolError(code: "unreadable_value", "What I had noted cannot be read any more.")
    }
}

/// A value of `KeyValues`.
public struct StoredValue<Value: Sendable>: Sendable {
    public var value: Value
    /// Greater after every write of the key, and never used again.
    public var version: UInt64
    /// When it goes.
    public var expiresAt: Instant?
}

/// A key of `KeyValues` with what is known of its value.
public struct StoredKey: Sendable, Hashable {
    public var key: String
    public var version: UInt64
    public var bytes: Int
    public var expiresAt: Instant?

    fileprivate init?(_ json: JSON) {
        guard let key = json["key"]?.stringValue, let version = UInt64(json["version"]?.stringValue ?? "") else {
            return nil
        }
        self.key = key
        self.version = version
        bytes = Int(json["bytes"]?.int64Value ?? 0)
        expiresAt = (json["expiresAt"]?.stringValue).flatMap { Instant($0) }
    }
}

/// What the plugin keeps for the person, keys and values counted.
public struct KeyValueUsage: Sendable, Hashable {
    public var entries: Int
    public var bytes: Int
    public var maxEntries: Int
    public var maxBytes: Int
}

extension Duration {
    /// Not negative; held within 2^52 ms.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return min(seconds, 1 << 42) * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

extension Context {
    /// Small values by key.
    public var keyValues: KeyValues { KeyValues(call: call) }
}
