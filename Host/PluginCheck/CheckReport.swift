public import TandemJSON

/// How far a plugin has come. Each tier includes those before it.
public enum Tier: Int, Sendable, Hashable, Comparable, CaseIterable {
    /// Valid, loads, answers.
    case bronze = 1
    /// Keeps the contract when it is cancelled, loaded with calls, ended, and lied to.
    case silver
    /// Good for people and for those who look after it: wording, results by schema, health, recorded calls, fuzzed.
    case gold
    /// The same in the host's process and in a runner, and never blocks.
    case platinum

    public var name: String {
        switch self {
        case .bronze: "bronze"
        case .silver: "silver"
        case .gold: "gold"
        case .platinum: "platinum"
        }
    }

    public init?(name: String) {
        guard let tier = Tier.allCases.first(where: { $0.name == name }) else { return nil }
        self = tier
    }

    public static func < (left: Tier, right: Tier) -> Bool { left.rawValue < right.rawValue }
}

/// One thing that a check found.
public struct Finding: Sendable, Hashable {
    public enum Level: String, Sendable, Hashable {
        /// Keeps the plugin from the check's tier.
        case error
        case warning
        /// An error that the waiver file excuses.
        case waived
    }

    public var level: Level
    /// Stable, lower case: `completed_twice`.
    public var code: String
    public var text: String
    /// Where in the test it was found: `invoke of units.convert`.
    public var place: String?
    /// How to see it again.
    public var hint: String?

    public init(_ level: Level, _ code: String, _ text: String, place: String? = nil, hint: String? = nil) {
        self.level = level
        self.code = code
        self.text = text
        self.place = place
        self.hint = hint
    }

    public var json: JSON {
        var object: JSONObject = ["level": .string(level.rawValue), "code": .string(code), "text": .string(text)]
        if let place { object["place"] = .string(place) }
        if let hint { object["hint"] = .string(hint) }
        return .object(object)
    }
}

/// One check of one tier.
public struct CheckResult: Sendable, Hashable {
    public enum State: String, Sendable, Hashable {
        case passed, warned, failed
        /// Not run, because something before it failed or because it does not apply; the first finding says why.
        case skipped
    }

    public var tier: Tier
    public var name: String
    public var title: String
    public var findings: [Finding]
    public var isSkipped = false
    public var milliseconds: Int

    public init(_ tier: Tier, _ name: String, _ title: String, _ findings: [Finding] = [], milliseconds: Int = 0) {
        self.tier = tier
        self.name = name
        self.title = title
        self.findings = findings
        self.milliseconds = milliseconds
    }

    public var state: State {
        if isSkipped { return .skipped }
        if findings.contains(where: { $0.level == .error }) { return .failed }
        return findings.isEmpty ? .passed : .warned
    }

    public var json: JSON {
        [
            "tier": .string(tier.name), "check": .string(name), "title": .string(title),
            "state": .string(state.rawValue), "milliseconds": .integer(Int64(milliseconds)),
            "findings": .array(findings.map(\.json)),
        ]
    }
}

/// All that `tandem plugin check` has to say about one bundle.
public struct CheckReport: Sendable {
    public var bundle: String
    public var id: String?
    public var name: String?
    public var version: String?
    public var tools: Int
    /// Of the generated arguments.
    public var seed: UInt64
    public var results: [CheckResult]
    /// Measurements: `loadMilliseconds`, `bytesPerCall`, `invokeMicroseconds` …
    public var numbers: [(name: String, value: Double)] = []

    /// The highest tier of which, and of all below it, nothing failed; nil when not even bronze is reached.
    public var tier: Tier? {
        var reached: Tier?
        for tier in Tier.allCases {
            let own = results.filter { $0.tier == tier }
            guard !own.isEmpty, own.allSatisfy({ $0.state == .passed || $0.state == .warned }) else { break }
            reached = tier
        }
        return reached
    }

    public var json: JSON {
        var numbers: JSONObject = [:]
        for number in self.numbers { numbers[number.name] = .number(number.value) }
        return [
            "bundle": .string(bundle), "id": id.map { .string($0) } ?? .null,
            "version": version.map { .string($0) } ?? .null, "tools": .integer(Int64(tools)),
            "tier": tier.map { .string($0.name) } ?? .null, "seed": .string(String(seed)),
            "numbers": .object(numbers), "checks": .array(results.map(\.json)),
        ]
    }
}
