internal import CTandemPlugin
internal import TandemSDK

/// What a test host keeps for one plugin and one person besides rows: values, secrets and timers.
struct Notebook: Sendable {
    private struct Value: Sendable {
        var bytes: [UInt8]
        var version: UInt64
        var expiresAt: Instant?
    }

    private var values: [String: Value] = [:]
    private var lastVersion: UInt64 = 0
    private let maxEntries: Int
    private let maxBytes: Int
    private let maxTimers: Int
    private let declaredSecrets: [String]
    var secrets: [String: [UInt8]] = [:]
    private(set) var timers: [String: SetTimer] = [:]

    init(manifest: JSON) {
        func limit(_ name: String, _ standard: Int) -> Int {
            (manifest["quota"]?[name]?.int64Value).map { Int($0) } ?? standard
        }
        maxEntries = limit("kvEntries", 1000)
        maxBytes = limit("kvBytes", 1 << 20)
        maxTimers = limit("timers", 64)
        declaredSecrets = (manifest["secrets"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    }

    func bytes(_ key: String, now: Instant) -> [UInt8]? { live(key, now)?.bytes }

    /// Answers what concerns this plugin and person alone; nil for the rest.
    mutating func answer(_ request: ServiceCall, now: Instant) -> ServiceReply? {
        switch request {
        case .getValue(let key):
            guard let value = live(key, now) else { return ServiceReply(TANDEM_E_NOT_FOUND) }
            return ServiceReply(bytes: value.bytes, version: value.version, expiresAt: value.expiresAt)
        case .setValue(let key, let bytes, let expected, let lifetime):
            return set(key, bytes, expected, lifetime, now)
        case .removeValue(let key, let expected):
            guard let value = live(key, now) else { return ServiceReply(TANDEM_E_NOT_FOUND) }
            guard expected == TANDEM_KV_ANY_VERSION || expected == value.version else {
                return ServiceReply(TANDEM_E_CONFLICT, version: value.version)
            }
            values[key] = nil
            return ServiceReply()
        case .listKeys(let prefix, let after, let limit): return list(prefix, after, limit, now)
        case .valueUsage:
            let (entries, bytes) = usage(now)
            return .json([
                "entries": .integer(Int64(entries)), "bytes": .integer(Int64(bytes)),
                "quota": ["entries": .integer(Int64(maxEntries)), "bytes": .integer(Int64(maxBytes))],
            ])
        case .getSecret(let name):
            guard declaredSecrets.contains(name) else { return ServiceReply(TANDEM_E_UNSUPPORTED) }
            return secrets[name].map { ServiceReply(bytes: $0) } ?? ServiceReply(TANDEM_E_NOT_FOUND)
        case .enteredSecrets:
            var object = JSONObject()
            for name in declaredSecrets { object[name] = .bool(secrets[name] != nil) }
            return .json(.object(object))
        case .cancelTimer(let name):
            return ServiceReply(timers.removeValue(forKey: name) == nil ? TANDEM_E_NOT_FOUND : TANDEM_OK)
        case .listTimers:
            return .json(["timers": .array(timers.sorted { $0.key < $1.key }.map(\.value.json))])
        case .setTimer, .publish, .recall, .propose: return nil
        }
    }

    mutating func set(_ timer: SetTimer) -> ServiceReply {
        guard timers[timer.name] != nil || timers.count < maxTimers else { return ServiceReply(TANDEM_E_OVER_QUOTA) }
        timers[timer.name] = timer
        return .json(["dueAt": .string(timer.dueAt.description)])
    }

    mutating func removeTimer(_ name: String) { timers[name] = nil }

    // MARK: Values

    private func live(_ key: String, _ now: Instant) -> Value? {
        guard let value = values[key] else { return nil }
        if let end = value.expiresAt, end <= now { return nil }
        return value
    }

    private func usage(_ now: Instant) -> (entries: Int, bytes: Int) {
        let all = values.filter { live($0.key, now) != nil }
        return (all.count, all.reduce(0) { $0 + $1.key.utf8.count + $1.value.bytes.count })
    }

    private mutating func set(
        _ key: String, _ bytes: [UInt8], _ expected: UInt64, _ lifetime: UInt64, _ now: Instant
    ) -> ServiceReply {
        let before = live(key, now)
        let version = before?.version ?? TANDEM_KV_NO_VALUE
        guard expected == TANDEM_KV_ANY_VERSION || expected == version else {
            return ServiceReply(TANDEM_E_CONFLICT, version: version)
        }
        values[key] = nil
        let (entries, taken) = usage(now)
        guard entries < maxEntries, taken + key.utf8.count + bytes.count <= maxBytes else {
            values[key] = before
            return ServiceReply(TANDEM_E_OVER_QUOTA)
        }
        lastVersion += 1
        let end = lifetime == 0 ? nil : Instant(milliseconds: now.milliseconds + Int64(clamping: lifetime))
        values[key] = Value(bytes: bytes, version: lastVersion, expiresAt: end)
        return ServiceReply(version: lastVersion, expiresAt: end)
    }

    private func list(_ prefix: String, _ after: String, _ limit: Int, _ now: Instant) -> ServiceReply {
        func isBefore(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }
        let keys = values.keys
            .filter { $0.utf8.starts(with: prefix.utf8) && isBefore(after, $0) && live($0, now) != nil }
            .sorted(by: isBefore)
        let entries = keys.prefix(limit).map { key -> JSON in
            let value = values[key]
            return [
                "key": .string(key), "version": .string(String(value?.version ?? 0)),
                "bytes": .integer(Int64(value?.bytes.count ?? 0)),
                "expiresAt": (value?.expiresAt).map { .string($0.description) } ?? .null,
            ]
        }
        return .json(["entries": .array(entries), "more": .bool(keys.count > limit)])
    }
}

extension SetTimer {
    fileprivate var json: JSON {
        let repeats: JSON =
            switch repetition {
            case .never: .null
            case .seconds(let every): ["unit": "seconds", "every": .integer(Int64(every))]
            case .days(let every): ["unit": "days", "every": .integer(Int64(every))]
            case .months(let every): ["unit": "months", "every": .integer(Int64(every))]
            }
        return [
            "name": .string(name), "handler": .string(handler), "dueAt": .string(dueAt.description),
            "repeat": repeats, "data": data,
        ]
    }
}
