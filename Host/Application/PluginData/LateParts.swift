import Synchronization
import TandemOAuth
import TandemPluginHost

/// Parts that the plugins' services need and that are made after them. Empty until they are set; holds them weakly.
final class LateParts: Sendable {
    private struct Parts {
        weak var work: PluginWork?
        weak var plugins: PluginHost?
        weak var connections: OAuthConnections?
        var outbox: NoticeOutbox?
    }

    private let parts = Mutex(Parts())

    func set(work: PluginWork, plugins: PluginHost) {
        parts.withLock { parts in
            parts.work = work
            parts.plugins = plugins
        }
    }

    func set(connections: OAuthConnections) { parts.withLock { $0.connections = connections } }

    func set(outbox: NoticeOutbox) { parts.withLock { $0.outbox = outbox } }

    var plugins: PluginHost? { parts.withLock { $0.plugins } }
    var connections: OAuthConnections? { parts.withLock { $0.connections } }
    var outbox: NoticeOutbox? { parts.withLock { $0.outbox } }
    var work: PluginWork? { parts.withLock { $0.work } }

    /// For the person; the id of one that is not loaded.
    func name(ofPlugin id: String) -> String {
        plugins?.manifests.first { $0.id == id }?.name ?? id
    }
}
