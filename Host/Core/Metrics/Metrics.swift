import Synchronization

/// A number that only grows, such as requests served. Safe from any thread, one atomic addition per call.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    public func increment(by amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

    public var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down, such as open connections. Safe from any thread.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    public func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, current) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = current
        }
    }

    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// Observations counted by size, such as seconds per request. Safe from any thread; buckets, count and sum of one
/// exposition belong together.
public final class Histogram: Sendable {
    struct State {
        var buckets: [UInt64]
        var count: UInt64 = 0
        var sum: Double = 0
    }

    /// 0.1 ms to 30 s in steps that tell a local turn from a model's.
    public static let latencySeconds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    /// Upper bounds, ascending, without the last (+Inf).
    let bounds: [Double]
    let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// Counts one observation; a value that is not finite is dropped.
    public func observe(_ value: Double) {
        guard value.isFinite else { return }
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        state.withLock { state in
            state.buckets[index] += 1
            state.count += 1
            state.sum += value
        }
    }

    /// Counts the seconds since `start`, a reading of `monotonicNanoseconds()`.
    public func observe(sinceNanoseconds start: UInt64) {
        let now = monotonicNanoseconds()
        observe(now > start ? Double(now - start) / 1e9 : 0)
    }

    public var count: UInt64 { state.withLock { $0.count } }

    public var sum: Double { state.withLock { $0.sum } }
}

/// The series of one metric name, one per combination of label values.
///
/// Look a series up once and keep it where the values are known beforehand; a look-up takes a mutex. Beyond the family's
/// limit new combinations are counted together under the label value `other`, so that input from outside cannot fill the
/// memory. Label values are masked by `Redaction` and cut at 128 bytes.
public final class MetricFamily<Series: Sendable>: Sendable {
    public let name: String
    public let help: String
    public let labels: [String]
    let limit: Int
    private let make: @Sendable () -> Series
    private let series: Mutex<[[String]: Series]>

    init(name: String, help: String, labels: [String], limit: Int, make: @escaping @Sendable () -> Series) {
        self.name = name
        self.help = help
        self.labels = labels
        self.limit = limit
        self.make = make
        series = Mutex([:])
    }

    /// The series with these label values, in the order of the family's label names.
    ///
    /// Values left out count as empty; values too many are ignored.
    public func with(_ values: String...) -> Series {
        series.withLock { series in
            if let existing = series[values] { return existing }
            var key = values.prefix(labels.count).map(Self.presentable)
            while key.count < labels.count { key.append("") }
            if let existing = series[key] { return existing }
            if series.count >= limit { key = labels.map { _ in "other" } }
            if let existing = series[key] { return existing }
            let made = make()
            series[key] = made
            return made
        }
    }

    /// All series, in the order of their label values.
    var all: [(values: [String], series: Series)] {
        series.withLock { $0.map { ($0.key, $0.value) } }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
    }

    private static func presentable(_ value: String) -> String {
        let masked = Redaction.masked(value)
        guard masked.utf8.count > 128 else { return masked }
        return String(decoding: masked.utf8.prefix(128), as: UTF8.self)
    }
}
