import Dispatch
import Foundation
public import TandemCore
public import TandemEgress
import TandemJSON
public import TandemStorage

/// The transit engine of a HashiCorp Vault, or of what speaks its interface (OpenBao), as the keeper of the master key
/// (https://developer.hashicorp.com/vault/api-docs/secret/transit).
///
/// The functions block on the calling thread, for at most `limit` all attempts together. What may be gone soon (no
/// connection, 429, 5xx) is tried again and then `unavailable`; what the service refuses is `master_key`, in its own words.
/// A refused token is read again from its file once, since an agent renews it there.
public final class TransitKeys: RemoteMasterKeys {
    private static let attempts = 3
    private static let requestLimit = Duration.seconds(3)
    private static let limit: UInt64 = 8_000_000_000

    private let settings: Configuration.Vault
    private let client: any HTTPClient

    public init(_ settings: Configuration.Vault, client: any HTTPClient) {
        self.settings = settings
        self.client = client
    }

    public var name: String { "the transit key \(settings.key) at \(settings.address)" }

    // MARK: RemoteMasterKeys

    public func encrypt(_ plain: [UInt8]) throws -> String {
        let data = try call(.post, "encrypt", ["plaintext": .string(Data(plain).base64EncodedString())])
        return try text(data["ciphertext"], "encrypt")
    }

    public func decrypt(_ sealed: [String]) throws -> [[UInt8]] {
        try batch("decrypt", sealed, "plaintext").map { text in
            guard let bytes = Data(base64Encoded: text) else { throw malformed("decrypt") }
            return [UInt8](bytes)
        }
    }

    public func rewrap(_ sealed: [String]) throws -> [String] { try batch("rewrap", sealed, "ciphertext") }

    public func latestVersion() throws -> Int {
        guard let version = try call(.get, "keys", nil)["latest_version"]?.int64Value, version > 0 else {
            throw malformed("keys")
        }
        return Int(version)
    }

    public func rotate() throws -> Int {
        _ = try call(.post, "keys", [:], suffix: "/rotate", isRepeatable: false)
        return try latestVersion()
    }

    /// One request for several, with one answer for each.
    private func batch(_ operation: String, _ sealed: [String], _ member: String) throws -> [String] {
        if sealed.count == 1 {
            return [try text(call(.post, operation, ["ciphertext": .string(sealed[0])])[member], operation)]
        }
        let inputs: [JSON] = sealed.map { ["ciphertext": .string($0)] }
        let data = try call(.post, operation, ["batch_input": .array(inputs)])
        guard let results = data["batch_results"]?.arrayValue, results.count == sealed.count else {
            throw malformed(operation)
        }
        return try results.map { result in
            if let error = result["error"]?.stringValue, !error.isEmpty { throw refused(operation, 400, [error]) }
            return try text(result[member], operation)
        }
    }

    private func text(_ value: JSON?, _ operation: String) throws -> String {
        guard let text = value?.stringValue, !text.isEmpty else { throw malformed(operation) }
        return text
    }

    // MARK: Requests

