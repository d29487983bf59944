import ChildProcess
import Crypto
import Foundation
import ScriptServer
import Synchronization
import TandemAccounts
import TandemCore
import TandemEgress
import TandemJSON
import TandemStorage
import Testing

@testable import TandemApplication

/// Vault's transit engine as its documentation describes it, over HTTP.
private final class VaultServer: Sendable {
    struct State {
        var keys: [Int: SymmetricKey] = [1: SymmetricKey(size: .bits256)]
        var token = "s.first-token"
        /// Statuses that the next requests get instead.
        var failures: [Int] = []
        var isSealed = false
    }

    let state = Mutex(State())

    func answer(_ request: ScriptServer.Request) -> ScriptServer.Answer {
        state.withLock { state in
            func errors(_ status: Int, _ words: String) -> ScriptServer.Answer {
                .answer(status, [("Content-Type", "application/json")], body: Array("{\"errors\":[\"\(words)\"]}".utf8))
            }
            if !state.failures.isEmpty { return errors(state.failures.removeFirst(), "try later") }
            if state.isSealed { return errors(503, "Vault is sealed") }
            guard request["X-Vault-Token"] == state.token else {
                return errors(403, "permission denied")
            }
            guard request.target.hasPrefix("/v1/transit/") else { return errors(404, "no handler for route") }
            let parts = request.target.dropFirst("/v1/transit/".count).split(separator: "/")
            guard parts.count >= 2, parts[1] == "tandem" else { return errors(400, "encryption key not found") }
            let body = (try? JSON(parsing: request.body)) ?? .null
            func data(_ json: JSON) -> ScriptServer.Answer {
                let whole: JSON = ["request_id": "x", "lease_id": "", "data": json]
                return .answer(200, [("Content-Type", "application/json")], body: whole.serialized())
            }
            switch (request.method, parts[0], parts.count) {
            case ("GET", "keys", 2):
                return data([
                    "latest_version": .integer(Int64(state.keys.keys.max() ?? 1)), "min_decryption_version": 1,
                ])
            case ("POST", "keys", 3) where parts[2] == "rotate":
                state.keys[(state.keys.keys.max() ?? 0) + 1] = SymmetricKey(size: .bits256)
                return .answer(204)
            case ("POST", "encrypt", 2):
                guard let plain = body["plaintext"]?.stringValue.flatMap({ Data(base64Encoded: $0) }),
                    let text = VaultServer.seal(plain, state)
                else { return errors(400, "failed to base64-decode plaintext") }
                return data(["ciphertext": .string(text), "key_version": 1])
            case ("POST", "decrypt", 2), ("POST", "rewrap", 2):
                func one(_ input: JSON?) -> JSON {
                    guard let text = input?["ciphertext"]?.stringValue, let plain = VaultServer.open(text, state) else {
                        return ["error": "invalid ciphertext: unable to decrypt"]
                    }
                    if parts[0] == "decrypt" { return ["plaintext": .string(plain.base64EncodedString())] }
                    return ["ciphertext": VaultServer.seal(plain, state).map { .string($0) } ?? .null]
                }
                if let batch = body["batch_input"]?.arrayValue {
                    return data(["batch_results": .array(batch.map(one))])
                }
                let result = one(body)
                if result["error"] != nil { return errors(400, "invalid ciphertext: unable to decrypt") }
                return data(result)
            default: return errors(405, "unsupported operation")
            }
        }
    }

    private static func seal(_ plain: Data, _ state: State) -> String? {
        guard let version = state.keys.keys.max(), let key = state.keys[version],
            let box = try? AES.GCM.seal(plain, using: key).combined
        else { return nil }
        return "vault:v\(version):" + box.base64EncodedString()
    }

    private static func open(_ text: String, _ state: State) -> Data? {
        let parts = text.split(separator: ":")
        guard parts.count == 3, let version = Int(parts[1].dropFirst()), let key = state.keys[version],
            let data = Data(base64Encoded: String(parts[2])), let box = try? AES.GCM.SealedBox(combined: data)
        else { return nil }
        return try? AES.GCM.open(box, using: key)
    }
}

