import Crypto
import Foundation
import Synchronization
import TandemStorage

/// A transit engine as Vault documents it, within the process: versions, `vault:vN:`, minimum versions, refusals.
final class TransitSimulator: RemoteMasterKeys {
    private struct State {
        var keys: [Int: SymmetricKey] = [1: SymmetricKey(size: .bits256)]
        var failures: [StorageError] = []
        var calls: [String] = []
        var isDown = false
    }

    private let state = Mutex(State())

    let name = "the transit key tandem of a test"

    var calls: [String] { state.withLock { $0.calls } }

    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    /// Drops what is older, as `min_decryption_version` does.
    func requireVersion(_ version: Int) { state.withLock { $0.keys = $0.keys.filter { $0.key >= version } } }

    private func note(_ call: String) throws {
        try state.withLock { state in
            state.calls.append(call)
            if state.isDown { throw StorageError(.unavailable, "\(name) does not answer") }
        }
    }

    func encrypt(_ plain: [UInt8]) throws -> String {
        try note("encrypt")
        return try seal(plain)
    }

    private func seal(_ plain: [UInt8]) throws -> String {
        let (version, key) = state.withLock { state in
            let version = state.keys.keys.max() ?? 1
            return (version, state.keys[version] ?? SymmetricKey(size: .bits256))
        }
        let box = try AES.GCM.seal(plain, using: key)
        return "vault:v\(version):" + (box.combined ?? Data()).base64EncodedString()
    }

    private func open(_ text: String) throws -> [UInt8] {
        let parts = text.split(separator: ":", maxSplits: 2)
        guard parts.count == 3, let version = Int(parts[1].dropFirst()),
            let data = Data(base64Encoded: String(parts[2]))
        else { throw StorageError(.masterKey, "invalid ciphertext: no prefix") }
        guard let key = state.withLock({ $0.keys[version] }) else {
            throw StorageError(.masterKey, "ciphertext or signature version is disallowed by policy (too old)")
        }
        return [UInt8](try AES.GCM.open(AES.GCM.SealedBox(combined: data), using: key))
    }

    func decrypt(_ sealed: [String]) throws -> [[UInt8]] {
        try note("decrypt")
        return try sealed.map(open)
    }

    func rewrap(_ sealed: [String]) throws -> [String] {
        try note("rewrap")
        return try sealed.map { try seal(open($0)) }
    }

    func latestVersion() throws -> Int {
        try note("keys")
        return state.withLock { $0.keys.keys.max() ?? 1 }
    }

    func rotate() throws -> Int {
        try note("rotate")
        return state.withLock { state in
            let version = (state.keys.keys.max() ?? 0) + 1
            state.keys[version] = SymmetricKey(size: .bits256)
            return version
        }
    }
}
