import ArgumentParser
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON
import TandemStorage

struct PersonKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The keys that people's data are sealed with.",
        subcommands: [KeyRotationCommand.self, KeyRotationStatusCommand.self])
}

struct KeyRotationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Change the master key, or people's keys, while serving.",
        discussion: """
            --master makes a new master key (in the key file, or in the transit engine) and wraps people's keys with it.
            --users gives each person a new key, seals everything of theirs with it, and destroys the old one.

            It may be interrupted at any time, also by kill -9: the next one, or a process that serves, goes on. With --start
            it is only begun, for a process that serves.
            """)

    @Flag(name: .long, help: "The master key.")
    var master = false

    @Flag(name: .long, help: "People's keys, and the program's own.")
    var users = false

    @Option(name: .long, help: "One person's key only: the account's e-mail.")
    var user: String?

    @Flag(name: .long, help: "With --master: use the newest version that there is instead of making one.")
    var existing = false

    @Flag(name: .long, help: "Only begin.")
    var start = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        guard [master, users, user != nil].count(where: { $0 }) == 1 else {
            throw CommandFailure("say one of --master, --users and --user EMAIL", code: 64)
        }
        let terminal = common.terminal
        let (master, existing, user, start) = (master, existing, user, start)
        try await Application.with(try common.configuration()) { application in
            let rotation = application.keyRotation
            let kind: RotationKind = master ? .master : .users
            let isUnderWay = try await rotation.status().contains { $0.kind == kind && $0.phase != .done }
            if isUnderWay {
                Terminal.note("Going on with the one that is under way.")
            } else {
                if master, !existing { _ = try await application.makeMasterKey() }
                var person: UserID?
                if let user { person = try await application.account(email: user).id }
                try await application.startRotation(kind, of: person)
            }
            if !start {
                try await rotation.run { status in
                    if terminal.isJSON { terminal.json(KeyRotationStatusCommand.json(status)) }
                }
            }
            for status in try await rotation.status() where status.kind == kind {
                KeyRotationStatusCommand.show(status, terminal)
            }
        }
    }
}

struct KeyRotationStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How far rotations are.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let all = try await Application.with(try common.configuration()) { try await $0.keyRotation.status() }
        for status in all { KeyRotationStatusCommand.show(status, terminal) }
        if all.isEmpty, !terminal.isJSON { terminal.line("No key was rotated yet.") }
    }

    static func show(_ status: RotationStatus, _ terminal: Terminal) {
        if terminal.isJSON { return terminal.json(json(status)) }
        let what = status.kind == .master ? "master key" : "people's keys"
        let count = "\(status.done) of \(status.total)"
        switch status.phase {
        case .done: terminal.line("\(what): done, \(status.done) (\(status.finishedAt?.description ?? ""))")
        case .settling:
            terminal.line(
                "\(what): other processes take the new keys until \(status.settlesAt?.description ?? "")")
        case .wrapping, .adding, .sealing: terminal.line("\(what): \(status.phase.rawValue), \(count)")
        }
    }

    static func json(_ status: RotationStatus) -> JSON {
        [
            "kind": .string(status.kind.rawValue), "phase": .string(status.phase.rawValue),
            "done": .integer(Int64(status.done)), "total": .integer(Int64(status.total)),
            "started_at": .timestamp(status.startedAt), "updated_at": .timestamp(status.updatedAt),
            "finished_at": status.finishedAt.map { .timestamp($0) } ?? .null,
        ]
    }
}

struct DataMapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "What is kept, column by column, with its class: docs/data.md.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let text = try await Application.with(try common.configuration()) { $0.dataDocument }
        terminal.isJSON ? terminal.json(["markdown": .string(text)]) : terminal.line(text)
    }
}

struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: "Forget now what has been kept for as long as the settings say.",
        discussion: "A process that serves does so every six hours.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let counts = try await Application.with(try common.configuration()) { try await $0.applyRetention() }
        var object = JSONObject()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            object[name] = .integer(Int64(count))
            if !terminal.isJSON { terminal.line("\(count) \(name)") }
        }
        if terminal.isJSON {
            terminal.json(.object(object))
        } else if counts.isEmpty {
            terminal.line("Nothing is due.")
        }
    }
}
