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
    private let arrays = Mutex<[[GrantLevel?]: [ToolDefinition]]>([:])
    private static let maxArrays = 256

    /// The tools of the plugins at these levels, by index of the plugin, in the order of the registry and the manifests.
    func tools(at levels: [GrantLevel?]) -> [ToolDefinition] {
        arrays.withLock { arrays in
            if let known = arrays[levels] { return known }
            var tools: [ToolDefinition] = []
            for (plugin, level) in zip(plugins, levels) {
                guard let level else { continue }
                for tool in plugin.tools where level == .write || tool.definition.effect == .read {
                    tools.append(tool.definition)
                }
            }
            if arrays.count >= PluginSet.maxArrays { arrays.removeAll() }
            arrays[levels] = tools
            return tools
        }
    }

    func plugin(_ id: String) -> (index: Int, plugin: LoadedPlugin)? {
        for (index, plugin) in plugins.enumerated() where plugin.id == id { return (index, plugin) }
        return nil
    }
}
