import TandemCore
import TandemJSON

/// The compiled declarations of a plugin.
struct PluginParts: Sendable {
    var tools: [CallableTool] = []
    var handlers: [CallableTool] = []
    var topics: [String: JSONSchema] = [:]

    /// Throws a refusal that names what does not compile.
    init(compiling manifest: PluginManifest) throws(PluginRefusal) {
        for tool in manifest.tools { tools.append(try Self.compile(tool)) }
        for handler in manifest.handlers { handlers.append(try Self.compile(handler)) }
        for topic in manifest.publishes {
            do throws(JSONSchemaError) {
                topics[topic.topic] = try JSONSchema(compiling: topic.schema)
            } catch {
                throw PluginRefusal(.invalidManifest, "the schema of \(topic.topic) is invalid: \(error)")
            }
        }
    }

    private static func compile(_ tool: ToolDefinition) throws(PluginRefusal) -> CallableTool {
        do throws(JSONSchemaError) {
            return try CallableTool(tool)
        } catch {
            throw PluginRefusal(.invalidManifest, "the schema of \(tool.id) is invalid: \(error)")
        }
    }
}

/// What a plugin asks of the others that are loaded.
struct PluginSurroundings: Sendable {
    /// Whether a tool could be used now.
    var availability: @Sendable (String, UserScope) -> Bool
    /// Who hears of a topic.
    var subscribers: @Sendable (String, UserScope) async throws -> [PluginEvent.Receiver]
    /// Calls a plugin-side extension of an instance that was counted in; nil when it does not offer it.
    var consult: @Sendable (PluginInstance, Consultation, JSONObject, WriteOrigin, UserScope) async -> ToolOutcome?
    /// A library was mapped into this process, by its checksum.
    var mapped: @Sendable (String) -> Void
    /// Puts what has changed or does not hold before the loader.
    var reload: @Sendable () async -> Void
}
