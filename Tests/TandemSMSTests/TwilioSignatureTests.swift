import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemSMS

@Suite struct TwilioSignatureTests {
    static let token = Secret("12345")
    static let url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    static let form =
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"

    func parse(_ text: String) throws -> FormParameters { try FormParameters(parsing: Array(text.utf8)) }

    /// The example of Twilio's documentation; recomputed with Python's hmac and hashlib.
    @Test func acceptsTheDocumentedExample() throws {
        let signature = TwilioSignature(authToken: Self.token)
        #expect(signature.isValid("RSOYDt4T1cUTdK1PDd93/VVr8B8=", url: Self.url, form: try parse(Self.form)))
        #expect(signature.signature(url: Self.url, form: try parse(Self.form)) == "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    }

    @Test(arguments: [
        "", "RSOYDt4T1cUTdK1PDd93/VVr8B8", "RSOYDt4T1cUTdK1PDd93/VVr8B9=", "SSOYDt4T1cUTdK1PDd93/VVr8B8=",
        "RSOYDt4T1cUTdK1PDd93/VVr8B8==", " RSOYDt4T1cUTdK1PDd93/VVr8B8=", "=SOYDt4T1cUTdK1PDd93/VVr8B8=", "é",
        "RSOYDt4T1cUTdK1PDd93_VVr8B8=",
    ])
    func refusesOtherSignatures(text: String) throws {
        #expect(!TwilioSignature(authToken: Self.token).isValid(text, url: Self.url, form: try parse(Self.form)))
    }

    @Test(arguments: [
        "https://mycompany.com/myapp.php?bar=2&foo=1", "http://mycompany.com/myapp.php?foo=1&bar=2",
        "https://mycompany.com/myapp.php", "https://mycompany.com/Myapp.php?foo=1&bar=2",
    ])
    func coversTheURL(url: String) throws {
        let signature = TwilioSignature(authToken: Self.token)
        #expect(!signature.isValid("RSOYDt4T1cUTdK1PDd93/VVr8B8=", url: url, form: try parse(Self.form)))
    }

    @Test func countsTheURLWithAndWithoutItsPort() throws {
        let signature = TwilioSignature(authToken: Self.token)
        let plain = "https://mycompany.com/myapp.php?foo=1"
        let form = try parse("A=1")
        let made = signature.signature(url: "https://mycompany.com:443/myapp.php?foo=1", form: form)
        #expect(signature.isValid(made, url: plain, form: form))
        let other = signature.signature(url: plain, form: form)
        #expect(signature.isValid(other, url: "https://mycompany.com:8443/myapp.php?foo=1", form: form))
        #expect(!signature.isValid(made, url: "https://mycompany.com:8443/myapp.php?foo=1", form: form))
    }

    @Test func acceptsThePreviousTokenDuringAChange() throws {
        let old = TwilioSignature(authToken: Secret("old"))
        let both = TwilioSignature(authToken: Secret("new"), previousAuthToken: Secret("old"))
        let form = try parse("A=1")
        #expect(both.isValid(old.signature(url: Self.url, form: form), url: Self.url, form: form))
        #expect(!old.isValid(both.signature(url: Self.url, form: form), url: Self.url, form: form))
    }

    @Test func refusesEverythingWithoutAToken() throws {
        let empty = TwilioSignature(authToken: Secret(""))
        let form = try parse("A=1")
        #expect(!empty.isValid("RSOYDt4T1cUTdK1PDd93/VVr8B8=", url: Self.url, form: form))
    }

    @Test func needsTheSharedKeyForSHA256() throws {
        let signature = TwilioSignature(authToken: Self.token)
        let made = signature.signature(url: Self.url, form: try parse("A=1"))
        let settings = "key=x,algorithm=HMAC_SHA256"
        #expect(!signature.isValid(made, settings: settings, url: Self.url, form: try parse("A=1")))
        #expect(!signature.isValid(made, settings: "", url: Self.url, form: try parse("A=1")))
    }

    @Test(arguments: [
        ("https://x.y/a?b", "https://x.y:443/a?b"), ("http://x.y", "http://x.y:80"),
        ("https://x.y:8443/a", "https://x.y/a"), ("https://[::1]/a", "https://[::1]:443/a"),
        ("https://u:p@x.y/a", "https://u:p@x.y:443/a"), ("", nil),
    ])
    func knowsTheURLWithAndWithoutPort(url: String, other: String?) {
        #expect(TwilioSignature.variant(of: url) == other)
    }

    /// The vectors beside the contracts, computed with Twilio's own library; where they are not, this says so.
    @Test func agreesWithTheContractsVectors() throws {
        let places = [
            ProcessInfo.processInfo.environment["TANDEM_CONTRACTS"].map { URL(fileURLWithPath: $0) },
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../../shared/contracts").standardized,
        ].compactMap { $0?.appendingPathComponent("twilio/signature-vectors.json") }
        guard let file = places.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            print("signature vectors: no contracts folder here, skipped (set TANDEM_CONTRACTS)")
            return
        }
        let vectors = try #require(try JSON(parsing: Array(try Data(contentsOf: file)))["vectors"]?.arrayValue)
        #expect(vectors.count >= 10)
        for vector in vectors {
            let secret = Secret(try #require(vector["auth_token"]?.stringValue))
            let settings = vector["headers"]?["X-Twilio-Webhooks-Signature-Settings"]?.stringValue
            let body = vector["body"]?.stringValue
            var form = [UInt8]()
            for (name, value) in vector["params"]?.objectValue ?? [:] {
                for value in value.arrayValue ?? [value] {
                    appendFormParameter(name, try #require(value.stringValue), to: &form)
                }
            }
            let signature = TwilioSignature(authToken: secret, sharedKey: settings == nil ? nil : secret)
            let isValid = signature.isValid(
                try #require(vector["signature"]?.stringValue), settings: settings,
                url: try #require(vector["url"]?.stringValue),
                form: body == nil ? try FormParameters(parsing: form) : nil, body: Array((body ?? "").utf8))
            #expect(isValid == vector["valid"]?.boolValue, "\(vector["id"]?.stringValue ?? "")")
            if let body {
                let tampered = signature.isValid(
                    try #require(vector["signature"]?.stringValue), url: try #require(vector["url"]?.stringValue),
                    form: nil, body: Array((body + " ").utf8))
                #expect(!tampered)
            }
        }
    }
}
