import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct AccountsTests {
    private func make() async throws -> Accounts {
        let database = try await TestDatabase(migrations: Accounts.migrations).open()
        try await database.migrate(Accounts.migrations)
        let accounts = Accounts(database: database)
        try await accounts.prepare()
        return accounts
    }

    private func failure(_ body: () async throws -> Void) async -> AccountsError.Code? {
        do {
            try await body()
            return nil
        } catch let error as AccountsError {
            return error.code
        } catch { return AccountsError.Code(rawValue: "other: \(error)") }
    }

    @Test func findsAnAccountByItsAddressInAnyCase() async throws {
        let accounts = try await make()
        let made = try await accounts.createUser(email: " Ada@Example.org ", fullName: "  Ada   L. ")
        #expect(made.email == "Ada@Example.org")
        #expect(made.fullName == "Ada L.")
        #expect(try await accounts.user(email: "ADA@example.ORG") == made)
        #expect(try await accounts.user(made.id) == made)
        #expect(try await accounts.user(email: "other@example.org") == nil)
        #expect(await failure { try await accounts.createUser(email: "ada@example.org", fullName: "X") } == .emailTaken)
        #expect(try await accounts.users().map(\.id) == [made.id])
    }

    @Test(arguments: [
        "", "a", "a@b", "@b.c", "a@", "a b@c.de", "a@b..c", ".a@b.cd", "a@-b.cd", "a@b.cd@e.fg", "a@b_c.de",
    ])
    func refusesWhatIsNoAddress(_ text: String) async throws {
        let accounts = try await make()
        #expect(await failure { try await accounts.createUser(email: text, fullName: "X") } == .invalidEmail)
    }

    // MARK: Phones

    @Test(arguments: ["+33612345678", "+33 6 12 34 56 78", "0033612345678", "+33 (6) 12.34-56/78"])
    func readsNumbersAsPeopleWriteThem(_ text: String) { #expect(PhoneNumber(text)?.e164 == "+33612345678") }

    @Test(arguments: [
        "", "+", "0612345678", "33612345678", "+0612345678", "+12345", "+1234567890123456", "++336123456",
        "+33x12345678", "+33612345678+",
    ])
    func refusesWhatIsNoNumber(_ text: String) { #expect(PhoneNumber(text) == nil) }

    @Test func aNumberHidesItself() throws {
        let number = try PhoneNumber(validating: "+33612345678")
        #expect("\(number)" == "+33***78")
        #expect(String(reflecting: number) == "+33***78")
        var dumped = ""
        dump(number, to: &dumped)
        #expect(!dumped.contains("612345"))
    }

    @Test func identifiesVerifiedNumbersOnly() async throws {
        let accounts = try await make()
        let first = try await accounts.createUser(email: "a@example.org", fullName: "A").scope
        let second = try await accounts.createUser(email: "b@example.org", fullName: "B").scope
        #expect(try await accounts.identify(phone: "+33612345678") == nil)
        try await accounts.attachPhone("+33612345678", to: first, verified: false)
        #expect(try await accounts.identify(phone: "+33612345678") == nil)
        // Claiming a number does not keep it from whoever proves it.
        try await accounts.attachPhone("+33612345678", to: second, verified: true)
        #expect(try await accounts.identify(phone: "+33 6 12 34 56 78") == second)
        #expect(
            await failure { try await accounts.attachPhone("+33612345678", to: first, verified: true) } == .phoneTaken)
        try await accounts.attachPhone("+33700000001", to: second, verified: true)
        #expect(try await accounts.identify(phone: "+33700000001") == second)
        #expect(try await accounts.phones(of: second).map(\.isPrimary) == [true, false])

        try await accounts.detachPhone("+33612345678", from: second)
        #expect(try await accounts.identify(phone: "+33612345678") == nil)
        #expect(try await accounts.phones(of: second).map(\.number.e164) == ["+33700000001"])
        #expect(try await accounts.phones(of: second).first?.isPrimary == true)
        try await accounts.attachPhone("+33612345678", to: first, verified: true)
        #expect(try await accounts.identify(phone: "+33612345678") == first)
        #expect(try await accounts.phones(of: first).count == 1)

        try await accounts.setStatus(.disabled, of: first.user)
        #expect(try await accounts.identify(phone: "+33612345678") == nil)
        try await accounts.setStatus(.active, of: first.user)
        #expect(try await accounts.identify(phone: "+33612345678") == first)
        try await accounts.delete(first)
        #expect(try await accounts.identify(phone: "+33612345678") == nil)
        #expect(try await accounts.user(first.user) == nil)
        #expect(try await accounts.identify(phone: "nonsense") == nil)
    }

    @Test func remembersWhoOptedOut() async throws {
        let accounts = try await make()
        let database = accounts.database
        let scope = try await accounts.createUser(email: "a@example.org", fullName: "A").scope
        try await accounts.attachPhone("+33612345678", to: scope, verified: true)
        let number = try PhoneNumber(validating: "+33612345678")
        let stranger = try PhoneNumber(validating: "+15550001111")
        try await database.write(scope) { try accounts.setOptOut(number, true, in: $0) }
        try await database.write(.system) { try accounts.setOptOut(stranger, true, in: $0) }
        for each in [number, stranger] {
            #expect(try await database.read(.system) { try accounts.isOptedOut(each, in: $0) })
        }
        #expect(try await accounts.phones(of: scope).first?.isOptedOut == true)
        let state = try await database.read(scope) { try $0.list("user_phone_numbers").first?.string("opt_out_state") }
        #expect(state == "out")
        try await database.write(scope) { try accounts.setOptOut(number, false, in: $0) }
        #expect(try await !database.read(scope) { try accounts.isOptedOut(number, in: $0) })
    }

    // MARK: Settings

    @Test func settingsHaveDefaultsAndAreChecked() async throws {
        let accounts = try await make()
        let scope = try await accounts.createUser(email: "a@example.org", fullName: "A").scope
        #expect(try await accounts.profile(of: scope) == UserProfile())
        let good: [(SettingKey, String, String)] = [
            (.name, "  Ada  L ", "Ada L"), (.timeZone, "europe/paris", "Europe/Paris"), (.timeZone, "utc", "UTC"),
            (.currency, "usd", "USD"), (.language, "PT-br", "pt-BR"), (.quietHours, "22-7:30", "22:00-07:30"),
            (.quietHours, "OFF", "off"), (.segments, "2", "2"),
        ]
        for (key, value, stored) in good {
            #expect(try await accounts.set(key, to: value, of: scope).text(key) == stored)
            #expect(try await accounts.profile(of: scope).text(key) == stored)
        }
        let bad: [(SettingKey, String)] = [
            (.name, " "), (.timeZone, "Paris"), (.timeZone, "../../etc/passwd"), (.timeZone, "Europe"), (.timeZone, ""),
            (.timeZone, "posix/Europe/Paris"), (.currency, "XXX"), (.currency, "euro"), (.language, "english"),
            (.quietHours, "22:00"), (.quietHours, "7-7"), (.quietHours, "25-7"), (.segments, "0"), (.segments, "9"),
        ]
        for (key, value) in bad {
            #expect(
                await failure { try await accounts.set(key, to: value, of: scope) } == .invalidSetting,
                "\(key) \(value)")
        }
        #expect(throws: AccountsError.self) { try SettingKey(validating: "nope") }
        #expect(try await accounts.set(.currency, to: nil, of: scope).currency == "EUR")
    }

    @Test func settingsAreUndoneAndTheCacheKnows() async throws {
        let accounts = try await make()
        let database = accounts.database
        let scope = try await accounts.createUser(email: "a@example.org", fullName: "A").scope
        try await accounts.set(.timeZone, to: "Europe/Paris", of: scope)
        let origin = WriteOrigin(turn: database.store.ids.next(), step: 0)
        var profile = try await accounts.profile(of: scope)
        profile.timeZone = "America/New_York"
        profile.name = "Ada"
        profile.quietHours = nil
        #expect(try await accounts.update(profile, of: scope, origin: origin) == profile)
        #expect(try await accounts.profile(of: scope) == profile)
        try await database.write(scope) { try $0.undo(turn: origin.turn) }
        #expect(try await accounts.profile(of: scope).timeZone == "Europe/Paris")
        #expect(try await accounts.profile(of: scope).name == nil)
        #expect(try await accounts.profile(of: scope).quietHours != nil)
        let other = try await accounts.createUser(email: "b@example.org", fullName: "B").scope
        #expect(try await accounts.profile(of: other) == UserProfile())
    }

    @Test func quietHoursPassMidnight() throws {
        let night = try #require(UserProfile.QuietHours(startMinute: 22 * 60, endMinute: 7 * 60))
        #expect(night.contains(minute: 23 * 60) && night.contains(minute: 0) && night.contains(minute: 419))
        #expect(!night.contains(minute: 420) && !night.contains(minute: 12 * 60))
        let noon = try #require(UserProfile.QuietHours(startMinute: 720, endMinute: 780))
        #expect(noon.contains(minute: 720) && !noon.contains(minute: 780) && !noon.contains(minute: 0))
        #expect(UserProfile.QuietHours(startMinute: 5, endMinute: 5) == nil)
    }
}
