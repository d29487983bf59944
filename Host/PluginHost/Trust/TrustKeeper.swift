import Glibc
import Logging
import Synchronization
public import TandemCore
import TandemJSON

/// Reads what the host trusts and remembers the last good state of it: a document that cannot be used changes nothing.
final class TrustKeeper: Sendable {
    private struct State {
        var store: TrustStore?
        var storeProblem: String?
        var accepted: SignedRevocations?
        var isLoaded = false
        /// The record of the accepted list cannot be read: nobody knows what was revoked.
        var recordProblem: String?
        var listProblem: String?
    }

    private let paths: TrustPaths
    private let clock: any WallClock
    private let logger: Logger
    /// False: for looking; nothing is put on record.
    private let isRecording: Bool
    private let state = Mutex(State())

    init(paths: TrustPaths, clock: any WallClock, logger: Logger, isRecording: Bool = true) {
        self.paths = paths
        self.clock = clock
        self.logger = logger
        self.isRecording = isRecording
    }

    /// Reads the documents again. Blocks.
    func read() -> TrustView {
        state.withLock { state in
            readStore(into: &state)
            readRecord(into: &state)
            readList(into: &state)
            return TrustView(
                store: state.store ?? TrustStore(), storeProblem: state.storeProblem,
                localKeys: KeyFolder.publicKeys(in: paths.keys), revocations: state.accepted?.list,
                recordProblem: state.recordProblem)
        }
    }

    /// What the operator should know, each in one sentence.
    var warnings: [String] {
        let now = clock.now
        return state.withLock { state in
            var warnings = [state.storeProblem, state.recordProblem, state.listProblem].compactMap { $0 }
            if let list = state.accepted?.list {
                if list.expires <= now {
                    warnings.append(
                        "the revocation list \(list.sequence) expired on \(list.expires): it still holds, but a newer "
                            + "one is due")
                } else if list.expires.since(now) < TrustKeeper.noticeTime {
                    warnings.append("the revocation list \(list.sequence) expires on \(list.expires)")
                }
            }
            return warnings
        }
    }

    /// The list in force.
    var revocations: RevocationList? { state.withLock { $0.accepted?.list } }

    private static let noticeTime = Duration.seconds(7 * 86_400)

    func addFingerprint(to print: inout [UInt64]) {
        if let store = paths.store { FileFingerprint.add(store, to: &print) }
        if let list = paths.revocations { FileFingerprint.add(list, to: &print) }
        if let keys = paths.keys { FileFingerprint.addFolder(keys, to: &print) }
    }

    private func readStore(into state: inout State) {
        guard let path = paths.store else { return }
        do {
            state.store = try TrustStore.load(from: path)
            state.storeProblem = nil
        } catch {
            let reason = "trust.json cannot be used: \(TrustKeeper.reason(error))"
            report(reason, instead: state.storeProblem)
            state.storeProblem = reason
        }
    }

    private func readRecord(into state: inout State) {
        guard !state.isLoaded, let path = paths.acceptedRevocations else { return }
        do {
            state.accepted = try SignedRevocations.load(from: path)
            state.recordProblem = nil
            state.isLoaded = true
        } catch {
            let reason =
                "the record of revocations, \(path), cannot be read (\(TrustKeeper.reason(error))): until it is put "
                + "right, only first-party plugins are loaded"
            report(reason, instead: state.recordProblem)
            state.recordProblem = reason
        }
    }

    private func readList(into state: inout State) {
        guard let path = paths.revocations else { return }
        let problem = state.listProblem
        state.listProblem = nil
        do {
            guard let found = try SignedRevocations.load(from: path) else {
                if let accepted = state.accepted {
                    throw Refused(
                        "revocations.json is gone; the last list, \(accepted.list.sequence), stays in force")
                }
                return
            }
            if found == state.accepted { return }
            try check(found, state)
            if isRecording, let record = paths.acceptedRevocations, state.recordProblem == nil {
                // First on record, then in force: what was applied once stays so.
                try AtomicFile.write(found.text, to: record, mode: 0o600)
            }
            state.accepted = found
            logger.notice(
                "a revocation list is in force",
                metadata: ["list.sequence": "\(found.list.sequence)", "list.key": "\(found.key)"])
        } catch {
            let reason = (error as? Refused)?.reason ?? "revocations.json cannot be used: \(TrustKeeper.reason(error))"
            report(reason, instead: problem)
            state.listProblem = reason
        }
    }

