import ChildProcess
import Foundation
import Glibc
import Synchronization
import TandemJSON

/// A real mail server (aiosmtpd) on a free port of this machine: STARTTLS with a certificate of its own, then AUTH, then
/// mail. It ends with the object or the process.
///
/// By the local part of the recipient: `refused` does not exist (550), `later` is asked to come again (451) the first time,
/// `slow` gets no answer.
public final class MailServer: Sendable {
    public struct Mail: Sendable {
        public var sender: String
        public var recipients: [String]
        /// Headers and body as they came.
        public var text: String
        /// It came over TLS, and from whoever signed in so; nil for nobody.
        public var isSealed: Bool
        public var user: String?

        /// The body, decoded from base64.
        public var body: String {
            let encoded = text.replacingOccurrences(of: "\r\n", with: "\n").components(separatedBy: "\n\n").dropFirst()
            let data = Data(base64Encoded: encoded.joined().filter { !$0.isWhitespace }) ?? Data()
            return String(decoding: data, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
        }

        /// Everything before the body, a line each, continuations joined.
        public var headers: [String] {
            let head = text.replacingOccurrences(of: "\r\n", with: "\n").components(separatedBy: "\n\n").first ?? ""
            return head.replacingOccurrences(of: "\n ", with: " ").split(separator: "\n").map(String.init)
        }
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public static let user = "tandem"
    public static let password = "correct horse battery"
    private static let python = "/usr/bin/python3"

    private struct State {
        var mails: [Mail] = []
        var commands: [String] = []
        var rest: [UInt8] = []
        var port: Int?
        var isOver = false
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private let shared = Shared()
    private let process: pid_t
    /// Its end ends the server.
    private let lifeline: Int32
    public let folder: String
    public let port: Int

    /// Of the server's certificate, as a PEM file.
    public var authorities: String { folder + "/cert.pem" }

    /// The mails that were taken, in order.
    public var mails: [Mail] { shared.state.withLock { $0.mails } }

    /// What was asked of it: `RCPT TO <slow@example.org>`.
    public var commands: [String] { shared.state.withLock { $0.commands } }

    /// The last mail to an address.
    public func mail(to address: String) -> Mail? { mails.last { $0.recipients == [address] } }

    public init() throws {
        var template = Array("/tmp/tandem-mail-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "no folder for the mail server") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let made = try MailServer.spawn([
            "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem", "-days", "2", "-subj", "/CN=mail", "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        var status: Int32 = 0
        waitpid(made.process, &status, 0)
        close(made.input)
        close(made.output)
        guard status == 0 else { throw Failure(description: "openssl made no certificate") }
        let server = try MailServer.spawn([
            MailServer.python, "-c", MailServer.script, folder, MailServer.user, MailServer.password,
        ])
        process = server.process
        lifeline = server.input
        let (shared, output) = (shared, server.output)
        let reader = Thread {
            MailServer.read(output, into: shared)
            close(output)
        }
        reader.start()
        for _ in 0..<3000 {
            if shared.state.withLock({ $0.port != nil || $0.isOver }) { break }
            usleep(10_000)
        }
        guard let port = shared.state.withLock({ $0.port }) else {
            throw Failure(description: "aiosmtpd does not start: apt-get install python3-aiosmtpd (make test does)")
        }
        self.port = port
    }

    deinit {
        close(lifeline)
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: What it says

    private static func read(_ output: Int32, into shared: Shared) {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(output, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            shared.state.withLock { state in
                guard count > 0 else {
                    state.isOver = true
                    return
                }
                state.rest += chunk[0..<count]
                while let end = state.rest.firstIndex(of: 10) {
                    let line = Array(state.rest[..<end])
                    state.rest.removeFirst(end + 1)
                    if let json = try? JSON(parsing: line, limits: JSONLimits(maxBytes: 1 << 22)) { note(json, &state) }
                }
            }
            guard count > 0 else { return }
        }
    }

    private static func note(_ line: JSON, _ state: inout State) {
        if let port = line["port"]?.int64Value { state.port = Int(port) }
        if let command = line["command"]?.stringValue { state.commands.append(command) }
        guard let text = line["text"]?.stringValue else { return }
        state.mails.append(
            Mail(
                sender: line["sender"]?.stringValue ?? "",
                recipients: (line["recipients"]?.arrayValue ?? []).compactMap(\.stringValue), text: text,
                isSealed: line["sealed"] == true, user: line["user"]?.stringValue))
    }

    private static let script = """
        import asyncio, json, ssl, sys, threading, os
        from aiosmtpd.smtp import SMTP, AuthResult
        folder, user, password = sys.argv[1:4]
        def say(**line):
            sys.stdout.write(json.dumps(line) + "\\n")
            sys.stdout.flush()
        seen = set()
        class Handler:
            async def handle_RCPT(self, server, session, envelope, address, options):
                say(command="RCPT TO " + address)
                name = address.split("@")[0]
                if name == "refused":
                    return "550 5.1.1 no such mailbox: " + address
                if name == "later" and address not in seen:
                    seen.add(address)
                    return "451 4.7.1 come again"
                if name == "slow":
                    await asyncio.sleep(3600)
                envelope.rcpt_tos.append(address)
                return "250 OK"
            async def handle_DATA(self, server, session, envelope):
                say(sender=envelope.mail_from, recipients=envelope.rcpt_tos, sealed=session.ssl is not None,
                    text=envelope.original_content.decode("ascii"), user=session.auth_data)
                return "250 taken"
        def authenticate(server, session, envelope, mechanism, data):
            name = getattr(data, "login", b"").decode()
            right = name == user and getattr(data, "password", b"").decode() == password
            say(command="AUTH " + mechanism)
            return AuthResult(success=right, handled=right, auth_data=name if right else None,
                message=None if right else "535 5.7.8 no")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
        def watch():
            sys.stdin.read()
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
        async def main():
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: SMTP(Handler(), hostname="localhost", tls_context=context,
                require_starttls=True, auth_required=True, authenticator=authenticate), "127.0.0.1", 0)
            say(port=server.sockets[0].getsockname()[1])
            await server.serve_forever()
        asyncio.run(main())
        """

    private static func spawn(_ arguments: [String]) throws -> (process: pid_t, input: Int32, output: Int32) {
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        guard pipe(&input) == 0, pipe(&output) == 0 else { throw Failure(description: "no pipe") }
        for descriptor in input + output { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let process = ChildProcess.spawn(arguments, input: .descriptor(input[0]), output: .descriptor(output[1]))
        close(input[0])
        close(output[1])
        guard process > 0 else {
            close(input[1])
            close(output[0])
            throw Failure(description: "\(arguments[0]) cannot be started (errno \(-process))")
        }
        return (process, input[1], output[0])
    }
}
