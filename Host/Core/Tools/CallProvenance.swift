import Synchronization
import TandemJSON

/// Where what one tool call works with is from: kept by the host beside the call, in no tool's hands.
///
/// While a call runs, the storage tells what it reads of rows that hold others' words, and asks how far what the call writes
/// is to be trusted: so a label outlives the turn, whatever table its value went into, and comes back with it. The call's
/// result is trusted no more than what it is made of.
public final class CallProvenance: Sendable {
    /// The call that runs in this task, if one does.
    @TaskLocal public static var current: CallProvenance?

    private struct Row: Sendable {
        var trust: TrustLabel
        var texts: [String]
    }

    private struct State {
        var rows: [Int64: Row] = [:]
        var read = TrustLabel.owner
        /// Of what other tools gave.
        var given = TrustLabel.owner
    }

    /// Of the call's arguments, and of what the tool brings from elsewhere.
    private let trust: TrustLabel
    /// The tool shows the texts of rows as they are, so that it can be seen which of them are in its result. Code of which
    /// that is not known may have made anything of what it read.
    private let isVerbatim: Bool
    private let state = Mutex(State())

    public init(trust: TrustLabel, isVerbatim: Bool = false) {
        self.trust = trust
        self.isVerbatim = isVerbatim
    }

    /// How far is to be trusted what the call hands on now.
    public var written: TrustLabel { trust.joined(with: state.withLock { $0.read }) }

    /// How far a row of these texts is to be trusted that the call writes now.
    public func written(_ texts: [String]) -> TrustLabel {
        guard isVerbatim else { return written }
        let (rows, given) = state.withLock { ($0.rows, $0.given) }
        let own = trust.joined(with: given)
        guard !rows.isEmpty else { return own }
        let content = Content(texts)
        return rows.reduce(own) { trust, row in
            content.holds(row.key, row.value.texts) ? trust.joined(with: row.value.trust) : trust
        }
    }

    /// The call has read a row that holds others' words.
    public func read(row id: Int64, trust: TrustLabel, texts: [String]) {
        state.withLock { state in
            state.rows[id] = Row(trust: trust, texts: texts)
            state.read = state.read.joined(with: trust)
        }
    }

    /// The call was given something by another tool.
    public func read(_ trust: TrustLabel) {
        guard trust > .system else { return }
        state.withLock { state in
            state.read = state.read.joined(with: trust)
            state.given = state.given.joined(with: trust)
        }
    }

    /// A result with the trust of what it is made of, and what it shows with the trust of each.
    public func labelled(_ value: ToolValue) -> ToolValue {
        let (rows, read, given) = state.withLock { ($0.rows, $0.read, $0.given) }
        guard read > .system else { return value }
        var value = value
        if !isVerbatim {
            value.trust = value.trust.joined(with: read)
        } else {
            value.trust = given > .system ? value.trust.joined(with: given) : value.trust
            let content = Content(value)
            for (id, row) in rows where row.trust > value.trust && content.holds(id, row.texts) {
                value.trust = value.trust.joined(with: row.trust)
            }
        }
        for index in (value.shown?.items ?? []).indices {
            guard let item = value.shown?.items[index], let id = Int64(item.id), let row = rows[id] else { continue }
            value.shown?.items[index].trust = item.trust.joined(with: row.trust)
        }
        return value
    }

    /// What a result says, folded for comparison.
    private struct Content {
        private var ids: Set<String> = []
        private var text = ""

        /// Shorter texts and single words are found by their row's id alone: they are in everything.
        private static let shortest = 4
        private static let longWord = 12
        /// A tool may show a long text cut: its beginning tells.
        private static let beginning = 16

        init(_ value: ToolValue) {
            text = Content.folded(value.message)
            take(value.value)
            for item in value.shown?.items ?? [] {
                ids.insert(item.id)
                text += "\n" + Content.folded(item.label)
            }
        }

        init(_ texts: [String]) { text = texts.map(Content.folded).joined(separator: "\n") }

        private mutating func take(_ json: JSON) {
            switch json {
            case .string(let string):
                if string.utf8.count < 20, string.utf8.allSatisfy({ (48...57).contains($0) }) { ids.insert(string) }
                text += "\n" + Content.folded(string)
            case .array(let items): for item in items { take(item) }
            case .object(let members): for member in members { take(member.value) }
            default: break
            }
        }

        func holds(_ id: Int64, _ texts: [String]) -> Bool {
            if ids.contains(String(id)) { return true }
            return texts.contains { own in
                let beginning = String(Content.folded(own).prefix(Content.beginning))
                guard
                    beginning.count >= Content.longWord
                        || (beginning.count >= Content.shortest && beginning.contains(" "))
                else { return false }
                return text.contains(beginning)
            }
        }

        private static func folded(_ text: String) -> String {
            text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }
}
