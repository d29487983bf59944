import Foundation
import PostgreSQLServer
import Synchronization
import TandemAccounts
import TandemApplication
import TandemCore
import TandemEgress
import TandemJSON
import TandemPluginHost
import TandemStorage
import TwilioSimulator

/// Kills the serving process again and again while people write, and then counts what was lost or done twice.
///
/// Each process dies in one of four ways: at a transaction (before, within or after it, each number in turn), when the
/// service elsewhere has a request (before or after it acted), while the carrier holds an answer back, or at any time.
/// What the carrier did not get acknowledged it sends again, unchanged; people answer questions with the code they got,
/// twice.
public struct CrashRun: Sendable {
    /// The folder with `tandem`, and `plugins` beside it with the bundled ones and `courier`.
    public var installation: String
    /// This harness as a program: started with `serve` it is the server with a fault point.
    public var harness: String
    public var kills: Int
    /// The settings that make a program use the database; empty for the file in the data folder.
    public var database: [String: String]
    /// A folder of this run's own.
    public var folder: String
    public var people = 48
    /// A scripted model works on some of the messages, in several requests each; all processes are then the harness's.
    public var usesModel = false
    /// Answers come after so many milliseconds, whatever is still to be done, and the service takes longer than that: most
    /// turns have a second message. All processes are the harness's.
    public var answerMilliseconds: Int?
    /// What is confirmed waits a second before it leaves, and is told of when it has left.
    public var holdsMessages = false
    public var progress: @Sendable (Int) -> Void = { _ in }

    public init(installation: String, harness: String, kills: Int, database: [String: String], folder: String) {
        self.installation = installation
        self.harness = harness
        self.kills = kills
        self.database = database
        self.folder = folder
    }

    /// People who write at once.
    private static let atOnce = 3
    /// How long a process may take to its next answer before it is killed for having none, on a machine with time to spare.
    /// On a busy one it is as much longer as answers take there.
    private static let patience = Duration.milliseconds(400)
    private static let longestPatience = Duration.seconds(10)
    /// So long it may take when it is let live.
    private static let wholeLife = Duration.seconds(60)
    /// After so many processes in a row that died without an answer the next one is let live until it has given some: a
    /// message that nobody lives long enough to answer is given up by design, and tells nothing.
    private static let barren = 3
    /// More transactions than a round has, as a rule: the process then dies at any time.
    private static let mostPoints = 24
    private static let publicBase = "https://tandem.example"

    private enum Fault: Sendable {
        case transaction(FaultPoint)
        case service(CourierService.Death)
        case carrier
        case anyTime

        var name: String {
            switch self {
            case .transaction(let point): "\(point.place.rawValue) a commit"
            case .service(.before): "before the service acts"
            case .service(.after): "after the service acted"
            case .carrier: "while the carrier answers"
            case .anyTime: "any time"
            }
        }
    }

    public func run() async throws -> CrashVerdict {
        try await TwilioSimulator.run { simulator in try await run(simulator) }
    }

    private func run(_ simulator: TwilioSimulator) async throws -> CrashVerdict {
        let began = ContinuousClock.now
        let service = try CourierService()
        defer { service.stop() }
        try registry().write(toFile: folder + "/registry.json", atomically: true, encoding: .utf8)
        var environment = database
        environment.merge([
            "TANDEM_PUBLIC_URL": CrashRun.publicBase, "TWILIO_ACCOUNT_SID": simulator.accountSID,
            "TWILIO_AUTH_TOKEN": simulator.authToken, "TWILIO_NUMBER": simulator.numbers[0],
            "TANDEM_TWILIO_URL": simulator.url, "TANDEM_GMAIL_URL": service.url, "TANDEM_DATA": folder + "/data",
            "TANDEM_REGISTRY": folder + "/registry.json", "TANDEM_LISTEN": "127.0.0.1:0",
        ]) { $1 }
        if holdsMessages { environment["TANDEM_SEND_DELAY"] = "1" }
        if let answerMilliseconds { service.slow(by: UInt32(clamping: answerMilliseconds * 3)) }
        let configuration = try Configuration(environment: environment)
        var correspondents = try await prepare(configuration)
        var verdict = CrashVerdict()
        var options = CurlClient.Options()
        options.usesEnvironmentProxy = false
        let client = CurlClient(options: options)

        var pace = Pace()
        for round in 0..<kills {
            let answered = simulator.messages.count
            let fault = pace.barren >= CrashRun.barren ? .anyTime : fault(of: round)
            let victim = try await start(fault, environment)
            if case .service(let death) = fault { service.kill(victim.pid, death) }
            if case .carrier = fault {
                simulator.script([.slow(.milliseconds(60)), nil, .slow(.milliseconds(60))])
            }
            let isOver = await converse(&correspondents, from: round, victim, simulator, client, fault, &pace)
            pace.barren = simulator.messages.count > answered ? 0 : pace.barren + 1
            if case .service = fault { _ = service.disarm() }
            await victim.killNow()
            verdict.kills[isOver ? fault.name : "any time", default: 0] += 1
            progress(round + 1)
        }

        let last = try await start(.anyTime, environment)
        try await settle(&correspondents, last, simulator, client, &verdict)
        await last.terminate()
        await client.shutdown()
        try await judge(correspondents, configuration, simulator, service, &verdict)
        verdict.faults += simulator.refusals.map { "the carrier refused: \($0)" }
        verdict.seconds = Double((ContinuousClock.now - began).components.seconds)
        return verdict
    }

