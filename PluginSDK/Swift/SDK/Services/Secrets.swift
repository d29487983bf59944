internal import CTandemPlugin
internal import Glibc
internal import TandemJSON

/// Keys and passwords that a person or the operator entered for the plugin (`tandem.secret/1`), as the definition's
/// `secrets` names them.
///
///     let key = try await context.secrets.get("api_key")
///     let answer = try await context.http.get(url, headers: [HTTPField("X-API-Key", key.text)])
///
/// A header with a token is better left to a grant of `context.http`, whose token no plugin sees.
public struct Secrets: Sendable {
    let call: Call

    /// The value. Throws `AuthRequired` with the name when nobody has entered it: left to pass, the host asks the person.
    public func get(_ name: String) async throws -> Secret {
        guard let secret = try await find(name) else {
            throw AuthRequired(grant: name, "That needs a key first, which nobody has entered yet.")
        }
        return secret
    }

    /// The value, or nil when nobody has entered it. Throws `ToolError`: `not_declared` for another name.
    public func find(_ name: String) async throws -> Secret? {
        let access = call.instance.host
        let id = call.id
        let answer: SecretAnswer = await access.request(access.secretTable) { table, context in
            withSlice(name) { table.get(access.host, id, $0, context, tandemSDKSecretDone) }
        }
        if answer.status == TANDEM_E_NOT_FOUND { return nil }
        guard answer.status == TANDEM_OK, let secret = answer.secret else {
            throw ToolError.service(answer.status == TANDEM_OK ? TANDEM_E_INTERNAL : answer.status)
        }
        return secret
    }

    /// Which of the declared ones have been entered.
    public func entered() async throws -> Set<String> {
        let access = call.instance.host
        let id = call.id
        let answer: JSONAnswer = await access.request(access.secretTable) { table, context in
            table.entered(access.host, id, context, tandemSDKJSONDone)
        }
        guard answer.status == TANDEM_OK else { throw ToolError.service(answer.status) }
        var names: Set<String> = []
        for (name, isEntered) in answer.json?.objectValue ?? [:] where isEntered == true { names.insert(name) }
        return names
    }
}

/// A secret value, overwritten when the last reference to it goes. It says nothing of itself in logs and interpolations.
public final class Secret: @unchecked Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    // Sendable: written in init, overwritten in deinit, only read between.
    private let memory: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        memory = .allocate(capacity: count)
        _ = memory.initialize(from: UnsafeBufferPointer(start: bytes, count: count))
    }

    deinit {
        if let start = memory.baseAddress { explicit_bzero(start, memory.count) }
        memory.deallocate()
    }

    /// Gives access to the bytes without a copy.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try body(UnsafeRawBufferPointer(memory))
    }

    /// A copy, which is not overwritten.
    public var text: String { String(decoding: memory, as: UTF8.self) }

    public var description: String { "Secret" }
    public var debugDescription: String { "Secret" }
}

extension Context {
    /// Keys and passwords that were entered for the plugin.
    public var secrets: Secrets { Secrets(call: call) }
}
