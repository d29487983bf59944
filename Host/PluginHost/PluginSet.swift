import Synchronization
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

    /// Most people have one of a few combinations switched on: whoever compares arrays sees the same one at once.
    private let arrays = Mutex<[[PluginAccess?]: [ToolDefinition]]>([:])
    private static let maxArrays = 256

    /// The usable tools of the plugins with these grants, by index of the plugin, in the order of the registry and the
    /// manifests; marked where the person wants to be asked first.
    func tools(at grants: [PluginAccess?]) -> [ToolDefinition] {
        arrays.withLock { arrays in
            if let known = arrays[grants] { return known }
            var tools: [ToolDefinition] = []
            for (plugin, grant) in zip(plugins, grants) {
                guard let grant else { continue }
                for tool in plugin.tools {
                    switch grant.access(to: tool.definition) {
                    case .allowed: tools.append(tool.definition)
                    case .confirm:
                        var definition = tool.definition
                        definition.asksFirst = true
                        tools.append(definition)
                    case .off, .offered, .readOnly: break
                    }
                }
            }
            if arrays.count >= PluginSet.maxArrays { arrays.removeAll() }
            arrays[grants] = tools
            return tools
        }
    }

    func plugin(_ id: String) -> (index: Int, plugin: LoadedPlugin)? {
        for (index, plugin) in plugins.enumerated() where plugin.id == id { return (index, plugin) }
        return nil
    }
}
