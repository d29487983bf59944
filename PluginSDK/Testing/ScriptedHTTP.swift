internal import CTandemPlugin
internal import Synchronization
@_spi(Testing) internal import TandemSDK

/// The services behind `context.http` in a test: scripted answers and a record of the requests.
///
///     host.http.on("GET", "https://api.example.org/search") { request in .json(["results": []]) }
///
/// Like the real host it refuses what the manifest does not declare, and in a reading call other methods than GET and
/// HEAD unless the manifest lists the request in `reads`. There is no cache, no redirect and no limit.
public final class ScriptedHTTP: Sendable {
    private struct Script: Sendable {
        var method: String
        var address: String
        var answer: @Sendable (SentHTTPRequest) async -> HTTPReply
    }

    private let state = Mutex<(scripts: [Script], requests: [SentHTTPRequest])>(([], []))

    init() {}

    /// Answers requests to an address (compared without the query; `*` at its end stands for anything). A later script
    /// goes before an earlier one.
    public func on(
        _ method: String, _ address: String, _ answer: @escaping @Sendable (SentHTTPRequest) async -> HTTPReply
    ) {
        state.withLock { $0.scripts.insert(Script(method: method, address: address, answer: answer), at: 0) }
    }

    /// Answers with these, one after the other; the last one stays.
    public func on(_ method: String, _ address: String, _ replies: HTTPReply...) {
        let rest = Rest(replies)
        on(method, address) { _ in rest.next() }
    }

    private final class Rest: Sendable {
        private let replies: Mutex<[HTTPReply]>

        init(_ replies: [HTTPReply]) { self.replies = Mutex(replies) }

        func next() -> HTTPReply {
            replies.withLock { replies in
                replies.count > 1 ? replies.removeFirst() : replies.first ?? .unavailable
            }
        }
    }

    /// What plugins sent, in order, also what was refused.
    public var requests: [SentHTTPRequest] { state.withLock { $0.requests } }

    func answer(_ request: SentHTTPRequest, hosts: [JSON], canWrite: Bool) async -> HTTPReply {
        let script = state.withLock { state -> Script? in
            state.requests.append(request)
            return state.scripts.first { script in
                script.method == request.method
                    && (script.address.hasSuffix("*")
                        ? request.url.hasPrefix(script.address.dropLast()) : script.address == request.address)
            }
        }
        let declared = hosts.first { host in
            HostPattern(host["host"]?.stringValue ?? "")?.matches(request.url) ?? false
        }
        guard let declared else { return .failure(TANDEM_E_HOST_NOT_ALLOWED, code: "host_not_allowed") }
        let isReading =
            request.method == "GET" || request.method == "HEAD"
            || (declared["reads"]?.arrayValue ?? []).contains {
                HostPattern.isReading(request.method, request.url, by: $0.stringValue ?? "")
            }
        guard canWrite || isReading else { return .failure(TANDEM_E_NOT_GRANTED, code: "reading_only") }
        guard let script else { return .failure(TANDEM_E_UNAVAILABLE, code: "no_script") }
        return await script.answer(request)
    }
}
