import TandemCore
import Testing

@Suite struct RedactionTests {
    @Test(arguments: [
        ("call +15555550123 now", "call [phone] now"),
        ("(555) 555-0123 x", "[phone] x"),
        ("06 12 34 56 78", "[phone]"),
        ("06.12.34.56.78.", "[phone]."),
        ("+33 6 12 34 56 78", "[phone]"),
        ("from +4915112345678,", "from [phone],"),
        ("to:+15555550123", "to:[phone]"),
        ("whatsapp:+15555550123", "whatsapp:[phone]"),
        ("mail ann.b+x@example.co.uk!", "mail [email]!"),
        ("postgres://user:hunter2@db.example.com/x", "postgres://[email]/x"),
        ("0123456789abcdef0123456789abcdef", "[token]"),
        ("QCO65V3Jl8gy7NJWGy85u1S2OExxPPqq==", "[token]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0", "[token].[token]"),
        ("password=hunter2 next", "password=[redacted] next"),
        ("api_key: abc", "api_key: [redacted]"),
        ("\"token\":\"abc\"", "\"token\":\"[redacted]\""),
        ("Bearer abcdefgh", "Bearer [redacted]"),
        ("sk-proj-abcdefghijkl", "[token]"),
    ])
    func masksSecretsAndAddresses(text: String, expected: String) {
        #expect(Redaction.masked(text) == expected)
    }

    @Test(arguments: [
        "plain words only", "12 of 300 rows in 15 ms", "2026-11-21T10:00:00.000Z", "127.0.0.1:8080",
        "handleInboundMessageForUser", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0", "tandem-plugin-runner-2026-11",
        "387221334459301888", "SM00112233445566778899aabbccddeeff", "grocery.items_by_user", "", "a", "é",
        "cannot open the file at line 3, column 14",
    ])
    func leavesOrdinaryTextAlone(text: String) {
        #expect(Redaction.masked(text) == text)
    }

    @Test(arguments: [
        "text", "sms.body", "authToken", "TWILIO_AUTH_TOKEN", "db.password", "Authorization", "user.phone",
        "set-cookie",
        "client_secret_value", "api-key",
    ])
    func knowsSensitiveKeys(key: String) {
        #expect(Redaction.isSensitive(key: key))
    }

    @Test(arguments: ["context", "body.bytes", "monkey", "request.id", "tokens", "status", "error.code", "", "..."])
    func leavesOtherKeysAlone(key: String) {
        #expect(!Redaction.isSensitive(key: key))
    }

    @Test(.timeLimit(.minutes(8))) func staysLinearOnHostileText() {
        let dots = String(repeating: "a.", count: 200_000)
        #expect(Redaction.masked(dots) == dots)
        let digits = String(repeating: "1-", count: 100_000)
        #expect(!Redaction.masked(digits).isEmpty)
        _ = Redaction.masked(String(repeating: "+", count: 100_000))
        _ = Redaction.masked(String(repeating: "key ", count: 50_000))
    }
}
