public import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
public import ServiceLifecycle
public import TandemAPI
public import TandemCore
public import TandemSMS

/// The HTTP server of the host: keep-alive HTTP/1.1 behind a proxy that speaks TLS.
///
/// `run()` serves until graceful shutdown: it stops accepting, says so on `/health/ready`, and ends when the requests
/// under way are answered.
public struct FrontServer: Service {
    public struct Options: Sendable {
        public var listen: ListenAddress
        /// Tells browsers to stay with https.
        public var isPublicHTTPS = false
        public var metricsToken: Secret?
        /// From the connection to the first request's complete head.
        public var headerTime: Duration = .seconds(10)
        /// From a request's head to the end of its body.
        public var bodyTime: Duration = .seconds(15)
        /// From an answer to the next request.
        public var keepAliveTime: Duration = .seconds(75)
        /// How long a client may take nothing of an answer that waits for it.
        public var stallTime: Duration = .seconds(30)
        public var maxConnections = 4096
        /// Requests answered at once; more get 503.
        public var maxInFlight = 1024
        public var maxHeaderBytes = 16_384
        /// Of any request; routes take less, but for the one that takes archives.
        public var maxBodyBytes = 17 << 20
        /// Whose `X-Forwarded-For` counts: proxies of ours. This machine's always does.
        public var trustedProxies: [String] = []

        public init(listen: ListenAddress) { self.listen = listen }

        /// The settings that concern the server.
        public init(_ configuration: Configuration) {
            listen = configuration.listen
            metricsToken = configuration.metricsToken
            isPublicHTTPS = configuration.publicURL?.scheme == "https"
            trustedProxies = configuration.trustedProxies
        }
    }

    private let options: Options
    private let responder: FrontResponder
    private let readiness = Readiness()
    private let logger = Logger(label: "tandem.http")
    private let onListening: @Sendable (Int) async -> Void
    private let endStreams: @Sendable () -> Void

    /// - Parameters:
    ///   - webhook: Nil answers 404 for Twilio's paths.
    ///   - checks: What `/health/ready` asks.
    ///   - api: `/api/v1`; nil answers 404 there.
    ///   - routes: Further routes, asked when the path is none of the server's own.
    ///   - onListening: Called with the port once connections are accepted.
    public init(
        options: Options, webhook: SMSWebhook?, checks: [ReadinessCheck], metrics: MetricsRegistry,
        api: APIService? = nil, routes: Router<FrontContext>? = nil,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.options = options
        self.onListening = onListening
        endStreams = { api?.endStreams() }
        responder = FrontResponder(
            routes: FrontRoutes(
                webhook: webhook, checks: checks, registry: metrics, metricsToken: options.metricsToken,
                readiness: readiness),
            api: api.map { APIFront(service: $0, proxies: ProxyList(options.trustedProxies)) },
            next: routes?.buildResponder(), metrics: FrontMetrics(metrics), logger: Logger(label: "tandem.http"),
            baseHeaders: FrontResponder.baseHeaders(isPublicHTTPS: options.isPublicHTTPS),
            maxInFlight: options.maxInFlight, inFlight: InFlight(), ids: RequestIDs())
    }

    public func run() async throws {
        let limits = ConnectionGuard.Limits(
            headerTime: amount(options.headerTime), bodyTime: amount(options.bodyTime),
            keepAliveTime: amount(options.keepAliveTime), stallTime: amount(options.stallTime),
            maxBodyBytes: options.maxBodyBytes)
        var decoder = HTTP1Channel.Configuration.DecoderConfiguration()
        decoder.maxHeaderFieldSize = options.maxHeaderBytes
        decoder.maxHeaderListSize = options.maxHeaderBytes
        decoder.maxHeaderFieldCount = 100
        let decoding = decoder
        let app = Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                LoopChannel(
                    channel: HTTP1Channel(
                        responder: responder,
                        configuration: .init(
                            additionalChannelHandlers: [ConnectionGuard(limits)], httpDecoderConfiguration: decoding)))
            },
            configuration: ApplicationConfiguration(
                address: .hostname(options.listen.host, port: options.listen.port), backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(options.maxConnections)),
            onServerRunning: { [onListening, logger] channel in
                let port = channel.localAddress?.port ?? 0
                logger.notice("listening", metadata: ["http.port": .stringConvertible(port)])
                await onListening(port)
            }, logger: quiet(logger))
        try await withGracefulShutdownHandler {
            try await app.run()
        } onGracefulShutdown: { [readiness, endStreams] in
            readiness.stop()
            endStreams()
        }
    }

    /// The library's own messages below a warning are of no use to an operator, and one of them would be per request.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = Logger(label: logger.label) { _ in ShutdownQuiet(inner: logger.handler) }
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }

    private func amount(_ duration: Duration) -> TimeAmount { .milliseconds(duration.milliseconds) }
}

/// Leaves out what says nothing: a server that is told to end finds its socket closed already, or its waiting cancelled,
/// which the HTTP library reports as an error on each orderly end.
private struct ShutdownQuiet: LogHandler {
    var inner: any LogHandler

    var logLevel: Logger.Level {
        get { inner.logLevel }
        set { inner.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { inner.metadata }
        set { inner.metadata = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { inner[metadataKey: key] }
        set { inner[metadataKey: key] = newValue }
    }

    private static let atTheEnd: Set = [
        "Server shutdown error: Already closed", "Waiting on child channel: CancellationError()",
    ]

    func log(event: LogEvent) {
        guard !Self.atTheEnd.contains(event.message.description) else { return }
        inner.log(event: event)
    }
}
