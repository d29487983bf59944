import Foundation
import PostgreSQLServer
import Synchronization
import TandemAccounts
import TandemAgent
import TandemCore
import TandemEgress
import TandemJSON
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing
import TwilioSimulator

@testable import TandemApplication

/// A whole application on the real plugins, in a data folder of its own, with two people who have everything on.
struct Household: Sendable {
    let folder: TestFolder
    let application: Application
    let clock: ManualClock
    let ann: UserScope
    let bob: UserScope

    static let annPhone = "+15555550123"
    static let bobPhone = "+15555550124"
    static let publicBase = "https://tandem.example"
    /// Saturday 2026-11-21 10:00 UTC.
    static let start = Timestamp(millisecondsSinceEpoch: 1_795_255_200_000)

    /// Makes a household, lets agent and plugins work while the body runs, and ends both.
    static func run(
        environment: [String: String] = [:], executableFolder: String? = nil,
        _ body: sending (Household) async throws -> Void
    ) async throws {
        let household = try await open(environment: environment, executableFolder: executableFolder)
        let application = household.application
        let work = [Task { await application.agent.run() }, Task { await application.plugins.run() }]
        func end() async {
            for task in work { task.cancel() }
            for task in work { await task.value }
            await application.close()
        }
        do {
            try await body(household)
        } catch {
            await end()
            throw error
        }
        await end()
    }

    /// Opens an application; nothing runs yet.
    ///
    /// - Parameters:
    ///   - now: Where its clock stands; the real time, where a process works with the same database.
    ///   - given: The clock, where others go by it, too.
    ///   - adjust: How the application differs from others.
    static func open(
        environment: [String: String] = [:], executableFolder: String? = nil, folder: TestFolder? = nil,
        now: Timestamp = start, clock given: ManualClock? = nil,
        adjust: (inout Application.Options) -> Void = { _ in }
    ) async throws -> Household {
        let installation = try Installation.shared()
        let folder = try folder ?? TestFolder()
        if access(folder.path + "/registry.json", F_OK) != 0 {
            try folder.write(Installation.registry(), to: "registry.json")
        }
        var options = Application.Options()
        let clock = given ?? ManualClock(now)
        options.clock = clock
        options.executableFolder = executableFolder ?? installation.folder
        // On a machine that does much else a turn may take long, which is answered with a line more.
        options.limits.answerTime = .seconds(300)
        options.limits.turnTime = .seconds(300)
        adjust(&options)
        let place = try await database(in: folder)
        let application = try await Application.open(
            configuration(folder, place.environment.merging(environment) { $1 }), options: options)
        let ann = try await member(application, "ann@example.org", annPhone)
        let bob = try await member(application, "bob@example.org", bobPhone)
        return Household(folder: folder, application: application, clock: clock, ann: ann, bob: bob)
    }

    private static let places = Mutex<[String: TestDatabase]>([:])

    /// The database of a folder, which stays the same when it is opened again.
    static func database(in folder: TestFolder) async throws -> TestDatabase {
        if let known = places.withLock({ $0[folder.path] }) { return known }
        let installation = try Installation.shared()
        let made = try await TestDatabase(file: folder.path + "/data/tandem.sqlite", template: "household") { server in
            let other = try TestFolder()
            try other.write(Installation.registry(), to: "registry.json")
            var options = Application.Options()
            options.executableFolder = installation.folder
            let settings = try await PostgreSQLServer.shared().environment(server.address.database)
            try await Application.open(configuration(other, settings), options: options).close()
        }
        places.withLock { $0[folder.path] = made }
        return made
    }

    static func configuration(_ folder: TestFolder, _ environment: [String: String] = [:]) throws -> Configuration {
        var variables = [
            "TANDEM_DATA": folder.path + "/data", "TANDEM_REGISTRY": folder.path + "/registry.json",
            "TANDEM_LISTEN": "127.0.0.1:0",
        ]
        variables.merge(environment) { $1 }
        return try Configuration(environment: variables)
    }

    /// The settings of the SMS channel before a simulator.
    static func twilio(_ simulator: TwilioSimulator) -> [String: String] {
        [
            "TANDEM_PUBLIC_URL": publicBase, "TWILIO_ACCOUNT_SID": simulator.accountSID,
            "TWILIO_AUTH_TOKEN": simulator.authToken, "TWILIO_NUMBER": simulator.numbers[0],
            "TANDEM_TWILIO_URL": simulator.url,
        ]
    }

    /// An account with everything that is loaded switched on.
    static func member(_ application: Application, _ email: String, _ phone: String) async throws -> UserScope {
        if let account = try await application.accounts.user(email: email) { return account.scope }
        let scope = try await application.accounts.createUser(email: email, fullName: "Somebody").scope
        try await application.accounts.attachPhone(phone, to: scope, verified: true)
        for status in application.plugins.statuses() where status.state == .loaded {
            try await application.plugins.switchOn(status.id, in: scope)
        }
        return scope
    }

    /// An account that nothing is on for yet.
    func newcomer(_ email: String, _ phone: String) async throws -> UserScope {
        let scope = try await application.accounts.createUser(email: email, fullName: "Somebody").scope
        try await application.accounts.attachPhone(phone, to: scope, verified: true)
        return scope
    }

    /// One message and its answer, which must be one plain SMS.
    @discardableResult
    func say(
        _ text: String, as scope: UserScope? = nil, location: SourceLocation = #_sourceLocation
    ) async throws -> Answer {
        let answer = try await application.agent.converse(text, channel: "test", scope: scope ?? ann)
        #expect(!answer.text.isEmpty, sourceLocation: location)
        #expect(SMSText.encoding(of: answer.text) == .gsm7, "\(answer.text)", sourceLocation: location)
        #expect(SMSText.segments(of: answer.text) == 1, "\(answer.text)", sourceLocation: location)
        return answer
    }

    /// Everything of a person, as an export gives it.
    func export(of scope: UserScope) async throws -> JSON {
        try await application.database.read(scope) { try $0.exportUser() }
    }

    /// A person's rows of one table.
    func rows(_ table: String, of scope: UserScope? = nil) async throws -> [JSON] {
        try await export(of: scope ?? ann).rows(table)
    }
}

extension JSON {
    /// The rows of one table of an export.
    func rows(_ table: String) -> [JSON] {
        self["tables"]?.arrayValue?.first { $0["name"]?.stringValue == table }?["rows"]?.arrayValue ?? []
    }
}

extension CurlClient {
    /// Sends a request of Twilio's to a server of this machine; gives the status.
    func post(_ request: TwilioSimulator.WebhookRequest, port: Int) async throws -> Int {
        try await respond(to: request, port: port).status
    }

    /// Sends a request of Twilio's to a server of this machine.
    func respond(to request: TwilioSimulator.WebhookRequest, port: Int) async throws -> HTTPResponse {
        let target = request.url.dropFirst(Household.publicBase.count)
        return try await send(
            HTTPRequest(
                .post, "http://127.0.0.1:\(port)\(target)",
                headers: ["Content-Type": request.contentType, "X-Twilio-Signature": request.signature],
                body: Array(request.body.utf8), timeout: .seconds(60)))
    }

    /// A client that talks to this machine only.
    static func local() -> CurlClient {
        var options = CurlClient.Options()
        options.usesEnvironmentProxy = false
        return CurlClient(options: options)
    }
}

/// Polls a condition that another task or process brings about; true as soon as it holds, false when it took too long.
func eventually(within limit: Duration = .seconds(60), _ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + limit
    repeat {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    } while ContinuousClock.now < end
    return false
}
