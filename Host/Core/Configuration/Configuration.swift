public import Logging

/// The settings of a process: read once at the start, from the environment and one optional file, and checked whole.
///
/// The names are those of the environment; the README has the table. The file that `TANDEM_CONFIG` names is one JSON
/// object with the same names as its members; the environment wins over it. Every secret may be given as `NAME_FILE`, the
/// path of a file that holds it (a newline at its end is dropped). An empty value counts as none.
public struct Configuration: Sendable {
    /// Folder of the database, the key file and the caches; absolute. `TANDEM_DATA`.
    public var dataFolder: String
    /// The plugin catalogue. `TANDEM_REGISTRY`; nil where the executable looks for its own.
    public var registry: String?
    /// The keys that the operator trusts. `TANDEM_TRUST`; nil: `trust.json` beside the catalogue.
    public var trust: String?
    /// A folder of bundles, searched before the one beside the executable. `TANDEM_PLUGINS`.
    public var plugins: String?
    /// The program that isolated plugins run in. `TANDEM_RUNNER`; nil: `tandem-plugin-runner` beside the executable.
    public var runner: String?
    /// Loads untrusted plugins although the kernel lacks a part of the isolation. `TANDEM_ALLOW_WEAK_ISOLATION`.
    public var allowsWeakIsolation: Bool
    /// `TANDEM_LISTEN`, default `127.0.0.1:8080`.
    public var listen: ListenAddress
    /// How the world reaches us: what Twilio signs and calls back. `TANDEM_PUBLIC_URL`.
    public var publicURL: WebAddress?
    /// `TANDEM_MASTER_KEY`; nil: the key file in the data folder.
    public var masterKey: Secret?
    /// `TANDEM_MASTER_KEY_FILE`, which is read again when a version is missing.
    public var masterKeyFile: String?
    /// Who keeps the master key instead: `TANDEM_VAULT_…`; nil: this machine.
    public var vault: Vault?
    /// For how long things are kept: `TANDEM_RETAIN_…`.
    public var retention: Retention
    /// `DATABASE_URL`, secret for its password; nil: SQLite in the data folder.
    public var database: Secret?
    /// `DATABASE_PASSWORD`, so that the address need not hold it.
    public var databasePassword: Secret?
    /// The role that owns PostgreSQL's tables, for migrations. `DATABASE_OWNER_URL`.
    public var databaseOwner: Secret?
    /// `DATABASE_OWNER_PASSWORD`.
    public var databaseOwnerPassword: Secret?
    /// Connections to PostgreSQL. `DATABASE_POOL`, default 8, 1…64.
    public var databasePool: Int
    /// `REDIS_URL`; nil: in-process.
    public var redis: Secret?
    /// `TANDEM_LOG`, default `info`.
    public var logLevel: Logger.Level
    /// What a reader of `/metrics` presents as a bearer token. `TANDEM_METRICS_TOKEN`; nil: only this machine may read.
    public var metricsToken: Secret?
    /// Nil while no `TWILIO_…` is set.
    public var twilio: Twilio?
    /// Nil while `TANDEM_SMTP_URL` is not set: what needs mail says so.
    public var mail: Mail?
    /// Addresses of proxies whose `X-Forwarded-For` counts, besides this machine's. `TANDEM_TRUSTED_PROXIES`, separated by
    /// commas.
    public var trustedProxies: [String]
    /// Multiplies the limits of the REST interface; nil for none. `TANDEM_RATE_LIMIT`: a number or `off`.
    public var rateLimit: Double?
    /// How long a confirmed message to others waits, so that `undo` can stop it; zero: it leaves at once.
    /// `TANDEM_SEND_DELAY`, seconds.
    public var sendDelay: Duration
    /// What `tandem serve` does in this process. `TANDEM_ROLES`, separated by commas; default all.
    public var roles: Set<Role>
    public var gemini: Vendor
    /// Which language models are asked, and what they may cost: `TANDEM_GEMINI_MODEL`, `TANDEM_CHAT_…`, `TANDEM_MODEL_…`.
    public var models: Models
    public var youtube: Vendor
    public var microsoft: OAuthClient?
    public var google: OAuthClient?
    public var notion: OAuthClient?
    /// What the operator says of the services that people connect (docs/oauth.md). `TANDEM_OAUTH`, a file.
    public var oauthFile: String?
    public var addresses: VendorAddresses
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    public var telemetry: WebAddress?
    /// What looks wrong but does not prevent a start: misspelt names, a secret's file that others can read.
    public var warnings: [String]

