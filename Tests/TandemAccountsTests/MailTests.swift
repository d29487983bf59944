import Foundation
import Glibc
import Synchronization
import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct MailTests {
    @Test func handsAMailToTheServer() async throws {
        let server = try SMTPServer()
        let mailer = SMTPMailer(
            try SMTPMailer.Configuration(
                server: "smtp://127.0.0.1:\(server.port)", sender: "tandem@example.org", allowsPlainText: true),
            clock: ManualClock(Timestamp(millisecondsSinceEpoch: 1_795_284_000_000)))
        let text = "Hello\n.\n..dots\nçà et là\n" + String(repeating: "long ", count: 400)
        try await mailer.send(
            Mail(
                to: "ann@example.org", subject: "Überraschung: 123456 ist dein Code, ganz für dich allein", text: text),
            id: "42")
        let lines = server.lines
        #expect(lines.contains("MAIL FROM:<tandem@example.org>"))
        #expect(lines.contains("RCPT TO:<ann@example.org>"))
        let data = try #require(lines.firstIndex(of: "DATA"))
        let message = Array(lines[(data + 1)...].prefix { $0 != "." })
        #expect(message.allSatisfy { $0.utf8.count <= 78 && $0.utf8.allSatisfy { $0 < 128 } })
        let end = try #require(message.firstIndex(of: ""))
        let headers = message[..<end]
        #expect(headers.contains("Date: Sat, 21 Nov 2026 18:00:00 +0000"))
        #expect(headers.contains("Message-ID: <42@example.org>"))
        #expect(headers.contains("To: <ann@example.org>"))
        #expect(headers.contains { $0.hasPrefix("Subject: =?utf-8?B?") })
        let body = try #require(Data(base64Encoded: message[(end + 1)...].joined()))
        #expect(String(decoding: body, as: UTF8.self) == text.replacingOccurrences(of: "\n", with: "\r\n"))
    }

    @Test func saysWhetherTryingAgainMakesSense() async throws {
        for (answer, isFinal) in [("550 no such user", true), ("451 later", false)] {
            let server = try SMTPServer(recipientAnswer: answer)
            let mailer = SMTPMailer(
                try SMTPMailer.Configuration(
                    server: "smtp://127.0.0.1:\(server.port)", sender: "tandem@example.org", allowsPlainText: true))
            do {
                try await mailer.send(Mail(to: "ann@example.org", subject: "x", text: "x"), id: "1")
                Issue.record("it was taken")
            } catch let error as MailError {
                #expect(error.isFinal == isFinal)
                #expect(error.message.contains(answer.prefix(3)))
                #expect(!error.message.contains("ann@"))
            }
        }
        let nobody = SMTPMailer(
            try SMTPMailer.Configuration(server: "smtp://127.0.0.1:1", sender: "t@example.org", allowsPlainText: true))
        await #expect(throws: MailError.self) {
            try await nobody.send(Mail(to: "ann@example.org", subject: "x", text: "x"), id: "1")
        }
    }

    @Test func withoutTLSNothingIsSent() async throws {
        let server = try SMTPServer()
        let mailer = SMTPMailer(
            try SMTPMailer.Configuration(
                server: "smtp://127.0.0.1:\(server.port)", user: "u", password: Secret("p"), sender: "t@example.org"))
        await #expect(throws: MailError.self) {
            try await mailer.send(Mail(to: "ann@example.org", subject: "x", text: "x"), id: "1")
        }
        #expect(!server.lines.contains { $0.hasPrefix("MAIL") || $0.hasPrefix("AUTH") })
    }

    @Test func nobodyWritesHeadersOfTheirOwn() {
        func message(_ to: String, _ subject: String) -> [UInt8]? {
            MailMessage.bytes(
                Mail(to: to, subject: subject, text: "x"), from: "t@example.org", name: "T", id: "1",
                at: Timestamp(millisecondsSinceEpoch: 0))
        }
        #expect(message("ann@example.org", "x") != nil)
        for to in [
            "ann@example.org\r\nBcc: x@example.org", "ann@example.org>, <x@example.org", "", "ann", " ann@example.org",
        ] { #expect(message(to, "x") == nil) }
        #expect(message("ann@example.org", "x\r\nBcc: x@example.org") == nil)
        #expect(throws: AccountsError.self) {
            try SMTPMailer.Configuration(server: "http://x", sender: "t@example.org")
        }
        #expect(throws: AccountsError.self) {
            try SMTPMailer.Configuration(server: "smtp://u:p@x", sender: "t@example.org")
        }
        #expect(throws: AccountsError.self) { try SMTPMailer.Configuration(server: "smtp://x", sender: "t") }
    }

    // MARK: The outbox

    @Test func triesAgainLaterAndLater() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        await world.accounts.deliverMail()
        let before = world.mailer.mails.count
        world.mailer.fail(MailError("down", isFinal: false), MailError("down", isFinal: false))
        try await world.accounts.sendEmailVerification(to: ann.scope)
        await world.accounts.deliverMail()
        #expect(world.mailer.mails.count == before)
        world.clock.advance(by: .seconds(15))
        await world.accounts.deliverMail()
        world.clock.advance(by: .seconds(59))
        await world.accounts.deliverMail()
        #expect(world.mailer.mails.count == before)
        world.clock.advance(by: .seconds(1))
        await world.accounts.deliverMail()
        #expect(world.mailer.mails.count == before + 1)
        world.clock.advance(by: .seconds(86_400))
        await world.accounts.deliverMail()
        #expect(world.mailer.mails.count == before + 1)
    }

    @Test func givesUpWhatTheServerRefused() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        await world.accounts.deliverMail()
        world.mailer.fail(MailError("550", isFinal: true))
        try await world.accounts.sendEmailVerification(to: ann.scope)
        await world.accounts.deliverMail()
        let rest = try await world.accounts.database.read(.system) { try $0.query("SELECT id FROM mail_outbox").count }
        #expect(rest == 0)
    }

    @Test func twoProcessesSendEachMailOnce() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        for number in 0..<10 {
            try await world.accounts.signUp(
                SignUpRequest(
                    email: "p\(number)@example.org", fullName: "P", password: Secret(AccountsWorld.password)),
                from: world.home)
        }
        async let here = world.accounts.deliverMail()
        async let there = other.deliverMail()
        _ = await (here, there)
        await world.accounts.deliverMail()
        #expect(Set(world.mailer.mails.map(\.to)).count == 10 && world.mailer.mails.count == 10)
    }
}

