extension Configuration {
    /// A transit engine that keeps the master key.
    public struct Vault: Sendable {
        /// `TANDEM_VAULT_ADDR`.
        public var address: WebAddress
        /// `TANDEM_VAULT_TOKEN`.
        public var token: Secret?
        /// `TANDEM_VAULT_TOKEN_FILE`, which is read again when the token is refused.
        public var tokenFile: String?
        /// Where the engine is mounted: `TANDEM_VAULT_MOUNT`, default `transit`.
        public var mount: String
        /// The key's name: `TANDEM_VAULT_KEY`, default `tandem`.
        public var key: String
        /// `TANDEM_VAULT_NAMESPACE`.
        public var namespace: String?
        /// A PEM file of authorities instead of the system's: `TANDEM_VAULT_CACERT`.
        public var authorities: String?
        /// For how many seconds an unwrapped key is kept: `TANDEM_VAULT_CACHE`, default 600.
        public var cacheSeconds: Int

        public init(
            address: WebAddress, token: Secret?, tokenFile: String? = nil, mount: String = "transit",
            key: String = "tandem", namespace: String? = nil, authorities: String? = nil, cacheSeconds: Int = 600
        ) {
            self.address = address
            self.token = token
            self.tokenFile = tokenFile
            self.mount = mount
            self.key = key
            self.namespace = namespace
            self.authorities = authorities
            self.cacheSeconds = cacheSeconds
        }
    }

    static func vault(_ source: inout ConfigurationSource) -> Vault? {
        guard let address = optionalAddress("TANDEM_VAULT_ADDR", &source) else { return nil }
        if address.scheme != "https", !address.isLoopback {
            source.refuse(
                "TANDEM_VAULT_ADDR", "is not https", "Keys cross the network: use https://\(address.host).")
            return nil
        }
        let file = source.path(ofSecret: "TANDEM_VAULT_TOKEN")
        guard let token = source.secret("TANDEM_VAULT_TOKEN") else {
            source.refuse(
                "TANDEM_VAULT_TOKEN", "is not set, and TANDEM_VAULT_ADDR is",
                "Give a token that may encrypt, decrypt and rewrap, or its file as TANDEM_VAULT_TOKEN_FILE.")
            return nil
        }
        var vault = Vault(address: address, token: token, tokenFile: file)
        for (name, place) in [("TANDEM_VAULT_MOUNT", \Vault.mount), ("TANDEM_VAULT_KEY", \Vault.key)] {
            guard let text = source.text(name) else { continue }
            let isName = text.utf8.allSatisfy {
                ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || "-_./".utf8.contains($0)
            }
            guard isName, !text.hasPrefix("/"), !text.hasSuffix("/"), !text.contains(".."), !text.contains("//") else {
                source.refuse(name, "is no name of the transit engine", "Use letters, digits, -, _ and .")
                continue
            }
            vault[keyPath: place] = text
        }
        vault.namespace = source.text("TANDEM_VAULT_NAMESPACE")
        vault.authorities = source.text("TANDEM_VAULT_CACERT").map(absolutePath)
        if let text = source.text("TANDEM_VAULT_CACHE") {
            guard let seconds = Int(text), (0...86_400).contains(seconds) else {
                source.refuse("TANDEM_VAULT_CACHE", "is no number of seconds up to 86400", "The default is 600.")
                return vault
            }
            vault.cacheSeconds = seconds
        }
        return vault
    }
}
