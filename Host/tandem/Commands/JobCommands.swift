import ArgumentParser
import TandemApplication
import TandemCore
import TandemJSON
import TandemJobs
import TandemStorage

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Work in the background: what waits, what was given up.",
        discussion: """
            Examples:
              tandem admin jobs                 the queue, counted
              tandem admin jobs failed          what was given up, and why
              tandem admin jobs retry --all     another chance for all of it
              tandem admin jobs forget 10518    one of them is forgotten
            """,
        subcommands: [JobSummaryCommand.self, FailedJobsCommand.self, RetryJobCommand.self, ForgetJobCommand.self],
        defaultSubcommand: JobSummaryCommand.self)
}

struct JobSummaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The queue, counted by kind.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let rows = try await Application.with(try common.configuration()) { try await $0.jobs.summary() }
        if terminal.isJSON {
            terminal.json(
                .array(
                    rows.map { row in
                        [
                            "kind": .string(row.kind), "waiting": .integer(Int64(row.waiting)),
                            "running": .integer(Int64(row.running)), "given_up": .integer(Int64(row.givenUp)),
                            "oldest_due": row.oldestDue.map { .timestamp($0) } ?? .null,
                        ]
                    }))
            return
        }
        if rows.isEmpty { terminal.line("Nothing waits.") }
        for row in rows {
            let due = row.oldestDue.map { ", due since \($0)" } ?? ""
            terminal.line("\(row.kind): \(row.waiting) waiting, \(row.running) running, \(row.givenUp) given up\(due)")
        }
    }
}

struct FailedJobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failed", abstract: "Jobs that were given up, the latest first. They are kept for 30 days.")

    @Option(help: "At most so many.") var limit = 100
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let limit = limit
        let rows = try await Application.with(try common.configuration()) { try await $0.jobs.givenUp(limit: limit) }
        if terminal.isJSON {
            terminal.json(
                .array(
                    rows.map { row in
                        [
                            "id": .string(row.id.description), "kind": .string(row.kind),
                            "user": row.user.map { .string($0.description) } ?? .null,
                            "attempts": .integer(Int64(row.attempts)), "failure": .string(row.failure),
                            "created_at": .timestamp(row.createdAt), "gave_up_at": .timestamp(row.gaveUpAt),
                        ]
                    }))
            return
        }
        if rows.isEmpty { terminal.line("Nothing was given up.") }
        for row in rows {
            terminal.line("\(row.id) \(row.kind): \(row.failure) after \(row.attempts) attempts, \(row.gaveUpAt)")
        }
    }
}

/// One job, or all of them.
struct JobChoice: ParsableArguments {
    @Argument(help: "Of `tandem admin jobs failed`.") var id: String?
    @Flag(name: .long, help: "All that were given up.") var all = false

    func validate() throws {
        guard (id == nil) == all else { throw ValidationError("Name one job, or say --all.") }
        guard id == nil || number != nil else { throw ValidationError("A job's id is a number.") }
    }

    var number: RecordID? { id.flatMap { Int64($0) }.map { RecordID(rawValue: $0) } }
}

struct RetryJobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Give jobs that were given up another chance.")

    @OptionGroup var choice: JobChoice
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = choice.number
        try await tell(try common.configuration(), common.terminal, "will be tried again") { try await $0.retry(id) }
    }
}

struct ForgetJobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Forget jobs that were given up.")

    @OptionGroup var choice: JobChoice
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = choice.number
        try await tell(try common.configuration(), common.terminal, "forgotten") { try await $0.forget(id) }
    }
}

/// Does something to jobs and says to how many; none at all is a failure.
private func tell(
    _ configuration: Configuration, _ terminal: Terminal, _ word: String,
    _ body: @escaping @Sendable (JobQueue) async throws -> Int
) async throws {
    let count = try await Application.with(configuration) { try await body($0.jobs) }
    if terminal.isJSON {
        terminal.json(["count": .integer(Int64(count))])
    } else {
        terminal.line(count == 0 ? "There is no such job." : "\(count) \(count == 1 ? "job" : "jobs") \(word).")
    }
    if count == 0 { throw ExitCode.failure }
}
