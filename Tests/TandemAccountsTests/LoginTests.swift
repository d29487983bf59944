import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct LoginTests {
    private func tryPassword(
        _ world: AccountsWorld, _ email: String, _ password: String, from source: ClientSource
    ) async -> AccountsError.Code? {
        await refusal { _ = try await world.accounts.logIn(email: email, password: password, from: source) }
    }

    @Test func signsInAndSaysWhoItIs() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let tokens = try await world.signIn(ann)
        let principal = try await world.principal(tokens)
        #expect(principal.user == ann.id && principal.role == .user && principal.session == tokens.session)
        #expect(principal.may(.conversation) && !principal.may(.analytics))
        #expect(principal.provedAt == world.clock.now && !principal.hasSecondFactor)
        #expect(world.audit.names.contains(.loginSucceeded))
        let logs = try await world.accounts.database.read(ann.scope) { try $0.list("user_identification_logs") }
        #expect(logs.map { $0.string("outcome") } == ["signed_in"])
    }

    @Test func doesNotTellWhetherAnAddressIsKnown() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let without = try await world.accounts.createUser(email: "none@example.org", fullName: "No Password")
        let service = try await world.person("robot", role: .service)
        let before = world.accounts.passwords.jobCount
        var tries = 0
        for address in [ann.email, without.email, service.email, "nobody@example.org", "not an address", ""] {
            for attempt in 1...7 {
                let code = await tryPassword(world, address, "wrong", from: world.abroad)
                #expect(code == (attempt <= 5 ? .invalidCredentials : .tooManyAttempts), "\(address) \(attempt)")
                if attempt <= 5 { tries += 1 }
            }
        }
        // The hash is computed for each of them alike.
        #expect(world.accounts.passwords.jobCount - before == tries)
        #expect(world.audit.events.filter { $0.name == .loginFailed }.count == tries)
    }

    @Test func waitsLongerAndLongerForOneSourceOnly() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        for _ in 1...5 { #expect(await tryPassword(world, ann.email, "x", from: world.abroad) == .invalidCredentials) }
        // Even the right password waits there, at once and alike.
        #expect(
            await tryPassword(world, ann.email, AccountsWorld.password, from: world.abroad) == .tooManyAttempts)
        // But not elsewhere.
        _ = try await world.signIn(ann)
        var waits: [Int64] = []
        for _ in 1...9 {
            do {
                _ = try await world.accounts.logIn(email: ann.email, password: "x", from: world.abroad)
                Issue.record("it was let in")
            } catch let error as AccountsError where error.code == .tooManyAttempts {
                let wait = try #require(error.retryAfter)
                waits.append(wait.milliseconds / 1000)
                world.clock.advance(by: wait)
                #expect(await tryPassword(world, ann.email, "x", from: world.abroad) == .invalidCredentials)
            }
        }
        #expect(waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600])
        // A day without tries, and all is forgotten.
        world.clock.advance(by: .seconds(86_401))
        for _ in 1...4 { #expect(await tryPassword(world, ann.email, "x", from: world.abroad) == .invalidCredentials) }
        _ = try await world.signIn(ann, from: world.abroad)
        for _ in 1...5 { #expect(await tryPassword(world, ann.email, "x", from: world.abroad) == .invalidCredentials) }
    }

    @Test func theOwnersDevicePassesWhileStrangersGuess() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let device = try #require(try await world.signIn(ann).deviceToken)
        // Guesses from everywhere, from the owner's own network, too.
        for number in 0..<60 {
            _ = await tryPassword(world, ann.email, "x", from: ClientSource(address: "192.0.2.\(number)"))
        }
        for _ in 1...6 { _ = await tryPassword(world, ann.email, "x", from: world.home) }
        let fresh = ClientSource(address: "233.252.0.1")
        #expect(await tryPassword(world, ann.email, AccountsWorld.password, from: fresh) == .tooManyAttempts)
        #expect(await tryPassword(world, ann.email, AccountsWorld.password, from: world.home) == .tooManyAttempts)
        var known = world.home
        known.deviceToken = device
        let again = try await world.signIn(ann, from: known)
        // It stays known by the token that it has.
        #expect(again.deviceToken == nil)
        // The device of one person is nobody's for another.
        let bob = try await world.person("bob")
        for _ in 1...5 { _ = await tryPassword(world, bob.email, "x", from: known) }
        #expect(await tryPassword(world, bob.email, AccountsWorld.password, from: known) == .tooManyAttempts)
    }

    @Test func guessesSideBySideAreCounted() async throws {
        let world = try await AccountsWorld { $0.passwordThreads = 2 }
        let ann = try await world.person()
        let before = world.accounts.passwords.jobCount
        let codes = await withTaskGroup(of: AccountsError.Code?.self) { group in
            for number in 0..<40 {
                group.addTask { await tryPassword(world, ann.email, "guess \(number)", from: world.abroad) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.filter { $0 == .invalidCredentials }.count == 5)
        #expect(codes.filter { $0 == .tooManyAttempts }.count == 35)
        #expect(world.accounts.passwords.jobCount - before == 5)
    }

    @Test func oneSourceCannotTryManyAccounts() async throws {
        let world = try await AccountsWorld()
        for number in 0..<100 {
            #expect(
                await tryPassword(
                    world, "p\(number)@example.org", "x", from: ClientSource(address: "2001:db8::\(number)"))
                    == .invalidCredentials)
        }
        #expect(
            await tryPassword(world, "other@example.org", "x", from: ClientSource(address: "2001:db8::ffff:1"))
                == .tooManyAttempts)
        #expect(
            await tryPassword(world, "other@example.org", "x", from: ClientSource(address: "2001:db8:0:1::1"))
                == .invalidCredentials)
    }

    @Test func aClosedAccountIsNotServed() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let tokens = try await world.signIn(ann)
        _ = try await world.principal(tokens)
        try await world.accounts.setStatus(.disabled, of: ann.id)
        #expect(await refusal { _ = try await world.principal(tokens) } == .invalidToken)
        #expect(await refusal { _ = try await world.accounts.refresh(tokens.refreshToken) } == .invalidToken)
        #expect(await tryPassword(world, ann.email, "x", from: world.home) == .invalidCredentials)
        #expect(await tryPassword(world, ann.email, AccountsWorld.password, from: world.home) == .accountDisabled)
        try await world.accounts.setStatus(.active, of: ann.id)
        // The sessions of before stay ended.
        #expect(await refusal { _ = try await world.principal(tokens) } == .invalidToken)
        _ = try await world.signIn(ann)
    }

    @Test func changingThePasswordEndsOtherSessionsAndDevices() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let here = try await world.signIn(ann)
        let there = try await world.signIn(ann, from: world.abroad)
        let principal = try await world.principal(here)
        #expect(
            await refusal {
                try await world.accounts.changePassword(from: "wrong", to: "nine blue elephants", of: principal)
            } == .invalidCredentials)
        #expect(
            await refusal {
                try await world.accounts.changePassword(from: AccountsWorld.password, to: "ann", of: principal)
            } == .weakPassword)
        try await world.accounts.changePassword(
            from: AccountsWorld.password, to: "nine blue elephants", of: principal)
        _ = try await world.principal(here)
        #expect(await refusal { _ = try await world.principal(there) } == .invalidToken)
        #expect(
            await tryPassword(world, ann.email, AccountsWorld.password, from: world.home) == .invalidCredentials)
        #expect(await world.lastMail()?.subject == "Your Tandem password was changed")
        var known = world.abroad
        known.deviceToken = there.deviceToken
        guard
            case .signedIn(let tokens) = try await world.accounts.logIn(
                email: ann.email, password: "nine blue elephants", from: known)
        else { throw AccountsWorld.Unexpected() }
        #expect(tokens.deviceToken != nil)
    }

    // MARK: Reset

    @Test func resetsAPasswordOnceAndEndsEverySession() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let tokens = try await world.signIn(ann)
        for _ in 1...6 { _ = await tryPassword(world, ann.email, "x", from: world.abroad) }
        try await world.accounts.requestPasswordReset(email: "ANN@example.org", from: world.abroad)
        let first = await world.lastLink()
        try await world.accounts.requestPasswordReset(email: ann.email, from: world.abroad)
        let link = await world.lastLink()
        // A newer link takes the older one's place; a weak password leaves it good.
        #expect(
            await refusal {
                try await world.accounts.resetPassword(first, to: "nine blue elephants", from: world.abroad)
            } == .codeRefused)
        #expect(
            await refusal { try await world.accounts.resetPassword(link, to: "x", from: world.abroad) } == .weakPassword
        )
        try await world.accounts.resetPassword(link, to: "nine blue elephants", from: world.abroad)
        #expect(await refusal { _ = try await world.principal(tokens) } == .invalidToken)
        #expect(
            await refusal {
                try await world.accounts.resetPassword(link, to: "ten pink flamingos!", from: world.abroad)
            } == .codeRefused)
        // The counters of the guesses are gone with it.
        #expect(await tryPassword(world, ann.email, "nine blue elephants", from: world.abroad) == nil)
        #expect(world.audit.names.contains(.passwordReset))
        #expect(try await world.accounts.emailVerifiedAt(ann.scope) != nil)
    }

    @Test func aResetLinkEndsAndUnknownAddressesGetNone() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        try await world.accounts.requestPasswordReset(email: ann.email, from: world.abroad)
        let link = await world.lastLink()
        world.clock.advance(by: .seconds(1800))
        #expect(
            await refusal {
                try await world.accounts.resetPassword(link, to: "nine blue elephants", from: world.abroad)
            } == .codeRefused)
        let count = world.mailer.mails.count
        try await world.accounts.requestPasswordReset(email: "nobody@example.org", from: world.abroad)
        await world.accounts.deliverMail()
        #expect(world.mailer.mails.count == count)
        // Both wait alike after some.
        var codes: [AccountsError.Code?] = []
        for address in ["cleo@example.org", ann.email] {
            for _ in 1...6 {
                codes.append(
                    await refusal { try await world.accounts.requestPasswordReset(email: address, from: world.home) })
            }
        }
        #expect(codes[..<6].filter { $0 == .tooManyAttempts }.count == 2)
        #expect(codes[6...].contains(.tooManyAttempts))
    }

    @Test func guessingLinksIsSlow() async throws {
        let world = try await AccountsWorld()
        for _ in 0..<30 {
            let guess = Secret(SecureRandom.token())
            #expect(
                await refusal {
                    try await world.accounts.resetPassword(guess, to: "nine blue elephants", from: world.abroad)
                } == .codeRefused)
        }
        #expect(
            await refusal {
                try await world.accounts.resetPassword(Secret("x"), to: "nine blue elephants", from: world.abroad)
            } == .tooManyAttempts)
    }

    @Test func withoutMailItSaysSo() async throws {
        let database = try await TestDatabase(migrations: Accounts.migrations).open()
        try await database.migrate(Accounts.migrations)
        let accounts = Accounts(database: database)
        try await accounts.prepare()
        #expect(
            await refusal {
                try await accounts.requestPasswordReset(email: "a@example.org", from: ClientSource())
            } == .mailUnavailable)
    }
}
