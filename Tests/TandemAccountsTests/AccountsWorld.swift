import Foundation
import Synchronization
import TandemCore
import TandemStorage
import TestDatabases

@testable import TandemAccounts

/// Accounts on a database of their own, with a clock that stands still, and services that keep what they are given.
struct AccountsWorld {
    let clock: ManualClock
    let mailer = MemoryMailer()
    let texts = MemoryTexts()
    let audit = MemoryAudit()
    let settings: AccountSettings
    let accounts: Accounts
    private let folder: TemporaryFolder?
    private let place: TestDatabase
    private let masterKey: String

    /// - Parameter isShared: On a file, so that `another` process can come.
    /// - Parameter audit: Instead of one that keeps events for the test.
    init(
        isShared: Bool = false, audit log: (any AuditSink)? = nil, _ change: (inout AccountSettings) -> Void = { _ in }
    ) async throws {
        var settings = AccountSettings()
        settings.passwordParameters = PasswordParameters(passes: 1, memoryKiB: 64)
        change(&settings)
        self.settings = settings
        clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_800_000_000_000))
        masterKey = String(repeating: "0123456789abcdef", count: 4)
        folder = isShared ? try TemporaryFolder() : nil
        place = try await TestDatabase(
            file: folder.map { $0.path + "/tandem.db" }, migrations: Accounts.migrations)
        accounts = try await AccountsWorld.open(
            place, masterKey, clock, settings,
            AccountServices(mailer: mailer, texts: texts, audit: log ?? audit), node: 1)
    }

    /// The same database as another process sees it.
    func another() async throws -> Accounts {
        try await AccountsWorld.open(
            place, masterKey, clock, settings, AccountServices(mailer: mailer, texts: texts, audit: audit),
            node: 2)
    }

    private static func open(
        _ place: TestDatabase, _ masterKey: String, _ clock: ManualClock, _ settings: AccountSettings,
        _ services: AccountServices, node: UInt8
    ) async throws -> Accounts {
        let database = try await place.open(
            keyring: Keyring(try MasterKeys(text: masterKey)), clock: clock,
            ids: IDGenerator(clock: clock, node: node))
        try await database.migrate(Accounts.migrations)
        let accounts = Accounts(database: database, settings: settings, services: services)
        try await accounts.prepare()
        return accounts
    }

    static let password = "seven green bottles"
    let home = ClientSource(address: "203.0.113.7", userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0")
    let abroad = ClientSource(address: "198.51.100.9")

    /// An account with a password.
    func person(_ name: String = "ann", role: Account.Role = .user) async throws -> Account {
        let account = try await accounts.createUser(email: "\(name)@example.org", fullName: name, role: role)
        if role != .service { try await accounts.setPassword(AccountsWorld.password, of: account.scope) }
        return account
    }

    /// Signs in without a second factor.
    func signIn(_ account: Account, from source: ClientSource? = nil, on other: Accounts? = nil) async throws
        -> SessionTokens
    {
        let outcome = try await (other ?? accounts).logIn(
            email: account.email, password: AccountsWorld.password, from: source ?? home)
        guard case .signedIn(let tokens) = outcome else { throw Unexpected() }
        return tokens
    }

    func principal(_ tokens: SessionTokens) async throws -> Principal {
        try await accounts.authenticate(tokens.accessToken.reveal())
    }

    /// Sets an app up; gives what makes its codes, and the recovery codes.
    func enrol(_ account: Account) async throws -> (app: TOTP, recovery: [Secret]) {
        let enrolment = try await accounts.beginTOTP(of: account.scope)
        let app = TOTP(secret: Base32.bytes(enrolment.key.reveal()) ?? [])
        let codes = try await accounts.confirmTOTP(account.scope, code: app.code(step: app.step(at: clock.now)))
        // The code just used is good no more.
        clock.advance(by: .seconds(30))
        return (app, codes)
    }

    func code(_ app: TOTP) -> String { app.code(step: app.step(at: clock.now)) }

    /// The mail sent last, when all of them are.
    func lastMail() async -> Mail? {
        await accounts.deliverMail()
        return mailer.mails.last
    }

    /// What follows the # of the last mail's link.
    func lastLink() async -> Secret {
        let text = await lastMail()?.text ?? ""
        let rest = text.split(separator: "#", maxSplits: 1).last ?? ""
        return Secret(String(rest.prefix { !$0.isWhitespace }))
    }

    struct Unexpected: Error {}
}

/// The code of what was thrown; nil when nothing was.
func refusal(_ body: () async throws -> Void) async -> AccountsError.Code? {
    do {
        try await body()
        return nil
    } catch let error as AccountsError {
        return error.code
    } catch { return AccountsError.Code(rawValue: "other: \(error)") }
}

/// Six digits that are not these.
func wrong(_ code: String) -> String { code == "000000" ? "000001" : "000000" }

final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "accounts-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

final class MemoryMailer: Mailer {
    private let state = Mutex<(mails: [Mail], failures: [MailError])>(([], []))

    var mails: [Mail] { state.withLock { $0.mails } }

    /// What the next sends throw.
    func fail(_ errors: MailError...) { state.withLock { $0.failures += errors } }

    func send(_ mail: Mail, id: String) async throws {
        try state.withLock { state in
            if !state.failures.isEmpty { throw state.failures.removeFirst() }
            state.mails.append(mail)
        }
    }
}

final class MemoryTexts: TextSender {
    private let state = Mutex<[(number: PhoneNumber, text: String)]>([])

    var sent: [(number: PhoneNumber, text: String)] { state.withLock { $0 } }

    /// The digits at the beginning of the last text.
    var lastCode: String { String(sent.last?.text.prefix(6) ?? "") }

    func send(_ text: String, to number: PhoneNumber, of scope: UserScope, in transaction: any WriteTransaction) throws
    {
        transaction.afterCommit { [self] in state.withLock { $0.append((number, text)) } }
    }
}

final class MemoryAudit: AuditSink {
    private let state = Mutex<[AuditEvent]>([])

    var events: [AuditEvent] { state.withLock { $0 } }
    var names: [AuditEvent.Name] { events.map(\.name) }

    func record(_ event: AuditEvent, in transaction: any WriteTransaction) throws {
        transaction.afterCommit { [self] in state.withLock { $0.append(event) } }
    }
}

/// Runs a program of the system; its standard output without the last line end, nil when it failed.
func output(of program: String, _ arguments: [String], input: String = "") throws -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let (standardInput, standardOutput) = (Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = standardOutput
    try process.run()
    standardInput.fileHandleForWriting.write(Data(input.utf8))
    try standardInput.fileHandleForWriting.close()
    let data = standardOutput.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
}
