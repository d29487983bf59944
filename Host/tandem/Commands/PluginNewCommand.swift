import ArgumentParser
import Glibc
import TandemJSON

struct PluginNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Start a plugin: a folder that builds and passes the check as it is.",
        discussion: """
            C needs cc and make, Rust needs cargo 1.63 or later and no network, Swift needs Swift 6.3. In the new folder:
              make            builds it and packs it into `bundle`
              make check      tandem plugin check bundle
              make run        tries its tool

            Examples:
              tandem plugin new tides --language c
              tandem plugin new tides --language rust --id org.example.tides
            """)

    enum Language: String, ExpressibleByArgument, CaseIterable {
        case swift, c, rust
    }

    @Argument(help: ArgumentHelp("A word in lower case: the folder, the namespace of its tools.", valueName: "name"))
    var name: String

    @Option(name: .long, help: "swift, c or rust.")
    var language: Language

    @Option(name: .long, help: ArgumentHelp("The plugin's id; default: org.example.NAME.", valueName: "id"))
    var id: String?

    @Option(name: .long, help: ArgumentHelp("Where the folder is made.", valueName: "folder"))
    var into = "."

    @Option(
        name: .long, help: ArgumentHelp("The PluginSDK folder; default: the one of this checkout.", valueName: "folder")
    )
    var sdk: String?

    @Flag(name: .long, help: "One JSON document instead of text.")
    var json = false

    func run() throws {
        let letters = name.utf8
        guard let first = letters.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first), letters.count <= 24,
            letters.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") })
        else {
            throw CommandFailure(
                "the name takes a-z, 0-9 and _, begins with a letter, and has at most 24 of them", code: 64)
        }
        guard let sdk = try sdkFolder() else {
            throw CommandFailure("there is no PluginSDK folder above this program; say where with --sdk", code: 69)
        }
        let folder = into + "/" + name
        guard mkdir(folder, 0o755) == 0 else {
            let reason = errno == EEXIST ? "is there already" : "cannot be made (errno \(errno))"
            throw CommandFailure("\(folder) \(reason)", code: 73)
        }
        let names = PluginTemplate.Names(name: name, id: id ?? "org.example.\(name)", sdk: sdk, tandem: Self.ownPath())
        let files: [PluginTemplate.File] =
            switch language {
            case .c: PluginTemplate.c(names)
            case .rust: try PluginTemplate.rust(names, bindings: bindings(in: sdk))
            case .swift: PluginTemplate.swift(names)
            }
        for file in files {
            if let slash = file.path.lastIndex(of: "/") { mkdir(folder + "/" + file.path[..<slash], 0o755) }
            guard AuthorBundle.write(file.text, to: folder + "/" + file.path) else {
                throw CommandFailure("\(folder)/\(file.path) cannot be written", code: 73)
            }
        }
        let terminal = Terminal(json: json)
        if json {
            terminal.json(["folder": .string(folder), "files": .array(files.map { .string($0.path) })])
        } else {
            terminal.line("Made \(folder): " + files.map(\.path).joined(separator: ", "))
            terminal.line("Next: cd \(folder) && make check")
        }
    }

    private func bindings(in sdk: String) throws -> String {
        guard let bytes = AuthorBundle.read(sdk + "/Rust/tandem.rs") else {
            throw CommandFailure("\(sdk)/Rust/tandem.rs cannot be read", code: 69)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The absolute path of the given or the nearest PluginSDK folder.
    private func sdkFolder() throws -> String? {
        if let sdk {
            guard let real = realpath(sdk, nil) else { throw CommandFailure("there is no \(sdk)", code: 66) }
            defer { free(real) }
            return String(cString: real)
        }
        var folder = AuthorBundle.parent(Self.ownPath())
        while true {
            let candidate = folder + "/PluginSDK"
            if access(candidate + "/C/include/tandem/tandem.h", R_OK) == 0 { return candidate }
            if folder == "/" || folder == "." { return nil }
            folder = AuthorBundle.parent(folder)
        }
    }

    private static func ownPath() -> String {
        guard let real = realpath("/proc/self/exe", nil) else { return "tandem" }
        defer { free(real) }
        return String(cString: real)
    }
}
