import Foundation
import Glibc
import PostgreSQLServer
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON
import TandemStorage

/// Reading 20 tasks with an access token over HTTP, on both engines, and what people who sign in cost the others. Driver,
/// server and PostgreSQL share the machine.
enum ReadBenchmark {
    private static let people = 8
    private static let connections = 32
    private static let runs = 5
    private static let password = "plum harbour violet 7"

    static func run(_ place: Place) async throws -> [Figure] {
        let driver = place.folder + "/read-driver"
        try place.compile("Benchmarks/LoadDriver/main.c", to: driver)
        var figures = try await reads(place, driver, "SQLite", environment: [:], requests: 40_000, goal: ">= 16000")
        let server = try await PostgreSQLServer(settings: ["fsync=on", "full_page_writes=on"])
        let name = try await server.database().address.database
        var environment = server.environment(name)
        environment["DATABASE_POOL"] = nil
        figures += try await reads(
            place, driver, "PostgreSQL", environment: environment, requests: 25_000, goal: ">= 10000")
        return figures + (try await logins(place, driver))
    }

    private static func reads(
        _ place: Place, _ driver: String, _ engine: String, environment: [String: String], requests: Int, goal: String
    ) async throws -> [Figure] {
        let served = try await Served(place, environment)
        defer { served.server.stop() }
        let file = try served.requests(requests, name: "reads")
        var rates: [Double] = []
        var tails: [Double] = []
        var costs: [Double] = []
        for run in 0...runs {
            let before = served.server.processorSeconds
            let answer = try Driver.run(driver, served.server.port, connections, file)
            // The first one warms up.
            if run == 0 { continue }
            costs.append((served.server.processorSeconds - before) * 1e6 / Double(requests))
            rates.append(answer.perSecond)
            tails.append(answer.p99)
        }
        return [
            Figure(name: "GET of 20 tasks by token, \(engine)", unit: "/s", values: rates, goal: goal),
            Figure(name: "GET of 20 tasks by token, \(engine), P99", unit: "ms", values: tails),
            Figure(name: "GET of 20 tasks by token, \(engine), the server's processor time", unit: "us", values: costs),
        ]
    }

    /// Signing in as often as the machine can, alone and beside others who read.
    private static func logins(_ place: Place, _ driver: String) async throws -> [Figure] {
        let served = try await Served(place, [:])
        defer { served.server.stop() }
        let reads = try served.requests(4000, name: "reads")
        let few = try served.logins(200, name: "few")
        let many = try served.logins(20_000, name: "many")
        var rates: [Double] = []
        var alone: [Double] = []
        var beside: [Double] = []
        for run in 0..<4 {
            let rate = try Driver.run(driver, served.server.port, 8, few).perSecond
            let quiet = try Driver.run(driver, served.server.port, 4, reads).p99
            let crowd = Child.prepared(
                driver, ["127.0.0.1", String(served.server.port), "16", many], nil, errors: place.folder + "/crowd")
            try Child.start(crowd)
            let busy = Result { try Driver.run(driver, served.server.port, 4, reads).p99 }
            Child.end(crowd)
            if run == 0 { continue }
            rates.append(rate)
            alone.append(quiet)
            beside.append(try busy.get())
        }
        return [
            Figure(name: "sign-ins (Argon2id, 19 MiB, t = 2), 8 at once", unit: "/s", values: rates),
            Figure(name: "GET of 20 tasks, 4 at once, P99", unit: "ms", values: alone),
            Figure(name: "the same while people sign in at the limit, P99", unit: "ms", values: beside, goal: "< 50"),
        ]
    }

    /// A server with people who have tasks.
    private struct Served {
        let server: Server
        let tokens: [String]
        let folder: String

        init(_ place: Place, _ settings: [String: String]) async throws {
            folder = try place.fresh("read")
            var environment = settings.merging(WebhookBenchmark.environment) { $1 }
            environment["TANDEM_DATA"] = folder
            environment["TANDEM_RATE_LIMIT"] = "off"
            var options = Application.Options()
            options.executableFolder = place.buildFolder
            try await Application.with(try Configuration(environment: environment), options: options) { application in
                for index in 0..<people {
                    let account = try await application.accounts.createUser(
                        email: ReadBenchmark.email(index), fullName: "Person \(index)")
                    let scope = UserScope(authenticated: account.id)
                    try await application.accounts.setPassword(password, of: scope)
                    try await application.database.write(scope) { transaction in
                        for number in 0..<20 {
                            try transaction.insert(
                                "tasks",
                                [
                                    "title": .string("Call somebody about thing \(number)"), "priority": "high",
                                    "due_date": "2026-12-01",
                                ])
                        }
                    }
                }
            }
            server = try await Server(place: place, data: folder, environment: environment, people: 0)
            var tokens: [String] = []
            for index in 0..<people {
                let answer = try Plain.exchange(server.port, ReadBenchmark.login(index))
                guard let token = answer["tokens"]?["access_token"]?.stringValue else {
                    throw Child.Failure(description: "nobody can sign in: \(answer.text)")
                }
                tokens.append(token)
                let page = try Plain.exchange(server.port, Served.read(token))
                guard page["items"]?.arrayValue?.count == 20 else {
                    throw Child.Failure(description: "there are not 20 tasks: \(page.text)")
                }
            }
            self.tokens = tokens
        }

        private static func read(_ token: String) -> String {
            "GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\r\n"
        }

        func requests(_ count: Int, name: String) throws -> String {
            try file(name, (0..<count).map { Served.read(tokens[$0 % tokens.count]) })
        }

        func logins(_ count: Int, name: String) throws -> String {
            try file(name, (0..<count).map { ReadBenchmark.login($0 % people) })
        }

        /// As the load driver reads them.
        private func file(_ name: String, _ requests: [String]) throws -> String {
            var data = Data()
            for request in requests {
                withUnsafeBytes(of: UInt32(request.utf8.count).littleEndian) { data.append(contentsOf: $0) }
                data.append(contentsOf: request.utf8)
            }
            let path = "\(folder)/\(name)"
            try data.write(to: URL(fileURLWithPath: path))
            return path
        }
    }

    private static func email(_ index: Int) -> String { "p\(index)@bench.test" }

    private static func login(_ index: Int) -> String {
        let body = JSON.object(["email": .string(email(index)), "password": .string(password)]).text
        return "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// The load driver's answer.
enum Driver {
    struct Answer {
        var perSecond: Double
        var p99: Double
    }

    static func run(_ driver: String, _ port: Int, _ connections: Int, _ file: String) throws -> Answer {
        let text = try Child.check(driver, ["127.0.0.1", String(port), String(connections), file])
        let answer = try JSON(parsing: text.trimmingCharacters(in: .whitespacesAndNewlines))
        return Answer(
            perSecond: answer["perSecond"]?.doubleValue ?? 0, p99: answer["p99_ms"]?.doubleValue ?? .infinity)
    }
}

/// One request, one answer, one connection.
enum Plain {
    static func exchange(_ port: Int, _ request: String) throws -> JSON {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Child.Failure(description: "no socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let bytes = Array(request.replacingOccurrences(of: "\r\n\r\n", with: "\r\nConnection: close\r\n\r\n").utf8)
        guard connected == 0, send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Child.Failure(description: "the server does not take a request")
        }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &part, part.count, 0)
            guard count > 0 else { break }
            answer.append(contentsOf: part[..<count])
        }
        let text = String(decoding: answer, as: UTF8.self)
        guard let head = text.range(of: "\r\n\r\n") else { throw Child.Failure(description: "no answer") }
        return try JSON(parsing: String(text[head.upperBound...]))
    }
}
