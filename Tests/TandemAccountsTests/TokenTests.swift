import Foundation
import TandemCore
import TandemJSON
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct TokenTests {
    /// The key of RFC 7515 appendix A.1, with which RFC 7519 §3.1 signs its example.
    private static let exampleKey =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    private static let example =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    private func exampleKey() throws -> WebSignature.Key {
        try #require(Base64URL.bytes(TokenTests.exampleKey.utf8).flatMap { WebSignature.Key($0) })
    }

    @Test func verifiesTheExampleOfRFC7519() throws {
        let key = try exampleKey()
        let payload = try #require(WebSignature.verified(TokenTests.example) { _ in key })
        #expect(payload["iss"]?.stringValue == "joe")
        #expect(payload["exp"]?.int64Value == 1_300_819_380)
        #expect(payload["http://example.com/is_root"]?.boolValue == true)
    }

    @Test func refusesTheUnsecuredTokenOfRFC7519() throws {
        let key = try exampleKey()
        let unsecured =
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        #expect(WebSignature.verified(unsecured) { _ in key } == nil)
    }

    @Test func everyChangedByteIsFoundOut() throws {
        let key = try exampleKey()
        let bytes = Array(TokenTests.example.utf8)
        for place in bytes.indices {
            for flip in [1, 2, 32, 128] as [UInt8] {
                var changed = bytes
                changed[place] ^= flip
                guard let text = String(validating: changed, as: UTF8.self) else { continue }
                #expect(WebSignature.verified(text) { _ in key } == nil, "byte \(place)")
            }
        }
        for text in [
            "", ".", "..", "...", TokenTests.example + ".", TokenTests.example + "=", "." + TokenTests.example,
            TokenTests.example.replacingOccurrences(of: ".eyJpc3", with: "..eyJpc3"),
            String(repeating: "a", count: 100_000),
        ] { #expect(WebSignature.verified(text) { _ in key } == nil) }
    }

    /// Signs whatever header and payload with the world's own key.
    private func forge(_ world: AccountsWorld, header: String, payload: String) async throws -> String {
        let entry = try await world.accounts.tokenKeys.signer(of: world.accounts.database, audit: NoAudit())
        let signed =
            Base64URL.text(Array(header.replacingOccurrences(of: "KID", with: entry.id).utf8)) + "."
            + Base64URL.text(Array(payload.utf8))
        return signed + "." + Base64URL.text(entry.key.sign(signed.utf8))
    }

    @Test func refusesEveryOtherClaimAndHeader() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let session = try await world.signIn(ann).session
        let now = world.clock.now.millisecondsSinceEpoch / 1000
        let header = #"{"alg":"HS256","typ":"at+jwt","kid":"KID"}"#
        func claims(_ change: (inout JSONObject) -> Void = { _ in }) -> String {
            var object: JSONObject = [
                "iss": "tandem", "aud": "tandem-api", "sub": .string(ann.id.description),
                "sid": .string(session.description), "iat": .integer(now), "exp": .integer(now + 60),
            ]
            change(&object)
            return JSON.object(object).text
        }
        func accepted(_ header: String, _ payload: String) async throws -> Bool {
            let token = try await forge(world, header: header, payload: payload)
            return await refusal { _ = try await world.accounts.authenticate(token) } == nil
        }
        // What may differ.
        #expect(try await accepted(header, claims()))
        #expect(try await accepted(#"{ "kid" : "KID", "typ":"at+jwt", "alg":"HS256", "x":1 }"#, claims()))
        #expect(try await accepted(header, claims { $0["aud"] = ["other", "tandem-api"] }))
        #expect(try await accepted(header, claims { $0["exp"] = .number(Double(now) + 0.5) }))
        #expect(try await accepted(header, claims { $0["nbf"] = .integer(now) }))
        // What may not.
        for bad in [
            #"{"alg":"none","typ":"at+jwt","kid":"KID"}"#, #"{"alg":"HS512","typ":"at+jwt","kid":"KID"}"#,
            #"{"alg":"hs256","typ":"at+jwt","kid":"KID"}"#, #"{"typ":"at+jwt","kid":"KID"}"#,
            #"{"alg":"HS256","typ":"JWT","kid":"KID"}"#, #"{"alg":"HS256","kid":"KID"}"#,
            #"{"alg":"HS256","typ":"at+jwt"}"#, #"{"alg":"HS256","typ":"at+jwt","kid":"other"}"#,
            #"{"alg":"HS256","typ":"at+jwt","kid":1}"#, #"["HS256"]"#, "",
            #"{"alg":"HS256","typ":"at+jwt","kid":"KID","crit":["exp"]}"#,
            #"{"alg":"HS256","alg":"none","typ":"at+jwt","kid":"KID"}"#,
        ] { #expect(try await !accepted(bad, claims()), "\(bad)") }
        let changes: [(inout JSONObject) -> Void] = [
            { $0["iss"] = "other" }, { $0["iss"] = nil }, { $0["aud"] = "other" }, { $0["aud"] = nil },
            { $0["aud"] = [] }, { $0["aud"] = 1 }, { $0["sub"] = nil }, { $0["sub"] = .integer(ann.id.rawValue) },
            { $0["sub"] = "1" }, { $0["sid"] = nil }, { $0["sid"] = "1" }, { $0["exp"] = nil },
            { $0["exp"] = .integer(now) }, { $0["exp"] = "9999999999" }, { $0["exp"] = .integer(.max) },
            { $0["exp"] = .number(1e300) }, { $0["iat"] = nil }, { $0["iat"] = .integer(now + 60) },
            { $0["nbf"] = .integer(now + 60) }, { $0["nbf"] = "x" },
        ]
        for (number, change) in changes.enumerated() {
            #expect(try await !accepted(header, claims(change)), "change \(number)")
        }
        for bad in ["[]", "", claims() + " x"] { #expect(try await !accepted(header, bad)) }
        let doubled = claims().replacingOccurrences(of: #""iss":"tandem""#, with: #""iss":"x","iss":"tandem""#)
        #expect(try await !accepted(header, doubled))
    }

    @Test func tokensEnd() async throws {
        let world = try await AccountsWorld()
        let tokens = try await world.signIn(try await world.person())
        #expect(tokens.accessExpiresAt == world.clock.now.advanced(by: .seconds(600)))
        world.clock.advance(by: .seconds(599))
        _ = try await world.principal(tokens)
        world.clock.advance(by: .seconds(1))
        #expect(await refusal { _ = try await world.principal(tokens) } == .invalidToken)
    }

    /// What was checked before is not checked again, and helps no other token.
    @Test func aTokenThatIsKnownVouchesForNoOther() async throws {
        let world = try await AccountsWorld()
        let tokens = try await world.signIn(try await world.person())
        let text = tokens.accessToken.reveal()
        for _ in 0..<2 { _ = try await world.accounts.authenticate(text) }
        let bytes = Array(text.utf8)
        for place in stride(from: 0, to: bytes.count - 1, by: 7) {
            var changed = bytes
            changed[place] = changed[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let other = String(decoding: changed, as: UTF8.self)
            #expect(await refusal { _ = try await world.accounts.authenticate(other) } == .invalidToken)
        }
        for other in ["", text + "A", String(text.dropLast()), text.uppercased()] {
            #expect(await refusal { _ = try await world.accounts.authenticate(other) } == .invalidToken)
        }
        let principal = try await world.accounts.authenticate(text)
        #expect(principal == (try await world.principal(tokens)))
        world.clock.advance(by: .seconds(600))
        for _ in 0..<2 { #expect(await refusal { _ = try await world.accounts.authenticate(text) } == .invalidToken) }
    }

    // MARK: Keys

    @Test func aNewKeyOverlapsWithTheOld() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let ann = try await world.person()
        func kid(_ tokens: SessionTokens) throws -> String {
            let header = WebSignature.Parts(Array(tokens.accessToken.reveal().utf8)).flatMap {
                WebSignature.object($0.header)
            }
            return try #require(header?["kid"]?.stringValue)
        }
        let old = try await world.signIn(ann)
        _ = try await other.authenticate(old.accessToken.reveal())
        try await world.accounts.rotateTokenKeys()
        // For a moment the old one still signs, until every process has seen the new one.
        let between = try await world.signIn(ann)
        #expect(try kid(between) == kid(old))
        world.clock.advance(by: TokenKeys.headStart)
        let new = try await world.signIn(ann)
        #expect(try kid(new) != kid(old))
        for tokens in [old, between, new] {
            _ = try await world.principal(tokens)
            _ = try await other.authenticate(tokens.accessToken.reveal())
        }
        // When the old key's last token is over, it goes.
        world.clock.advance(by: .seconds(620))
        try await world.accounts.prune()
        let kids = try await world.accounts.database.read(.system) { try $0.query("SELECT kid FROM token_keys").count }
        #expect(kids == 1)
        _ = try await world.signIn(ann)
    }

    @Test func keysAreRenewedByTheirAge() async throws {
        let world = try await AccountsWorld { $0.sessionIdleLifetime = .seconds(90 * 86_400) }
        let ann = try await world.person()
        let first = try await world.signIn(ann)
        world.clock.advance(by: .seconds(30 * 86_400))
        let second = try await world.accounts.refresh(first.refreshToken)
        world.clock.advance(by: TokenKeys.headStart)
        let third = try await world.accounts.refresh(second.refreshToken)
        #expect(second.accessToken.reveal().prefix(60) != third.accessToken.reveal().prefix(60))
        #expect(world.audit.names.contains(.tokenKeyRotated))
        for tokens in [second, third] { _ = try await world.principal(tokens) }
    }

    @Test func revokedKeysCountWithinTwoSecondsElsewhere() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let ann = try await world.person()
        let old = try await world.signIn(ann)
        _ = try await other.authenticate(old.accessToken.reveal())
        try await world.accounts.rotateTokenKeys(revokingOld: true)
        #expect(await refusal { _ = try await world.principal(old) } == .invalidToken)
        world.clock.advance(by: .seconds(2))
        #expect(await refusal { _ = try await other.authenticate(old.accessToken.reveal()) } == .invalidToken)
        let new = try await world.accounts.refresh(old.refreshToken)
        _ = try await other.authenticate(new.accessToken.reveal())
    }

    @Test func twoProcessesBeginWithOneKey() async throws {
        let world = try await AccountsWorld(isShared: true)
        let other = try await world.another()
        let ann = try await world.person()
        async let here = world.signIn(ann)
        async let there = world.signIn(ann, from: world.abroad, on: other)
        for tokens in try await [here, there] {
            _ = try await world.principal(tokens)
            _ = try await other.authenticate(tokens.accessToken.reveal())
        }
    }

    // MARK: Another implementation

    private static let python = "/usr/bin/python3"
    private static let hasPyJWT = (try? output(of: python, ["-c", "import jwt"])) ?? nil != nil

    @Test(.enabled(if: TokenTests.hasPyJWT, "PyJWT (python3-jwt) is not installed"))
    func agreesWithPyJWT() async throws {
        let world = try await AccountsWorld()
        let ann = try await world.person()
        let tokens = try await world.signIn(ann)
        let database = world.accounts.database
        let (kid, secret) = try await database.read(.system) { transaction in
            let row = try #require(try transaction.first("SELECT id, kid, sealed FROM token_keys"))
            let seal = Accounts.seal("token_keys", "sealed", try row.recordID("id"))
            return (try row.text("kid"), try transaction.open(try row.blob("sealed"), seal))
        }
        let key = secret.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let script = """
            import jwt, sys, json
            key, kid, token = sys.stdin.read().split()
            key = bytes.fromhex(key)
            claims = jwt.decode(token, key, algorithms=["HS256"], audience="tandem-api", issuer="tandem",
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "sub"]})
            claims["exp"] += 5
            print(jwt.get_unverified_header(token)["typ"])
            print(jwt.encode(claims, key, algorithm="HS256", headers={"kid": kid, "typ": "at+jwt"}))
            """
        let answer = try output(
            of: TokenTests.python, ["-c", script], input: "\(key) \(kid) \(tokens.accessToken.reveal())")
        let lines = try #require(answer).split(separator: "\n")
        #expect(lines.first == "at+jwt")
        let principal = try await world.accounts.authenticate(String(try #require(lines.last)))
        #expect(principal.user == ann.id)
    }
}
