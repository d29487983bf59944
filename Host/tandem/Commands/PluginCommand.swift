import ArgumentParser
import Glibc
import TandemApplication
import TandemCore
import TandemJSON
import TandemPluginHost

struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Integrations: what is there, for whom it is on, why one was refused.",
        discussion: """
            Examples:
              tandem plugin list
              tandem plugin enable expenses --as me@example.org
              tandem plugin grant expenses read_only --as me@example.org
              tandem plugin disable expenses --as me@example.org
              tandem plugin config expenses alert_at_percent=90 --as me@example.org
              tandem plugin secret set weather api_key --as me@example.org < key.txt
              tandem plugin health expenses
              tandem plugin upgrade tides bundles/tides-1.2
              tandem plugin rollback tides
              tandem plugin pack libTidesPlugin.so --into bundles
              tandem plugin pack PluginSDK/Examples/ManifestSums --into bundles
              tandem plugin sign bundles/tides --key mine
              tandem plugin verify bundles/tides
            """,
        subcommands: [
            PluginListCommand.self, PluginShowCommand.self, PluginEnableCommand.self, PluginGrantCommand.self,
            PluginDisableCommand.self, PluginConfigCommand.self, PluginSecretCommand.self, PluginHealthCommand.self,
            PluginDiagnoseCommand.self, PluginPackCommand.self, PluginUpgradeCommand.self, PluginRollbackCommand.self,
            PluginSignCommand.self, PluginVerifyCommand.self, PluginRevokeCommand.self, PluginKeysCommand.self,
            PluginNewCommand.self, PluginCheckCommand.self, PluginInspectCommand.self, PluginRunCommand.self,
            PluginSessionCommand.self,
        ])
}

struct PluginListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All plugins of the registry: loaded, or refused and why; what crashed lately.",
        discussion: "Exits 1 when a plugin or the registry itself was refused.", aliases: ["status"])

    @Option(
        name: .customLong("as"), help: ArgumentHelp("Also where each stands with this account.", valueName: "email"))
    var email: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        var options = Application.Options()
        options.mapsPluginsAtFirstUse = false
        let isFine = try await Application.with(try common.configuration(), options: options) { application -> Bool in
            var grants: [String: PluginGrant] = [:]
            if let email {
                for grant in try await application.plugins.states(application.scope(email: email)) {
                    grants[grant.plugin] = grant
                }
            }
            var rows = [
                ["PLUGIN", "VERSION", "STATE", "TOOLS", "TRUST"] + (email == nil ? [] : ["FOR \(email ?? "")"])
            ]
            let statuses = application.plugins.statuses()
            let crashes = Dictionary(grouping: application.plugins.recordedCrashes(), by: \.plugin)
            for status in statuses {
                if terminal.isJSON {
                    terminal.json(PluginListCommand.json(status, crashes[status.id] ?? [], grant: grants[status.id]))
                }
                rows.append(
                    [
                        status.id, status.version ?? "?", status.refusal == nil ? "loaded" : "refused",
                        String(status.tools.count), status.trustMark,
                    ] + (email == nil ? [] : [grants[status.id].map(PluginListCommand.place) ?? "-"]))
            }
            let problem = application.plugins.registryProblem
            for warning in application.plugins.trustWarnings { Terminal.note("tandem: \(warning)") }
            if !terminal.isJSON {
                terminal.table(rows)
                for status in statuses {
                    if let refusal = status.refusal {
                        terminal.line(terminal.styled("\(status.id): \(refusal.reason)", .red))
                    }
                    for line in PluginListCommand.runner(status, crashes[status.id] ?? []) {
                        terminal.line(terminal.styled("\(status.id): \(line)", .yellow))
                    }
                    for warning in status.warnings {
                        terminal.line(terminal.styled("\(status.id): \(warning)", .yellow))
                    }
                }
            }
            if let problem { Terminal.note("tandem: \(problem.description)") }
            return problem == nil && !statuses.contains { $0.refusal != nil }
        }
        if !isFine { throw ExitCode(1) }
    }

    /// What an operator should know of a plugin's process.
    private static func runner(_ status: PluginStatus, _ crashes: [CrashReport]) -> [String] {
        var lines: [String] = []
        if let missing = status.runner?.missingIsolation, !missing.isEmpty {
            lines.append("weakly isolated, without \(missing.joined(separator: ", "))")
        }
        if let crash = crashes.last ?? status.runner?.lastCrash {
            let tools = crash.tools.isEmpty ? "" : " in \(crash.tools.joined(separator: ", "))"
            lines.append("version \(crash.version) crashed, last at \(crash.at)\(tools): \(crash.exit)")
        }
        return lines
    }

    /// `enabled, confirm`, marked when it asks for something new.
    private static func place(_ grant: PluginGrant) -> String {
        grant.state.name + (grant.state.level.map { ", \($0.rawValue)" } ?? "")
            + (grant.request == nil ? "" : " (asks)")
    }

    private static func json(_ status: PluginStatus, _ crashes: [CrashReport], grant: PluginGrant?) -> JSON {
        var object: JSONObject = [:]
        object["id"] = .string(status.id)
        object["namespace"] = status.namespace.map { .string($0) } ?? .null
        object["name"] = status.name.map { .string($0) } ?? .null
        object["version"] = status.version.map { .string($0) } ?? .null
        object["state"] = status.refusal == nil ? "loaded" : "refused"
        object["code"] = status.refusal.map { .string($0.code.rawValue) } ?? .null
        object["reason"] = status.refusal.map { .string($0.reason) } ?? .null
        object["tools"] = .array(status.tools.map { .string($0) })
        object["checksum"] = status.checksum.map { .string($0) } ?? .null
        object["trust"] = .string(status.trust.rawValue)
        object["signed_by"] = status.signature.map { .string($0.name) } ?? .null
        object["key"] = status.signature.map { .string($0.key) } ?? .null
        object["isolation"] = .string(status.isolation.rawValue)
        if let runner = status.runner {
            var process: JSONObject = ["state": .string(runner.state.rawValue)]
            process["pid"] = runner.process.map { .integer(Int64($0)) } ?? .null
            process["starts"] = .integer(Int64(runner.starts))
            process["crashes"] = .integer(Int64(runner.crashes))
            process["throttled"] = .integer(Int64(runner.throttled))
            process["yielded"] = .integer(Int64(runner.yielded))
            process["missing_isolation"] = .array(runner.missingIsolation.map { .string($0) })
            process["resident_bytes"] = runner.residentBytes.map { .integer(Int64($0)) } ?? .null
            if let crash = runner.lastCrash { process["last_crash"] = crash.json }
            object["runner"] = .object(process)
        }
        object["crashes"] = .array(crashes.map(\.json))
        object["warnings"] = .array(status.warnings.map { .string($0) })
        if let grant {
            object["grant"] = .string(grant.state.name)
            object["level"] = grant.state.level.map { .string($0.rawValue) } ?? .null
            object["asks"] = grant.request.map { .string($0) } ?? .null
        }
        return .object(object)
    }
}

