internal import Synchronization
public import TandemCore
public import TandemJSON

/// What a domain keeps of people in system tables, as `exportUser` gives it to them.
///
/// Their erasure needs none: `eraseUser` empties every system table that has a column `user_id`.
public struct PersonalRecords: Sendable {
    /// `plugin_values`.
    public var name: String
    /// For the person: `small values that plugins keep`.
    public var purpose: String
    /// The person's, opened; in an order that stays.
    public var records: @Sendable (_ user: UserID, _ transaction: any ReadTransaction) throws -> [JSON]

    public init(
        _ name: String, _ purpose: String,
        records: @escaping @Sendable (_ user: UserID, _ transaction: any ReadTransaction) throws -> [JSON]
    ) {
        self.name = name
        self.purpose = purpose
        self.records = records
    }
}

extension Database {
    /// Makes records part of every export from now on; those of a known name are replaced.
    public func register(_ records: [PersonalRecords]) { store.records.add(records) }
}

/// The records of all domains, by their names.
final class RecordCatalogue: Sendable {
    private let all = Mutex<[String: PersonalRecords]>([:])

    func add(_ records: [PersonalRecords]) {
        all.withLock { all in
            for record in records { all[record.name] = record }
        }
    }

    var sorted: [PersonalRecords] { all.withLock { $0.values.sorted { $0.name < $1.name } } }
}
