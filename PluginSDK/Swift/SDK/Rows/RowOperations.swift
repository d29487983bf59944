internal import CTandemPlugin
internal import TandemJSON

/// The JSON of row operations and of their results (`tandem/ext/rows.h`).
enum RowOperations {
    static let unreadable = ToolError(
        status: TANDEM_E_INTERNAL, code: "unreadable_rows", "The stored data could not be read.")

    static func insert<R: Row>(_ row: R) -> JSON {
        let values = StructLayout.of(R.self).encode(row, omittingNulls: true, except: impliedColumns)
        return ["insert": .string(R.table.name), "values": .object(values)]
    }

    static func get<R: Row>(_ type: R.Type, _ id: RowID) -> JSON { ["get": .string(R.table.name), "id": id.json] }

    static func update<R: Row>(_ row: R) -> JSON {
        let values = StructLayout.of(R.self).encode(row, omittingNulls: false, except: impliedColumns)
        return ["update": .string(R.table.name), "id": row.id.json, "set": .object(values)]
    }

    static func update<R: Row>(_ id: RowID, _ assignments: [Assignment<R>]) -> JSON {
        ["update": .string(R.table.name), "id": id.json, "set": values(assignments)]
    }

    static func update<R: Row>(_ conditions: [Condition<R>], _ assignments: [Assignment<R>]) -> JSON {
        ["update": .string(R.table.name), "where": filter(conditions), "set": values(assignments)]
    }

    static func delete<R: Row>(_ type: R.Type, _ id: RowID) -> JSON {
        ["delete": .string(R.table.name), "id": id.json]
    }

    static func delete<R: Row>(_ conditions: [Condition<R>]) -> JSON {
        ["delete": .string(R.table.name), "where": filter(conditions)]
    }

    static func list<R: Row>(
        _ conditions: [Condition<R>], _ order: [Order<R>], _ limit: Int, _ offset: Int
    ) -> JSON {
        var operation: JSONObject = ["list": .string(R.table.name)]
        if !conditions.isEmpty { operation["where"] = filter(conditions) }
        if !order.isEmpty { operation["order"] = .array(order.map(\.json)) }
        operation["limit"] = .integer(Int64(limit))
        if offset > 0 { operation["offset"] = .integer(Int64(offset)) }
        return .object(operation)
    }

    static func count<R: Row>(_ conditions: [Condition<R>]) -> JSON {
        ["count": .string(R.table.name), "where": filter(conditions)]
    }

    static func sum<R: Row>(
        _ column: PartialKeyPath<R>, _ groups: [PartialKeyPath<R>], _ conditions: [Condition<R>]
    ) -> JSON {
        let layout = StructLayout.of(R.self)
        func name(_ path: PartialKeyPath<R>) -> JSON {
            .string(MemoryLayout<R>.offset(of: path).flatMap { layout.field(at: $0)?.name } ?? "?")
        }
        var operation: JSONObject = ["sum": .string(R.table.name), "column": name(column)]
        if !groups.isEmpty { operation["by"] = .array(groups.map(name)) }
        operation["where"] = filter(conditions)
        return .object(operation)
    }

    private static func filter<R: Row>(_ conditions: [Condition<R>]) -> JSON { .array(conditions.map(\.json)) }

    private static func values<R: Row>(_ assignments: [Assignment<R>]) -> JSON {
        var object = JSONObject()
        for assignment in assignments { object[assignment.name] = assignment.value }
        return .object(object)
    }

    static func row<R: Row>(_ type: R.Type, _ json: JSON?) throws(ToolError) -> R {
        guard let json else { throw unreadable }
        do throws(ShapeError) {
            return try R(json: json, reader: Reader())
        } catch {
            throw ToolError(status: unreadable.status, code: unreadable.code, unreadable.message)
        }
    }

    static func count(_ json: JSON?) throws(ToolError) -> Int {
        guard let count = json?["count"]?.int64Value else { throw unreadable }
        return Int(count)
    }

    static func id(_ json: JSON?) throws(ToolError) -> RowID {
        guard case .string(let text) = json?["id"], let id = RowID(text) else { throw unreadable }
        return id
    }
}
