import Glibc
import TandemAccounts
public import TandemCore
import TandemEgress
public import TandemStorage

extension Application {
    /// The keys of an installation: from the settings, from the key file in the data folder, which is made where it is
    /// missing, or kept by a transit engine.
    static func keyring(_ configuration: Configuration, _ paths: InstallationPaths) throws -> Keyring {
        let file = paths.keyFile
        guard let vault = configuration.vault else {
            guard let key = configuration.masterKey else {
                return Keyring(
                    try MasterKeys.loadOrCreate(file: file), remote: nil, reload: { try MasterKeys(file: file) })
            }
            return Keyring(try MasterKeys(text: key.reveal()), remote: nil, reload: reload(configuration))
        }
        var options = CurlClient.Options()
        options.authorities = vault.authorities
        options.maxIdleConnections = 4
        let transit = TransitKeys(vault, client: CurlClient(options: options))
        let life = Duration.seconds(vault.cacheSeconds)
        // What this machine's keys wrapped before opens until it was wrapped anew.
        if let key = configuration.masterKey {
            return Keyring(
                try MasterKeys(text: key.reveal()), remote: transit, life: life, reload: reload(configuration))
        }
        guard access(file, F_OK) == 0 else { return Keyring(nil, remote: transit, life: life) }
        return Keyring(try MasterKeys(file: file), remote: transit, life: life, reload: { try MasterKeys(file: file) })
    }

    private static func reload(_ configuration: Configuration) -> (@Sendable () throws -> MasterKeys?)? {
        guard let path = configuration.masterKeyFile else { return nil }
        return { try MasterKeys(file: path) }
    }

    /// Makes a new version of the master key where the program can: in the key file of the data folder, or in the transit
    /// engine. Returns its version.
    ///
    /// Throws `ApplicationError` where somebody else keeps the key.
    public func makeMasterKey() async throws -> Int {
        let version: Int
        if let remote = try await database.store.keyring.rotateRemoteKey() {
            version = remote
        } else if configuration.masterKey != nil {
            throw ApplicationError(
                "The master key comes from TANDEM_MASTER_KEY. Add a line with a higher version to it, such as 2:"
                    + "$(openssl rand -hex 32), keep the old one, restart, and run this again with --existing.")
        } else {
            version = try MasterKeys.addVersion(file: paths.keyFile)
        }
        try await record(.masterKeyRotated, ["version": String(version)])
        return version
    }

    /// Begins a rotation of keys, which `keyRotation` works on; this process's `serve` does so, too.
    public func startRotation(_ kind: RotationKind, of person: UserID? = nil) async throws {
        try await keyRotation.start(kind, of: person)
        if kind == .users { try await record(.userKeyRotated, ["whose": person?.description ?? "everybody"]) }
    }

    private func record(_ name: AuditEvent.Name, _ detail: [String: String]) async throws {
        try await database.write(.system) { [audit] transaction in
            try audit.record(AuditEvent(name, user: nil, actor: .staff(nil), detail: detail), in: transaction)
        }
    }

    /// The rotation of this installation's keys.
    public var keyRotation: KeyRotation {
        KeyRotation(database: database, columns: DataCatalogue.sealedColumns)
    }
}