    private func check(_ found: SignedRevocations, _ state: State) throws {
        guard let key = (state.store ?? TrustStore()).keys.first(where: { $0.key.id == found.key }) else {
            throw Refused("revocations.json is signed by \(found.key), which trust.json does not know")
        }
        guard key.signsRevocations else {
            throw Refused("revocations.json is signed by \(key.name), which may not sign revocations")
        }
        if state.accepted?.list.isRevoked(key.key) == true {
            throw Refused("revocations.json is signed by \(key.name), which was revoked")
        }
        guard found.isSigned(by: key.key) else {
            throw Refused("revocations.json was changed after it was signed, or signed by another key")
        }
        guard let accepted = state.accepted?.list else { return }
        if found.list.sequence < accepted.sequence {
            throw Refused(
                "revocations.json is an older list, \(found.list.sequence); \(accepted.sequence) stays in force")
        }
        if found.list.sequence == accepted.sequence {
            throw Refused("revocations.json is another list with the number \(accepted.sequence), which is in force")
        }
    }

    private struct Refused: Error {
        var reason: String

        init(_ reason: String) { self.reason = reason }
    }

    static func reason(_ error: any Error) -> String {
        (error as? FileRefusal)?.reason ?? (error as? DocumentError)?.description ?? "\(error)"
    }

    private func report(_ problem: String, instead earlier: String?) {
        guard problem != earlier else { return }
        logger.error("what this host trusts cannot be read as it stands", metadata: ["reason": "\(problem)"])
    }
}

/// One state of what the host trusts.
struct TrustView: Sendable {
    var store: TrustStore
    var storeProblem: String?
    var localKeys: [PublicKeyFile]
    var revocations: RevocationList?
    var recordProblem: String?

    init(
        store: TrustStore = TrustStore(), storeProblem: String? = nil, localKeys: [PublicKeyFile] = [],
        revocations: RevocationList? = nil, recordProblem: String? = nil
    ) {
        self.store = store
        self.storeProblem = storeProblem
        self.localKeys = localKeys
        self.revocations = revocations
        self.recordProblem = recordProblem
    }

    /// Who vouches for a bundle at the tier that it is to have, over which keys.
    ///
    /// Throws the reason why nobody does: no signature, a key that is not trusted (so far), a signature that does not
    /// hold.
    func signer(
        of manifest: [UInt8], plugin id: String, signature: ManifestSignature, tier: RegistryEntry.Trust
    ) throws(PluginRefusal) -> BundleSignature {
        var nearest: PluginRefusal?
        for candidate in candidates(for: tier) {
            guard let path = KeyRotation.path(from: candidate.key, to: signature.key, over: signature.rotations),
                let last = path.last
            else { continue }
            guard candidate.tier.trust == tier || tier == .developer else {
                nearest = PluginRefusal(
                    .untrustedKey,
                    "it is signed by \(candidate.name), a key of the tier \(candidate.tier.rawValue), and the registry "
                        + "says \(tier.rawValue)")
                continue
            }
            guard candidate.maySign(plugin: id) else {
                nearest = PluginRefusal(.untrustedKey, "it is signed by \(candidate.name), which may not sign \(id)")
                continue
            }
            guard signature.isValid(for: manifest, by: last) else {
                throw PluginRefusal(
                    .wrongSignature,
                    "plugin.json was changed after \(candidate.name) signed it, or signed by another key")
            }
            if let revoked = path.compactMap({ revocations?.reason(ofKey: $0) }).first {
                // The operator may trust the new key by itself, beside the one that was lost.
                nearest = PluginRefusal(.revoked, revoked)
                continue
            }
            return BundleSignature(
                key: signature.key, name: candidate.name, tier: candidate.tier, time: signature.time, path: path)
        }
        let trouble = storeProblem.map { "; \($0)" } ?? ""
        throw nearest
            ?? PluginRefusal(
                .untrustedKey, "it is signed by \(signature.key), which this host does not trust\(trouble)")
    }

    /// The trusted keys, and this machine's own as developer keys.
    private func candidates(for tier: RegistryEntry.Trust) -> [TrustedKey] {
        guard tier == .developer else { return store.keys }
        let known = Set(store.keys.map(\.key.id))
        return store.keys
            + localKeys.filter { !known.contains($0.key.id) }
            .map { TrustedKey($0.key, name: $0.name, tier: .developer) }
    }
}

/// Who signed a bundle, once that was checked.
public struct BundleSignature: Sendable, Hashable {
    /// The id of the key that signed.
    public var key: String
    /// What the trust store calls the key that it descends from.
    public var name: String
    public var tier: TrustedKey.Tier
    public var time: Timestamp
    /// From the key that is trusted to the one that signed.
    public var path: [VerifyingKey]
}
