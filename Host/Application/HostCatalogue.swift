import Synchronization
import TandemAgent
import TandemCore
import TandemJSON
import TandemLife
import TandemMemory
import TandemPluginHost

/// All tools of this host, the built-in ones first, kept until the loaded plugins change.
final class HostCatalogue: ToolCatalogue {
    private struct Cached {
        var generation: UInt64
        var tools: [ToolDefinition]
        /// How people know the integrations, by namespace.
        var names: [String: String]
        var phrases: IntegrationPhrases
    }

    let plugins: PluginHost
    let steps: ConnectionSteps
    private let cached = Mutex<Cached?>(nil)

    init(plugins: PluginHost, steps: ConnectionSteps) {
        self.plugins = plugins
        self.steps = steps
    }

    func allTools() -> [ToolDefinition] { current().tools }

    func integration(of tool: String) -> String? {
        let namespace = String(tool.prefix { $0 != "." })
        return current().names[namespace]
    }

    func decision(in text: String) -> (tool: String, arguments: JSON)? {
        AccountPhrases.call(for: text) ?? current().phrases.call(for: text) ?? MemoryPhrases.call(for: text)
    }

    func told(in text: String) -> ToldFacts? { HostCatalogue.told(in: text) }

    /// What is kept without being asked for.
    static func told(in text: String) -> ToldFacts? {
        let reading = MemoryCapture.read(text, trust: .owner)
        guard !reading.statements.isEmpty else { return nil }
        return ToldFacts(
            facts: reading.statements.map {
                ToldFacts.Fact(text: $0.text, tool: "memory.remember", arguments: ["text": .string($0.text)])
            }, rest: reading.rest)
    }

    private func current() -> Cached {
        let generation = plugins.generation
        return cached.withLock { cached in
            if let cached, cached.generation == generation { return cached }
            let trust = Dictionary(
                plugins.statuses().map { ($0.id, $0.trust) }, uniquingKeysWith: { first, _ in first })
            let made = Cached(
                generation: generation, tools: LifeTools.definitions + plugins.allTools,
                names: Dictionary(
                    plugins.manifests.map { manifest in
                        // A stranger's name may be anybody's.
                        let isOurs = trust[manifest.id] == .firstParty
                        return (manifest.namespace, isOurs ? manifest.name.lowercased() : manifest.namespace)
                    }, uniquingKeysWith: { first, _ in first }),
                phrases: IntegrationPhrases(
                    plugins.manifests.map { manifest in
                        // Other words for a stranger's plugin could be anybody's: for decisions only its own names count.
                        let isOurs = trust[manifest.id] == .firstParty
                        return IntegrationPhrases.Named(
                            namespace: manifest.namespace, name: manifest.name,
                            aliases: isOurs ? manifest.aliases : [],
                            tools: manifest.tools.map { ($0.id, $0.title, $0.effect) })
                    }))
            cached = made
            return made
        }
    }
}
