public import TandemCore
public import TandemPluginHost

/// A secret that a plugin declares, and whether somebody entered it.
public struct SecretState: Sendable, Hashable {
    public var secret: DeclaredSecret
    public var isEntered: Bool
}

extension Application {
    /// The longest secret, in bytes.
    public static let longestSecret = StoredSecrets.longest

    /// The secrets of a plugin (id or namespace) and whether there is a value for this person; the operator's own when
    /// `scope` is nil. Never the values.
    ///
    /// Throws `ApplicationError` for an unknown plugin.
    public func secrets(of plugin: String, in scope: UserScope?) async throws -> [SecretState] {
        let manifest = try manifest(of: plugin)
        let place = PluginPlace(plugin: manifest.id, scope: scope ?? PluginHost.nobody)
        let entered = try await secrets.entered(manifest.secrets, in: place)
        return manifest.secrets.map { SecretState(secret: $0, isEntered: entered.contains($0.name)) }
    }

    /// Keeps a secret that a person entered for a plugin, or the operator when `scope` is nil. The value is sealed at once
    /// and can only be read by the plugin, within a call.
    ///
    /// Throws `ApplicationError` when the plugin or the name is unknown, or the value is not for this one to enter, empty or
    /// too long.
    public func setSecret(_ value: [UInt8], name: String, of plugin: String, in scope: UserScope?) async throws {
        let (manifest, secret) = try declared(name, of: plugin)
        if scope == nil, secret.enteredBy == .person {
            throw ApplicationError("\(secret.title) is entered by each person: say for whom with --as.")
        }
        if scope != nil, secret.enteredBy == .operator {
            throw ApplicationError("\(secret.title) is entered by the operator, for everybody: use --operator.")
        }
        guard !value.isEmpty else { throw ApplicationError("Nothing came in: the value is read from standard input.") }
        guard value.count <= StoredSecrets.longest else {
            throw ApplicationError("The value is too long: at most \(StoredSecrets.longest / 1024) KiB.")
        }
        try await secrets.set(value, name: secret.name, plugin: manifest.id, in: scope)
    }

    /// Forgets a secret; false when there was none.
    @discardableResult
    public func removeSecret(_ name: String, of plugin: String, in scope: UserScope?) async throws -> Bool {
        // Also one that a later version of the plugin no longer declares.
        try await secrets.remove(name, plugin: manifest(of: plugin).id, in: scope)
    }

    private func manifest(of plugin: String) throws -> PluginManifest {
        let manifests = plugins.manifests
        guard
            let manifest = manifests.first(where: { $0.id == plugin })
                ?? manifests.first(where: { $0.namespace == plugin })
        else { throw ApplicationError("There is no plugin \(plugin). `tandem plugin list` shows what there is.") }
        return manifest
    }

    private func declared(_ name: String, of plugin: String) throws -> (PluginManifest, DeclaredSecret) {
        let manifest = try manifest(of: plugin)
        guard let secret = manifest.secrets.first(where: { $0.name == name }) else {
            let names = manifest.secrets.map(\.name)
            throw ApplicationError(
                names.isEmpty
                    ? "\(manifest.name) has no secrets."
                    : "\(manifest.name) has no secret \(name); it has \(names.joined(separator: ", ")).")
        }
        return (manifest, secret)
    }
}
