import ArgumentParser
import Glibc
import TandemCore
import TandemJSON
import TandemPluginHost

struct PluginInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "What a bundle is and may do, without running it.",
        discussion: """
            Examples:
              tandem plugin inspect build/units
              tandem plugin inspect build/units --json | jq .library.exports
            """)

    @Argument(help: ArgumentHelp("The bundle's folder, or a library.", valueName: "bundle"))
    var bundle: String

    @Flag(name: .long, help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let terminal = Terminal(json: json)
        let folder = try AuthorBundle.folder(bundle)
        do throws(PluginRefusal) {
            let examined = try BundleExamination(folder: folder)
            json ? terminal.json(Self.json(examined)) : Self.write(examined, terminal)
        } catch {
            throw CommandFailure("\(bundle): \(error.reason)")
        }
    }

    /// What the document asks for, of what people are told before they consent.
    private static let asked = [
        "hosts", "grants", "secrets", "handlers", "events", "memory", "metrics", "quota", "calls", "aliases", "reads",
    ]

    private static func json(_ bundle: BundleExamination) -> JSON {
        let library = bundle.library
        var files: [JSON] = []
        for file in bundle.files {
            files.append(
                [
                    "name": .string(file.name), "bytes": .integer(Int64(file.bytes)),
                    "checksum": .string(file.checksum),
                ])
        }
        return [
            "folder": .string(bundle.folder), "checksum": .string(bundle.manifestChecksum),
            "signature": signature(bundle).map { .string($0) } ?? .null,
            "manifest": .object(bundle.manifest.document), "files": .array(files),
            "library": library.map { library in
                [
                    "path": .string(library.path), "bytes": .integer(Int64(library.bytes)),
                    "exports": .array(library.exported.map { .string($0) }),
                    "undefined": .array(library.undefined.map { .string($0) }),
                    "needs": .array(library.needed.map { .string($0) }), "nodelete": .bool(library.isNeverDeleted),
                    "relro": .bool(library.hasReadOnlyRelocations), "swift": .bool(library.isSwift),
                    "compilers": .array(library.compilers.map { .string($0) }),
                ]
            } ?? .null,
        ]
    }

    /// Who signed; `tandem plugin verify` says whether to believe it.
    private static func signature(_ bundle: BundleExamination) -> String? {
        bundle.signature.map { "by key \($0.key) at \($0.time)" }
    }

    private static func write(_ bundle: BundleExamination, _ terminal: Terminal) {
        let manifest = bundle.manifest
        terminal.line(terminal.styled("\(manifest.name) \(manifest.version)", .bold) + " (\(manifest.id))")
        terminal.line(manifest.summary)
        var rows: [[String]] = []
        if let publisher = manifest.publisher {
            rows.append(["publisher", publisher.name + (publisher.contact.map { " <\($0)>" } ?? "")])
        }
        rows.append(["license", manifest.license ?? "none named"])
        rows.append(["ABI", manifest.abi.description])
        if let packaging = manifest.packaging {
            let build = [packaging.language, packaging.toolchain, packaging.platform].compactMap { $0 }
            rows.append(["built", build.joined(separator: ", ")])
        }
        rows.append(["extensions", manifest.extensions.sorted().joined(separator: ", ")])
        rows.append(["in flight", "at most \(manifest.maxInFlight) calls a person"])
        for name in asked {
            if let value = manifest.document[name] { rows.append([name, value.text]) }
        }
        rows.append(["checksum", bundle.manifestChecksum])
        rows.append(["signature", signature(bundle) ?? "none"])
        section("", rows, terminal)

        section(
            "Tools",
            manifest.tools.map { tool in
                var marks = [tool.effect.rawValue]
                if tool.trust != .system { marks.append("\(tool.trust)") }
                return [
                    tool.id, marks.joined(separator: ", "), tool.title,
                    tool.utterances.first.map { "\"\($0.text)\"" } ?? "",
                ]
            }, terminal)
        section(
            "Tables",
            manifest.tables.map { table in
                [table.name, table.columns.map(\.name).joined(separator: ", "), table.purpose]
            }, terminal)
        section(
            "Files",
            [["plugin.json", "", bundle.manifestChecksum]]
                + bundle.files.map { [$0.name, "\($0.bytes) bytes", $0.checksum] }, terminal)
        guard let library = bundle.library else { return }
        section(
            "Library",
            [
                ["exports", library.exported.joined(separator: ", ")],
                ["needs", library.needed.joined(separator: ", ")],
                ["calls", library.undefined.joined(separator: ", ")],
                [
                    "linked",
                    (library.isNeverDeleted ? "nodelete" : "may be unmapped")
                        + (library.hasReadOnlyRelocations ? ", relro" : ""),
                ],
            ], terminal)
    }

    private static func section(_ title: String, _ rows: [[String]], _ terminal: Terminal) {
        guard !rows.isEmpty else { return }
        if !title.isEmpty { terminal.line(terminal.styled(title, .bold)) }
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        for row in rows {
            var line = "  "
            for (column, cell) in row.enumerated() {
                line +=
                    column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            terminal.line(line)
        }
    }
}
