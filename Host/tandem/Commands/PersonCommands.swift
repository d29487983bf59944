import ArgumentParser
import Foundation
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON
import TandemStorage

struct UserExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write everything of a person into a ZIP archive of JSON and CSV.",
        discussion: "docs/data.md has the archive's form. The file is for the person: it gets mode 0600.")

    @Argument(help: "The account's e-mail.")
    var email: String

    @Option(name: .shortAndLong, help: "Where to write it.")
    var output: String

    @Flag(name: .long, help: "Replace the file where there is one.")
    var force = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        if !force, FileManager.default.fileExists(atPath: output) {
            throw CommandFailure("\(output) is there already: choose another name, or use --force", code: 73)
        }
        let bytes = try await Application.with(try common.configuration()) { application in
            let scope = try await application.account(email: email).scope
            return try await application.personalData.export(scope, by: .staff(nil))
        }
        // Never readable for others, not even while it is written.
        let temporary = output + ".\(getpid()).tmp"
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw CommandFailure("\(output) cannot be written", code: 73) }
        do {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary))
            try handle.write(contentsOf: bytes)
            try handle.synchronize()
            try handle.close()
            guard rename(temporary, output) == 0 else { throw CommandFailure("\(output) cannot be written", code: 73) }
        } catch {
            unlink(temporary)
            throw CommandFailure("\(output) cannot be written", code: 74)
        }
        terminal.isJSON
            ? terminal.json(["file": .string(output), "bytes": .integer(Int64(bytes.count))])
            : terminal.line("Wrote \(bytes.count) bytes to \(output).")
    }
}

struct UserImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an account from an archive of `tandem user export`; all or nothing.",
        discussion: """
            Rows get new ids, and keep their times. Passwords, numbers, sessions, connections and decisions about plugins are the
            person's to give again.
            """)

    @Argument(help: "The archive.")
    var file: String

    @Option(name: .long, help: "The account's e-mail, instead of the archive's.")
    var email: String?

    @Flag(name: .long, help: "Leave out tables of plugins that are not installed here, instead of refusing.")
    var leaveOut = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CommandFailure("\(file) cannot be read", code: 66)
        }
        let (email, leaveOut) = (email, leaveOut)
        let report = try await Application.with(try common.configuration()) { application in
            try await Accounts.reporting {
                try await application.personalData.importArchive(
                    [UInt8](data), email: email, leavingOut: leaveOut, by: .staff(nil))
            }
        }
        if terminal.isJSON {
            var counts = JSONObject()
            for (table, count) in report.rowCounts.sorted(by: { $0.key < $1.key }) {
                counts[table] = .integer(Int64(count))
            }
            var left = JSONObject()
            for (table, reason) in report.leftOut.sorted(by: { $0.key < $1.key }) { left[table] = .string(reason) }
            terminal.json([
                "id": .string(report.account.id.description), "email": .string(report.account.email),
                "rows": .object(counts), "left_out": .object(left),
            ])
            return
        }
        terminal.line("Made the account \(report.account.email).")
        for (table, count) in report.rowCounts.sorted(by: { $0.key < $1.key }) { terminal.line("  \(count) \(table)") }
        for (table, reason) in report.leftOut.sorted(by: { $0.key < $1.key }) {
            terminal.line("  left out: \(table) (\(reason))")
        }
    }
}

struct UserEraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Remove a person for good: rows, keys, what other services hold. Leaves a proof.",
        discussion: "Nothing brings it back: export first where the person wants it.")

    @Argument(help: "The account's e-mail.")
    var email: String

    @Flag(name: .long, help: "Yes, for good.")
    var yes = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        guard yes else { throw CommandFailure("this cannot be taken back: say --yes", code: 64) }
        let proof = try await Application.with(try common.configuration()) { application in
            let scope = try await application.account(email: email).scope
            return try await Accounts.reporting { try await application.personalData.erase(scope, by: .staff(nil)) }
        }
        if terminal.isJSON { return terminal.json(proof.json) }
        terminal.line(
            "Erased account \(proof.account): \(proof.totalRows) rows, key \(proof.keyNames.joined(separator: ", ")).")
        terminal.line("Proof \(proof.id), \(proof.erasedAt).")
    }
}

extension Application {
    /// An account in whatever state.
    func account(email: String) async throws -> Account {
        guard let account = try await accounts.user(email: email) else {
            throw ApplicationError("There is no account \(email). `tandem user list` shows what there is.")
        }
        return account
    }
}
