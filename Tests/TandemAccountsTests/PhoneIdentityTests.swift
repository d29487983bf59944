import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct PhoneIdentityTests {
    private static let number = "+33612345678"
    private let phone: PhoneNumber

    init() throws { phone = try PhoneNumber(validating: PhoneIdentityTests.number) }

    /// Somebody signed in.
    private func person(_ world: AccountsWorld, _ name: String) async throws -> Principal {
        try await world.principal(try await world.signIn(try await world.person(name)))
    }

    private func verify(_ world: AccountsWorld, _ principal: Principal) async throws {
        try await world.accounts.beginPhoneVerification(principal, number: PhoneIdentityTests.number)
        try await world.accounts.confirmPhone(
            principal.scope, number: PhoneIdentityTests.number, code: world.texts.lastCode)
    }

    @Test func aCodeProvesANumber() async throws {
        let world = try await AccountsWorld()
        let ann = try await person(world, "ann")
        let bob = try await person(world, "bob")
        try await world.accounts.beginPhoneVerification(ann, number: "+33 6 12 34 56 78")
        #expect(world.texts.sent.map(\.number) == [phone])
        let code = world.texts.lastCode
        func confirm(_ who: Principal, _ number: String, _ code: String) async -> AccountsError.Code? {
            await refusal { try await world.accounts.confirmPhone(who.scope, number: number, code: code) }
        }
        #expect(await confirm(bob, PhoneIdentityTests.number, code) == .codeRefused)
        #expect(await confirm(ann, "+33612345679", code) == .codeRefused)
        #expect(await confirm(ann, PhoneIdentityTests.number, wrong(code)) == .codeRefused)
        #expect(try await world.accounts.identify(phone: PhoneIdentityTests.number) == nil)
        #expect(await confirm(ann, PhoneIdentityTests.number, code) == nil)
        #expect(try await world.accounts.identify(phone: PhoneIdentityTests.number) == ann.scope)
        #expect(await confirm(ann, PhoneIdentityTests.number, code) == .codeRefused)
    }

    @Test func asksForAFreshProofAndSendsLittle() async throws {
        let world = try await AccountsWorld()
        let ann = try await person(world, "ann")
        world.clock.advance(by: .seconds(300))
        #expect(
            await refusal {
                try await world.accounts.beginPhoneVerification(ann, number: PhoneIdentityTests.number)
            } == .stepUpRequired)
        world.clock.advance(by: .seconds(-300))
        // A number that is another's gets the code alike, so nobody learns whose it is.
        let bob = try await person(world, "bob")
        try await world.accounts.attachPhone(PhoneIdentityTests.number, to: bob.scope, verified: true)
        var codes: [AccountsError.Code?] = []
        for _ in 1...6 {
            codes.append(
                await refusal {
                    try await world.accounts.beginPhoneVerification(ann, number: PhoneIdentityTests.number)
                })
        }
        #expect(codes == [nil, nil, nil, nil, .tooManyAttempts, .tooManyAttempts])
        #expect(world.texts.sent.count == 4)
        // Only who has the phone learns that it is taken.
        #expect(
            await refusal {
                try await world.accounts.confirmPhone(
                    ann.scope, number: PhoneIdentityTests.number, code: world.texts.lastCode)
            } == .phoneTaken)
        #expect(try await world.accounts.identify(phone: PhoneIdentityTests.number) == bob.scope)
    }

    @Test func aSilentNumberIsTrustedNoMore() async throws {
        let world = try await AccountsWorld(isShared: true)
        let ann = try await person(world, "ann")
        try await verify(world, ann)
        // Every text is a sign of life.
        for _ in 1...4 {
            world.clock.advance(by: .seconds(44 * 86_400))
            #expect(try await world.accounts.recognise(phone: PhoneIdentityTests.number) == .owner(ann.scope))
        }
        world.clock.advance(by: .seconds(45 * 86_400 + 1))
        let other = try await world.another()
        #expect(try await other.recognise(phone: PhoneIdentityTests.number) == .unproven)
        #expect(try await other.identify(phone: PhoneIdentityTests.number) == nil)
        #expect(try await other.phones(of: ann.scope).map(\.suspension) == [.silence])
        #expect(try await !other.database.read(ann.scope) { try other.mayReceive(phone, of: ann.scope, in: $0) })
        #expect(world.audit.names.contains(.phoneSuspended))
        // Who signs in and has the phone still, proves it anew.
        let again = try await world.principal(
            try await world.signIn(try #require(try await world.accounts.user(ann.user))))
        try await verify(world, again)
        #expect(try await world.accounts.recognise(phone: PhoneIdentityTests.number) == .owner(ann.scope))
        #expect(try await world.accounts.phones(of: ann.scope).map(\.suspension) == [nil])
    }

    @Test func whatWasQueuedForASilentNumberIsNotSent() async throws {
        let world = try await AccountsWorld()
        let ann = try await person(world, "ann")
        let bob = try await person(world, "bob")
        try await verify(world, ann)
        func may(_ scope: UserScope) async throws -> Bool {
            try await world.accounts.database.read(scope) { try world.accounts.mayReceive(phone, of: scope, in: $0) }
        }
        #expect(try await may(ann.scope))
        #expect(try await !may(bob.scope))
        world.clock.advance(by: .seconds(45 * 86_400 + 1))
        #expect(try await !may(ann.scope))
    }

    @Test func theCarriersErrorSuspendsANumber() async throws {
        let world = try await AccountsWorld()
        let ann = try await person(world, "ann")
        try await verify(world, ann)
        let number = phone
        for code in [30003, 30006, 30007, 21610] {
            #expect(try await !world.accounts.noteUndeliverable(number, errorCode: code))
        }
        #expect(try await world.accounts.identify(phone: PhoneIdentityTests.number) == ann.scope)
        #expect(try await world.accounts.noteUndeliverable(number, errorCode: 30005))
        // A text from it is no proof: whoever has the number now could write it.
        #expect(try await world.accounts.recognise(phone: PhoneIdentityTests.number) == .unproven)
        #expect(try await world.accounts.phones(of: ann.scope).map(\.suspension) == [.unknownToCarrier])
        #expect(try await !world.accounts.noteUndeliverable(number, errorCode: 30005))
        #expect(
            try await !world.accounts.noteUndeliverable(try PhoneNumber(validating: "+15550001111"), errorCode: 30005))
    }

    @Test func aRecycledNumberBringsNothingOfTheOldOwner() async throws {
        let world = try await AccountsWorld()
        let old = try await person(world, "ann")
        try await verify(world, old)
        try await world.accounts.set(.name, to: "Ann", of: old.scope)
        try await world.accounts.noteUndeliverable(phone, errorCode: 30005)
        // The new owner writes, gets nothing, signs up and proves the number.
        #expect(try await world.accounts.recognise(phone: PhoneIdentityTests.number) == .unproven)
        let new = try await person(world, "bob")
        try await verify(world, new)
        #expect(try await world.accounts.recognise(phone: PhoneIdentityTests.number) == .owner(new.scope))
        #expect(try await world.accounts.profile(of: new.scope).name == nil)
        let phones = try await world.accounts.phones(of: old.scope)
        #expect(phones.map(\.verifiedAt) == [nil] && phones.map(\.suspension) == [nil])
        #expect(await world.lastMail()?.subject == "A number left your Tandem account")
        #expect(world.audit.events.contains { $0.name == .phoneReleased && $0.user == old.user })
        // The old owner cannot take it back without the phone, nor remove it from the new one.
        try await world.accounts.detachPhone(PhoneIdentityTests.number, from: old.scope)
        #expect(try await world.accounts.recognise(phone: PhoneIdentityTests.number) == .owner(new.scope))
        #expect(
            try await !world.accounts.database.read(old.scope) {
                try world.accounts.mayReceive(phone, of: old.scope, in: $0)
            })
    }

    @Test func aNumberInUseIsNotTakenOver() async throws {
        let world = try await AccountsWorld()
        let ann = try await person(world, "ann")
        try await verify(world, ann)
        let bob = try await person(world, "bob")
        #expect(await refusal { try await verify(world, bob) } == .phoneTaken)
        // Silence that nobody noticed yet counts, too.
        world.clock.advance(by: .seconds(45 * 86_400 + 1))
        let later = try await world.principal(
            try await world.signIn(try #require(try await world.accounts.user(bob.user))))
        try await verify(world, later)
        #expect(try await world.accounts.recognise(phone: PhoneIdentityTests.number) == .owner(bob.scope))
    }

    @Test func choosesThePrimaryNumber() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        for number in ["+33612345678", "+33612345679"] {
            try await world.accounts.attachPhone(number, to: ann.scope, verified: true)
        }
        try await world.accounts.attachPhone("+33612345670", to: ann.scope, verified: false)
        try await world.accounts.setPrimaryPhone("+33612345679", of: ann.scope)
        #expect(try await world.accounts.phones(of: ann.scope).map(\.number.e164).first == "+33612345679")
        #expect(try await world.accounts.phones(of: ann.scope).filter(\.isPrimary).count == 1)
        for number in ["+33612345670", "+33699999999"] {
            #expect(
                await refusal { try await world.accounts.setPrimaryPhone(number, of: ann.scope) } == .unknownPhone)
        }
    }
}