    /// What a serving process does; several share the work of an installation.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// Takes messages and requests in: webhook, REST, pages.
        case front
        /// Works on messages.
        case agent
        /// Works off what waits: the queue, timers of plugins, upkeep of accounts and connections.
        case worker
    }

    /// A service that takes one key.
    public struct Vendor: Sendable {
        /// Nil: not set up.
        public var key: Secret?

        public init(key: Secret?) { self.key = key }
    }

    /// How mail is sent.
    public struct Mail: Sendable {
        /// `smtps://HOST` or `smtp://HOST:PORT`. `TANDEM_SMTP_URL`.
        public var server: String
        /// `TANDEM_SMTP_USER`, `TANDEM_SMTP_PASSWORD`.
        public var user: String?
        public var password: Secret?
        /// The address that mails come from. `TANDEM_SMTP_FROM`.
        public var sender: String
        /// `TANDEM_SMTP_PLAIN`: a server on this machine may do without TLS.
        public var allowsPlainText: Bool
        /// `TANDEM_SMTP_CACERT`: a PEM file of the authorities that may vouch for the server.
        public var authorities: String?

        public init(
            server: String, user: String? = nil, password: Secret? = nil, sender: String,
            allowsPlainText: Bool = false, authorities: String? = nil
        ) {
            self.server = server
            self.user = user
            self.password = password
            self.sender = sender
            self.allowsPlainText = allowsPlainText
            self.authorities = authorities
        }
    }

    public struct OAuthClient: Sendable {
        public var id: String
        public var secret: Secret

        public init(id: String, secret: Secret) {
            self.id = id
            self.secret = secret
        }
    }

    public struct Twilio: Sendable {
        /// `AC` and 32 hex digits. `TWILIO_ACCOUNT_SID`.
        public var accountSID: String
        /// Signs what Twilio sends, and authenticates what we send unless an API key is given. `TWILIO_AUTH_TOKEN`.
        public var authToken: Secret
        /// Accepted for signatures, too, while the token is being changed. `TWILIO_AUTH_TOKEN_PREVIOUS`.
        public var previousAuthToken: Secret?
        /// Verifies SHA-256 signatures. `TWILIO_SIGNING_KEY`.
        public var signingKey: Secret?
        /// `SK…`, with its secret: what we send authenticates with these. `TWILIO_API_KEY`, `TWILIO_API_SECRET`.
        public var apiKey: String?
        public var apiSecret: Secret?
        /// Our numbers in E.164; the first sends where the person has not written to another. `TWILIO_NUMBER`, separated
        /// by commas.
        public var numbers: [String]
        /// `MG…`. `TWILIO_MESSAGING_SERVICE_SID`.
        public var messagingServiceSID: String?
        /// What an unknown number is told, once a day. `TANDEM_SMS_INVITATION`; nil: a text of our own.
        public var invitation: String?
        /// SMS segments that one person's answers may take in a day of UTC. `TANDEM_SMS_DAY_SEGMENTS`; nil: no limit.
        public var daySegments: Int?

        public init(
            accountSID: String, authToken: Secret, previousAuthToken: Secret? = nil, signingKey: Secret? = nil,
            apiKey: String? = nil, apiSecret: Secret? = nil, numbers: [String], messagingServiceSID: String? = nil,
            invitation: String? = nil, daySegments: Int? = nil
        ) {
            self.accountSID = accountSID
            self.authToken = authToken
            self.previousAuthToken = previousAuthToken
            self.signingKey = signingKey
            self.apiKey = apiKey
            self.apiSecret = apiSecret
            self.numbers = numbers
            self.messagingServiceSID = messagingServiceSID
            self.invitation = invitation
            self.daySegments = daySegments
        }
    }

    /// Where the vendors' interfaces are; `TANDEM_…_URL` overrides each.
    public struct VendorAddresses: Sendable {
        public var gemini: WebAddress
        public var twilio: WebAddress
        public var graph: WebAddress
        public var gmail: WebAddress
        public var notion: WebAddress
        public var youtube: WebAddress
        public var duckDuckGo: WebAddress
    }
}

/// One name that the configuration knows.
struct Setting {
    let name: String
    let isSecret: Bool

    init(_ name: String, secret: Bool = false) {
        self.name = name
        isSecret = secret
    }