    private func call(
        _ method: HTTPRequest.Method, _ operation: String, _ body: JSON?, suffix: String = "", isRepeatable: Bool = true
    ) throws -> JSONObject {
        let url = settings.address.appending("/v1/\(settings.mount)/\(operation)/\(settings.key)\(suffix)")
        let end = monotonicNanoseconds() + TransitKeys.limit
        var token = try settings.token(again: false)
        var hasReadAgain = false
        var last = StorageError(.unavailable, "\(name) does not answer", operation: operation)
        var attempt = 0
        while attempt < (isRepeatable ? TransitKeys.attempts : 1) {
            attempt += 1
            if attempt > 1 {
                let pause = Double(attempt - 1) * 0.15 * Double.random(in: 0.5...1.5)
                guard monotonicNanoseconds() + UInt64(pause * 1e9) < end else { break }
                Thread.sleep(forTimeInterval: pause)
            }
            var headers: HTTPHeaders = ["X-Vault-Token": token.reveal(), "X-Vault-Request": "true"]
            if let namespace = settings.namespace { headers["X-Vault-Namespace"] = namespace }
            if body != nil { headers["Content-Type"] = "application/json" }
            let request = HTTPRequest(
                method, url, headers: headers, body: body?.serialized() ?? [], timeout: TransitKeys.requestLimit,
                connectTimeout: .seconds(2), maxResponseBytes: 1 << 20, isIdempotent: isRepeatable)
            switch send(request) {
            case .failure(let error):
                last = StorageError(
                    .unavailable, "\(name) does not answer (\(error.code.rawValue))", operation: operation)
            case .success(let response):
                switch response.status {
                case 200..<300: return try TransitKeys.data(response) ?? [:]
                case 403 where !hasReadAgain:
                    // An agent may have written a new one.
                    hasReadAgain = true
                    let fresh = try settings.token(again: true)
                    guard fresh.reveal() != token.reveal() else { throw refused(operation, response) }
                    token = fresh
                    attempt -= 1
                case 412, 429, 472, 473, 500...599:
                    last = StorageError(
                        .unavailable, "\(name) is not ready (HTTP \(response.status)\(TransitKeys.words(response)))",
                        operation: operation)
                default: throw refused(operation, response)
                }
            }
        }
        throw last
    }

    /// Waits for the answer on this thread, which is none of Swift's shared pool.
    private func send(_ request: HTTPRequest) -> Result<HTTPResponse, HTTPError> {
        let answer = Answer()
        let client = client
        Task {
            do throws(HTTPError) { answer.give(.success(try await client.send(request))) } catch {
                answer.give(.failure(error))
            }
        }
        return answer.wait()
    }

    private final class Answer: @unchecked Sendable {
        // Written before the semaphore is signalled, read after it was waited for.
        private var result: Result<HTTPResponse, HTTPError> = .failure(HTTPError(.other, operation: "wait"))
        private let semaphore = DispatchSemaphore(value: 0)

        func give(_ result: Result<HTTPResponse, HTTPError>) {
            self.result = result
            semaphore.signal()
        }

        func wait() -> Result<HTTPResponse, HTTPError> {
            semaphore.wait()
            return result
        }
    }

    private static func data(_ response: HTTPResponse) throws -> JSONObject? {
        guard !response.body.isEmpty else { return nil }
        guard let body = try? JSON(parsing: response.body) else { return nil }
        return body["data"]?.objectValue
    }

    private static func words(_ response: HTTPResponse) -> String {
        let errors = (try? JSON(parsing: response.body))?["errors"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return errors.isEmpty ? "" : ": " + Redaction.masked(String(errors.joined(separator: "; ").prefix(200)))
    }

    private func refused(_ operation: String, _ response: HTTPResponse) -> StorageError {
        StorageError(
            .masterKey, "\(name) refuses (HTTP \(response.status)\(TransitKeys.words(response)))", operation: operation)
    }

    private func refused(_ operation: String, _ status: Int, _ errors: [String]) -> StorageError {
        let words = Redaction.masked(String(errors.joined(separator: "; ").prefix(200)))
        return StorageError(.masterKey, "\(name) refuses (HTTP \(status): \(words))", operation: operation)
    }

    private func malformed(_ operation: String) -> StorageError {
        StorageError(.masterKey, "\(name) gave an answer that is none of a transit engine", operation: operation)
    }
}

extension Configuration.Vault {
    /// The token, from its file where it has one: read again, it may be another.
    func token(again: Bool) throws -> Secret {
        guard again || token == nil, let path = tokenFile else {
            guard let token else { throw StorageError(.masterKey, "TANDEM_VAULT_TOKEN is not set") }
            return token
        }
        guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= 65_536 else {
            throw StorageError(.masterKey, "the file that TANDEM_VAULT_TOKEN_FILE names cannot be read")
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw StorageError(.masterKey, "the file of TANDEM_VAULT_TOKEN_FILE is empty") }
        return Secret(text)
    }
}