struct PluginPackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Make a bundle of a library: its manifest from the code, its files' checksums.",
        discussion: """
            With --build-folder every libNAMEPlugin.so in a build's folder becomes a bundle in its `plugins` folder; what
            is packed already is left alone. A folder with a plugin.json that has a foreign section becomes a
            manifest-only plugin.
            """)

    @Argument(help: "The library to pack, or the folder of a manifest-only plugin.")
    var library: String?

    @Option(name: .customLong("file"), help: ArgumentHelp("A further file of the bundle.", valueName: "path"))
    var files: [String] = []

    @Option(name: .long, help: ArgumentHelp("The folder that gets the bundle's folder.", valueName: "folder"))
    var into: String = "."

    @Option(
        name: .long, help: ArgumentHelp("The bundle's folder in there; default: after the library.", valueName: "name"))
    var name: String?

    @Option(name: .long, help: ArgumentHelp("Pack every plugin of this build.", valueName: "folder"))
    var buildFolder: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (library == nil) != (buildFolder == nil) else {
            throw ValidationError("Give either a library or --build-folder.")
        }
        guard name == nil || library != nil else { throw ValidationError("--name goes with one library.") }
    }

    func run() async throws {
        var libraries: [String] = []
        var target = into
        if let library { libraries = [library] }
        if let buildFolder {
            libraries = PluginPackCommand.pluginLibraries(in: buildFolder)
            target = buildFolder + "/plugins"
            if libraries.isEmpty {
                throw CommandFailure("There is no libNAMEPlugin.so in \(buildFolder). Build first.", code: 66)
            }
        }
        let terminal = common.terminal
        var failures: [String] = []
        for library in libraries {
            do throws(PluginRefusal) {
                let bundle = target + "/" + (name ?? PluginPackCommand.bundleName(of: library))
                let isManifest = library.hasSuffix("/plugin.json") || access(library + "/plugin.json", F_OK) == 0
                let packed =
                    isManifest
                    ? try BundlePacker.pack(manifest: library, into: bundle, files: files)
                    : try BundlePacker.pack(library: library, into: bundle, files: files)
                terminal.isJSON
                    ? terminal.json(["bundle": .string(packed.folder), "id": .string(packed.id)])
                    : terminal.line("Packed \(packed.id) into \(packed.folder)")
            } catch {
                failures.append("\(library): \(error.reason)")
            }
        }
        if !failures.isEmpty { throw CommandFailure(failures.joined(separator: "\n")) }
    }

    /// `libGroceryPlugin.so` makes the bundle `grocery`, `ManifestSums` makes `sums`.
    private static func bundleName(of library: String) -> String {
        var name = library.split(separator: "/").last { $0 != "plugin.json" }.map(String.init) ?? library
        if name.hasPrefix("Manifest") { name.removeFirst(8) }
        if name.hasPrefix("lib") { name.removeFirst(3) }
        if name.hasSuffix(".so") { name.removeLast(3) }
        if name.hasSuffix("Plugin") { name.removeLast(6) }
        return name.lowercased()
    }

    private static func pluginLibraries(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix("lib"), name.hasSuffix("Plugin.so") { names.append(folder + "/" + name) }
        }
        return names.sorted()
    }
}