    static let all: [Setting] = [
        Setting("TANDEM_CONFIG"), Setting("TANDEM_DATA"), Setting("TANDEM_REGISTRY"), Setting("TANDEM_TRUST"),
        Setting("TANDEM_RUNNER"), Setting("TANDEM_ALLOW_WEAK_ISOLATION"),
        Setting("TANDEM_LISTEN"),
        Setting("TANDEM_PUBLIC_URL"), Setting("TANDEM_MASTER_KEY", secret: true), Setting("TANDEM_LOG"),
        Setting("TANDEM_METRICS_TOKEN", secret: true), Setting("DATABASE_URL", secret: true),
        Setting("DATABASE_PASSWORD", secret: true), Setting("DATABASE_OWNER_URL", secret: true),
        Setting("DATABASE_OWNER_PASSWORD", secret: true), Setting("DATABASE_POOL"),
        Setting("REDIS_URL", secret: true), Setting("GEMINI_API_KEY", secret: true),
        Setting("TANDEM_EMBEDDINGS"), Setting("TANDEM_EMBEDDING_MODEL"), Setting("TANDEM_EMBEDDING_DIMENSIONS"),
        Setting("TANDEM_GEMINI_MODEL"), Setting("TANDEM_CHAT_URL"), Setting("TANDEM_CHAT_KEY", secret: true),
        Setting("TANDEM_CHAT_MODEL"), Setting("TANDEM_MODEL_ORDER"), Setting("TANDEM_MODEL_PROMPTS"),
        Setting("TANDEM_MODEL_PRICES"), Setting("TANDEM_MODEL_TIMEOUT"), Setting("TANDEM_MODEL_STEPS"),
        Setting("TANDEM_MODEL_TURN_TOKENS"), Setting("TANDEM_MODEL_DAY_REQUESTS"), Setting("TANDEM_MODEL_DAY_TOKENS"),
        Setting("TANDEM_MODEL_DAY_MONEY"), Setting("TANDEM_MODEL_TOTAL_MONEY"),
        Setting("YOUTUBE_API_KEY", secret: true), Setting("TWILIO_ACCOUNT_SID"),
        Setting("TWILIO_AUTH_TOKEN", secret: true), Setting("TWILIO_AUTH_TOKEN_PREVIOUS", secret: true),
        Setting("TWILIO_SIGNING_KEY", secret: true), Setting("TWILIO_API_KEY"),
        Setting("TWILIO_API_SECRET", secret: true), Setting("TWILIO_NUMBER"), Setting("TWILIO_MESSAGING_SERVICE_SID"),
        Setting("TANDEM_SMS_INVITATION"), Setting("TANDEM_SMS_DAY_SEGMENTS"), Setting("TANDEM_SMTP_URL"),
        Setting("TANDEM_SMTP_USER"),
        Setting("TANDEM_SMTP_PASSWORD", secret: true), Setting("TANDEM_SMTP_FROM"), Setting("TANDEM_SMTP_PLAIN"),
        Setting("TANDEM_SMTP_CACERT"),
        Setting("TANDEM_TRUSTED_PROXIES"), Setting("TANDEM_RATE_LIMIT"), Setting("TANDEM_SEND_DELAY"),
        Setting("TANDEM_ROLES"),
        Setting("TANDEM_OAUTH"),
        Setting("MICROSOFT_CLIENT_ID"),
        Setting("MICROSOFT_CLIENT_SECRET", secret: true), Setting("GOOGLE_CLIENT_ID"),
        Setting("GOOGLE_CLIENT_SECRET", secret: true), Setting("NOTION_CLIENT_ID"),
        Setting("NOTION_CLIENT_SECRET", secret: true), Setting("OTEL_EXPORTER_OTLP_ENDPOINT"),
        Setting("TANDEM_GEMINI_URL"), Setting("TANDEM_TWILIO_URL"), Setting("TANDEM_GRAPH_URL"),
        Setting("TANDEM_GMAIL_URL"), Setting("TANDEM_NOTION_URL"), Setting("TANDEM_YOUTUBE_URL"),
        Setting("TANDEM_DUCKDUCKGO_URL"), Setting("TANDEM_VAULT_ADDR"), Setting("TANDEM_VAULT_TOKEN", secret: true),
        Setting("TANDEM_VAULT_MOUNT"), Setting("TANDEM_VAULT_KEY"), Setting("TANDEM_VAULT_NAMESPACE"),
        Setting("TANDEM_VAULT_CACERT"), Setting("TANDEM_VAULT_CACHE"), Setting("TANDEM_RETAIN_UNDO_DAYS"),
        Setting("TANDEM_RETAIN_LOG_DAYS"), Setting("TANDEM_RETAIN_CONVERSATION_DAYS"),
        Setting("TANDEM_RETAIN_AUDIT_DAYS"),
    ]
}
