import Dispatch
import TandemCore
import TandemStorage
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)))
struct PasswordTests {
    private func hasher(_ parameters: PasswordParameters) -> PasswordHasher {
        PasswordHasher(parameters: parameters, threads: 2, queue: 16)
    }

    @Test func hashesWithTheParametersOfOWASPByDefault() async throws {
        let hasher = hasher(AccountSettings().passwordParameters)
        let hash = try await hasher.hash("seven green bottles")
        #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(try await hasher.check("seven green bottles", against: hash) == .right(upgraded: nil))
        #expect(try await hasher.check("seven green bottle", against: hash) == .wrong)
        #expect(try await hasher.hash("seven green bottles") != hash)
    }

    @Test func readsTheReferenceImplementationsHash() async throws {
        // argon2-cffi's documentation form: made by the reference implementation with m=65536, t=2, p=1.
        let hasher = hasher(PasswordParameters(passes: 1, memoryKiB: 64))
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        guard case .right(let upgraded) = try await hasher.check("password", against: hash) else {
            Issue.record("the hash of the reference implementation's test vectors is refused")
            return
        }
        #expect(upgraded?.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$") == true)
    }

    @Test(arguments: [
        "", "x", "$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA", "$argon2id$v=16$m=64,t=1,p=1$AAAA$AAAA",
        "$argon2id$v=19$m=99999999,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=64,t=999,p=1$AAAA$AAAA",
        "$argon2id$v=19$m=64,t=1,p=4$AAAA$AAAA", "$argon2id$v=19$m=64,t=1$AAAA$AAAA", "$argon2id$v=19$m=64,t=1,p=1$",
        "$argon2id$v=19$m=-64,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=64,m=64,t=1,p=1$AAAA$AAAA",
    ])
    func refusesOtherHashesWithoutTheirCost(_ hash: String) async throws {
        #expect(try await hasher(PasswordParameters(passes: 1, memoryKiB: 64)).check("x", against: hash) == .wrong)
    }

    @Test func worksAsMuchWithoutAHash() async throws {
        let hasher = hasher(PasswordParameters(passes: 1, memoryKiB: 64))
        _ = try await hasher.check("x", against: nil)
        #expect(hasher.jobCount == 1)
        #expect(try await hasher.check("x", against: nil) == .wrong)
        #expect(hasher.jobCount == 2)
    }

    @Test func upgradesAHashAtLogin() async throws {
        let world = try await AccountsWorld { $0.passwordParameters = PasswordParameters(passes: 2, memoryKiB: 64) }
        let ann = try await world.person()
        let old = try await PasswordHasher(
            parameters: PasswordParameters(passes: 1, memoryKiB: 32), threads: 1, queue: 1
        ).hash(AccountsWorld.password)
        func stored() async throws -> String? {
            try await world.accounts.database.read(.system) { transaction in
                try transaction.first("SELECT password_hash FROM account_credentials")?.text("password_hash")
            }
        }
        try await world.accounts.database.write(.system) { transaction in
            try transaction.execute("UPDATE account_credentials SET password_hash = \(old)")
        }
        _ = try await world.signIn(ann)
        let upgraded = try await stored()
        #expect(upgraded?.hasPrefix("$argon2id$v=19$m=64,t=2,p=1$") == true)
        _ = try await world.signIn(ann)
        #expect(try await stored() == upgraded)
    }

    @Test func refusesMoreThanTheQueueHolds() async throws {
        let pool = BlockingPool(threads: 1, queue: 2)
        let gate = Gate()
        async let first: Void = pool.run { gate.wait() }
        while pool.jobCount == 0 { await Task.yield() }
        // Two have room in the queue, whichever they are; the third is refused.
        let (refusals, told) = AsyncStream.makeStream(of: AccountsError.Code.self)
        let others = (1...3).map { number in
            Task {
                do {
                    return try await pool.run { number }
                } catch let error as AccountsError {
                    told.yield(error.code)
                    return 0
                }
            }
        }
        var codes = refusals.makeAsyncIterator()
        #expect(await codes.next() == .busy)
        gate.open()
        try await first
        var done = 0
        for task in others where try await task.value > 0 { done += 1 }
        #expect(done == 2)
    }

