import TandemAgent
import TandemCore
import TandemLife
import TandemPluginHost

/// Switching plugins on and off by text: the person's words are the consent, after they were told what it may do.
struct PluginIntegrations: IntegrationControl {
    let plugins: PluginHost
    let steps: ConnectionSteps
    let lives: PluginLives

    func ending(of namespace: String, in scope: UserScope) async throws -> IntegrationEnding {
        guard let manifest = plugins.manifests.first(where: { $0.namespace == namespace }) else {
            return IntegrationEnding()
        }
        return try await lives.ending(of: manifest, in: scope)
    }

    func connectionStep(of namespace: String, in scope: UserScope) async throws -> String? {
        guard let step = try await steps.next(of: namespace, grant: nil, in: scope) else { return nil }
        return "Connect \(step.service) here: \(step.link)"
    }

    func integrations(for scope: UserScope) async throws -> [Integration] {
        let revoked = plugins.statuses().compactMap(PluginIntegrations.revoked)
        return try await plugins.states(scope).map(PluginIntegrations.integration) + revoked
    }

    func apply(
        _ change: IntegrationChange, to namespace: String, in scope: UserScope, origin: WriteOrigin
    ) async throws {
        do {
            switch change {
            case .on(let level):
                try await plugins.switchOn(
                    namespace, level: level.map(PluginIntegrations.level), in: scope, origin: origin)
            case .off: try await plugins.switchOff(namespace, in: scope, origin: origin)
            case .level(let level):
                try await plugins.setLevel(
                    PluginIntegrations.level(level), of: namespace, in: scope, origin: origin)
            case .tool(let tool, let state):
                let grant: ToolGrant? =
                    switch state {
                    case .off: .off
                    case .on: nil
                    case .confirm: .confirm
                    case .write: .write
                    }
                try await plugins.setTool(tool, to: grant, in: scope, origin: origin)
            case .approveChanges: try await plugins.approveChanges(of: namespace, in: scope, origin: origin)
            case .leaveChanges: try await plugins.noteAsked(namespace, in: scope, origin: origin)
            }
        } catch let error as GrantError {
            throw ToolFailure(status: -3, code: error.code.rawValue, message: "\(error.reason). Nothing was changed.")
        }
    }

    static func integration(_ grant: PluginGrant) -> Integration {
        Integration(
            namespace: grant.namespace, name: grant.name, aliases: grant.aliases, summary: grant.summary,
            permissions: grant.consent, briefPermissions: grant.briefConsents, tier: tier(grant.trust),
            needsConsent: !grant.isApproved,
            state: state(grant.state), level: grant.state.level.map(level), tools: grant.tools.map(tool),
            request: grant.request)
    }

    /// A plugin that was revoked is still named, so that whoever misses it learns why.
    private static func revoked(_ status: PluginStatus) -> Integration? {
        guard let refusal = status.refusal, refusal.code == .revoked, let namespace = status.namespace,
            let name = status.name
        else { return nil }
        return Integration(namespace: namespace, name: name, state: .unavailable(reason: refusal.reason))
    }

    private static func tier(_ trust: RegistryEntry.Trust) -> String {
        switch trust {
        case .firstParty: ""
        case .verified: "verified"
        case .operator: "from your operator"
        case .developer: "NOT reviewed by anybody"
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

    private static func level(_ level: IntegrationLevel) -> GrantLevel {
        switch level {
        case .readOnly: .readOnly
        case .confirm: .confirm
        case .write: .write
        }
    }

    private static func level(_ level: GrantLevel) -> IntegrationLevel {
        switch level {
        case .readOnly: .readOnly
        case .confirm: .confirm
        case .write: .write
        }
    }

    private static func tool(_ tool: PluginGrant.Tool) -> Integration.Tool {
        let state: Integration.Tool.State =
            switch tool.access {
            case .off: .off
            case .offered: .offered
            case .readOnly: .readOnly
            case .confirm: .asking
            case .allowed: .on
            }
        return Integration.Tool(id: tool.id, title: tool.title, effect: tool.effect, state: state)
    }
}

extension HostCatalogue {
    func obstacle(to tool: String, in scope: UserScope) async -> TurnNotice? {
        guard let (grant, access) = try? await plugins.obstacle(to: tool, in: scope) else { return nil }
        let title = grant.tools.first { $0.id == tool }?.title ?? tool
        if grant.request != nil, access == .offered { return HostCatalogue.notice(grant, hash: nil) }
        if case .needsReauth = grant.state,
            let step = try? await steps.next(of: grant.plugin, grant: nil, in: scope)
        {
            return TurnNotice(
                text: "\(grant.name) lost its connection. Connect \(step.service) again: \(step.link)")
        }
        guard grant.state.name == "enabled" else { return nil }
        let words = grant.namespace
        switch access {
        case .off:
            return TurnNotice(
                text:
                    "You turned off \"\(title)\", so nothing was done. To use it, text: turn on \"\(title)\" of \(words)"
            )
        case .readOnly:
            return TurnNotice(
                text: "\(grant.name) is read only, so nothing was changed. To change that, text: let \(words) write")
        case .offered, .confirm, .allowed: return nil
        }
    }

    func notice(for scope: UserScope) async -> TurnNotice? {
        guard let (grant, hash) = try? await plugins.unasked(in: scope) else { return nil }
        return HostCatalogue.notice(grant, hash: hash)
    }

    /// `Grocery wants to send messages now. Turn it on? 1 turn it on, 2 leave it`
    private static func notice(_ grant: PluginGrant, hash: String?) -> TurnNotice? {
        guard let question = LifeTools.review(of: PluginIntegrations.integration(grant)) else { return nil }
        return TurnNotice(text: question.request.message, question: question) { transaction in
            if let hash { try StoredGrants.note(asked: hash, of: grant.plugin, in: transaction) }
        }
    }
}