    private func fault(of round: Int) -> Fault {
        switch round % 8 {
        case 3: return .carrier
        case 5: return .service(round % 16 < 8 ? .before : .after)
        case 7: return .anyTime
        default:
            let number = round / 8 * 5 + [0: 0, 1: 1, 2: 2, 4: 3, 6: 4][round % 8, default: 0]
            let place = FaultPoint.Place.allCases[number % 3]
            return .transaction(FaultPoint(place, number / 3 % CrashRun.mostPoints + 1))
        }
    }

    private func start(_ fault: Fault, _ environment: [String: String]) async throws -> VictimProcess {
        var environment = environment
        environment[CrashServer.folderVariable] = installation
        if usesModel { environment[CrashServer.modelVariable] = "1" }
        environment[CrashServer.answerVariable] = answerMilliseconds.map(String.init)
        let isOwn = usesModel || answerMilliseconds != nil
        guard case .transaction(let point) = fault else {
            return try await VictimProcess(
                program: isOwn ? harness : installation + "/tandem", arguments: ["serve"], environment: environment,
                log: folder + "/serve.log")
        }
        environment[CrashServer.pointVariable] = point.text
        return try await VictimProcess(
            program: harness, arguments: ["serve"], environment: environment, log: folder + "/serve.log")
    }

    /// How quickly things go on this machine.
    private struct Pace {
        /// Processes in a row that died without an answer.
        var barren = 0
        var patience = CrashRun.patience
    }

    /// Sends what some people have to say; true when the process died of its fault.
    private func converse(
        _ correspondents: inout [Correspondent], from round: Int, _ victim: VictimProcess,
        _ simulator: TwilioSimulator, _ client: CurlClient, _ fault: Fault, _ pace: inout Pace
    ) async -> Bool {
        var letters: [(Int, TwilioSimulator.WebhookRequest)] = []
        let order = correspondents.indices.map { (round * CrashRun.atOnce + $0) % correspondents.count }
        for index in order { correspondents[index].read(simulator) }
        var sorted = order
        // The service is asked by those who have a code.
        if case .service = fault {
            sorted = order.filter { correspondents[$0].hasCode } + order.filter { !correspondents[$0].hasCode }
        }
        for index in sorted where letters.count < CrashRun.atOnce {
            if let letter = correspondents[index].next(simulator, url: CrashRun.publicBase + "/webhook/sms") {
                letters.append((index, letter))
            }
        }
        let acknowledged = await send(letters, victim, client)
        for index in acknowledged { correspondents[index].acknowledge() }
        // Time to work, and to die of it: until everything is answered, or nothing comes any more.
        let expected = correspondents.reduce(0) { $0 + $1.sent.count }
        let before = simulator.messages.count
        var last = before
        let isLetLive = pace.barren >= CrashRun.barren
        let begin = ContinuousClock.now
        var end = begin + (isLetLive ? CrashRun.wholeLife : pace.patience)
        // Every other one that may die at any time dies while there is still something to do.
        if case .anyTime = fault, !isLetLive, (round / 8).isMultiple(of: 2) {
            end = .now + .microseconds(Int.random(in: 0...60_000))
        }
        while ContinuousClock.now < end {
            if victim.isGone { return true }
            let answered = simulator.messages.count
            if answered >= expected { break }
            if answered > last {
                if isLetLive, last == before {
                    let time = (ContinuousClock.now - begin) * 2
                    pace.patience = max(CrashRun.patience, min(time, CrashRun.longestPatience))
                }
                last = answered
                end = ContinuousClock.now + pace.patience
                if case .anyTime = fault, !isLetLive, Int.random(in: 0..<3) == 0 { break }
                if case .carrier = fault, Int.random(in: 0..<3) == 0 { break }
            }
            try? await Task.sleep(for: .milliseconds(1))
        }
        if case .carrier = fault { return true }
        return victim.isGone
    }