@Suite(.timeLimit(.minutes(8)))
struct TransitKeysTests {
    private func run(_ body: @escaping @Sendable (VaultServer, TransitKeys, TestFolder) async throws -> Void)
        async throws
    {
        let vault = VaultServer()
        let folder = try TestFolder()
        try folder.write("s.first-token\n", to: "token")
        let answer: @Sendable (ScriptServer.Request) -> ScriptServer.Answer = { vault.answer($0) }
        try await ScriptServer.run(answer) { server in
            guard let address = WebAddress(server.origin) else { throw PersonalDataTests.Missing() }
            let settings = Configuration.Vault(
                address: address, token: Secret("s.first-token"), tokenFile: folder.path + "/token")
            let client = CurlClient.local()
            try await body(vault, TransitKeys(settings, client: client), folder)
            await client.shutdown()
        }
    }

    private func failure(_ body: @escaping @Sendable () throws -> Void) async -> StorageError? {
        do { try await offPool(body) } catch { return error as? StorageError }
        return nil
    }

    @Test func wrapsUnwrapsAndWrapsAnew() async throws {
        try await run { vault, keys, _ in
            let secrets = (0..<3).map { [UInt8](repeating: UInt8($0), count: 48) }
            let sealed = try await offPool { try secrets.map { try keys.encrypt($0) } }
            #expect(sealed.allSatisfy { $0.hasPrefix("vault:v1:") })
            let found1 = try await offPool { try keys.decrypt(sealed) }
            #expect(found1 == secrets)
            let found2 = try await offPool { try keys.decrypt([sealed[1]]) }
            #expect(found2 == [secrets[1]])
            let found3 = try await offPool { try keys.rotate() }
            #expect(found3 == 2)
            let anew = try await offPool { try keys.rewrap(sealed) }
            #expect(anew.allSatisfy { $0.hasPrefix("vault:v2:") })
            vault.state.withLock { $0.keys[1] = nil }
            let found4 = try await offPool { try keys.decrypt(anew) }
            #expect(found4 == secrets)
            let gone = await failure { _ = try keys.decrypt(sealed) }
            #expect(gone?.code == .masterKey && gone?.message.contains("invalid ciphertext") == true)
        }
    }

    @Test func triesAgainWhatMayBeGoneSoon() async throws {
        try await run { vault, keys, _ in
            vault.state.withLock { $0.failures = [503, 429] }
            let found5 = try await offPool { try keys.latestVersion() }
            #expect(found5 == 1)
            vault.state.withLock { $0.isSealed = true }
            let sealed = await failure { _ = try keys.latestVersion() }
            #expect(sealed?.code == .unavailable && sealed?.message.contains("Vault is sealed") == true)
        }
    }

    @Test func readsARenewedTokenFromItsFile() async throws {
        try await run { vault, keys, folder in
            vault.state.withLock { $0.token = "s.second-token" }
            let refused = await failure { _ = try keys.latestVersion() }
            #expect(refused?.code == .masterKey && refused?.message.contains("permission denied") == true)
            #expect(refused.map { !"\($0)".contains("first-token") } == true)
            try folder.write("s.second-token\n", to: "token")
            let found6 = try await offPool { try keys.latestVersion() }
            #expect(found6 == 1)
        }
    }

    @Test func aHostWithATransitEngineServesAndNamesItWhenItIsGone() async throws {
        let vault = VaultServer()
        let folder = try TestFolder()
        let answer: @Sendable (ScriptServer.Request) -> ScriptServer.Answer = { vault.answer($0) }
        try await ScriptServer.run(answer) { server in
            let environment = [
                "TANDEM_VAULT_ADDR": server.origin, "TANDEM_VAULT_TOKEN": "s.first-token",
                "TANDEM_DATA": folder.path + "/data",
            ]
            let home = try await Household.open(environment: environment, folder: folder)
            #expect(try await home.application.makeMasterKey() == 2)
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/data/master.key"))
            try await home.application.startRotation(.master)
            try await home.application.keyRotation.run()
            #expect(try await home.application.keyRotation.status().first?.phase == .done)
            await home.application.close()
            vault.state.withLock { $0.keys[1] = nil }
            let again = try await Household.open(environment: environment, folder: folder)
            #expect(try await again.application.accounts.identify(phone: Household.annPhone) == again.ann)
            await again.application.close()
            vault.state.withLock { $0.isSealed = true }
            do {
                _ = try await Household.open(environment: environment, folder: folder)
                Issue.record("it started without its keys")
            } catch let error as StorageError {
                #expect(error.message.contains("transit key tandem"))
            }
        }
    }
}
