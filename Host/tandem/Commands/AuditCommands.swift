import ArgumentParser
import Foundation
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON
import TandemStorage

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "What was done to whose account: append-only chains that can be verified.",
        subcommands: [AuditVerifyCommand.self, AuditListCommand.self, AuditAnchorCommand.self])
}

struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Find any edit, gap, reorder, cut or forged entry.",
        discussion: """
            Reads all chains and compares each entry with its hash and the one before it, and each chain's end with what
            was recorded of it. Needs the master key; the program may serve meanwhile. Ends with 65 when something is not
            as it was written.

            A database that was put back to an older state as a whole shows only against an anchor that was kept elsewhere:
              tandem admin audit anchor > /elsewhere/anchor.jsonl
              tandem admin audit verify --anchor /elsewhere/anchor.jsonl
            """)

    @Option(
        name: .long,
        help: ArgumentHelp("What `tandem admin audit anchor` wrote earlier; may be given again.", valueName: "file"))
    var anchor: [String] = []

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let anchors = try anchor.flatMap(AuditAnchorCommand.read)
        let report = try await Application.with(try common.configuration()) { application in
            try await application.database.verifyAudit(anchors: anchors)
        }
        if terminal.isJSON {
            terminal.json([
                "intact": .bool(report.isIntact), "chains": .integer(Int64(report.chains)),
                "entries": .integer(Int64(report.entries)), "closed_chains": .integer(Int64(report.closedChains)),
                "findings": .array(
                    report.findings.map { finding in
                        [
                            "kind": .string(finding.kind.rawValue), "chain": .string(String(finding.chain)),
                            "sequence": finding.sequence.map { .integer($0) } ?? .null,
                        ]
                    }),
            ])
        } else {
            for finding in report.findings {
                let chain = finding.chain > 0 ? "account \(finding.chain)" : "the system (\(finding.chain))"
                let place = finding.sequence.map { ", entry \($0)" } ?? ""
                terminal.line("\(terminal.styled(Self.words(finding.kind), .red)): \(chain)\(place)")
            }
            if report.findings.count == AuditVerification.maxFindings { terminal.line("... and perhaps more") }
            terminal.line(
                "\(report.entries) entries in \(report.chains) chains: "
                    + (report.isIntact
                        ? terminal.styled("intact", .green) : terminal.styled("not as they were written", .red)))
        }
        if !report.isIntact { throw ExitCode(65) }
    }

    private static func words(_ kind: AuditVerification.Finding.Kind) -> String {
        switch kind {
        case .altered: "not what was written"
        case .missing: "missing"
        case .misplaced: "does not follow the entry before it"
        case .cut: "the end is missing"
        case .extra: "after the recorded end"
        case .headAltered: "the record of the end is not what was written"
        case .headMissing: "the chain, or the record of its end, is gone"
        case .differsFromAnchor: "not what the anchor says"
        }
    }
}

struct AuditAnchorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anchor", abstract: "Print where every chain ends now, one JSON document a line.",
        discussion: "Keep it where whoever can change the database cannot. No personal data: ids, numbers, hashes.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let terminal = common.terminal
        let anchors = try await Application.with(try common.configuration()) { try await $0.database.auditAnchors() }
        for anchor in anchors {
            terminal.json([
                "chain": .string(String(anchor.chain)), "sequence": .integer(anchor.sequence),
                "hash": .string(anchor.hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()),
            ])
        }
    }

    static func read(_ path: String) throws -> [AuditAnchor] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(path) cannot be read", code: 66)
        }
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            guard let json = try? JSON(parsing: Array(line)),
                let chain = json["chain"]?.stringValue.flatMap({ Int64($0) }),
                let sequence = json["sequence"]?.int64Value, let hash = json["hash"]?.stringValue.flatMap(bytes)
            else { throw CommandFailure("\(path) is no anchor: each line is what `tandem admin audit anchor` prints") }
            return AuditAnchor(chain: chain, sequence: sequence, hash: hash)
        }
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: 64, by: 2) {
            guard let byte = UInt8(String(decoding: digits[place..<(place + 2)], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }
}

struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "What the audit says of a person, or of the program: metadata, no content.")

    @Option(name: .long, help: "The account's e-mail; without it, the program's own entries.")
    var user: String?

    @Option(name: .long, help: "At most so many of the newest.")
    var limit = 100

    @OptionGroup var common: CommonOptions

    func run() async throws {
        guard limit > 0 else { throw CommandFailure("--limit is at least 1", code: 64) }
        let terminal = common.terminal
        let events = try await Application.with(try common.configuration()) { application in
            guard let user else {
                return try await application.accounts.systemAuditTrail(
                    after: Timestamp(millisecondsSinceEpoch: 0), limit: .max)
            }
            return try await application.accounts.auditTrail(of: application.scope(email: user), limit: Int(Int32.max))
        }
        for event in events.suffix(limit) {
            if terminal.isJSON {
                terminal.json(event.json)
                continue
            }
            var words = [event.at.description, event.name, "by \(event.event["actor"]?.stringValue ?? "?")"]
            if let user = event.event["user"]?.stringValue, self.user == nil { words.append("account \(user)") }
            for (key, value) in event.event["detail"]?.objectValue ?? [:] {
                words.append("\(key)=\(value.stringValue ?? "")")
            }
            terminal.line(words.joined(separator: "  "))
        }
    }
}
