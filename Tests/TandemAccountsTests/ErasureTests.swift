import Foundation
import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct ErasureTests {
    /// Every table of the accounts that says something of people.
    private static let tables = [
        "users", "account_credentials", "verified_emails", "known_devices", "account_sessions", "channel_proofs",
        "one_time_codes", "login_challenges", "totp_secrets", "recovery_codes", "mail_outbox", "sign_ups",
        "phone_invitations", "phone_index", "phone_states", "api_keys", "login_throttles",
    ]

    private func counts(_ world: AccountsWorld) async throws -> [String: Int] {
        try await world.accounts.database.read(.system) { transaction in
            var counts: [String: Int] = [:]
            for table in ErasureTests.tables {
                let row = try transaction.first("SELECT count(*) AS rows_there FROM \(identifier: table)")
                counts[table] = try row?.int("rows_there")
            }
            return counts
        }
    }

    /// Uses everything that there is.
    private func live(_ world: AccountsWorld, _ name: String, _ number: String) async throws -> Account {
        let accounts = world.accounts
        let phone = try PhoneNumber(validating: number)
        _ = try await accounts.database.write(.system) { try accounts.invite(phone, in: $0) }
        let ann = try await world.person(name)
        let principal = try await world.principal(try await world.signIn(ann))
        try await accounts.beginPhoneVerification(principal, number: number)
        try await accounts.confirmPhone(principal.scope, number: number, code: world.texts.lastCode)
        try await accounts.sendProofCode(to: ann.scope)
        let code = String(try #require(await world.lastMail()?.subject.prefix(6)))
        try await accounts.stepUp(ann.scope, channel: "sms", with: .mail(code))
        try await accounts.sendEmailVerification(to: ann.scope)
        try await accounts.verifyEmail(await world.lastLink(), from: world.home)
        _ = try await world.enrol(ann)
        _ = try await accounts.logIn(email: ann.email, password: AccountsWorld.password, from: world.home)
        _ = await refusal { _ = try await accounts.logIn(email: ann.email, password: "x", from: world.abroad) }
        await accounts.deliverMail()
        world.mailer.fail(MailError("down", isFinal: false))
        try await accounts.requestPasswordReset(email: ann.email, from: world.home)
        await accounts.deliverMail()
        return ann
    }

    @Test func nothingOfAPersonRemains() async throws {
        let world = try await AccountsWorld()
        let bob = try await live(world, "bob", "+33612345670")
        let before = try await counts(world)
        let ann = try await live(world, "ann", "+33612345678")
        let between = try await counts(world)
        // The test itself must use every table, but those of others' doing.
        for (table, count) in between where !["sign_ups", "api_keys", "mail_outbox"].contains(table) {
            #expect(count > before[table] ?? 0, "\(table) is not used by this test")
        }
        // What failed of Bob's mail has been sent meanwhile.
        #expect(before["mail_outbox"] == 1 && between["mail_outbox"] == 1)
        try await world.accounts.delete(ann.scope)
        var after = try await counts(world)
        // The source's own counter is nobody's in particular, and Bob shares it.
        let shared = try await world.accounts.database.read(.system) { transaction in
            try transaction.first(
                "SELECT count(*) AS rows_there FROM login_throttles WHERE target_hash = \([UInt8]())")?.int(
                    "rows_there")
        }
        #expect(shared ?? .max <= 4)
        after["login_throttles"] = nil
        var expected = before
        expected["login_throttles"] = nil
        expected["mail_outbox"] = 0
        #expect(after == expected)
        #expect(world.audit.events.last?.name == .accountErased)
        // Bob is as he was.
        #expect(try await world.accounts.identify(phone: "+33612345670") == bob.scope)
        #expect(try await world.accounts.sessions(of: bob.scope).count == 1)
        _ = try await world.person("ann")
    }

    @Test func noSecretIsReadableInTheFileOrInAudits() async throws {
        let folder = try TemporaryFolder()
        let keyring = Keyring(try MasterKeys(text: String(repeating: "0123456789abcdef", count: 4)))
        let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_800_000_000_000))
        let database = try await SQLiteDatabase.open(
            SQLiteConfiguration(path: folder.path + "/tandem.db"), keyring: keyring, clock: clock)
        try await database.migrate(Accounts.migrations)
        var settings = AccountSettings()
        settings.passwordParameters = PasswordParameters(passes: 1, memoryKiB: 64)
        let (mailer, texts, audit) = (MemoryMailer(), MemoryTexts(), MemoryAudit())
        let accounts = Accounts(
            database: database, settings: settings,
            services: AccountServices(mailer: mailer, texts: texts, audit: audit))
        try await accounts.prepare()
        let ann = try await accounts.createUser(email: "ann@example.org", fullName: "Ann")
        try await accounts.setPassword("seven green bottles", of: ann.scope)
        let source = ClientSource(address: "203.0.113.7", deviceName: "Grandma's tablet")
        guard
            case .signedIn(let tokens) = try await accounts.logIn(
                email: ann.email, password: "seven green bottles", from: source)
        else { throw AccountsWorld.Unexpected() }
        let principal = try await accounts.authenticate(tokens.accessToken.reveal())
        let next = try await accounts.refresh(tokens.refreshToken)
        try await accounts.beginPhoneVerification(principal, number: "+33612345678")
        let code = texts.lastCode
        let enrolment = try await accounts.beginTOTP(principal)
        let secret = try #require(Base32.bytes(enrolment.key.reveal()))
        let totp = TOTP(secret: secret)
        let recovery = try await accounts.confirmTOTP(ann.scope, code: totp.code(step: totp.step(at: clock.now)))
        let robot = try await accounts.createUser(email: "r@example.org", fullName: "R", role: .service)
        let (_, key) = try await accounts.createKey(for: robot.id, name: "x", scopes: [.backup])
        mailer.fail(MailError("down", isFinal: false))
        await accounts.deliverMail()
        try await accounts.requestPasswordReset(email: ann.email, from: source)
        await accounts.deliverMail()
        let invitation = try await database.write(.system) {
            try accounts.invite(try PhoneNumber(validating: "+33612345679"), in: $0)
        }
        let link = mailer.mails.compactMap { $0.text.split(separator: "#").last?.prefix { !$0.isWhitespace } }.last
        await database.close()

        var bytes: [UInt8] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            bytes += Array(try #require(FileManager.default.contents(atPath: folder.path + "/" + name)))
        }
        var secrets: [[UInt8]] = [secret, Array(source.device.map { $0.utf8 } ?? "".utf8)]
        for text in [
            "seven green bottles", tokens.accessToken.reveal(), tokens.refreshToken.reveal(),
            next.refreshToken.reveal(), tokens.deviceToken?.reveal() ?? "", recovery[0].reveal(),
            recovery[0].reveal().replacingOccurrences(of: "-", with: ""), key.reveal(), "612345678", "612345679",
            String(link ?? ""), String(invitation?.reveal().split(separator: "#").last ?? ""), "203.0.113",
        ] { secrets.append(Array(text.utf8)) }
        let data = Data(bytes)
        for secret in secrets {
            #expect(secret.count >= 5)
            #expect(data.range(of: Data(secret)) == nil, "a secret of \(secret.count) bytes is in the file")
        }
        #expect(code.utf8.count == 6)
        for event in audit.events {
            let said = event.detail.values.joined(separator: " ")
            for secret in secrets {
                #expect(!said.contains(String(decoding: secret, as: UTF8.self)))
            }
            #expect(!said.contains("@") && !said.contains(code))
        }
    }

    @Test func whatIsSecretDescribesItselfAsNothing() throws {
        let code = "123456"
        for proof in [Proof.totp(code), .sms(code), .mail(code), .recovery(code), .password(code)] {
            var dumped = ""
            dump(proof, to: &dumped)
            #expect(!"\(proof) \(String(reflecting: proof)) \(dumped)".contains(code))
        }
        let mail = Mail(to: "ann@example.org", subject: code, text: code)
        var dumped = ""
        dump(mail, to: &dumped)
        #expect(!"\(mail) \(String(reflecting: mail)) \(dumped)".contains(code))
        let tokens = SessionTokens(
            session: RecordID(rawValue: 1), accessToken: Secret(code),
            accessExpiresAt: Timestamp(millisecondsSinceEpoch: 0), refreshToken: Secret(code),
            refreshExpiresAt: Timestamp(millisecondsSinceEpoch: 0), deviceToken: Secret(code))
        #expect(!"\(tokens)".contains(code))
    }

    @Test func whatIsOverIsForgotten() async throws {
        let world = try await AccountsWorld()
        _ = try await live(world, "ann", "+33612345678")
        #expect(try await world.accounts.prune() == 0)
        world.clock.advance(by: .seconds(200 * 86_400))
        await world.accounts.deliverMail()
        #expect(try await world.accounts.prune() > 5)
        let rest = try await counts(world)
        for table in [
            "known_devices", "account_sessions", "channel_proofs", "one_time_codes", "login_challenges", "mail_outbox",
            "phone_invitations", "login_throttles",
        ] { #expect(rest[table] == 0, "\(table)") }
        for table in ["users", "account_credentials", "totp_secrets", "recovery_codes", "phone_index"] {
            #expect(rest[table] != 0, "\(table)")
        }
    }
}
