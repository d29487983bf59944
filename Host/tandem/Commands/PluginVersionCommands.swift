import ArgumentParser
import TandemApplication
import TandemJSON
import TandemPluginHost

struct PluginUpgradeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade", abstract: "Put another version of a plugin in the place of the one that runs.",
        discussion: """
            The bundle is copied, loaded and tried; then new calls go to it, and the old version ends when its last call
            has. A host that runs follows within a second. A version that crashes or fails there more than the one before
            it is rolled back by itself.
            """)

    @Argument(help: "The plugin's id or short name: tides.")
    var plugin: String

    @Argument(help: "The folder of the bundle.")
    var bundle: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await PluginVersions.run(common) { application in
            let version = try await application.plugins.upgrade(plugin, to: bundle)
            return "\(plugin) is \(version) now. Back: tandem plugin rollback \(plugin)"
        }
    }
}

struct PluginRollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to the version of a plugin before the last upgrade.")

    @Argument(help: "The plugin's id or short name: tides.")
    var plugin: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await PluginVersions.run(common) { application in
            let version = try await application.plugins.rollback(plugin)
            return "\(plugin) is \(version) again."
        }
    }
}

private enum PluginVersions {
    static func run(
        _ common: CommonOptions, _ change: sending (Application) async throws -> String
    ) async throws {
        let terminal = common.terminal
        try await Application.with(try common.configuration()) { application in
            do {
                let line = try await change(application)
                terminal.isJSON ? terminal.json(["message": .string(line)]) : terminal.line(line)
            } catch let error as VersionError {
                throw CommandFailure("\(error.reason). Nothing was changed.")
            }
        }
    }
}
