import Glibc
import Logging
public import TandemCore

/// Signs bundles, and checks them as a host would, without loading code.
public enum BundleSigner {
    /// Writes `manifest.sig` into a packed bundle, after everything in the bundle was checked against its manifest.
    ///
    /// Throws `PluginRefusal` for a bundle that no host would take. Blocks.
    @discardableResult
    public static func sign(
        bundle path: String, with key: SigningKey, at now: Timestamp
    ) throws(PluginRefusal) -> ManifestSignature {
        let bundle = try Bundle(at: path, ignoresSignature: true)
        guard let signature = ManifestSignature(of: bundle.manifestBytes, with: key, at: now) else {
            throw PluginRefusal(.wrongSignature, "the system has no randomness to sign with")
        }
        do throws(FileRefusal) {
            try AtomicFile.write(
                signature.text, to: bundle.path + "/" + ManifestSignature.fileName, mode: 0o644)
        } catch {
            throw PluginRefusal(.unsafeFile, error.reason)
        }
        return signature
    }

    /// What checking a bundle found.
    public struct Verified: Sendable, Hashable {
        public var id: String
        public var name: String
        public var version: String
        /// `sha256:` of `plugin.json`.
        public var checksum: String
        /// Files besides `plugin.json` and `manifest.sig`.
        public var files: Int
        /// Nil: nobody signed it, or nobody this host trusts.
        public var signature: BundleSignature?
        /// Why the signature is not accepted, or that there is none; nil when it is.
        public var reason: PluginRefusal?
    }

    /// Checks files, signature and revocations of a bundle, offline and without loading code.
    ///
    /// - Parameter tier: the tier that the registry would give it; nil: the one its key has.
    /// - Throws: `PluginRefusal` when the bundle itself is damaged or revoked.
    public static func verify(
        bundle path: String, paths: TrustPaths, tier: TrustedKey.Tier? = nil
    ) throws(PluginRefusal) -> Verified {
        let bundle = try Bundle(at: path)
        let keeper = TrustKeeper(
            paths: paths, clock: SystemClock(), logger: Logger(label: "tandem.trust"), isRecording: false)
        let view = keeper.read()
        var verified = Verified(
            id: bundle.manifest.id, name: bundle.manifest.name, version: bundle.manifest.version,
            checksum: bundle.manifestChecksum, files: bundle.files.count)
        if let signature = bundle.signature {
            for tier in tier.map({ [$0] }) ?? [.verified, .operator, .developer] {
                do throws(PluginRefusal) {
                    verified.signature = try view.signer(
                        of: bundle.manifestBytes, plugin: bundle.manifest.id, signature: signature, tier: tier.trust)
                    verified.reason = nil
                    break
                } catch {
                    guard error.code != .revoked else { throw error }
                    verified.reason = verified.reason ?? error
                }
            }
        } else {
            verified.reason = PluginRefusal(.notSigned, "it has no signature")
        }
        if let reason = view.revocations?.reason(
            manifest: bundle.manifestChecksum, plugin: bundle.manifest.id, version: bundle.manifest.version,
            keys: verified.signature?.path ?? [])
        {
            throw PluginRefusal(.revoked, reason)
        }
        return verified
    }
}
