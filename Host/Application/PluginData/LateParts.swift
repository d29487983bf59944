import Synchronization
import TandemPluginHost

/// Parts that the plugins' services need and that are made after them. Empty until they are set; holds them weakly.
final class LateParts: Sendable {
    private struct Parts {
        weak var work: PluginWork?
        weak var plugins: PluginHost?
    }

    private let parts = Mutex(Parts())

    func set(work: PluginWork, plugins: PluginHost) {
        parts.withLock { parts in
            parts.work = work
            parts.plugins = plugins
        }
    }

    var work: PluginWork? { parts.withLock { $0.work } }

    /// For the person; the id of one that is not loaded.
    func name(ofPlugin id: String) -> String {
        parts.withLock { $0.plugins }?.manifests.first { $0.id == id }?.name ?? id
    }
}
