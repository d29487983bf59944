import ArgumentParser
import TandemApplication
import TandemJSON
import TandemPluginHost

struct PluginUpgradeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade", abstract: "Put another version of a plugin in the place of the one that runs.",
        discussion: """
            The bundle is copied, loaded and tried; then new calls go to it, and the old
            version ends with its last call. A host that runs follows within a second. A
            version that crashes or fails there more than the one before it, or says
            that it is failing, is rolled back by itself.

            Examples:
              tandem plugin upgrade tides bundles/tides-1.2
              tandem plugin upgrade org.example.tides bundles/tides-1.2 --json
            """)

    @Argument(help: "The plugin's id or short name: tides.")
    var plugin: String

    @Argument(help: "The folder of the bundle.")
    var bundle: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await PluginVersions.run(plugin, common) { application in
            let version = try await application.plugins.upgrade(plugin, to: bundle)
            return (version, "\(plugin) is \(version) now. Back: tandem plugin rollback \(plugin)")
        }
    }
}

struct PluginRollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to the version of a plugin before the last upgrade.",
        discussion: """
            The present version is not taken again by itself, also not when the
            registry names it.

            Examples:
              tandem plugin rollback tides
              tandem plugin rollback tides --json
            """)

    @Argument(help: "The plugin's id or short name: tides.")
    var plugin: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await PluginVersions.run(plugin, common) { application in
            let version = try await application.plugins.rollback(plugin)
            return (version, "\(plugin) is \(version) again.")
        }
    }
}

private enum PluginVersions {
    static func run(
        _ plugin: String, _ common: CommonOptions,
        _ change: sending (Application) async throws -> (version: String, line: String)
    ) async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            do {
                let before = application.plugins.statuses().first { $0.id == plugin || $0.namespace == plugin }
                let (version, line) = try await change(application)
                guard terminal.isJSON else { return terminal.line(line) }
                terminal.json([
                    "plugin": .string(before?.id ?? plugin), "version": .string(version),
                    "previous": before?.version.map { .string($0) } ?? .null, "message": .string(line),
                ])
            } catch let error as VersionError {
                throw CommandFailure("\(error.reason). Nothing was changed.")
            }
        }
    }
}
