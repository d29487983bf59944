import Glibc
import Logging

extension Configuration {
    /// Reads and checks all settings.
    ///
    /// - Throws: `ConfigurationError` with everything that is wrong, not only the first.
    public init(environment: [String: String]) throws(ConfigurationError) {
        var source = ConfigurationSource(environment: environment)

        dataFolder = Configuration.dataFolder(&source)
        registry = source.text("TANDEM_REGISTRY").map(absolutePath)
        trust = source.text("TANDEM_TRUST").map(absolutePath)
        plugins = source.text("TANDEM_PLUGINS").map(absolutePath)
        runner = source.text("TANDEM_RUNNER").map(absolutePath)
        allowsWeakIsolation = Configuration.truth("TANDEM_ALLOW_WEAK_ISOLATION", &source)
        listen = Configuration.listen(&source)
        publicURL = Configuration.publicURL(&source)
        masterKey = source.secret("TANDEM_MASTER_KEY")
        masterKeyFile = source.path(ofSecret: "TANDEM_MASTER_KEY")
        vault = Configuration.vault(&source)
        retention = Retention(&source)
        database = Configuration.url(
            "DATABASE_URL", schemes: ["postgres", "postgresql", "sqlite"], example: "postgresql://user@host/tandem",
            &source)
        databasePassword = source.secret("DATABASE_PASSWORD")
        databaseOwner = Configuration.url(
            "DATABASE_OWNER_URL", schemes: ["postgres", "postgresql"], example: "postgresql://owner@host/tandem",
            &source)
        databaseOwnerPassword = source.secret("DATABASE_OWNER_PASSWORD")
        databasePool = Configuration.pool(&source)
        redis = Configuration.url(
            "REDIS_URL", schemes: ["redis", "rediss", "unix"], example: "redis://127.0.0.1:6379", &source)
        logLevel = Configuration.logLevel(&source)
        metricsToken = source.secret("TANDEM_METRICS_TOKEN")
        if let token = metricsToken?.reveal(), token.utf8.count < 16 {
            source.refuse(
                "TANDEM_METRICS_TOKEN", "is shorter than 16 characters", "Use a random one: openssl rand -hex 24.")
        }
        twilio = Configuration.twilio(&source)
        mail = Configuration.mail(&source)
        trustedProxies = (source.text("TANDEM_TRUSTED_PROXIES") ?? "").split(separator: ",").map { item in
            String(item.filter { $0 != " " })
        }.filter { !$0.isEmpty }
        rateLimit = Configuration.rateLimit(&source)
        sendDelay = Configuration.sendDelay(&source)
        roles = Configuration.roles(&source)
        gemini = Vendor(key: source.secret("GEMINI_API_KEY"))
        models = Models(&source)
        youtube = Vendor(key: source.secret("YOUTUBE_API_KEY"))
        microsoft = Configuration.client("MICROSOFT", &source)
        google = Configuration.client("GOOGLE", &source)
        notion = Configuration.client("NOTION", &source)
        oauthFile = source.text("TANDEM_OAUTH").map(absolutePath)
        addresses = VendorAddresses(
            gemini: Configuration.address(
                "TANDEM_GEMINI_URL", .https("generativelanguage.googleapis.com"), &source),
            twilio: Configuration.address("TANDEM_TWILIO_URL", .https("api.twilio.com"), &source),
            graph: Configuration.address("TANDEM_GRAPH_URL", .https("graph.microsoft.com"), &source),
            gmail: Configuration.address("TANDEM_GMAIL_URL", .https("gmail.googleapis.com"), &source),
            notion: Configuration.address("TANDEM_NOTION_URL", .https("api.notion.com"), &source),
            youtube: Configuration.address("TANDEM_YOUTUBE_URL", .https("www.googleapis.com"), &source),
            duckDuckGo: Configuration.address("TANDEM_DUCKDUCKGO_URL", .https("html.duckduckgo.com"), &source))
        telemetry = Configuration.optionalAddress("OTEL_EXPORTER_OTLP_ENDPOINT", &source)
        warnings = source.warnings

        if !source.problems.isEmpty { throw ConfigurationError(problems: source.problems) }
    }

