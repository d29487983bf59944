import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SignUpTests {
    private func request(
        _ email: String = "new@example.org", password: String = AccountsWorld.password, invitation: Secret? = nil
    ) -> SignUpRequest {
        SignUpRequest(email: email, fullName: "New Person", password: Secret(password), invitation: invitation)
    }

    /// The token within an invitation's link.
    private func token(_ link: Secret?) throws -> Secret {
        Secret(String(try #require(link).reveal().split(separator: "#")[1]))
    }

    private func invite(_ world: AccountsWorld, _ number: String) async throws -> Secret? {
        let number = try PhoneNumber(validating: number)
        return try await world.accounts.database.write(.system) { try world.accounts.invite(number, in: $0) }
    }

    @Test func aMailsLinkMakesTheAccount() async throws {
        let world = try await AccountsWorld()
        try await world.accounts.signUp(request(" New@Example.org"), from: world.home)
        #expect(try await world.accounts.users().isEmpty)
        let link = await world.lastLink()
        #expect(world.mailer.mails.map(\.to) == ["New@Example.org"])
        let tokens = try await world.accounts.finishSignUp(link, from: world.home)
        let account = try #require(try await world.accounts.user(email: "new@example.org"))
        #expect(try await world.principal(tokens).user == account.id)
        #expect(account.role == .user && account.fullName == "New Person")
        #expect(try await world.accounts.emailVerifiedAt(account.scope) == world.clock.now)
        #expect(await refusal { _ = try await world.accounts.finishSignUp(link, from: world.home) } == .codeRefused)
        _ = try await world.signIn(account)
    }

    @Test func refusesWhatIsNoAccount() async throws {
        let world = try await AccountsWorld()
        let source = world.home
        #expect(await refusal { try await world.accounts.signUp(request("x"), from: source) } == .invalidEmail)
        #expect(
            await refusal { try await world.accounts.signUp(request(password: "short"), from: source) } == .weakPassword
        )
        #expect(
            await refusal { _ = try await world.accounts.finishSignUp(Secret("x"), from: source) } == .codeRefused)
        await world.accounts.deliverMail()
        #expect(world.mailer.mails.isEmpty)
    }

    @Test func doesNotTellThatAnAddressIsTaken() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let before = (world.accounts.passwords.jobCount, try await world.accounts.users().count)
        await world.accounts.deliverMail()
        try await world.accounts.signUp(request(ann.email.uppercased()), from: world.home)
        #expect(world.accounts.passwords.jobCount == before.0 + 1)
        #expect(await world.lastMail()?.subject == "You have a Tandem account already")
        #expect(try await world.accounts.users().count == before.1)
        _ = try await world.signIn(ann)
    }

    @Test func linksEndAndTheLatestCounts() async throws {
        let world = try await AccountsWorld()
        try await world.accounts.signUp(request(), from: world.home)
        let first = await world.lastLink()
        try await world.accounts.signUp(request(), from: world.home)
        let second = await world.lastLink()
        #expect(await refusal { _ = try await world.accounts.finishSignUp(first, from: world.home) } == .codeRefused)
        world.clock.advance(by: .seconds(86_400))
        #expect(await refusal { _ = try await world.accounts.finishSignUp(second, from: world.home) } == .codeRefused)
    }

    @Test func oneAddressGetsFewMails() async throws {
        let world = try await AccountsWorld()
        var codes: [AccountsError.Code?] = []
        for _ in 1...6 { codes.append(await refusal { try await world.accounts.signUp(request(), from: world.home) }) }
        #expect(codes == [nil, nil, nil, nil, .tooManyAttempts, .tooManyAttempts])
    }

    // MARK: Invitations

    @Test func anInvitationByTextBringsTheNumber() async throws {
        let world = try await AccountsWorld()
        let link = try await invite(world, "+33612345678")
        #expect(link?.reveal().hasPrefix("http://localhost:8080/join#") == true)
        try await world.accounts.signUp(request(invitation: try token(link)), from: world.home)
        let tokens = try await world.accounts.finishSignUp(await world.lastLink(), from: world.home)
        let scope = try await world.principal(tokens).scope
        #expect(try await world.accounts.identify(phone: "+33612345678") == scope)
        #expect(try await world.accounts.phones(of: scope).map(\.isPrimary) == [true])
        // It is used up.
        try await world.accounts.signUp(request("two@example.org", invitation: try token(link)), from: world.home)
        let second = try await world.accounts.finishSignUp(await world.lastLink(), from: world.home)
        #expect(try await world.accounts.phones(of: world.principal(second).scope).isEmpty)
    }

    @Test func aNumberIsInvitedRarely() async throws {
        let world = try await AccountsWorld()
        #expect(try await invite(world, "+33612345678") != nil)
        #expect(try await invite(world, "+33612345678") == nil)
        #expect(try await invite(world, "+33612345679") != nil)
        world.clock.advance(by: .seconds(86_400))
        #expect(try await invite(world, "+33612345678") != nil)
        world.clock.advance(by: .seconds(86_400))
        #expect(try await invite(world, "+33612345678") == nil)
        world.clock.advance(by: .seconds(86_400))
        #expect(try await invite(world, "+33612345678") != nil)
    }

    @Test func strangersTogetherGetABoundedNumber() async throws {
        let world = try await AccountsWorld { $0.invitationsPerDay = 5 }
        var sent = 0
        for number in 10...30 { sent += try await invite(world, "+336123456\(number)") == nil ? 0 : 1 }
        #expect(sent == 5)
        world.clock.advance(by: .seconds(86_400))
        #expect(try await invite(world, "+33612345699") != nil)
    }

    @Test func aNumberThatBecameSomebodysStaysTheirs() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let link = try await invite(world, "+33612345678")
        try await world.accounts.attachPhone("+33612345678", to: ann.scope, verified: true)
        try await world.accounts.signUp(request(invitation: try token(link)), from: world.home)
        let tokens = try await world.accounts.finishSignUp(await world.lastLink(), from: world.home)
        #expect(try await world.accounts.phones(of: world.principal(tokens).scope).isEmpty)
        #expect(try await world.accounts.identify(phone: "+33612345678") == ann.scope)
    }

    // MARK: Addresses

    @Test func verifiesAnAddressByALink() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        #expect(try await world.accounts.emailVerifiedAt(ann.scope) == nil)
        try await world.accounts.sendEmailVerification(to: ann.scope)
        let link = await world.lastLink()
        try await world.accounts.verifyEmail(link, from: world.abroad)
        #expect(try await world.accounts.emailVerifiedAt(ann.scope) == world.clock.now)
        #expect(await refusal { try await world.accounts.verifyEmail(link, from: world.home) } == .codeRefused)
        // A link is good for its purpose only.
        try await world.accounts.requestPasswordReset(email: ann.email, from: world.home)
        let reset = await world.lastLink()
        #expect(await refusal { try await world.accounts.verifyEmail(reset, from: world.home) } == .codeRefused)
    }

    @Test func changesAnAddressByACodeToTheNewOne() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let bob = try await world.person("bob")
        let principal = try await world.principal(try await world.signIn(ann))
        try await world.accounts.requestPasswordReset(email: ann.email, from: world.home)
        let oldLink = await world.lastLink()
        try await world.accounts.beginEmailChange(principal, to: "Ann.New@example.org")
        let mail = try #require(await world.lastMail())
        #expect(mail.to == "Ann.New@example.org")
        let code = String(mail.subject.prefix(6))
        func confirm(_ email: String, _ code: String) async -> AccountsError.Code? {
            await refusal { try await world.accounts.confirmEmailChange(principal, to: email, code: code) }
        }
        #expect(await confirm("other@example.org", code) == .codeRefused)
        #expect(await confirm("ann.new@example.org", wrong(code)) == .codeRefused)
        #expect(await confirm("ann.new@example.org", code) == nil)
        #expect(try await world.accounts.user(email: "ANN.new@example.org")?.id == ann.id)
        #expect(try await world.accounts.user(email: ann.email) == nil)
        let notice = try #require(await world.lastMail())
        #expect(notice.to == ann.email && notice.subject == "The address of your Tandem account was changed")
        #expect(
            await refusal {
                try await world.accounts.resetPassword(oldLink, to: "nine blue elephants", from: world.home)
            } == .codeRefused)
        // To an address that is taken, it just never works.
        try await world.accounts.beginEmailChange(principal, to: bob.email)
        let taken = String(try #require(await world.lastMail()?.subject.prefix(6)))
        #expect(await confirm(bob.email, taken) == .emailTaken)
        world.clock.advance(by: .seconds(301))
        #expect(
            await refusal {
                try await world.accounts.beginEmailChange(principal, to: "x@example.org")
            } == .stepUpRequired)
    }

    @Test func aCodeSurvivesFourWrongTries() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let principal = try await world.principal(try await world.signIn(ann))
        for tries in [4, 5] {
            try await world.accounts.beginEmailChange(principal, to: "new\(tries)@example.org")
            let code = String(try #require(await world.lastMail()?.subject.prefix(6)))
            for _ in 1...tries {
                #expect(
                    await refusal {
                        try await world.accounts.confirmEmailChange(
                            principal, to: "new\(tries)@example.org", code: wrong(code))
                    } == .codeRefused)
            }
            #expect(
                await refusal {
                    try await world.accounts.confirmEmailChange(principal, to: "new\(tries)@example.org", code: code)
                } == (tries == 4 ? nil : .codeRefused))
        }
    }
}
