import ArgumentParser
import Glibc
import TandemApplication
import TandemCore
import TandemJSON
import TandemPluginHost

/// Where the trust commands find their files: no database, no plugins are opened.
private struct TrustFiles {
    let paths: InstallationPaths
    let keys: KeyFolder

    init(_ common: CommonOptions) throws {
        let configuration = try common.configuration()
        paths = InstallationPaths(configuration: configuration)
        keys = KeyFolder(path: paths.keysFolder)
    }

    /// The trust store as it is; a broken one is an error, not an empty one.
    func store() throws -> TrustStore {
        try plainly { try TrustStore.load(from: paths.trustFile) }
    }

    func save(_ store: TrustStore) throws { try plainly { try store.save(to: paths.trustFile) } }

    func key(_ name: String?) throws -> SigningKey { try plainly { try keys.key(name) } }
}

/// Errors of the plugin host in plain words.
private func plainly<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as CommandFailure {
        throw error
    } catch let error as PluginRefusal {
        throw CommandFailure(error.reason)
    } catch {
        throw CommandFailure("\(error)")
    }
}

struct PluginKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Signing keys: make, replace, trust and revoke them.",
        discussion: """
            A key of this machine vouches for plugins of the tier developer here. To be worth more, its public half
            must stand in trust.json.

            Examples:
              tandem plugin keys new mine
              tandem plugin keys trust mine --tier operator
              tandem plugin keys trust their.pub --tier verified --plugins 'org.example.*'
              tandem plugin keys rotate mine
              tandem plugin keys revoke ed25519:0123... --reason "lost with a laptop"
            """,
        subcommands: [
            KeysNewCommand.self, KeysListCommand.self, KeysRotateCommand.self, KeysTrustCommand.self,
            KeysRevokeCommand.self,
        ], defaultSubcommand: KeysListCommand.self)
}

struct KeysNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key pair: NAME.key for this user alone, NAME.pub to hand out.")

    @Argument(help: "What to call it: small letters, digits, . _ and -.")
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let files = try TrustFiles(common)
        let key = try plainly {
            try files.paths.makeDataFolder()
            return try files.keys.make(name, at: SystemClock().now)
        }
        let shared = "\(files.keys.path)/\(name).pub"
        let terminal = common.terminal
        terminal.isJSON
            ? terminal.json(["id": .string(key.id), "public": .string(key.verifying.base64), "file": .string(shared)])
            : terminal.line("Made the key \(name), \(key.id).\nHand out \(shared); keep \(name).key to yourself.")
    }
}

struct KeysListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The keys of this machine, and those that trust.json trusts.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let files = try TrustFiles(common)
        let store = try files.store()
        let revoked = Set(
            try plainly { try SignedRevocations.load(from: files.paths.revocationsFile) }?.list.keys.map(\.id) ?? [])
        let own = files.keys.publicKeys()
        let terminal = common.terminal
        var rows = [["KEY", "NAME", "TIER", "PLUGINS", "NOTES"]]
        for key in own where !store.keys.contains(where: { $0.key == key.key }) {
            rows.append(row(key.key, key.name, "developer", nil, ["own"], revoked, terminal))
        }
        for key in store.keys {
            var notes = own.contains { $0.key == key.key } ? ["own"] : []
            if key.signsRevocations { notes.append("signs revocations") }
            rows.append(row(key.key, key.name, key.tier.rawValue, key.plugins, notes, revoked, terminal))
        }
        if !terminal.isJSON { terminal.table(rows) }
    }

    private func row(
        _ key: VerifyingKey, _ name: String, _ tier: String, _ plugins: [String]?, _ notes: [String],
        _ revoked: Set<String>, _ terminal: Terminal
    ) -> [String] {
        let notes = revoked.contains(key.id) ? notes + ["REVOKED"] : notes
        if terminal.isJSON {
            terminal.json([
                "id": .string(key.id), "public": .string(key.base64), "name": .string(name), "tier": .string(tier),
                "plugins": plugins.map { .array($0.map { .string($0) }) } ?? .null,
                "notes": .array(notes.map { .string($0) }),
            ])
        }
        return [
            key.id, name, tier, plugins?.joined(separator: " ") ?? "all",
            notes.isEmpty ? "-" : notes.joined(separator: ", "),
        ]
    }
}

