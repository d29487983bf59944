public import TandemCore
import TandemJSON
import TandemStorage

/// Something that a person is at for a while: a house move, the tax return. One at a time is the current one.
///
/// What is remembered meanwhile belongs to it (`ltm_memories.context`): it is found by the area's name, and a little before
/// others while the area is current.
public struct FocusArea: Sendable, Hashable {
    public enum State: String, Sendable {
        /// What the person is at now.
        case current
        /// To be come back to.
        case open
        case closed
    }

    public var id: RecordID
    public var name: String
    public var state: State
    public var startedAt: Timestamp
    /// When it last became the current one.
    public var activeAt: Timestamp

    init(row: UserRow) {
        id = row.id
        name = row.string("name") ?? ""
        state = row.string("state").flatMap(State.init(rawValue:)) ?? .closed
        startedAt = row.createdAt
        activeAt = row.timestamp("active_at") ?? row.updatedAt
    }
}

extension LongTermMemory {
    /// Focus areas of one person at most; the closed one that was current longest ago goes first.
    public static let mostFocusAreas = 200
    /// The longest name, in characters.
    public static let longestFocusName = 120

    static let focusTable = "focus_areas"

    /// Makes an area the current one: the one of this name, or a new one. The one before stays open.
    public func focus(on name: String, in scope: UserScope, origin: WriteOrigin) async throws -> FocusArea {
        let name = name.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard name.contains(where: { $0.isLetter || $0.isNumber }), name.count <= LongTermMemory.longestFocusName else {
            throw ToolFailure(status: -1, code: "empty", message: "What would you like to focus on?")
        }
        return try await database.write(scope) { transaction in
            let areas = try LongTermMemory.areas(in: transaction)
            let now = JSON.timestamp(transaction.now)
            let key = LongTermMemory.key(name)
            let known = areas.first { LongTermMemory.key($0.name) == key }
            for area in areas where area.state == .current && area.id != known?.id {
                try transaction.update(
                    LongTermMemory.focusTable, area.id, set: ["state": .string(FocusArea.State.open.rawValue)],
                    origin: origin)
            }
            let id: RecordID
            if let known {
                id = known.id
                try transaction.update(
                    LongTermMemory.focusTable, id,
                    set: ["state": .string(FocusArea.State.current.rawValue), "active_at": now], origin: origin)
            } else {
                if areas.count >= LongTermMemory.mostFocusAreas {
                    guard let oldest = areas.last(where: { $0.state == .closed }) else {
                        throw ToolFailure(
                            status: -21, code: "too_many", message: "You have many focus areas. Close one first.")
                    }
                    try transaction.delete(LongTermMemory.focusTable, oldest.id, origin: origin)
                }
                id = try transaction.insert(
                    LongTermMemory.focusTable,
                    ["name": .string(name), "state": .string(FocusArea.State.current.rawValue), "active_at": now],
                    origin: origin)
            }
            guard let row = try transaction.row(LongTermMemory.focusTable, id) else {
                throw StorageError(.internalFailure, "an inserted row is not there")
            }
            return FocusArea(row: row)
        }
    }

    /// Closes an area; nil: the current one. Gives it; nil when there is none.
    public func endFocus(_ id: RecordID?, in scope: UserScope, origin: WriteOrigin) async throws -> FocusArea? {
        try await database.write(scope) { transaction in
            let areas = try LongTermMemory.areas(in: transaction)
            guard let area = areas.first(where: { id == nil ? $0.state == .current : $0.id == id }) else { return nil }
            try transaction.update(
                LongTermMemory.focusTable, area.id, set: ["state": .string(FocusArea.State.closed.rawValue)],
                origin: origin)
            return area
        }
    }

    /// The current one first, then by when each was current last.
    public func focusAreas(in scope: UserScope) async throws -> [FocusArea] {
        try await database.read(scope) { try LongTermMemory.areas(in: $0) }
    }

    static func areas(in transaction: any ReadTransaction) throws -> [FocusArea] {
        let all = try transaction.list(
            focusTable, order: [RowOrder("active_at", descending: true)], limit: 2 * mostFocusAreas
        ).map(FocusArea.init(row:))
        return all.filter { $0.state == .current } + all.filter { $0.state != .current }
    }

    /// The name of what the person is at now.
    static func currentFocus(in transaction: any ReadTransaction) throws -> String? {
        try transaction.list(
            focusTable, where: [RowCondition("state", .equal, .string(FocusArea.State.current.rawValue))], limit: 1
        ).first?.string("name")
    }

    /// The areas whose whole name is in a question.
    static func areas(_ areas: [FocusArea], namedBy question: String) -> [FocusArea] {
        guard !areas.isEmpty else { return [] }
        let asked = Set(TextAnalyzer.stems(question))
        return areas.filter { asked.isSuperset(of: TextAnalyzer.stems($0.name)) }
    }

    /// Names that say the same.
    private static func key(_ name: String) -> String { TextAnalyzer.stems(name).joined(separator: " ") }
}
