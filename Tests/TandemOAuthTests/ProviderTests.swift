import Foundation
import TandemCore
import TandemEgress
import TandemJSON
import Testing

@testable import TandemOAuth

@Suite struct ProviderTests {
    private func problems(_ file: String) -> [String] {
        do throws(ConfigurationError) {
            _ = try OAuthProviders(clients: [:], file: Array(file.utf8))
            return []
        } catch {
            return error.problems.map(\.reason)
        }
    }

    @Test func knowsTheServices() throws {
        let providers = try OAuthProviders(
            clients: [
                "google": OAuthProvider.Client(id: "g", secret: Secret("s")), "notion": .init(id: "n", secret: nil),
            ])
        #expect(providers.all.map(\.id) == ["google", "microsoft", "notion", "youtube"])
        #expect(providers["youtube"]?.client?.id == "g")
        #expect(providers["microsoft"]?.client == nil)
        let microsoft = try #require(providers["microsoft"])
        #expect(microsoft.token.description == "https://login.microsoftonline.com/common/oauth2/v2.0/token")
        #expect(microsoft.usesPKCE && microsoft.rotation == .replaced && microsoft.revocation == nil)
        let google = try #require(providers["google"])
        #expect(google.parameters["access_type"] == "offline" && google.parameters["include_granted_scopes"] == "true")
        #expect(google.revocation?.address.description == "https://oauth2.googleapis.com/revoke")
        let notion = try #require(providers["notion"])
        #expect(notion.authentication == .basic && notion.body == .json && !notion.usesPKCE && notion.scopes == nil)
        #expect(notion.accessLife == nil && notion.parameters == ["owner": "user"])
        for provider in providers.all { #expect(!provider.hosts.isEmpty) }
    }

    @Test func theOperatorsFileIsMergedOverIt() throws {
        let secret = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        try Data("hush hush\n".utf8).write(to: secret)
        defer { try? FileManager.default.removeItem(at: secret) }
        let file = """
            {"providers": {
              "microsoft": {"tenant": "contoso.example", "clientID": "m", "clientSecretFile": "\(secret.path)"},
              "notion": null,
              "forge": {"name": "Forge", "authorization": "https://forge.example/login", "token":
                "https://forge.example/token", "hosts": ["api.forge.example"], "rotation": "singleUse"}
            }}
            """
        let providers = try OAuthProviders(clients: [:], file: Array(file.utf8))
        #expect(providers.all.map(\.id) == ["forge", "google", "microsoft", "youtube"])
        #expect(
            providers["microsoft"]?.token.description
                == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token")
        #expect(providers["microsoft"]?.client?.secret?.reveal() == "hush hush")
        #expect(providers["microsoft"]?.scopes?.always == ["offline_access", "User.Read"])
        #expect(providers["forge"]?.usesPKCE == true)
        var dumped = ""
        dump(providers, to: &dumped)
        #expect(!dumped.contains("hush"))
    }

    @Test(arguments: [
        ("[]", "the file is not"), ("{", "the file is no JSON"), (#"{"provider": {}}"#, "the file is not"),
        (#"{"providers": {"X": {}}}"#, "is no name"),
        (#"{"providers": {"google": {"tokenn": "x"}}}"#, "/providers/google/tokenn is not known"),
        (
            #"{"providers": {"google": {"token": "http://oauth.example/token"}}}"#,
            "/providers/google/token is not https"
        ),
        (#"{"providers": {"google": {"token": "nowhere"}}}"#, "/providers/google/token is no web address"),
        (#"{"providers": {"google": {"hosts": ["*"]}}}"#, "/providers/google/hosts holds what is no host"),
        (#"{"providers": {"google": {"rotation": "daily"}}}"#, "/providers/google/rotation is not known"),
        (#"{"providers": {"google": {"clientSecret": "x"}}}"#, "/providers/google/clientID is missing"),
        (
            #"{"providers": {"google": {"clientID": "x", "clientSecretFile": "/nowhere"}}}"#,
            "/providers/google/clientSecretFile is no readable file"
        ),
        (#"{"providers": {"microsoft": {"tenant": "a/b"}}}"#, "/providers/microsoft/tenant is no tenant"),
    ])
    func saysWhatIsWrongWithTheFile(_ file: String, _ reason: String) {
        #expect(problems(file).contains { $0.hasPrefix(reason) || $0.contains(reason) })
    }

    // MARK: Answers

    private func failure(_ status: Int, _ body: String, _ headers: HTTPHeaders = [:]) -> TokenFailure {
        TokenFailure(status: status, json: try? JSON(parsing: body), headers: headers)
    }

    @Test func tellsTheEndOfAGrantFromWhatPasses() {
        #expect(failure(400, #"{"error":"invalid_grant","error_description":"x"}"#) == .dead("invalid_grant"))
        #expect(
            failure(400, #"{"error":"invalid_grant","suberror":"consent_required"}"#) == .dead("consent_required"))
        #expect(failure(400, #"{"error":"interaction_required"}"#) == .dead("interaction_required"))
        #expect(failure(401, #"{"error":"invalid_client"}"#) == .misconfigured("invalid_client"))
        #expect(failure(400, #"{"error":"invalid_scope"}"#) == .misconfigured("invalid_scope"))
        #expect(
            failure(400, #"{"error":"temporarily_unavailable"}"#)
                == .passing("temporarily_unavailable", retryAfter: nil, isUnclear: false))
        // A failing service may say anything.
        #expect(
            failure(503, #"{"error":"invalid_grant"}"#, ["Retry-After": "7"])
                == .passing("invalid_grant", retryAfter: .seconds(7), isUnclear: false))
        #expect(failure(429, "") == .passing("status_429", retryAfter: nil, isUnclear: false))
        // Not OAuth at all: a proxy's page, a captive portal.
        #expect(failure(403, "<html>") == .passing("status_403", retryAfter: nil, isUnclear: false))
        #expect(failure(200, "{}") == .passing("status_200", retryAfter: nil, isUnclear: true))
        // What is no error word is not kept.
        #expect(
            failure(400, #"{"error":"token ya29.x was refused"}"#)
                == .passing("status_400", retryAfter: nil, isUnclear: false))
    }

    @Test(arguments: [
        "{}", #"{"access_token":"a"}"#, #"{"access_token":"","token_type":"Bearer"}"#,
        #"{"access_token":"a b","token_type":"Bearer"}"#, #"{"access_token":"a\r\nX: y","token_type":"Bearer"}"#,
        #"{"access_token":"a","token_type":"mac"}"#, #"{"access_token":1,"token_type":"Bearer"}"#,
        #"{"access_token":"a","token_type":"Bearer","refresh_token":7}"#,
        #"{"access_token":"a","token_type":"Bearer","refresh_token":"b\nc"}"#,
    ])
    func takesNothingButBearerTokens(_ text: String) throws {
        #expect(TokenAnswer(try JSON(parsing: text)) == nil)
    }

    @Test func readsNumbersAndScopesAsServicesWriteThem() throws {
        let answer = try #require(
            TokenAnswer(
                try JSON(
                    parsing: #"{"access_token":"a","token_type":"bearer","expires_in":"3599","refresh_token":null,"#
                        + #""scope":"x  y","workspace_name":"My\nplace"}"#)))
        #expect(answer.life == .seconds(3599) && answer.refresh == nil && answer.scopes == ["x", "y"])
        #expect(answer.account == "Myplace")
        let odd = try #require(
            TokenAnswer(try JSON(parsing: #"{"access_token":"a","token_type":"Bearer","expires_in":-5}"#)))
        #expect(odd.life == .zero)
    }

    // MARK: Forms of text

    @Test func encodesAsTheStandardsSay() {
        // RFC 7636, appendix B.
        let challenge: [UInt8] = [
            19, 211, 30, 150, 26, 26, 216, 236, 47, 22, 177, 12, 76, 152, 46, 8, 118, 168, 120, 173, 109, 241, 68, 86,
            110, 225, 137, 74, 203, 112, 249, 195,
        ]
        #expect(TokenText.base64URL(challenge) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        #expect(
            TokenText.base64(Array("sample-client-id:sample-secret".utf8)) == "c2FtcGxlLWNsaWVudC1pZDpzYW1wbGUtc2VjcmV0"
        )
        for count in 0..<40 {
            let bytes = TokenText.random(count)
            #expect(TokenText.bytes(base64URL: TokenText.base64URL(bytes), count: count) == bytes)
        }
        #expect(TokenText.bytes(base64URL: "AB", count: 1) == nil)
        #expect(TokenText.bytes(base64URL: "A=", count: 1) == nil)
        #expect(TokenText.form([("a b", "c&d=é/~")]) == "a%20b=c%26d%3D%C3%A9%2F~")
        #expect(TokenText.fields(query: "a=1&b=x%20y+z&c=&d") == ["a": "1", "b": "x y z", "c": "", "d": ""])
        #expect(TokenText.fields(query: "a=1&a=2") == nil)
        #expect(TokenText.fields(query: "a=%zz") == nil)
        #expect(TokenText.fields(query: "a=%FF") == nil)
    }
}