/// A server that takes one mail over one connection, on a thread of its own, and keeps every line that it got.
final class SMTPServer: Sendable {
    let port: UInt16
    private let received = Mutex<[String]>([])

    var lines: [String] { received.withLock { $0 } }

    init(recipientAnswer: String = "250 ok") throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 4) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard listener >= 0, isBound else { throw AccountsWorld.Unexpected() }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            let connection = accept(listener, nil, nil)
            close(listener)
            SMTPServer.serve(connection, recipientAnswer) { line in self?.received.withLock { $0.append(line) } }
            close(connection)
        }
    }

    private static func serve(_ connection: Int32, _ recipientAnswer: String, _ keep: (String) -> Void) {
        func say(_ text: String) {
            let bytes = Array("\(text)\r\n".utf8)
            _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
        say("220 test")
        var pending: [UInt8] = []
        var isData = false
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: 10) {
                let line = String(decoding: pending[..<end].filter { $0 != 13 }, as: UTF8.self)
                pending.removeSubrange(...end)
                keep(line)
                if isData {
                    if line == "." {
                        isData = false
                        say("250 taken")
                    }
                } else if line == "DATA" {
                    isData = true
                    say("354 go on")
                } else if line == "QUIT" {
                    say("221 bye")
                    return
                } else {
                    say(line.hasPrefix("RCPT") ? recipientAnswer : "250 ok")
                }
            }
        }
    }
}
