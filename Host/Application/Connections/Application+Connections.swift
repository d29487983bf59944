import Glibc
public import TandemCore
import TandemOAuth
import TandemPluginHost
import TandemStorage

extension Application {
    /// The services that are known here, with the clients of the settings and the operator's file (`TANDEM_OAUTH`).
    ///
    /// Throws `ConfigurationError` with everything that is wrong.
    static func oauthProviders(_ configuration: Configuration) throws -> OAuthProviders {
        guard let path = configuration.oauthFile else { return try OAuthProviders(configuration) }
        guard let text = SettingsFile.bytes(path) else {
            throw ConfigurationError(problems: [
                ConfigurationError.Problem(
                    variable: "TANDEM_OAUTH", reason: "names a file that cannot be read",
                    advice: "Correct the path, or its permissions; docs/oauth.md says what it holds.")
            ])
        }
        return try OAuthProviders(configuration, file: text)
    }

    /// How browsers reach this process: `TANDEM_PUBLIC_URL`, or where it listens.
    static func browserAddress(_ configuration: Configuration) throws -> WebAddress {
        if let address = configuration.publicURL { return address }
        let listen = configuration.listen
        let host = listen.host == "0.0.0.0" || listen.host == "::" ? "127.0.0.1" : listen.host
        // Port 0 is any free one: nobody can be sent there, and nobody is.
        let port = listen.port == 0 ? "" : ":\(listen.port)"
        let text = "http://\(host.contains(":") ? "[\(host)]" : host)\(port)"
        guard let address = WebAddress(text) else {
            throw ApplicationError("TANDEM_LISTEN is no address that a browser can open: set TANDEM_PUBLIC_URL.")
        }
        return address
    }

    /// A plugin (id or namespace) that is on for a person, or waits for its connection, and lacks one: where they connect
    /// it. Nil: it needs none, or has all, or the service is not set up here.
    public func connectionStep(of plugin: String, in scope: UserScope) async throws -> NextConnection? {
        try await ConnectionSteps(plugins: plugins, connections: connections).next(of: plugin, grant: nil, in: scope)
    }

    /// Services that a plugin (id or namespace) uses as it is on for a person, and that the operator has not set up.
    public func servicesNotSetUp(for plugin: String, in scope: UserScope) async throws -> [String] {
        let steps = ConnectionSteps(plugins: plugins, connections: connections)
        let providers = try await steps.demands(of: plugin, in: scope).map(\.account.provider)
        return Set(providers).filter { !connections.isSetUp($0) }.sorted()
    }
}

/// A service that a person connects next.
public struct NextConnection: Sendable {
    /// Its id: `microsoft`.
    public var provider: String
    /// Its name for people.
    public var service: String
    /// Opened in a browser, by this person only, while the host serves.
    public var link: String
    /// What the plugin calls the account.
    public var grant: String
}

/// What a person has to connect next, with an address for a text.
struct ConnectionSteps: Sendable {
    let plugins: PluginHost
    let connections: OAuthConnections

    /// - Parameters:
    ///   - plugin: its id or namespace.
    ///   - grant: this account of it only.
    func next(of plugin: String, grant: String?, in scope: UserScope) async throws -> NextConnection? {
        for demand in try await demands(of: plugin, in: scope)
        where connections.isSetUp(demand.account.provider) && (grant == nil || demand.account.name == grant) {
            let need = ConnectionNeed(
                provider: demand.account.provider, plugin: demand.plugin, level: PluginAccounts.level(demand.level))
            guard let page = try? await connections.consent(for: need, of: scope), !page.isComplete else { continue }
            return NextConnection(
                provider: demand.account.provider, service: page.providerName,
                link: try await connections.link(for: need, of: scope), grant: demand.account.name)
        }
        return nil
    }

    /// The plugin waits for a connection that was lost.
    func isWaiting(_ plugin: String, in scope: UserScope) async throws -> Bool {
        try await demands(of: plugin, in: scope).contains { $0.isWaiting }
    }

    func demands(of plugin: String, in scope: UserScope) async throws -> [AccountDemand] {
        let id = plugins.manifests.first { $0.id == plugin || $0.namespace == plugin }?.id
        return try await plugins.accountDemands(of: scope).filter { $0.plugin == id }
    }
}

/// A small file of settings.
private enum SettingsFile {
    /// Nil when it cannot be read or is larger than a MiB.
    static func bytes(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= 1 << 20 {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 else { return nil }
            bytes += chunk[0..<count]
        }
        return nil
    }
}