    /// The settings of this process.
    public static func current() throws(ConfigurationError) -> Configuration {
        var environment: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text)
            if let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")) {
                environment[String(pair[..<equals])] = String(pair[pair.utf8.index(after: equals)...])
            }
            entry += 1
        }
        return try Configuration(environment: environment)
    }

    // MARK: - One setting each

    private static func dataFolder(_ source: inout ConfigurationSource) -> String {
        if let given = source.text("TANDEM_DATA") { return absolutePath(given) }
        if let base = source.environment["XDG_DATA_HOME"], base.hasPrefix("/") { return base + "/tandem" }
        // The XDG Base Directory Specification ignores a relative XDG_DATA_HOME.
        if let home = source.environment["HOME"], home.hasPrefix("/") { return home + "/.local/share/tandem" }
        source.refuse(
            "TANDEM_DATA", "is not set, and neither is HOME", "Give the folder for the database and the keys.")
        return "/"
    }

    private static func listen(_ source: inout ConfigurationSource) -> ListenAddress {
        let standard = ListenAddress(host: "127.0.0.1", port: 8080)
        guard let text = source.text("TANDEM_LISTEN") else { return standard }
        if let address = ListenAddress(text) { return address }
        source.refuse(
            "TANDEM_LISTEN", "\"\(Redaction.masked(text))\" is no HOST:PORT with a port up to 65535",
            "Write for example 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080.")
        return standard
    }

    private static func publicURL(_ source: inout ConfigurationSource) -> WebAddress? {
        guard let address = optionalAddress("TANDEM_PUBLIC_URL", &source) else { return nil }
        if address.scheme != "https", !address.isLoopback {
            source.refuse(
                "TANDEM_PUBLIC_URL", "is not https",
                "Messages and tokens cross the network: use https://\(address.host).")
            return nil
        }
        return address
    }

    private static func truth(_ name: String, _ source: inout ConfigurationSource) -> Bool {
        guard let text = source.text(name) else { return false }
        switch text.lowercased() {
        case "1", "true", "yes", "on": return true
        case "0", "false", "no", "off": return false
        default:
            source.refuse(name, "\"\(Redaction.masked(text))\" is neither yes nor no", "Use 1 or 0.")
            return false
        }
    }

    private static func mail(_ source: inout ConfigurationSource) -> Mail? {
        let plain = truth("TANDEM_SMTP_PLAIN", &source)
        let user = source.text("TANDEM_SMTP_USER")
        let password = source.secret("TANDEM_SMTP_PASSWORD")
        let sender = source.text("TANDEM_SMTP_FROM")
        let authorities = source.text("TANDEM_SMTP_CACERT")
        guard let server = source.text("TANDEM_SMTP_URL") else {
            if user != nil || password != nil || sender != nil {
                source.refuse(
                    "TANDEM_SMTP_URL", "is not set, and other TANDEM_SMTP settings are",
                    "Write for example smtps://mail.example.org.")
            }
            return nil
        }
        guard server.hasPrefix("smtp://") || server.hasPrefix("smtps://"),
            server.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 64 })
        else {
            source.refuse(
                "TANDEM_SMTP_URL", "is no smtp:// or smtps:// address without a user",
                "Write for example smtps://mail.example.org or smtp://mail.example.org:587.")
            return nil
        }
        guard let sender, sender.contains("@") else {
            source.refuse("TANDEM_SMTP_FROM", "is no address", "Say which address mails come from.")
            return nil
        }
        if let authorities, access(authorities, R_OK) != 0 {
            source.refuse(
                "TANDEM_SMTP_CACERT", "is no file that can be read",
                "Name a PEM file of the authorities that may vouch for the mail server.")
        }
        return Mail(
            server: server, user: user, password: password, sender: sender, allowsPlainText: plain,
            authorities: authorities)
    }

    private static func roles(_ source: inout ConfigurationSource) -> Set<Role> {
        guard let text = source.text("TANDEM_ROLES") else { return Set(Role.allCases) }
        let words = text.split(whereSeparator: { $0 == "," || $0 == " " }).map { $0.lowercased() }
        let roles = words.compactMap(Role.init(rawValue:))
        if roles.isEmpty || roles.count < words.count {
            source.refuse(
                "TANDEM_ROLES", "names no role or one that is not known", "Write some of front, agent, worker.")
        }
        return Set(roles)
    }

    private static func sendDelay(_ source: inout ConfigurationSource) -> Duration {
        guard let text = source.text("TANDEM_SEND_DELAY") else { return .zero }
        if let seconds = Int(text), (0...3600).contains(seconds) { return .seconds(seconds) }
        source.refuse(
            "TANDEM_SEND_DELAY", "is no number of seconds from 0 to 3600", "Write 10 for a moment to change one's mind."
        )
        return .zero
    }

    private static func rateLimit(_ source: inout ConfigurationSource) -> Double? {
        guard let text = source.text("TANDEM_RATE_LIMIT") else { return 1 }
        if text.lowercased() == "off" { return nil }
        if let factor = Double(text), factor >= 0.001, factor <= 1_000_000 { return factor }
        source.refuse(
            "TANDEM_RATE_LIMIT", "is neither a number from 0.001 on nor off", "1 is the standard, 10 ten times as much."
        )
        return 1
    }

    private static func logLevel(_ source: inout ConfigurationSource) -> Logger.Level {
        guard let text = source.text("TANDEM_LOG") else { return .info }
        switch text.lowercased() {
        case "warn": return .warning
        case "off", "none": return .critical
        case let word:
            if let level = Logger.Level(rawValue: word) { return level }
        }
        source.refuse(
            "TANDEM_LOG", "\"\(Redaction.masked(text))\" is no level",
            "Use trace, debug, info, notice, warning, error or critical.")
        return .info
    }

    private static func url(
        _ name: String, schemes: [String], example: String, _ source: inout ConfigurationSource
    ) -> Secret? {
        guard let text = source.text(name) else { return nil }
        guard let colon = text.firstIndex(of: ":"), schemes.contains(text[..<colon].lowercased()),
            text[colon...].utf8.count > 1
        else {
            source.refuse(
                name, "begins with none of \(schemes.map { $0 + ":" }.joined(separator: " "))",
                "Write for example \(example).")
            return nil
        }
        return Secret(text)
    }

    private static func pool(_ source: inout ConfigurationSource) -> Int {
        guard let text = source.text("DATABASE_POOL") else { return 8 }
        if let count = Int(text), (1...64).contains(count) { return count }
        source.refuse("DATABASE_POOL", "is no number from 1 to 64", "Write how many connections this process may use.")
        return 8
    }

    static func optionalAddress(_ name: String, _ source: inout ConfigurationSource) -> WebAddress? {
        guard let text = source.text(name) else { return nil }
        if let address = WebAddress(text) { return address }
        source.refuse(
            name, "is no http(s) address without user, query and fragment",
            "Write for example https://tandem.example.org.")
        return nil
    }

    private static func address(
        _ name: String, _ standard: WebAddress, _ source: inout ConfigurationSource
    ) -> WebAddress {
        guard let address = optionalAddress(name, &source) else { return standard }
        if address.scheme != "https", !address.isLoopback {
            source.warnings.append("\(name) is not https: keys and messages are sent in the clear.")
        }
        return address
    }

    private static func client(_ prefix: String, _ source: inout ConfigurationSource) -> OAuthClient? {
        let id = source.text("\(prefix)_CLIENT_ID")
        let secret = source.secret("\(prefix)_CLIENT_SECRET")
        switch (id, secret) {
        case (nil, nil): return nil
        case (let id?, let secret?): return OAuthClient(id: id, secret: secret)
        case (nil, _):
            source.refuse("\(prefix)_CLIENT_ID", "is missing", "Set it, or unset \(prefix)_CLIENT_SECRET.")
        case (_, nil):
            source.refuse("\(prefix)_CLIENT_SECRET", "is missing", "Set it, or unset \(prefix)_CLIENT_ID.")
        }
        return nil
    }

    private static func twilio(_ source: inout ConfigurationSource) -> Twilio? {
        let account = source.text("TWILIO_ACCOUNT_SID")
        let token = source.secret("TWILIO_AUTH_TOKEN")
        let numbers = source.text("TWILIO_NUMBER")
        let service = source.text("TWILIO_MESSAGING_SERVICE_SID")
        let apiKey = source.text("TWILIO_API_KEY")
        let apiSecret = source.secret("TWILIO_API_SECRET")
        let invitation = source.text("TANDEM_SMS_INVITATION")
        let segments = daySegments(&source)
        let previous = source.secret("TWILIO_AUTH_TOKEN_PREVIOUS")
        let signingKey = source.secret("TWILIO_SIGNING_KEY")
        if account == nil, token == nil, numbers == nil, service == nil, apiKey == nil, apiSecret == nil { return nil }

        let isSID = { (text: String, prefix: String) in
            text.hasPrefix(prefix) && text.utf8.count == 34
                && text.utf8.dropFirst(2).allSatisfy { ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 6) }
        }
        if account == nil {
            source.refuse("TWILIO_ACCOUNT_SID", "is missing", "Copy it from the Twilio console, or unset all TWILIO_*.")
        } else if let account, !isSID(account, "AC") {
            source.refuse("TWILIO_ACCOUNT_SID", "is not AC and 32 hex digits", "Copy it from the Twilio console.")
        }
        if token == nil {
            source.refuse(
                "TWILIO_AUTH_TOKEN", "is missing", "It verifies Twilio's calls: copy it from the Twilio console.")
        }
        if let service, !isSID(service, "MG") {
            source.refuse(
                "TWILIO_MESSAGING_SERVICE_SID", "is not MG and 32 hex digits", "Copy it from the Twilio console.")
        }
        if let apiKey, !isSID(apiKey, "SK") {
            source.refuse("TWILIO_API_KEY", "is not SK and 32 hex digits", "Copy it from the Twilio console.")
        }
        if (apiKey == nil) != (apiSecret == nil) {
            source.refuse(
                apiKey == nil ? "TWILIO_API_KEY" : "TWILIO_API_SECRET", "is missing",
                "The key and its secret go together.")
        }
        var ours: [String] = []
        for part in numbers?.split(separator: ",") ?? [] {
            let number = String(part.filter { $0 != " " })
            if isE164(number) || isShortCode(number) {
                if !ours.contains(number) { ours.append(number) }
            } else {
                source.refuse(
                    "TWILIO_NUMBER", "an entry is no phone number",
                    "Write numbers in E.164, for example +15555550100, separated by commas.")
            }
        }
        if numbers == nil {
            source.refuse("TWILIO_NUMBER", "is missing", "Give the number that people text, for example +15555550100.")
        }
        if let invitation, invitation.utf8.count > 480 {
            source.refuse(
                "TANDEM_SMS_INVITATION", "is longer than 480 bytes", "One SMS segment of 160 characters is best.")
        }
        return Twilio(
            accountSID: account ?? "", authToken: token ?? Secret(""), previousAuthToken: previous,
            signingKey: signingKey, apiKey: apiKey, apiSecret: apiSecret, numbers: ours, messagingServiceSID: service,
            invitation: invitation, daySegments: segments)
    }

    private static func daySegments(_ source: inout ConfigurationSource) -> Int? {
        guard let text = source.text("TANDEM_SMS_DAY_SEGMENTS"), text.lowercased() != "off" else { return nil }
        if let number = Int(text), (1...100_000).contains(number) { return number }
        source.refuse("TANDEM_SMS_DAY_SEGMENTS", "is no number from 1 to 100000", "Write off for no limit.")
        return nil
    }
}

/// `+`, a country code that does not begin with 0, and at most 15 digits (ITU-T E.164).
private func isE164(_ text: String) -> Bool {
    let digits = text.utf8.dropFirst()
    return text.utf8.first == UInt8(ascii: "+") && (7...15).contains(digits.count) && digits.first != UInt8(ascii: "0")
        && digits.allSatisfy { $0 &- 48 < 10 }
}

private func isShortCode(_ text: String) -> Bool {
    (3...8).contains(text.utf8.count) && text.utf8.allSatisfy { $0 &- 48 < 10 }
}

/// The path made absolute against the working directory, `~/` against `HOME`; not resolved otherwise.
func absolutePath(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    if path.hasPrefix("~/"), let home = getenv("HOME") { return String(cString: home) + path.dropFirst() }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
}

extension WebAddress {
    /// A vendor's standard address.
    static func https(_ host: String) -> WebAddress { WebAddress(scheme: "https", host: host, port: nil, path: "") }
}