    @Test func aCancelledCheckIsNotMade() async throws {
        let pool = BlockingPool(threads: 1, queue: 8)
        let gate = Gate()
        async let first: Void = pool.run { gate.wait() }
        while pool.jobCount == 0 { await Task.yield() }
        let second = Task { try await pool.run { Issue.record("it ran") } }
        second.cancel()
        gate.open()
        try await first
        await #expect(throws: CancellationError.self) { try await second.value }
    }

    // MARK: Rules

    private func accepts(_ text: String, words: [String] = [], secondFactor: Bool = false) -> Bool {
        (try? PasswordRules().accept(text, words: words, hasSecondFactor: secondFactor)) != nil
    }

    @Test(arguments: [
        "correct horse battery staple", "seven green bottles", "Пятнадцать букв здесь", "  spaces count too  ",
        "vX9$kQ2#pL7!mN4z", "日本語のとても長い秘密の合言葉です",
    ])
    func acceptsWhatIsLong(_ text: String) { #expect(accepts(text)) }

    @Test(arguments: [
        "short", "fourteen chars", "aaaaaaaaaaaaaaaaaaaa", "passwordpassword", "PasswordPassword!",
        "abcdefghijklmnopq", "123456789012345", "qwertyuiopasdfghjkl", "password123456789", "!!!Dragon2024!!!",
        "tandemtandemtandem", "zxcvbnmasdfghjkl", "01234567890abcdef", "12345678 12345678",
    ])
    func refusesWhatEverybodyTries(_ text: String) { #expect(!accepts(text)) }

    @Test func refusesWhatIsKnownOfThePerson() {
        #expect(!accepts("alexandrine2024", words: ["alexandrine@example.org", "Alexandrine Dubois"]))
        #expect(!accepts("AlexandrineDubois1", words: ["alexandrine@example.org", "Alexandrine Dubois"]))
        #expect(accepts("alexandrine likes marmalade", words: ["alexandrine@example.org", "Alexandrine Dubois"]))
    }

    @Test func shorterWillDoBesideASecondFactor() {
        #expect(!accepts("kq7vxz2m"))
        #expect(accepts("kq7vxz2m", secondFactor: true))
        #expect(!accepts("kq7vxz2", secondFactor: true))
    }

    @Test func boundsTheLengthInCodePointsAndBytes() {
        let words = "the quick brown fox jumps over a lazy dog and "
        #expect(accepts(String(repeating: words, count: 10).prefix(64).description))
        #expect(accepts(String((words + "then 5 wizards vex").prefix(256))))
        #expect(!accepts((0..<300).map { String(UnicodeScalar(UInt8(97 + $0 * 7 % 26))) }.joined()))
        #expect(!accepts(String(repeating: "\u{FDFA}", count: 700)))
        #expect(!accepts("with a line\nbreak in it"))
        #expect(!accepts("with a nul \u{0} in it"))
    }

    @Test func otherKeyboardsTypeTheSamePassword() async throws {
        // Decomposed, full width and ligature, against composed and plain.
        let (typed, stored) = ("ｍａｎｙ cafe\u{301}s ﬁnd it", "many caf\u{E9}s find it")
        #expect(PasswordRules.normalised(typed) == PasswordRules.normalised(stored))
        let world = try await AccountsWorld()
        let ann = try await world.accounts.createUser(email: "ann@example.org", fullName: "Ann")
        try await world.accounts.setPassword(stored, of: ann.scope)
        guard
            case .signedIn = try await world.accounts.logIn(email: ann.email, password: typed, from: world.home)
        else { throw AccountsWorld.Unexpected() }
    }
}

/// Holds threads until it is opened.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() {
        semaphore.wait()
        semaphore.signal()
    }

    func open() { semaphore.signal() }
}
