import Crypto
import Foundation
import Glibc
import TandemAccounts
import TandemApplication
import TandemCore
import TandemJSON

/// Signed SMS webhooks over keep-alive connections to `tandem serve`, until the durable acknowledgement. Driver, server and
/// database share the machine. The answers go to an address where nobody listens: the outbox keeps them.
enum WebhookBenchmark {
    static let requests = 20_000
    static let people = 50
    static let token = "0123456789abcdef0123456789abcdef"
    static let account = "AC0123456789abcdef0123456789abcdef"
    static let base = "https://bench.example.org"

    static func run(_ place: Place) async throws -> [Figure] {
        let driver = place.folder + "/load-driver"
        try place.compile("Benchmarks/LoadDriver/main.c", to: driver)
        var rates: [Int: [Double]] = [:]
        var tails: [Int: [Double]] = [:]
        var memory: [Double] = []
        for run in 0..<3 {
            for connections in [32, 64] {
                let data = try place.fresh("webhook")
                let server = try await Server(place: place, data: data, environment: environment)
                defer { server.stop() }
                let file = data + "/requests"
                try prepared(run: run * 100 + connections).write(to: URL(fileURLWithPath: file))
                let text = try Child.check(driver, ["127.0.0.1", String(server.port), String(connections), file])
                let answer = try JSON(parsing: text.trimmingCharacters(in: .whitespacesAndNewlines))
                rates[connections, default: []].append(answer["perSecond"]?.doubleValue ?? 0)
                tails[connections, default: []].append(answer["p99_ms"]?.doubleValue ?? .infinity)
                memory.append(server.residentMegabytes)
            }
        }
        return [32, 64].flatMap { connections in
            [
                Figure(
                    name: "webhook to acknowledgement, \(connections) connections", unit: "/s",
                    values: rates[connections] ?? [], goal: connections == 32 ? ">= 7000" : nil),
                Figure(
                    name: "webhook, \(connections) connections, P99", unit: "ms", values: tails[connections] ?? [],
                    goal: connections == 32 ? "< 20" : nil),
            ]
        } + [Figure(name: "resident memory under that load", unit: "MB", values: memory)]
    }

    static let environment = [
        "TWILIO_ACCOUNT_SID": account, "TWILIO_AUTH_TOKEN": token, "TWILIO_NUMBER": "+15555550100",
        "TANDEM_PUBLIC_URL": base, "TANDEM_TWILIO_URL": "http://127.0.0.1:9",
        "TANDEM_LOG": "critical",
    ]

    static func phone(_ index: Int) -> String { "+1555556\(String(1000 + index))" }

    /// Requests as the load driver reads them, signed as Twilio does.
    private static func prepared(run: Int) -> Data {
        let key = SymmetricKey(data: Data(token.utf8))
        var data = Data()
        for index in 0..<requests {
            let digits = String(run * 1_000_000 + index)
            let sid = "SM" + String(repeating: "0", count: 32 - digits.count) + digits
            let parameters = [
                ("AccountSid", account), ("ApiVersion", "2010-04-01"), ("Body", "add milk to my list"),
                ("From", phone(index % people)), ("FromCity", ""), ("FromCountry", "US"), ("MessageSid", sid),
                ("NumMedia", "0"), ("NumSegments", "1"), ("SmsMessageSid", sid), ("SmsSid", sid),
                ("SmsStatus", "received"), ("To", "+15555550100"), ("ToCountry", "US"),
            ]
            let signed = base + "/webhook/sms" + parameters.map { $0.0 + $0.1 }.joined()
            let signature = Data(
                HMAC<Insecure.SHA1>.authenticationCode(for: Data(signed.utf8), using: key)
            ).base64EncodedString()
            let body = parameters.map { "\($0.0)=\(encoded($0.1))" }.joined(separator: "&")
            let head =
                "POST /webhook/sms HTTP/1.1\r\nHost: bench.example.org\r\nContent-Type: "
                + "application/x-www-form-urlencoded; charset=UTF-8\r\nX-Twilio-Signature: \(signature)\r\n"
                + "User-Agent: TwilioProxy/1.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            let request = Data((head + body).utf8)
            withUnsafeBytes(of: UInt32(request.count).littleEndian) { data.append(contentsOf: $0) }
            data.append(request)
        }
        return data
    }

    private static func encoded(_ text: String) -> String {
        text.replacingOccurrences(of: "+", with: "%2B").replacingOccurrences(of: " ", with: "+")
    }
}

/// A `tandem serve` of its own on a free port, with people whose numbers are known.
final class Server {
    let process: Process
    let port: Int
    /// From the start of the process to the first 200 of `/health/ready`.
    let millisecondsToReady: Double

    init(place: Place, data: String, environment: [String: String], people: Int = WebhookBenchmark.people) async throws
    {
        let tandem = place.buildFolder + "/tandem"
        var environment = environment
        environment["TANDEM_DATA"] = data
        if people > 0 {
            var options = Application.Options()
            options.executableFolder = place.buildFolder
            let configuration = try Configuration(environment: ["TANDEM_DATA": data])
            try await Application.with(configuration, options: options) { application in
                for index in 0..<people {
                    let scope = try await application.demoAccount(email: "p\(index)@bench.test")
                    _ = try await application.accounts.attachPhone(
                        WebhookBenchmark.phone(index), to: scope, verified: true)
                }
            }
        }
        port = Int.random(in: 20_000...60_000)
        environment["TANDEM_LISTEN"] = "127.0.0.1:\(port)"
        process = Child.prepared(tandem, ["serve"], environment, errors: data + "/errors")
        let start = monotonicNanoseconds()
        try Child.start(process)
        while true {
            if Server.isReady(port) { break }
            guard process.isRunning, monotonicNanoseconds() - start < 20_000_000_000 else {
                throw Child.Failure(description: "tandem serve did not get ready")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        millisecondsToReady = Double(monotonicNanoseconds() - start) / 1e6
    }

    /// Whether `/health/ready` answers 200.
    private static func isReady(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
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
        guard connected == 0 else { return false }
        let request = Array("GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            return false
        }
        var answer = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &answer, answer.count, 0)
        return count > 12 && String(decoding: answer[9..<12], as: UTF8.self) == "200"
    }

    var residentMegabytes: Double {
        let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kilobytes = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) } ?? 0
        return kilobytes / 1024
    }

    /// What the process used so far, in user and system mode.
    var processorSeconds: Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        // After the name in brackets the 12th and 13th (proc(5)).
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 13, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    func stop() {
        process.terminate()
        Child.waitForEnd(of: process)
    }
}
