import TandemAccounts
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// `tandem.rows/1` on the storage: a plugin reaches its own tables and one person's rows, nothing else.
struct StoredRows: RowExecutor {
    let database: any Database

    func prepare(tables: [TableDefinition], owner: String) async throws {
        try await database.register(tables, owner: owner)
    }

    func execute(
        operations: JSON, owner: String, scope: UserScope, origin: WriteOrigin, mayWrite: Bool,
        copies: Set<String>, quota: PluginQuota
    ) async -> Result<JSON, RowFailure> {
        do {
            let operations = try RowOperation.parse(operations)
            let access = TableAccess.owner(owner, allowsWrites: mayWrite, writable: copies)
            let results: [RowResult]
            if operations.contains(where: \.isWrite) {
                let limit = RowQuota(rows: quota.rows, bytes: quota.bytes)
                results = try await database.write(scope) { transaction in
                    try transaction.run(operations, tables: access, origin: origin, quota: limit)
                }
            } else {
                results = try await database.read(scope) { try $0.run(operations, tables: access) }
            }
            return .success(.array(results.map(\.json)))
        } catch let error as StorageError {
            return .failure(
                RowFailure(
                    status: error.abiStatus, code: error.code.rawValue, operation: error.index, column: error.column,
                    message: error.message))
        } catch is CancellationError {
            return .failure(RowFailure(status: -24, code: "cancelled", message: "the call was cancelled"))
        } catch {
            return .failure(RowFailure(status: -99, code: "internal", message: "the storage failed"))
        }
    }
}

/// What people switched on, in the user table `plugin_grants`.
struct StoredGrants: GrantStore {
    static let owner = "host.plugins"
    static let tables = [GrantRecord.table]

    let database: any Database
    let audit: any AuditSink
    /// Told within the transaction that stores a decision, so that what follows from it is durable with it.
    var decided: @Sendable (GrantRecord, UserScope, any WriteTransaction) throws -> Void = { _, _, _ in }

    var changeCount: Int { database.store.tables.changeCount(of: GrantRecord.table.name) }

    func grants(of scope: UserScope) async throws -> [GrantRecord] {
        try await database.read(scope) { transaction in
            try transaction.list(GrantRecord.table.name, limit: RowQuery.maxLimit).compactMap { row in
                let level = row.string("level").flatMap(GrantLevel.init(rawValue:))
                guard let plugin = row.string("plugin"), let name = row.string("state"),
                    let state = GrantState(name: name, level: level)
                else { return nil }
                var tools: [String: ToolGrant] = [:]
                for (tool, grant) in row["tools"].objectValue ?? [:] {
                    // What cannot be read is not granted.
                    tools[tool] = grant.stringValue.flatMap(ToolGrant.init(rawValue:)) ?? .off
                }
                var record = GrantRecord(
                    plugin: plugin, state: state, approval: row.string("approved_hash") ?? "", tools: tools,
                    asked: row.string("asked_hash") ?? "")
                record.lastLevel = level
                if let hash = row.string("reach_hash"), let text = row.string("approved") {
                    record.reach = StoredReach(hash: hash, text: text)
                }
                return record
            }
        }
    }

    func save(_ record: GrantRecord, for scope: UserScope, origin: WriteOrigin?) async throws {
        try await database.write(scope) { transaction in
            var tools: JSONObject = [:]
            for (tool, grant) in record.tools.sorted(by: { $0.key < $1.key }) { tools[tool] = .string(grant.rawValue) }
            let values: JSONObject = [
                "state": .string(record.state.name),
                "level": (record.state.level ?? record.lastLevel).map { .string($0.rawValue) } ?? .null,
                "approved_hash": .string(record.approval), "approved": record.reach.map { .string($0.text) } ?? .null,
                "reach_hash": record.reach.map { .string($0.hash) } ?? .null,
                "tools": tools.isEmpty ? .null : .object(tools), "asked_hash": .string(record.asked),
            ]
            let changed = try transaction.update(
                GrantRecord.table.name, where: [RowCondition("plugin", .equal, .string(record.plugin))], set: values,
                origin: origin)
            if changed == 0 {
                var row = values
                row["plugin"] = .string(record.plugin)
                try transaction.insert(GrantRecord.table.name, row, origin: origin)
            }
            var detail = ["plugin": record.plugin, "state": record.state.name]
            if let level = record.state.level { detail["level"] = level.rawValue }
            for (tool, grant) in record.tools.sorted(by: { $0.key < $1.key }).prefix(50) {
                detail["tool \(tool)"] = grant.rawValue
            }
            try audit.record(
                AuditEvent(.grantChanged, user: scope.user, actor: .person(scope.user), detail: detail),
                in: transaction)
            try decided(record, scope, transaction)
        }
    }

    /// Has the audit tell of decisions that an undo takes back.
    func observeUndo() {
        database.observeUndo(of: GrantRecord.table.name) { [audit] transaction in
            guard case .user(let scope) = transaction.scope else { return }
            try audit.record(
                AuditEvent(.grantTakenBack, user: scope.user, actor: .person(scope.user)), in: transaction)
        }
    }

    /// Notes what a person was asked, with the answer that asks.
    static func note(asked hash: String, of plugin: String, in transaction: any WriteTransaction) throws {
        try transaction.update(
            GrantRecord.table.name, where: [RowCondition("plugin", .equal, .string(plugin))],
            set: ["asked_hash": .string(hash)])
    }
}