    private func send(
        _ letters: [(Int, TwilioSimulator.WebhookRequest)], _ victim: VictimProcess, _ client: CurlClient
    ) async -> [Int] {
        await withTaskGroup(of: Int?.self) { group in
            for (index, letter) in letters {
                group.addTask {
                    let target = letter.url.dropFirst(CrashRun.publicBase.count)
                    let answer = try? await client.send(
                        HTTPRequest(
                            .post, "http://127.0.0.1:\(victim.port)\(target)",
                            headers: [
                                "Content-Type": letter.contentType, "X-Twilio-Signature": letter.signature,
                            ], body: Array(letter.body.utf8), timeout: .seconds(60)))
                    return answer?.status == 200 ? index : nil
                }
            }
            var acknowledged: [Int] = []
            for await index in group { if let index { acknowledged.append(index) } }
            return acknowledged
        }
    }

    /// Lets a last process answer everything.
    private func settle(
        _ correspondents: inout [Correspondent], _ victim: VictimProcess, _ simulator: TwilioSimulator,
        _ client: CurlClient, _ verdict: inout CrashVerdict
    ) async throws {
        let end = ContinuousClock.now + .seconds(240)
        while ContinuousClock.now < end {
            for index in correspondents.indices where correspondents[index].isWaiting {
                guard let letter = correspondents[index].next(simulator, url: "") else { continue }
                for index in await send([(index, letter)], victim, client) { correspondents[index].acknowledge() }
            }
            let texts = simulator.messages.map(\.body)
            let expected = correspondents.reduce(0) { $0 + $1.sent.count } + texts.count(where: CrashVerdict.isFirst)
            if !correspondents.contains(where: \.isWaiting), texts.count >= expected { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        // What is too much would come now.
        try? await Task.sleep(for: .milliseconds(500))
    }

    // MARK: Before and after

    private func prepare(_ configuration: Configuration) async throws -> [Correspondent] {
        let application = try await open(configuration)
        var made: [Correspondent] = []
        for index in 0..<people {
            let phone = "+1555556\(1000 + index)"
            let scope = try await application.accounts.createUser(
                email: "p\(index)@example.org", fullName: "Somebody"
            ).scope
            try await application.accounts.attachPhone(phone, to: scope, verified: true)
            for status in application.plugins.statuses() where status.state == .loaded {
                try await application.plugins.switchOn(status.id, in: scope)
            }
            made.append(Correspondent(phone: phone, scope: scope, index: index, usesModel: usesModel))
        }
        await application.close()
        return made
    }

    private func judge(
        _ correspondents: [Correspondent], _ configuration: Configuration, _ simulator: TwilioSimulator,
        _ service: CourierService, _ verdict: inout CrashVerdict
    ) async throws {
        let application = try await open(configuration)
        let parcels = service.parcels
        for person in correspondents {
            let export = try await application.database.read(person.scope) { try $0.exportUser() }
            verdict.judge(person, export: export, simulator: simulator, parcels: parcels)
        }
        let (turns, texts) = try await application.database.read(.system) { transaction in
            (
                try transaction.query("SELECT turn FROM turn_queue").count,
                try transaction.query("SELECT id FROM sms_outbox WHERE state < 3").count
            )
        }
        if turns + texts > 0 { verdict.faults.append("left: \(turns) turns, \(texts) texts") }
        await application.close()
    }

    private func open(_ configuration: Configuration) async throws -> Application {
        var options = Application.Options()
        options.executableFolder = installation
        return try await Application.open(configuration, options: options)
    }

    private func registry() -> String {
        let names = [("tandem", "grocery"), ("tandem", "recipes"), ("tandem", "expenses"), ("test", "courier")]
        let entries = names.map { publisher, name -> JSON in
            [
                "id": .string("\(publisher).\(name)"), "namespace": .string(name), "bundle": .string(name),
                "trust": "first-party", "isolation": "in-process", "default": "offered",
            ]
        }
        return JSON.object(["version": 1, "plugins": .array(entries)]).pretty()
    }
}
