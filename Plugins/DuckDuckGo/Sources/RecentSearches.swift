import Synchronization
public import TandemSDK

/// What a person looked for lately, in memory: for when they then say "2", for asking DuckDuckGo less often, and for having
/// something to say when it fails.
final class RecentSearches: InstanceCache {
    struct Key: Sendable, Hashable {
        var kind: ResultID.Kind
        var query: String
        var age: Age?
        var region: String
        var safeSearch: SafeSearch
    }

    struct Entry: Sendable {
        var results: [Found]
        var next: [String: String]?
        var at: Instant
        /// Where the next page comes from.
        var origin = SearchService.html
    }

    private struct State {
        var entries: [Key: Entry] = [:]
    }

    /// An answer is given again without asking for this long, and for a day when DuckDuckGo fails.
    static let freshMilliseconds: Int64 = 600_000
    static let staleMilliseconds: Int64 = 86_400_000
    private static let limit = 32

    private let state = Mutex(State())

    func entry(_ key: Key, now: Instant, within milliseconds: Int64) -> Entry? {
        state.withLock { state in
            guard let entry = state.entries[key], now.milliseconds - entry.at.milliseconds <= milliseconds,
                now.milliseconds >= entry.at.milliseconds
            else { return nil }
            return entry
        }
    }

    func keep(_ key: Key, _ entry: Entry) {
        state.withLock { state in
            if state.entries.count >= Self.limit, state.entries[key] == nil,
                let oldest = state.entries.min(by: { $0.value.at.milliseconds < $1.value.at.milliseconds })
            {
                state.entries[oldest.key] = nil
            }
            state.entries[key] = entry
        }
    }
}

/// Names one result of one search, so that it can be found again: `w:1f2e3d4c:swift concurrency`.
public struct ResultID: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        case web = "w"
        case news = "n"
        case image = "i"
        case topic = "t"
    }

    var kind: Kind
    var mark: String
    var query: String

    static let entity = "duckduckgo.result"
    static let maxQueryBytes = 200

    init(_ kind: Kind, _ query: String, _ found: Found) {
        self.kind = kind
        self.query = query
        mark = ResultID.mark(of: found)
    }

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let kind = Kind(rawValue: String(parts[0])), parts[1].utf8.count == 8,
            !parts[2].isEmpty
        else { return nil }
        self.kind = kind
        mark = String(parts[1])
        query = String(parts[2])
    }

    var text: String { "\(kind.rawValue):\(mark):\(query)" }

    /// FNV-1a of the address, in eight hexadecimal digits: tells the results of one search apart.
    static func mark(of found: Found) -> String {
        var hash: UInt32 = 2_166_136_261
        for byte in (found.image ?? found.url).utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}

/// A result that was shown: `#` and its id, or words.
public struct ResultReference: JSONRepresentable, Hashable {
    /// Nil for words that name none.
    var id: ResultID?

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "minLength": 1, "maxLength": 300],
            slot: .reference(entity: ResultID.entity), column: nil)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, !text.isEmpty else { throw ShapeError("a result that was shown") }
        id = text.hasPrefix("#") ? ResultID(text.dropFirst()) : ResultID(text)
    }

    public var json: JSON { .string("#" + (id?.text ?? "")) }
}
