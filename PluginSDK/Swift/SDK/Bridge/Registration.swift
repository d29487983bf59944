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
        do {
            if Task.isCancelled { return .failure(.cancelled) }
            let tool = try layout.tool(call.arguments, call.reader)
            return try await tool.run(Context(call: call)).outcome
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

/// `tandem.health/1`, called like a tool.
private struct HealthCheck<P: Plugin>: AnyRegisteredTool {
    let startsInline = true

    nonisolated(nonsending) func run(_ call: Call) async -> Outcome {
        do {
            return .value(try await P.health(Context(call: call)).json, message: "", shown: nil, trust: nil)
        } catch is CancellationError {
            return .failure(.cancelled)
        } catch {
            call.instance.host.log(
                TANDEM_LOG_ERROR, call.id, "health check failed", ["error.type": .string("\(type(of: error))")])
            return .failure(.failed)
        }
    }
}

/// A plugin, ready to make instances.
final class Registration: Sendable {
    let tools: [String: any AnyRegisteredTool]
    let health: any AnyRegisteredTool
    let maxInFlight: Int
    let manifest: [UInt8]
    let problems: [PluginDefinition.Problem]

    init<P: Plugin>(_ type: P.Type) {
        let definition = P.definition
        health = HealthCheck<P>()
        var tools: [String: any AnyRegisteredTool] = [:]
        for type in definition.tools { Self.add(type, to: &tools) }
        self.tools = tools
        maxInFlight = definition.maxInFlight
        manifest = definition.manifestBytes
        problems = definition.validate()
    }

    private static func add<T: Tool>(_ type: T.Type, to tools: inout [String: any AnyRegisteredTool]) {
        tools[T.declaration.id] = RegisteredTool<T>()
    }

    /// Makes an instance; the caller owns the table until it calls `destroy`.
    func makeInstance(_ host: UnsafePointer<tandem_host>) -> UnsafeMutablePointer<tandem_instance>? {
        guard let access = HostAccess(host) else { return nil }
        return Instance(self, access).table
    }
}
