import Foundation
import Logging
import TandemCore
import Testing

@Suite struct ConfigurationTests {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-configuration-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let path = folder.appendingPathComponent(name).path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    func problems(_ environment: [String: String]) -> [ConfigurationError.Problem] {
        do {
            _ = try Configuration(environment: ["HOME": "/home/x"].merging(environment) { $1 })
            return []
        } catch {
            return error.problems
        }
    }

    @Test func startsWithNothingSet() throws {
        let configuration = try Configuration(environment: ["HOME": "/home/x"])
        #expect(configuration.dataFolder == "/home/x/.local/share/tandem")
        #expect(configuration.listen.description == "127.0.0.1:8080")
        #expect(configuration.listen.isLoopback)
        #expect(configuration.twilio == nil)
        #expect(configuration.database == nil)
        #expect(configuration.logLevel == .info)
        #expect(configuration.addresses.twilio.description == "https://api.twilio.com")
        #expect(configuration.warnings.isEmpty)
    }

    @Test func prefersXDGFolder() throws {
        #expect(try Configuration(environment: ["HOME": "/h", "XDG_DATA_HOME": "/d"]).dataFolder == "/d/tandem")
        #expect(
            try Configuration(environment: ["HOME": "/h", "XDG_DATA_HOME": "rel"]).dataFolder
                == "/h/.local/share/tandem")
        #expect(try Configuration(environment: ["TANDEM_DATA": "/x", "XDG_DATA_HOME": "/d"]).dataFolder == "/x")
    }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1", 80), (":9000", "0.0.0.0", 9000), ("[::1]:0", "::1", 0),
        ("host.x:65535", "host.x", 65535),
    ])
    func readsListenAddresses(text: String, host: String, port: Int) throws {
        let listen = try Configuration(environment: ["HOME": "/h", "TANDEM_LISTEN": text]).listen
        #expect(listen == ListenAddress(host: host, port: port))
    }

    @Test(arguments: ["8080", "host", "h:99999", "::1:80", "h:", "h:+1", "a b:1", "h:-1"])
    func refusesOtherListenAddresses(text: String) {
        #expect(problems(["TANDEM_LISTEN": text]).map(\.variable) == ["TANDEM_LISTEN"])
    }

    @Test(arguments: [
        "ftp://x", "https://", "https://u:p@x", "https://x?y", "https://x#y", "https://x:0", "https://x:99999",
        "x.example",
        "https://a b", "https://..", "http://public.example",
    ])
    func refusesPublicURL(text: String) {
        #expect(problems(["TANDEM_PUBLIC_URL": text]).map(\.variable) == ["TANDEM_PUBLIC_URL"])
    }

    @Test(arguments: [
        ("https://Tandem.Example/", "https://tandem.example"),
        ("https://x.example:8443/a/", "https://x.example:8443/a"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://[::1]:1", "http://[::1]:1"),
    ])
    func readsPublicURL(text: String, expected: String) throws {
        #expect(
            try Configuration(environment: ["HOME": "/h", "TANDEM_PUBLIC_URL": text]).publicURL?.description == expected
        )
    }

    @Test func reportsEverythingAtOnceWithoutSecrets() {
        let found = problems([
            "TANDEM_LOG": "loud", "TWILIO_AUTH_TOKEN": "s3cretvalue", "TWILIO_NUMBER": "5551234",
            "GOOGLE_CLIENT_SECRET": "s3cretvalue",
            "DATABASE_URL": "mysql://root:s3cretvalue@x", "TANDEM_METRICS_TOKEN": "s3cretvalue",
        ])
        #expect(
            found.map(\.variable) == [
                "DATABASE_URL", "TANDEM_LOG", "TANDEM_METRICS_TOKEN", "TWILIO_ACCOUNT_SID", "GOOGLE_CLIENT_ID",
            ])
        #expect(!ConfigurationError(problems: found).description.contains("s3cretvalue"))
        for problem in found { #expect(!problem.advice.isEmpty && !problem.reason.isEmpty) }
    }

    @Test func readsTwilio() throws {
        let twilio = try #require(
            try Configuration(environment: [
                "HOME": "/h", "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN": "t",
                "TWILIO_NUMBER": "+15555550100, +15555550101", "TWILIO_AUTH_TOKEN_PREVIOUS": "p",
            ]).twilio)
        #expect(twilio.numbers == ["+15555550100", "+15555550101"])
        #expect(twilio.authToken.reveal() == "t")
        #expect(twilio.previousAuthToken?.reveal() == "p")
    }

    @Test func readsModels() throws {
        let plain = try Configuration(environment: ["HOME": "/h"]).models
        #expect(plain.chat == nil && plain.embeddings == nil)
        #expect(plain.geminiModel == "gemini-2.5-flash")
        #expect(plain.order == ["gemini", "chat"])
        #expect(plain.microsPerDay == nil)
        let models = try Configuration(environment: [
            "HOME": "/h", "TANDEM_GEMINI_MODEL": "models/gemini-3-flash", "TANDEM_CHAT_KEY": "k",
            "TANDEM_CHAT_MODEL": "gpt-4o-mini", "TANDEM_MODEL_ORDER": "chat, gemini", "TANDEM_MODEL_DAY_MONEY": "0.05",
            "TANDEM_MODEL_TOTAL_MONEY": "12", "TANDEM_MODEL_DAY_TOKENS": "off", "TANDEM_MODEL_STEPS": "3",
        ]).models
        #expect(models.geminiModel == "gemini-3-flash")
        #expect(models.chat?.address.description == "https://api.openai.com/v1")
        #expect(models.order == ["chat", "gemini"])
        #expect(models.microsPerDay == 50_000)
        #expect(models.totalMicrosPerDay == 12_000_000)
        #expect(models.tokensPerDay == nil)
        #expect(models.stepsPerTurn == 3)
        let vectors = try Configuration(environment: [
            "HOME": "/h", "TANDEM_EMBEDDINGS": "gemini", "TANDEM_EMBEDDING_DIMENSIONS": "768",
        ]).models.embeddings
        #expect(vectors?.model == "gemini-embedding-001" && vectors?.dimensions == 768)
    }

    @Test(arguments: [
        ("TANDEM_GEMINI_MODEL", "a/../b"), ("TANDEM_GEMINI_MODEL", "x y"), ("TANDEM_CHAT_URL", "ftp://x"),
        ("TANDEM_MODEL_ORDER", "gemini,gemini"), ("TANDEM_MODEL_ORDER", "local"), ("TANDEM_MODEL_DAY_MONEY", "1,5"),
        ("TANDEM_MODEL_DAY_MONEY", "0.1234567"), ("TANDEM_MODEL_DAY_MONEY", "-1"), ("TANDEM_MODEL_STEPS", "0"),
        ("TANDEM_MODEL_TIMEOUT", "x"), ("TANDEM_EMBEDDINGS", "chat"), ("TANDEM_EMBEDDINGS", "other"),
        ("TANDEM_EMBEDDING_DIMENSIONS", "8"),
    ])
    func refusesModelsThatMakeNoSense(name: String, value: String) {
        #expect(problems([name: value]).contains { $0.variable == name })
    }

    @Test func wantsAModelForAServerAndAServerForAModel() {
        #expect(problems(["TANDEM_CHAT_URL": "http://127.0.0.1:1"]).map(\.variable) == ["TANDEM_CHAT_MODEL"])
        #expect(problems(["TANDEM_CHAT_MODEL": "m"]).map(\.variable) == ["TANDEM_CHAT_URL"])
    }

    @Test func readsSecretsFromFiles() throws {
        let path = try write("token", "abc\n")
        let configuration = try Configuration(environment: ["HOME": "/h", "GEMINI_API_KEY_FILE": path])
        #expect(configuration.gemini.key?.reveal() == "abc")
        #expect(configuration.warnings.isEmpty)
        let open = try write("open", "abc", mode: 0o644)
        #expect(try Configuration(environment: ["HOME": "/h", "GEMINI_API_KEY_FILE": open]).warnings.count == 1)
    }

    @Test func refusesUnusableSecretFiles() throws {
        let path = try write("token", "abc")
        #expect(problems(["GEMINI_API_KEY": "x", "GEMINI_API_KEY_FILE": path]).first?.variable == "GEMINI_API_KEY")
        for bad in [folder.path, folder.path + "/none", try write("empty", "\n"), try write("two", "a\nb")] {
            #expect(problems(["GEMINI_API_KEY_FILE": bad]).map(\.variable) == ["GEMINI_API_KEY_FILE"])
        }
        #expect(problems(["GEMINI_API_KEY_FILE": try write("long", String(repeating: "x", count: 70_000))]).count == 1)
    }

    @Test func readsTheFileBehindTheEnvironment() throws {
        let path = try write("c.json", #"{"TANDEM_LISTEN":"0.0.0.0:1","TANDEM_LOG":"debug","GEMINI_API_KEY":"k"}"#)
        let configuration = try Configuration(environment: ["HOME": "/h", "TANDEM_CONFIG": path, "TANDEM_LOG": "error"])
        #expect(configuration.listen.port == 1)
        #expect(configuration.logLevel == .error)
        #expect(configuration.gemini.key?.reveal() == "k")
    }

    @Test func namesWhatIsWrongInTheFile() throws {
        let unknown = try write("u.json", #"{"TANDEM_LISTN":"x"}"#)
        let problem = try #require(problems(["TANDEM_CONFIG": unknown]).first)
        #expect(problem.description.contains("Did you mean TANDEM_LISTEN?"))
        let broken = try write("b.json", "{\n\"a\" 1}")
        #expect(problems(["TANDEM_CONFIG": broken]).first?.reason.contains("line 2") == true)
        #expect(
            problems(["TANDEM_CONFIG": try write("n.json", #"{"TANDEM_LOG":["x"]}"#)]).first?.variable == "TANDEM_LOG")
        #expect(problems(["TANDEM_CONFIG": folder.path + "/none"]).first?.variable == "TANDEM_CONFIG")
    }

    @Test func warnsAboutMisspeltNames() throws {
        let warnings = try Configuration(environment: ["HOME": "/h", "TANDEM_LISEN": ":1", "TANDEM_ELSE": "x"]).warnings
        #expect(warnings == ["TANDEM_LISEN is no setting; did you mean TANDEM_LISTEN?"])
    }

    @Test func neverPrintsASecret() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(["s": secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\(Configuration.Vendor(key: secret))"] {
            #expect(!text.contains("hunter2"))
        }
    }
}
