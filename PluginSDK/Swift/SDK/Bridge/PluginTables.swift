internal import CTandemPlugin
internal import TandemJSON

/// A constant table that lives as long as the process.
struct StaticTable: @unchecked Sendable {
    // Sendable: written once, before anybody sees it.
    let pointer: UnsafeRawPointer

    init<Table>(_ table: Table) {
        let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
        memory.initialize(to: table)
        pointer = UnsafeRawPointer(memory)
    }
}

/// The tables of the plugin's side, by their ids.
enum PluginTables {
    static func table(_ id: String) -> StaticTable? {
        switch id {
        case TANDEM_EXT_HEALTH: health
        case TANDEM_EXT_CONFIG_CHECK: configCheck
        case TANDEM_EXT_MIGRATE: migrate
        case TANDEM_EXT_DIAGNOSTICS: diagnostics
        default: nil
        }
    }

    private static let health = StaticTable(tandem_health(header: header(tandem_health.self), check: tandemSDKHealth))
    private static let configCheck = StaticTable(
        tandem_config_check(header: header(tandem_config_check.self), check: tandemSDKConfigCheck))
    private static let migrate = StaticTable(
        tandem_migrate(header: header(tandem_migrate.self), migrate: tandemSDKMigrate))
    private static let diagnostics = StaticTable(
        tandem_diagnostics(header: header(tandem_diagnostics.self), dump: tandemSDKDiagnostics))

    private static func header<T>(_ type: T.Type) -> tandem_header {
        tandem_header(size: UInt32(MemoryLayout<T>.size), flags: 0)
    }
}

/// A question of the host, called like a tool.
struct Consultation: AnyRegisteredTool {
    let startsInline = true
    let answer: @Sendable (_ arguments: JSON, _ context: Context) async throws -> JSON

    nonisolated(nonsending) func run(_ call: Call) async -> Outcome {
        await RegisteredFailure.outcome(of: call) {
            .value(try await answer(call.arguments, Context(call: call)), message: "", shown: nil, trust: nil)
        }
    }

    /// What a plugin answers, by the id of the extension.
    static func all<P: Plugin>(of type: P.Type) -> [String: Consultation] {
        var all = [TANDEM_EXT_HEALTH: Consultation { try await type.health($1).json }]
        if let type = type as? any CheckingSettings.Type {
            all[TANDEM_EXT_CONFIG_CHECK] = Consultation { arguments, context in
                let problems = try await type.check(ProposedSettings(arguments), context)
                return [
                    "problems": .array(
                        problems.map { ["name": .string($0.name), "message": .string($0.message)] })
                ]
            }
        }
        if let type = type as? any Migrating.Type {
            all[TANDEM_EXT_MIGRATE] = Consultation { arguments, context in
                let settings = try await type.migrate(Migration(arguments), context)
                return settings.map { ["config": .object($0)] } ?? [:]
            }
        }
        if let type = type as? any Diagnosing.Type {
            all[TANDEM_EXT_DIAGNOSTICS] = Consultation { .object(try await type.diagnostics($1)) }
        }
        return all
    }
}

// Functions that the host calls: see Callbacks.swift.

private typealias InstanceTable = UnsafeMutablePointer<tandem_instance>
private typealias Request = UnsafePointer<tandem_request>

private func consult(_ table: InstanceTable, _ request: Request, _ id: String) -> Int32 {
    Instance.of(table)?.consult(request, id) ?? TANDEM_E_INVALID_ARGUMENT
}

private func tandemSDKHealth(_ table: InstanceTable, _ request: Request) -> Int32 {
    consult(table, request, TANDEM_EXT_HEALTH)
}

private func tandemSDKConfigCheck(_ table: InstanceTable, _ request: Request) -> Int32 {
    consult(table, request, TANDEM_EXT_CONFIG_CHECK)
}

private func tandemSDKMigrate(_ table: InstanceTable, _ request: Request) -> Int32 {
    consult(table, request, TANDEM_EXT_MIGRATE)
}

private func tandemSDKDiagnostics(_ table: InstanceTable, _ request: Request) -> Int32 {
    consult(table, request, TANDEM_EXT_DIAGNOSTICS)
}