struct KeysRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace a key by a new one that the old one signs for.",
        discussion: """
            What the new key signs carries the old one's statement, so that hosts that trust the old key trust the new
            one. Where this host trusts the old key in trust.json, it trusts the new one beside it.
            """)

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let files = try TrustFiles(common)
        var store = try files.store()
        let (old, new) = try plainly { try files.keys.rotate(name, at: SystemClock().now) }
        if var trusted = store.keys.first(where: { $0.key == old.verifying }) {
            trusted.key = new.verifying
            store.trust(trusted)
            try files.save(store)
        }
        let terminal = common.terminal
        terminal.isJSON
            ? terminal.json(["old": .string(old.id), "id": .string(new.id)])
            : terminal.line(
                "\(name) is \(new.id) now; \(old.id) signed for it.\nThe old key is kept as "
                    + "\(name).key.\(old.id.dropFirst(8)). Destroy it once everything is signed anew.")
    }
}

struct KeysTrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Trust a key: write its public half to trust.json.",
        discussion: """
            Compare the id with the one that the key's owner tells you by another way before you trust a file. A key
            that a trusted one handed over to takes its tier when none is given.
            """)

    @Argument(help: ArgumentHelp("A .pub file, or the name of a key of this machine.", valueName: "file-or-name"))
    var key: String

    @Option(name: .long, help: "verified, operator or developer.")
    var tier: TierArgument?

    @Option(name: .long, help: "The only plugins it may sign: ids, or beginnings that end in .*; several allowed.")
    var plugins: [String] = []

    @Flag(name: .long, help: "It may sign revocation lists.")
    var revocations = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let files = try TrustFiles(common)
        let file =
            SigningKey.isName(key) && access(key, F_OK) != 0
            ? "\(files.keys.path)/\(key).pub" : key
        let found = try plainly { try KeyFolder.publicKey(at: file) }
        var store = try files.store()
        let ancestor = store.predecessor(of: found)
        guard let tier = tier?.tier ?? ancestor?.tier else {
            throw CommandFailure(
                "Say --tier verified, operator or developer: no trusted key handed over to \(found.key.id).", code: 64)
        }
        let trusted = TrustedKey(
            found.key, name: ancestor?.name ?? found.name, tier: tier,
            plugins: plugins.isEmpty ? ancestor?.plugins : plugins,
            signsRevocations: revocations || ancestor?.signsRevocations == true)
        store.trust(trusted)
        // What is written must be readable: a pattern may be wrong.
        _ = try plainly { try TrustStore(reading: store.text) }
        try files.save(store)
        let terminal = common.terminal
        terminal.isJSON
            ? terminal.json(trusted.json)
            : terminal.line("\(found.key.id) is trusted as \(tier.rawValue) now, in \(files.paths.trustFile).")
    }
}

/// A tier as it is typed.
enum TierArgument: String, ExpressibleByArgument, CaseIterable {
    case verified
    case `operator`
    case developer

    var tier: TrustedKey.Tier {
        switch self {
        case .verified: .verified
        case .operator: .operator
        case .developer: .developer
        }
    }
}

struct KeysRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a key: everything that it signed is switched off.")

    @Argument(help: ArgumentHelp("The key's id: ed25519:0123...", valueName: "id"))
    var id: String

    @OptionGroup var options: RevocationOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = id
        try options.add(common) { list in
            list.keys.removeAll { $0.id == id }
            list.keys.append(RevocationList.Key(id: id, reason: options.reason))
        }
    }
}

struct PluginRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a plugin, some of its versions, or one build.",
        discussion: """
            Examples:
              tandem plugin revoke org.example.tides@1.2.0 --reason "leaks notes"
              tandem plugin revoke org.example.tides --before 1.3.0 --reason "leaks notes"
              tandem plugin revoke sha256:0123... --reason "not ours"
            """)

    @Argument(help: ArgumentHelp("ID, ID@VERSION, or the sha256:... of a plugin.json.", valueName: "what"))
    var what: String

    @Option(name: .long, help: "Every version before this one.")
    var before: String?

    @OptionGroup var options: RevocationOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let what = what
        let before = before
        try options.add(common) { list in
            if what.hasPrefix("sha256:") {
                list.manifests.append(RevocationList.Manifest(checksum: what, reason: options.reason))
                return
            }
            let parts = what.split(separator: "@", maxSplits: 1).map(String.init)
            list.plugins.append(
                RevocationList.Plugin(
                    id: parts.first ?? what, versions: parts.count == 2 ? [parts[1]] : nil, before: before,
                    reason: options.reason))
        }
    }
}

/// Adds to this host's revocation list: the next number, signed, in force within two seconds.
struct RevocationOptions: ParsableArguments {
    @Option(name: .long, help: "Why, in one sentence; people are told.")
    var reason: String

    @Option(name: .long, help: "The key of this machine that signs the list; it must be trusted to.")
    var key: String?

    @Option(name: .long, help: "In how many days a newer list is due.")
    var days: Int = 90

