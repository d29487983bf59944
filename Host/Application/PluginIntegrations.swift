import TandemCore
import TandemLife
import TandemPluginHost

/// Switching plugins on and off by text: the person's words are the consent, after they were told what it may do.
struct PluginIntegrations: IntegrationControl {
    let plugins: PluginHost

    func integrations(for scope: UserScope) async throws -> [Integration] {
        let manifests = Dictionary(plugins.manifests.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return try await plugins.states(scope).compactMap { grant in
            guard let manifest = manifests[grant.plugin] else { return nil }
            return Integration(
                namespace: manifest.namespace, name: grant.name, aliases: grant.aliases, summary: grant.summary,
                permissions: PluginIntegrations.permissions(of: manifest), state: PluginIntegrations.state(grant.state))
        }
    }

    func setEnabled(_ isEnabled: Bool, namespace: String, in scope: UserScope, origin: WriteOrigin) async throws {
        do {
            if isEnabled {
                try await plugins.switchOn(namespace, in: scope)
            } else {
                try await plugins.switchOff(namespace, in: scope)
            }
        } catch let error as GrantError {
            throw ToolFailure(status: -3, code: error.code.rawValue, message: "\(error.reason). Nothing was changed.")
        }
    }

    private static func state(_ state: GrantState) -> Integration.State {
        switch state {
        case .enabled: .on
        case .needsReauth: .unavailable(reason: "It has to be connected again first.")
        case .unavailable: .unavailable(reason: "It is not available here.")
        default: .off
        }
    }

    /// What it may do, from the manifest: `keeps the items on your grocery list; may use expenses.record`.
    private static func permissions(of manifest: PluginManifest) -> String {
        var parts: [String] = []
        let purposes = manifest.tables.map(\.purpose).filter { !$0.isEmpty }
        if !purposes.isEmpty { parts.append("keeps \(list(purposes))") }
        let effects = Set(manifest.tools.map(\.effect))
        if effects.contains(.send) { parts.append("may send for you, asking first") }
        if effects.contains(.spend) { parts.append("may spend money, asking first") }
        let others = manifest.calls.map(\.tool).map { String($0.prefix { $0 != "." }) }
        let names = others.enumerated().filter { others.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        if !names.isEmpty { parts.append("may add to \(list(names)) when that is on") }
        return parts.joined(separator: "; ")
    }

    private static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}
