import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct APIKeyTests {
    @Test func aKeyBringsItsScopesAndNoMore() async throws {
        let world = try await AccountsWorld()
        let robot = try await world.person("robot", role: .service)
        let (key, text) = try await world.accounts.createKey(
            for: robot.id, name: " Nightly\u{7} backup ", scopes: [.backup, .metrics])
        #expect(text.reveal().hasPrefix(key.prefix) && key.prefix.utf8.count == 15 && key.name == "Nightly backup")
        let principal = try await world.accounts.authenticate(text.reveal())
        #expect(principal.user == robot.id && principal.role == .service && principal.credential == .apiKey(key.id))
        #expect(principal.permissions.all == [.metrics, .backup])
        #expect(throws: AccountsError.self) { try principal.require(.synchronisation) }
        #expect(
            await refusal { try await world.accounts.stepUp(principal, with: .totp("000000"), from: world.home) }
                == .forbidden)
        #expect(throws: AccountsError.self) { try world.accounts.requireProof(of: principal, for: .export) }
        #expect(try await world.accounts.keys(of: robot.scope).map(\.lastUsedAt) == [world.clock.now])
    }

    @Test func refusesKeysThatAreNone() async throws {
        let world = try await AccountsWorld()
        let robot = try await world.person("robot", role: .service)
        let (_, text) = try await world.accounts.createKey(for: robot.id, name: "x", scopes: [.backup])
        let good = text.reveal()
        for place in good.indices.dropFirst(4) {
            var changed = good
            changed.replaceSubrange(place...place, with: good[place] == "A" ? "B" : "A")
            #expect(APIKeyText(changed) == nil)
            #expect(await refusal { _ = try await world.accounts.authenticate(changed) } == .invalidToken)
        }
        // With a right checksum, and with a known id beside another secret.
        let invented = APIKeyText.random().text
        #expect(await refusal { _ = try await world.accounts.authenticate(invented) } == .invalidToken)
        let body = good.prefix(15) + invented.dropFirst(15).dropLast(6)
        let mixed = body + APIKeyText.checksum(String(body))
        #expect(APIKeyText(String(mixed)) != nil)
        #expect(await refusal { _ = try await world.accounts.authenticate(String(mixed)) } == .invalidToken)
        for bad in ["tdm_", good + "A", String(good.dropLast()), "TDM_" + good.dropFirst(4)] {
            #expect(await refusal { _ = try await world.accounts.authenticate(bad) } == .invalidToken)
        }
        _ = try await world.accounts.authenticate(good)
    }

    /// The check value of CRC-32/ISO-HDLC for "123456789" is CBF43926.
    @Test func theChecksumIsCRC32() {
        var value = 0xCBF4_3926
        var digits = ""
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        for _ in 0..<6 {
            digits = String(alphabet[value % 62]) + digits
            value /= 62
        }
        #expect(APIKeyText.checksum("123456789") == digits)
    }

    @Test func keysEndAndAreRevoked() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let robot = try await world.person("robot", role: .service)
        let (short, text) = try await world.accounts.createKey(
            for: robot.id, name: "short", scopes: [.backup], lifetime: .seconds(60))
        let (long, second) = try await world.accounts.createKey(for: robot.id, name: "long", scopes: [.backup])
        for each in [text, second] {
            _ = try await world.accounts.authenticate(each.reveal())
            _ = try await other.authenticate(each.reveal())
        }
        #expect(short.expiresAt == world.clock.now.advanced(by: .seconds(60)))
        try await world.accounts.revokeKey(long.id, of: robot.scope)
        #expect(await refusal { _ = try await world.accounts.authenticate(second.reveal()) } == .invalidToken)
        world.clock.advance(by: .seconds(2))
        #expect(await refusal { _ = try await other.authenticate(second.reveal()) } == .invalidToken)
        world.clock.advance(by: .seconds(57))
        _ = try await world.accounts.authenticate(text.reveal())
        world.clock.advance(by: .seconds(1))
        #expect(await refusal { _ = try await world.accounts.authenticate(text.reveal()) } == .invalidToken)
        #expect(await refusal { try await world.accounts.revokeKey(long.id, of: robot.scope) } == .unknownKey)
        let ann = try await world.person()
        #expect(await refusal { try await world.accounts.revokeKey(short.id, of: ann.scope) } == .unknownKey)
        try await world.accounts.setStatus(.disabled, of: robot.id)
        #expect(await refusal { _ = try await world.accounts.authenticate(text.reveal()) } == .invalidToken)
        #expect(world.audit.names.contains(.keyRevoked))
    }

    @Test func keysAreForServicesWithinTheirProfile() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let robot = try await world.person("robot", role: .service)
        func create(_ user: UserID, _ scopes: PermissionSet, _ name: String = "x", _ lifetime: Duration? = nil) async
            -> AccountsError.Code?
        {
            await refusal {
                _ = try await world.accounts.createKey(for: user, name: name, scopes: scopes, lifetime: lifetime)
            }
        }
        #expect(await create(ann.id, [.conversation]) == .forbidden)
        #expect(await create(UserID(rawValue: 5), [.backup]) == .unknownUser)
        #expect(await create(robot.id, [.backup, .userSupport]) == .invalidKey)
        #expect(await create(robot.id, []) == .invalidKey)
        #expect(await create(robot.id, [.backup], " ") == .invalidKey)
        #expect(await create(robot.id, [.backup], "x", .seconds(3 * 366 * 86_400)) == .invalidKey)
        #expect(await create(robot.id, [.backup], "x", .zero) == .invalidKey)
    }
}
