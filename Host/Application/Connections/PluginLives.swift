import Logging
import TandemCore
import TandemJSON
import TandemJobs
import TandemLife
import TandemOAuth
import TandemPluginHost
import TandemStorage

/// What follows when a plugin can work for a person, and when they switch it off.
struct PluginLives: Sendable {
    let late: LateParts
    let database: any Database
    private let logger = Logger(label: "tandem.plugins.lives")

    init(late: LateParts, database: any Database) {
        self.late = late
        self.database = database
    }

    /// Never throws: the person's decision is stored, and holds.
    func changed(_ notice: GrantChangeNotice) async {
        do {
            switch notice.after {
            case .enabled: try await ready(notice.plugin, in: notice.scope)
            case .disabled: try await ended(notice.plugin, in: notice.scope)
            default: break
            }
        } catch {
            logger.error(
                "what follows from a switch was not done",
                metadata: [
                    "plugin.id": "\(notice.plugin)", "state": "\(notice.after.name)", "error": "\(type(of: error))",
                ])
        }
    }

    /// Tells the plugin that it can work, when everything that it needs is connected.
    func ready(_ plugin: String, in scope: UserScope) async throws {
        guard let host = late.plugins, Self.isTold(host.manifests.first { $0.id == plugin }) else { return }
        let needed = try await host.accountDemands(of: scope).filter { $0.plugin == plugin }.map(\.account.provider)
        if !needed.isEmpty {
            guard let connections = late.connections else { return }
            let connected = Set(
                try await connections.connections(of: scope).filter { $0.status == .connected }.map(\.provider))
            guard needed.allSatisfy(connected.contains) else { return }
        }
        try await host.tell(plugin, of: HostTopic.ready, in: scope)
    }

    /// Gives back what nothing else needs, and deletes the copies of what lies elsewhere. Does nothing the second time.
    fileprivate func ended(_ plugin: String, in scope: UserScope) async throws {
        guard let host = late.plugins, let manifest = host.manifests.first(where: { $0.id == plugin }) else { return }
        let copies = manifest.tables.filter(\.isCopy).map(\.name)
        let isTold = Self.isTold(manifest)
        if !copies.isEmpty || isTold {
            try await database.write(scope) { transaction in
                for table in copies { _ = try transaction.delete(table, where: [], tables: .owner(plugin)) }
                // It is told when it goes on, and sets them again.
                guard isTold else { return }
                try transaction.execute(
                    "DELETE FROM plugin_timers WHERE user_id = \(scope.user) AND plugin = \(plugin)")
            }
        }
        guard !manifest.accounts.isEmpty, let connections = late.connections else { return }
        let others = Set(try await host.accountDemands(of: scope).map(\.account.provider))
        for provider in Set(manifest.accounts.map(\.provider)).subtracting(others).sorted() {
            _ = try await connections.disconnect(provider, of: scope)
        }
    }

    /// What switching a plugin off ends for a person now.
    func ending(of manifest: PluginManifest, in scope: UserScope) async throws -> IntegrationEnding {
        var ending = IntegrationEnding()
        ending.deleted = manifest.tables.filter(\.isCopy).map(\.purpose)
        ending.kept = manifest.tables.filter { !$0.isCopy }.map(\.purpose)
        guard !manifest.accounts.isEmpty, let host = late.plugins, let connections = late.connections else {
            return ending
        }
        let demands = try await host.accountDemands(of: scope)
        let known = try await connections.connections(of: scope)
        let connected = Set(known.filter { $0.status == .connected }.map(\.provider))
        for provider in Set(manifest.accounts.map(\.provider)).sorted() {
            guard let connection = known.first(where: { $0.provider == provider && $0.status == .connected }) else {
                continue
            }
            ending.services.append(
                IntegrationEnding.Service(
                    name: connection.providerName,
                    keptFor: demands.first { $0.plugin != manifest.id && $0.account.provider == provider }?.pluginName
                        ?? connections.companion(of: provider, among: connected),
                    isGivenBack: connections.takesBack(provider), management: connection.management))
        }
        return ending
    }

    private static func isTold(_ manifest: PluginManifest?) -> Bool {
        manifest?.subscribes.contains { $0.topic == HostTopic.ready } ?? false
    }
}

/// Does what follows from switching a plugin off, when whoever stored the decision died before it was done: the job is
/// stored with the decision, finds nothing to do in the usual case, and otherwise does all of it.
struct PluginEnding: JobHandling {
    static let kind = "plugins.end"
    static let rules = JobRules(attempts: 50, timeLimit: .seconds(60))
    /// Whoever switched it off is about to do it.
    private static let patience = Duration.seconds(15)

    let lives: PluginLives

    static func follow(
        _ record: GrantRecord, of scope: UserScope, _ jobs: JobQueue, in transaction: any WriteTransaction
    ) throws {
        guard record.state == .disabled else { return }
        try jobs.enqueue(
            NewJob(
                kind, for: scope, payload: ["plugin": .string(record.plugin)], key: record.plugin,
                runAt: transaction.now.advanced(by: patience)),
            in: transaction)
    }

    func run(_ job: Job) async throws -> JobOutcome {
        guard let scope = job.scope, let plugin = job.payload["plugin"]?.stringValue else {
            throw JobFailure("invalid", isRetryable: false)
        }
        do {
            // On again meanwhile: nothing ends.
            guard let host = lives.late.plugins, try await host.grant(of: plugin, in: scope).state == .disabled else {
                return .done
            }
        } catch is GrantError {
            // No longer installed: nobody knows what it had.
            return .done
        }
        try await lives.ended(plugin, in: scope)
        return .done
    }
}
