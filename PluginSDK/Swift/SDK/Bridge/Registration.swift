internal import CTandemPlugin
internal import Synchronization
internal import TandemJSON

/// A tool as calls find it.
protocol AnyRegisteredTool: Sendable {
    var startsInline: Bool { get }
    // Nonsending: stays where the call began, without a switch of executors.
    nonisolated(nonsending) func run(_ call: Call) async -> Outcome
}

struct RegisteredTool<T: Tool>: AnyRegisteredTool {
    let layout = ToolLayout(T.self)
    let startsInline = T.declaration.startsInline

    nonisolated(nonsending) func run(_ call: Call) async -> Outcome {
        await RegisteredFailure.outcome(of: call) {
            let tool = try layout.tool(call.arguments, call.reader)
            return try await tool.run(Context(call: call)).outcome
        }
    }
}

/// A timer's or an event's handler, called like a tool.
struct RegisteredHandler<H: Handler>: AnyRegisteredTool {
    let layout = ToolLayout(H.self)
    let startsInline = H.declaration.startsInline

    nonisolated(nonsending) func run(_ call: Call) async -> Outcome {
        await RegisteredFailure.outcome(of: call) {
            guard let occasion = Occasion(call.arguments) else {
                return .failure(.invalid("That is no call of a timer or an event.", code: "invalid_arguments"))
            }
            let handler = try layout.tool(call.arguments["data"] ?? [:], call.reader)
            try await handler.run(Context(call: call), occasion)
            return .value([:], message: "", shown: nil, trust: nil)
        }
    }
}

/// What errors mean, for everything that an author writes.
enum RegisteredFailure {
    nonisolated(nonsending) static func outcome(
        of call: Call, _ body: nonisolated(nonsending) () async throws -> Outcome
    ) async -> Outcome {
        do {
            if Task.isCancelled { return .failure(.cancelled) }
            return try await body()
        } catch let error as ToolError {
            return .failure(error)
        } catch let ask as Ask {
            return .question(ask)
        } catch let auth as AuthRequired {
            return .authRequired(auth)
        } catch is CancellationError {
            return .failure(.cancelled)
        } catch let error as ShapeError {
            return .failure(.invalid("\(error)", code: "invalid_arguments"))
        } catch {
            call.instance.host.log(
                TANDEM_LOG_ERROR, call.id, "tool failed", ["error.type": .string("\(type(of: error))")])
            return .failure(.failed)
        }
    }
}

/// A plugin, ready to make instances.
final class Registration: Sendable {
    let tools: [String: any AnyRegisteredTool]
    /// What it answers besides tools, by the id of the extension.
    let consultations: [String: Consultation]
    let maxInFlight: Int
    let manifest: [UInt8]
    let problems: [PluginDefinition.Problem]
    private let name: String
    private let services: [(pattern: HostPattern, name: String?)]

    init<P: Plugin>(_ type: P.Type) {
        let definition = P.definition
        consultations = Consultation.all(of: type)
        var tools: [String: any AnyRegisteredTool] = [:]
        for type in definition.tools { Self.add(type, to: &tools) }
        for type in definition.handlers { Self.add(type, of: definition.namespace, to: &tools) }
        self.tools = tools
        maxInFlight = definition.maxInFlight
        manifest = definition.manifestBytes
        problems = definition.validate()
        name = definition.name
        services = definition.hosts.compactMap { host in HostPattern(host.host).map { ($0, host.service) } }
    }

    /// What people call the service that an address belongs to.
    func service(of url: String) -> String {
        // The plugin stands for its own hosts; for all of the Internet nobody does.
        let matching = services.filter { $0.pattern.matches(url) }
        guard let host = matching.first(where: { !$0.pattern.name.isEmpty }) ?? matching.first else { return name }
        if let service = host.name { return service }
        return host.pattern.name.isEmpty ? HostPattern.host(of: url) ?? name : name
    }

    private static func add<T: Tool>(_ type: T.Type, to tools: inout [String: any AnyRegisteredTool]) {
        tools[T.declaration.id] = RegisteredTool<T>()
    }

    private static func add<H: Handler>(
        _ type: H.Type, of namespace: String, to tools: inout [String: any AnyRegisteredTool]
    ) {
        tools["\(namespace).\(H.declaration.name)"] = RegisteredHandler<H>()
    }

    /// Makes an instance; the caller owns the table until it calls `destroy`.
    func makeInstance(_ host: UnsafePointer<tandem_host>) -> UnsafeMutablePointer<tandem_instance>? {
        guard let access = HostAccess(host) else { return nil }
        return Instance(self, access).table
    }
}
