public import TandemCore
import TandemJSON
public import TandemStorage

/// One thing that a person told us to keep.
public struct Memory: Sendable, Hashable {
    public var id: RecordID
    /// As it was said.
    public var content: String
    public var tags: [String]
    public var category: String?
    /// The focus area that was current when it was said.
    public var context: String?
    public var type: String
    public var createdAt: Timestamp
    public var modifiedAt: Timestamp
    public var validFrom: Timestamp
    /// Nil while it holds.
    public var validUntil: Timestamp?
    /// The newer memory that took its place.
    public var supersededBy: RecordID?
    public var isArchived: Bool
    /// The turn in which it was said.
    public var sourceID: String?
    public var channel: String?
    public var trust: TrustLabel
    /// 1 to 10.
    public var importance: Int
    public var lastAccessed: Timestamp?
    /// How often it was part of an answer, as of the last consolidation.
    public var accessCount: Int
    /// When it ends by itself: a plan or an appointment on a day.
    public var expiresAt: Timestamp?
    public var archiveReason: String?
    /// Memories about the same things; nil: not looked for since it was said or changed.
    public var relatedIDs: [RecordID]?

    /// It holds now: neither closed nor archived.
    public var isOpen: Bool { supersededBy == nil && validUntil == nil && !isArchived }

    public func hasExpired(at now: Timestamp) -> Bool { expiresAt.map { $0 <= now } ?? false }

    public init(row: UserRow) {
        id = row.id
        content = row.string("content") ?? ""
        tags = (row["tags"].arrayValue ?? []).compactMap(\.stringValue)
        category = row.string("category")
        context = row.string("context")
        type = row.string("memory_type") ?? "fact"
        createdAt = row.createdAt
        modifiedAt = row.timestamp("last_modified") ?? row.createdAt
        validFrom = row.timestamp("valid_from") ?? row.createdAt
        validUntil = row.timestamp("valid_until")
        supersededBy = row.recordID("superseded_by")
        isArchived = row.bool("is_archived") ?? false
        sourceID = row.string("source_id")
        channel = row.string("channel")
        trust = row.string("trust_label").flatMap(TrustLabel.init(rawValue:)) ?? .untrusted
        importance = Int(min(max(row.integer("importance_score") ?? 5, 1), 10))
        lastAccessed = row.timestamp("last_accessed")
        accessCount = Int(min(max(row.integer("access_count") ?? 0, 0), 1 << 30))
        expiresAt = row.timestamp("expires_at")
        archiveReason = row.string("archive_reason")
        relatedIDs = row["related_memory_ids"].arrayValue?.compactMap { $0.stringValue.flatMap { RecordID($0) } }
    }
}

/// What is to be remembered, and where it comes from.
public struct NewMemory: Sendable, Hashable {
    public var content: String
    public var tags: [String]
    public var category: String?
    public var type: String
    /// `sms`, `cli` …, where known.
    public var channel: String?
    public var trust: TrustLabel
    /// 1 to 10; by its kind unless it is set.
    public var importance: Int
    public var expiresAt: Timestamp?

    /// - Parameter type: Nil: what the text's words say it is.
    public init(
        _ content: String, tags: [String] = [], category: String? = nil, type: String? = nil, channel: String? = nil,
        trust: TrustLabel = .owner
    ) {
        self.content = content
        self.tags = tags
        self.category = category
        let kind = StatementKind(content)
        self.type = type ?? kind.rawValue
        self.channel = channel
        self.trust = trust
        importance = (type.flatMap(StatementKind.init(rawValue:)) ?? kind).importance
    }
}

/// Why a memory is out of use.
public enum ArchiveReason: String, Sendable, Hashable {
    /// The day that it was about is over.
    case expired
    /// Another memory says the same; `parent_memory_id` names it.
    case duplicate
    /// A plan or a supposition that was never used again.
    case faded
}

/// What its owner changes of a memory; nil: nothing.
public struct MemoryCorrection: Sendable, Hashable {
    public var content: String?
    public var tags: [String]?
    /// `.some(nil)`: none any more.
    public var category: String??

    public init() {}
}

/// What became of something to be remembered.
public enum RememberResult: Sendable, Hashable {
    case added(Memory)
    /// It was known: the row that was there now has the new wording.
    case refreshed(Memory)
    /// It replaces an older statement about the same thing, which is closed, not lost.
    case replaced(Memory, older: Memory)

    public var memory: Memory {
        switch self {
        case .added(let memory), .refreshed(let memory), .replaced(let memory, _): memory
        }
    }
}

/// A memory that answers a question, and why.
public struct RecalledMemory: Sendable {
    public var memory: Memory
    public var score: RecallScore
}

/// What one step of consolidation did.
public struct ConsolidationStep: Sendable, Hashable {
    /// Where the next step goes on; nil at the end.
    public var next: RecordID?
    public var seen = 0
    public var expired = 0
    public var merged = 0
    public var faded = 0

    public init() {}
}
