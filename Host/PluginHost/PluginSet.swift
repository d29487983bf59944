import TandemCore

/// One state of the catalogue: what is loaded, what is refused and why. Replaced as a whole.
final class PluginSet: Sendable {
    struct ToolReference: Sendable {
        let plugin: LoadedPlugin
        /// The plugin's index in the set.
        let index: Int
        let tool: CallableTool
    }

    struct Refused: Sendable {
        let entry: RegistryEntry
        let manifest: PluginManifest?
        let checksum: String?
        let refusal: PluginRefusal
        /// The refusal came after the library was mapped.
        let isMapped: Bool
    }

    enum Listed: Sendable {
        case loaded(Int)
        case refused(Refused)
    }

    let generation: UInt64
    let plugins: [LoadedPlugin]
    let tools: [String: ToolReference]
    /// In the order of the registry.
    let listed: [Listed]

    init(generation: UInt64, plugins: [LoadedPlugin], listed: [Listed]) {
        self.generation = generation
        self.plugins = plugins
        self.listed = listed
        var tools: [String: ToolReference] = [:]
        for (index, plugin) in plugins.enumerated() {
            for tool in plugin.tools {
                tools[tool.definition.id] = ToolReference(plugin: plugin, index: index, tool: tool)
            }
        }
        self.tools = tools
    }

    func plugin(_ id: String) -> (index: Int, plugin: LoadedPlugin)? {
        for (index, plugin) in plugins.enumerated() where plugin.id == id { return (index, plugin) }
        return nil
    }
}