    fileprivate func add(_ common: CommonOptions, _ change: (inout RevocationList) -> Void) throws {
        let files = try TrustFiles(common)
        guard (1...3650).contains(days) else { throw CommandFailure("--days must be between 1 and 3650", code: 64) }
        let signer = try files.key(key)
        guard let trusted = try files.store().keys.first(where: { $0.key == signer.verifying }),
            trusted.signsRevocations
        else {
            throw CommandFailure(
                "This host would not accept a list signed by \(signer.name). "
                    + "`tandem plugin keys trust \(signer.name) --tier operator --revocations` changes that.")
        }
        // The later one of what lies there and what was accepted: numbers only grow.
        let found = try plainly { try SignedRevocations.load(from: files.paths.revocationsFile) }?.list
        let accepted = try plainly {
            try files.paths.trust.acceptedRevocations.flatMap { try SignedRevocations.load(from: $0) }
        }?.list
        let latest = [found, accepted].compactMap { $0 }.max { $0.sequence < $1.sequence }
        let now = SystemClock().now
        var list = latest ?? RevocationList(sequence: 0, issued: now, expires: now)
        list.sequence += 1
        list.issued = now
        list.expires = now.advanced(by: .seconds(days * 86_400))
        change(&list)
        guard let signed = SignedRevocations(list, signedWith: signer) else {
            throw CommandFailure("The system has no randomness to sign with.", code: 70)
        }
        // The reader's rules hold for what is typed here, too.
        _ = try plainly { try SignedRevocations(reading: signed.text) }
        try plainly { try signed.save(to: files.paths.revocationsFile) }
        let terminal = common.terminal
        terminal.isJSON
            ? terminal.json([
                "sequence": .integer(list.sequence), "file": .string(files.paths.revocationsFile),
                "expires": .string(list.expires.description),
            ])
            : terminal.line("Revocation list \(list.sequence) is in \(files.paths.revocationsFile).")
    }
}

struct PluginSignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign a packed bundle: check it and write manifest.sig into it.")

    @Argument(help: "The bundle's folder.")
    var bundle: String

    @Option(name: .long, help: "The name of the key; not needed when there is only one.")
    var key: String?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let signer = try TrustFiles(common).key(key)
        let signature = try plainly {
            try BundleSigner.sign(bundle: bundle, with: signer, at: SystemClock().now)
        }
        let terminal = common.terminal
        terminal.isJSON
            ? terminal.json([
                "bundle": .string(bundle), "key": .string(signature.key), "time": .string(signature.time.description),
            ])
            : terminal.line("Signed \(bundle) with \(signer.name), \(signature.key).")
    }
}

struct PluginVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check a bundle's files, signature and revocation as a host would, offline.",
        discussion: "Exits 1 when a host would refuse it. No code of the bundle is run.")

    @Argument(help: "The bundle's folder.")
    var bundle: String

    @Option(name: .long, help: "The tier that it must have: verified, operator or developer.")
    var tier: TierArgument?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let files = try TrustFiles(common)
        let terminal = common.terminal
        let verified: BundleSigner.Verified
        do throws(PluginRefusal) {
            verified = try BundleSigner.verify(bundle: bundle, paths: files.paths.trust, tier: tier?.tier)
        } catch {
            report(nil, error, terminal)
            throw ExitCode(1)
        }
        report(verified, verified.reason, terminal)
        if verified.reason != nil { throw ExitCode(1) }
    }

    private func report(_ verified: BundleSigner.Verified?, _ refusal: PluginRefusal?, _ terminal: Terminal) {
        if terminal.isJSON {
            var object: JSONObject = ["bundle": .string(bundle), "ok": .bool(refusal == nil)]
            object["code"] = refusal.map { .string($0.code.rawValue) } ?? .null
            object["reason"] = refusal.map { .string($0.reason) } ?? .null
            if let verified {
                object["id"] = .string(verified.id)
                object["version"] = .string(verified.version)
                object["checksum"] = .string(verified.checksum)
                object["files"] = .integer(Int64(verified.files))
            }
            if let signature = verified?.signature {
                object["key"] = .string(signature.key)
                object["signer"] = .string(signature.name)
                object["tier"] = .string(signature.tier.rawValue)
                object["time"] = .string(signature.time.description)
            }
            terminal.json(.object(object))
            return
        }
        if let verified {
            let files = verified.files == 1 ? "1 file" : "\(verified.files) files"
            terminal.line("\(verified.id) \(verified.version): \(files) as the manifest says")
            terminal.line("plugin.json \(verified.checksum)")
        }
        if let signature = verified?.signature {
            let mark = signature.tier == .developer ? ", NOT reviewed by anybody" : ""
            terminal.line("signed by \(signature.name) (\(signature.tier.rawValue)\(mark)), \(signature.time)")
        }
        if let refusal { terminal.line(terminal.styled("refused: \(refusal.reason)", .red)) }
    }
}
