import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SecondFactorTests {
    // MARK: RFC 6238 appendix B

    private static let vectors: [(Int64, String, String, String)] = [
        (59, "94287082", "46119246", "90693936"), (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"), (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"), (20_000_000_000, "65353130", "77737706", "47863826"),
    ]

    private func seed(_ count: Int) -> [UInt8] { (0..<count).map { Array("1234567890".utf8)[$0 % 10] } }

    @Test func givesTheCodesOfRFC6238() {
        for (seconds, sha1, sha256, sha512) in SecondFactorTests.vectors {
            let time = Timestamp(millisecondsSinceEpoch: seconds * 1000)
            let one = TOTP(secret: seed(20), digits: 8)
            #expect(one.code(step: one.step(at: time)) == sha1)
            let two = TOTP(secret: seed(32), digits: 8, algorithm: .sha256)
            #expect(two.code(step: two.step(at: time)) == sha256)
            let three = TOTP(secret: seed(64), digits: 8, algorithm: .sha512)
            #expect(three.code(step: three.step(at: time)) == sha512)
        }
    }

    /// RFC 4226 appendix D.
    @Test func givesTheCodesOfRFC4226() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
        ]
        let totp = TOTP(secret: seed(20))
        for (step, code) in codes.enumerated() { #expect(totp.code(step: Int64(step)) == code) }
    }

    /// RFC 4648 §10.
    @Test func writesAndReadsBase32() {
        let texts = ["": "", "f": "MY", "fo": "MZXQ", "foo": "MZXW6", "foob": "MZXW6YQ", "fooba": "MZXW6YTB"]
        for (plain, text) in texts {
            #expect(Base32.text(Array(plain.utf8)) == text)
            #expect(Base32.bytes(text) == Array(plain.utf8))
        }
        #expect(Base32.bytes("mzxw 6ytb-oi======") == Array("foobar".utf8))
        #expect(Base32.bytes("MZXW1") == nil && Base32.bytes("MZXW8") == nil && Base32.bytes("é") == nil)
    }

    @Test func acceptsOnePeriodToEitherSideAndNoneTwice() {
        let totp = TOTP(secret: seed(20))
        let time = Timestamp(millisecondsSinceEpoch: 1_800_000_015_000)
        let now = totp.step(at: time)
        for offset in -3...3 as ClosedRange<Int64> {
            let accepted = totp.acceptedStep(totp.code(step: now + offset), at: time, after: 0)
            #expect(accepted == (abs(offset) <= 1 ? now + offset : nil), "\(offset)")
        }
        #expect(totp.acceptedStep(totp.code(step: now), at: time, after: now) == nil)
        #expect(totp.acceptedStep(totp.code(step: now - 1), at: time, after: now) == nil)
        #expect(totp.acceptedStep(totp.code(step: now + 1), at: time, after: now) == now + 1)
        let code = totp.code(step: now)
        #expect(totp.acceptedStep("\(code.prefix(3)) \(code.suffix(3))", at: time, after: 0) == now)
        for bad in ["", "12345", "1234567", code + "0", "abcdef", "１２３４５６"] {
            #expect(totp.acceptedStep(bad, at: time, after: 0) == nil)
        }
    }

    private static let oathtool = "/usr/bin/oathtool"
    private static let hasOathtool = (try? output(of: oathtool, ["--version"])) ?? nil != nil

    @Test(.enabled(if: SecondFactorTests.hasOathtool, "oathtool is not installed"))
    func agreesWithAnotherAuthenticator() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        func app(_ key: String) throws -> String {
            let seconds = "@\(world.clock.now.millisecondsSinceEpoch / 1000)"
            return try #require(
                try output(of: SecondFactorTests.oathtool, ["--totp", "--base32", "--now", seconds, "-"], input: key))
        }
        let enrolment = try await world.accounts.beginTOTP(of: ann.scope)
        // As the picture gives it.
        let uri = enrolment.uri.reveal()
        #expect(uri.hasPrefix("otpauth://totp/Tandem:ann%40example.org?secret="))
        #expect(uri.hasSuffix("&issuer=Tandem&algorithm=SHA1&digits=6&period=30"))
        let key = String(try #require(uri.split(separator: "=").dropFirst().first).prefix { $0 != "&" })
        #expect(key == enrolment.key.reveal().split(separator: " ").joined())
        _ = try await world.accounts.confirmTOTP(ann.scope, code: try app(key))
        for _ in 1...3 {
            world.clock.advance(by: .seconds(31))
            let challenge = try await challenge(world, ann)
            _ = try await world.accounts.finishLogIn(challenge.token, with: .totp(try app(key)), from: world.home)
        }
    }

    private func challenge(_ world: AccountsWorld, _ account: Account) async throws -> LoginChallenge {
        let outcome = try await world.accounts.logIn(
            email: account.email, password: AccountsWorld.password, from: world.home)
        guard case .secondFactorNeeded(let challenge) = outcome else { throw AccountsWorld.Unexpected() }
        return challenge
    }

    // MARK: Signing in

    @Test func asksForTheCodeAndTakesItOnce() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let (app, recovery) = try await world.enrol(ann)
        #expect(recovery.count == 10 && Set(recovery).count == 10)
        let first = try await challenge(world, ann)
        #expect(first.methods == [.totp, .recovery])
        let code = world.code(app)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(first.token, with: .totp(wrong(code)), from: world.home)
            } == .codeRefused)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(
                    first.token, with: .password(AccountsWorld.password), from: world.home)
            } == .codeRefused)
        let tokens = try await world.accounts.finishLogIn(first.token, with: .totp(code), from: world.home)
        #expect(try await world.principal(tokens).hasSecondFactor)
        #expect(try await world.accounts.sessions(of: ann.scope).first?.methods == [.password, .totp])
        // Neither the challenge nor the code again.
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(first.token, with: .totp(code), from: world.home)
            } == .invalidCredentials)
        let second = try await challenge(world, ann)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(second.token, with: .totp(code), from: world.home)
            } == .codeRefused)
        world.clock.advance(by: .seconds(30))
        _ = try await world.accounts.finishLogIn(second.token, with: .totp(world.code(app)), from: world.home)
    }

    @Test func oneCodeOpensOneSessionOnly() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let ann = try await world.person()
        let (app, _) = try await world.enrol(ann)
        var challenges: [LoginChallenge] = []
        for _ in 1...4 { challenges.append(try await challenge(world, ann)) }
        let code = world.code(app)
        let results = await withTaskGroup(of: AccountsError.Code?.self) { group in
            for (number, challenge) in challenges.enumerated() {
                let accounts = number.isMultiple(of: 2) ? world.accounts : other
                group.addTask {
                    await refusal {
                        _ = try await accounts.finishLogIn(challenge.token, with: .totp(code), from: world.home)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.filter { $0 == nil }.count == 1)
    }

    @Test func triesAreFewWhateverTheChallenge() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let (app, recovery) = try await world.enrol(ann)
        var refusals: [AccountsError.Code?] = []
        for number in 0..<3 {
            let challenge = try await challenge(world, ann)
            for _ in 1...2 {
                let source = ClientSource(address: "192.0.2.\(number)")
                refusals.append(
                    await refusal {
                        _ = try await world.accounts.finishLogIn(
                            challenge.token, with: .totp(wrong(world.code(app))), from: source)
                    })
            }
        }
        #expect(refusals == [.codeRefused, .codeRefused, .codeRefused, .codeRefused, .codeRefused, .tooManyAttempts])
        // The right one waits, too; a recovery code has its own count.
        let last = try await challenge(world, ann)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(last.token, with: .totp(world.code(app)), from: world.home)
            } == .tooManyAttempts)
        _ = try await world.accounts.finishLogIn(last.token, with: .recovery(recovery[0].reveal()), from: world.home)
    }

    @Test func challengesEnd() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let (app, _) = try await world.enrol(ann)
        let late = try await challenge(world, ann)
        world.clock.advance(by: .seconds(600))
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(late.token, with: .totp(world.code(app)), from: world.home)
            } == .invalidCredentials)
        let closed = try await challenge(world, ann)
        try await world.accounts.setStatus(.disabled, of: ann.id)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(closed.token, with: .totp(world.code(app)), from: world.home)
            } == .invalidCredentials)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(Secret("x"), with: .totp("000000"), from: world.home)
            } == .invalidCredentials)
    }

    @Test func recoveryCodesAreGoodOnce() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let (_, codes) = try await world.enrol(ann)
        let code = codes[3].reveal()
        _ = try await world.accounts.finishLogIn(
            try await challenge(world, ann).token, with: .recovery(" \(code.uppercased()) "), from: world.home)
        #expect(try await world.accounts.recoveryCodesLeft(ann.scope) == 9)
        let again = try await challenge(world, ann)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(again.token, with: .recovery(code), from: world.home)
            } == .codeRefused)
        #expect(await world.lastMail()?.subject == "A recovery code was used")
        // One person's codes are nothing to another.
        let bob = try await world.person("bob")
        _ = try await world.enrol(bob)
        let other = try await challenge(world, bob)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(
                    other.token, with: .recovery(codes[4].reveal()), from: world.home)
            } == .codeRefused)
    }

    @Test func aTextIsTheBackup() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let (_, _) = try await world.enrol(ann)
        let without = try await challenge(world, ann)
        #expect(await refusal { try await world.accounts.sendLoginCode(without.token) } == .unknownPhone)
        try await world.accounts.attachPhone("+33612345678", to: ann.scope, verified: true)
        let first = try await challenge(world, ann)
        #expect(first.methods == [.totp, .sms, .recovery])
        try await world.accounts.sendLoginCode(first.token)
        #expect(world.texts.sent.map(\.number.e164) == ["+33612345678"])
        let code = world.texts.lastCode
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(first.token, with: .sms(wrong(code)), from: world.home)
            } == .codeRefused)
        _ = try await world.accounts.finishLogIn(first.token, with: .sms(code), from: world.home)
        let second = try await challenge(world, ann)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(second.token, with: .sms(code), from: world.home)
            } == .codeRefused)
        // A number that may be somebody else's by now gets no codes.
        try await world.accounts.noteUndeliverable(try PhoneNumber(validating: "+33612345678"), errorCode: 30005)
        #expect(try await challenge(world, ann).methods == [.totp, .recovery])
        #expect(await refusal { try await world.accounts.sendLoginCode(second.token) } == .unknownPhone)
    }

    // MARK: Setting up

    @Test func needsAFreshProofToChange() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        var tokens = try await world.signIn(ann)
        world.clock.advance(by: .seconds(300))
        var principal = try await world.principal(tokens)
        #expect(await refusal { _ = try await world.accounts.beginTOTP(principal) } == .stepUpRequired)
        #expect(
            await refusal {
                try await world.accounts.stepUp(principal, with: .password("wrong"), from: world.home)
            } == .invalidCredentials)
        try await world.accounts.stepUp(principal, with: .password(AccountsWorld.password), from: world.home)
        principal = try await world.principal(tokens)
        let enrolment = try await world.accounts.beginTOTP(principal)
        let app = TOTP(secret: try #require(Base32.bytes(enrolment.key.reveal())))
        #expect(
            await refusal {
                _ = try await world.accounts.confirmTOTP(ann.scope, code: wrong(world.code(app)))
            } == .codeRefused)
        // Not in force before it is confirmed.
        _ = try await world.signIn(ann)
        _ = try await world.accounts.confirmTOTP(ann.scope, code: world.code(app))
        #expect(await world.lastMail()?.subject == "Your Tandem account asks for a code now")

        // From now on the password alone proves too little.
        world.clock.advance(by: .seconds(300))
        tokens = try await world.accounts.refresh(tokens.refreshToken)
        principal = try await world.principal(tokens)
        #expect(principal.hasSecondFactor)
        #expect(await refusal { try await world.accounts.disableSecondFactor(principal) } == .stepUpRequired)
        #expect(
            await refusal {
                try await world.accounts.stepUp(principal, with: .password(AccountsWorld.password), from: world.home)
            } == .forbidden)
        try await world.accounts.stepUp(principal, with: .totp(world.code(app)), from: world.home)
        principal = try await world.principal(tokens)
        let renewed = try await world.accounts.renewRecoveryCodes(principal)
        #expect(renewed.count == 10)
        try await world.accounts.disableSecondFactor(principal)
        #expect(try await !world.principal(tokens).hasSecondFactor)
        _ = try await world.signIn(ann)
    }

    @Test func aSecondAppTakesTheFirstOnesPlaceOnlyWhenConfirmed() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let (old, _) = try await world.enrol(ann)
        let enrolment = try await world.accounts.beginTOTP(of: ann.scope)
        let new = TOTP(secret: try #require(Base32.bytes(enrolment.key.reveal())))
        _ = try await world.accounts.finishLogIn(
            try await challenge(world, ann).token, with: .totp(world.code(old)), from: world.home)
        world.clock.advance(by: .seconds(30))
        _ = try await world.accounts.confirmTOTP(ann.scope, code: world.code(new))
        world.clock.advance(by: .seconds(30))
        let last = try await challenge(world, ann)
        #expect(
            await refusal {
                _ = try await world.accounts.finishLogIn(last.token, with: .totp(world.code(old)), from: world.home)
            } == .codeRefused)
        _ = try await world.accounts.finishLogIn(last.token, with: .totp(world.code(new)), from: world.home)
    }

    @Test func provesOverTextsWithTheAppOrMail() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        #expect(try await !world.accounts.hasProof(of: ann.scope, channel: "sms"))
        for proof in [Proof.password(AccountsWorld.password), .sms("000000")] {
            #expect(
                await refusal { try await world.accounts.stepUp(ann.scope, channel: "sms", with: proof) } == .forbidden)
        }
        try await world.accounts.sendProofCode(to: ann.scope)
        let code = String(try #require(await world.lastMail()?.subject.prefix(6)))
        #expect(
            await refusal {
                try await world.accounts.stepUp(ann.scope, channel: "sms", with: .mail(wrong(code)))
            } == .codeRefused)
        try await world.accounts.stepUp(ann.scope, channel: "sms", with: .mail(code))
        #expect(try await world.accounts.hasProof(of: ann.scope, channel: "sms"))
        #expect(try await !world.accounts.hasProof(of: ann.scope, channel: "other"))
        world.clock.advance(by: .seconds(300))
        #expect(try await !world.accounts.hasProof(of: ann.scope, channel: "sms"))
        // With an app it takes the app.
        let (app, _) = try await world.enrol(ann)
        #expect(
            await refusal {
                try await world.accounts.stepUp(ann.scope, channel: "sms", with: .mail(code))
            } == .forbidden)
        try await world.accounts.stepUp(ann.scope, channel: "sms", with: .totp(world.code(app)))
        #expect(try await world.accounts.hasProof(of: ann.scope, channel: "sms"))
    }

    // MARK: The picture

    @Test func drawsThePictureOfAKey() throws {
        let uri = "otpauth://totp/Tandem:ann%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tandem"
        let code = try #require(QRCode(uri))
        // The finder patterns of ISO/IEC 18004 §6.3.3 in three corners.
        for (row, column) in [(0, 0), (0, code.size - 7), (code.size - 7, 0)] {
            for line in 0..<7 {
                for place in 0..<7 {
                    let ring = min(line, place, 6 - line, 6 - place)
                    #expect(code.isDark(row + line, column + place) == (ring != 1))
                }
            }
        }
        #expect((code.size - 17) % 4 == 0)
        #expect(code.svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(code.size + 8)"))
        let lines = code.terminal.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count == code.size + 4 } && lines.count == (code.size + 5) / 2)
        #expect(QRCode("") == nil && QRCode(String(repeating: "x", count: 5000)) == nil)
    }
}
