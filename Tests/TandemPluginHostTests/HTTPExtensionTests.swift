import Synchronization
import TandemCore
import TandemEgress
import TandemJSON
import Testing

@testable import TandemPluginHost

/// `tandem.http/1` as a plugin in C meets it.
@Suite(.timeLimit(.minutes(8)))
struct HTTPExtensionTests {
    private func start(
        _ egress: (any PluginEgress)?, _ isolation: String, cancelGrace: Duration = .milliseconds(200),
        edit: @escaping (String, inout JSONObject) -> Void = { _, _ in }
    ) async throws -> TestHost {
        let test = try TestHost(cancelGrace: cancelGrace, egress: egress)
        try await test.pack("requests", "requests")
        try test.register(["requests"]) { name, entry in
            entry["isolation"] = .string(isolation)
            edit(name, &entry)
        }
        await test.host.start()
        #expect(test.host.statuses().allSatisfy { $0.state == .loaded }, "\(test.host.statuses())")
        return test
    }

    private let url: JSON = "https://api.example.org/x?y=1"

    @Test(arguments: ["in-process", "runner"])
    func carriesARequestAndItsAnswer(isolation: String) async throws {
        let egress = RecordingEgress { _ in
            EgressResponse(
                status: 404, headers: ["content-type": "text/plain", "x-other": "1"], body: Array("gone".utf8),
                url: "https://api.example.org/z", redirects: 2, age: .seconds(90), isStale: true,
                retryAfter: .seconds(3))
        }
        let test = try await start(egress, isolation)
        let value = await test.call("requests.send", ["url": url, "method": "PUT", "flags": 3], user: 5).result?.value
        #expect(
            value == [
                "status": 0, "code": 404, "flags": 3, "age": 90_000, "wait": 3000, "redirects": 2, "headers": 2,
                "type": "text/plain", "url": "https://api.example.org/z", "body": "gone", "detail": .null,
            ])
        let (request, caller) = try #require(egress.requests.first)
        #expect(request.method == .put)
        #expect(request.url == url.stringValue)
        #expect(request.headers["accept"] == "text/plain")
        #expect(request.cache == EgressRequest.CacheUse(staleIfError: .seconds(86_400)))
        #expect(request.timeout == .seconds(30))
        #expect(request.maxResponseBytes == 4 << 20)
        #expect(caller.plugin == "test.requests")
        #expect(caller.scope == test.scope(5))
        #expect(caller.mayWrite)
        #expect(caller.policy.declared.map(\.rule.description) == ["api.example.org"])
        #expect(caller.policy.ceiling == nil)
    }

    @Test(arguments: ["in-process", "runner"])
    func isNotThereWithoutEgressHostsOrLeave(isolation: String) async throws {
        let none = try await start(nil, isolation)
        #expect(await none.call("requests.send", ["url": url]).result?.value == ["http": false])
        let capped = try await start(RecordingEgress(), isolation) { _, entry in
            entry["ceiling"] = ["extensions": ["tandem.rows/1"]]
        }
        #expect(await capped.call("requests.send", ["url": url]).result?.value == ["http": false])
    }

    @Test(arguments: ["in-process", "runner"])
    func handsTheRegistrysRulesOn(isolation: String) async throws {
        let egress = RecordingEgress()
        let test = try await start(egress, isolation) { _, entry in
            entry["ceiling"] = ["hosts": ["*.example.org"]]
            entry["network"] = [
                "addresses": ["192.168.1.0/24"], "limits": [["host": "api.example.org", "perSecond": 0.5, "burst": 3]],
            ]
        }
        _ = await test.call("requests.read", ["url": url])
        let policy = try #require(egress.requests.first?.caller.policy)
        #expect(policy.ceiling?.map(\.description) == ["*.example.org"])
        #expect(policy.networks.allowed.map(\.description) == ["192.168.1.0/24"])
        #expect(policy.limits.first?.perUser == Rate(perSecond: 0.5, burst: 3))
        #expect(policy.limits.first?.total == ProviderLimit.standardTotal)
        #expect(egress.requests.first?.caller.mayWrite == false)
    }

    @Test(arguments: ["in-process", "runner"])
    func saysWhatIsRefusedAtOnce(isolation: String) async throws {
        for (kind, status) in [
            (EgressFailure.Kind.hostNotAllowed, -41), (.notGranted, -40), (.invalid, -1),
        ] as [(EgressFailure.Kind, Int64)] {
            let test = try await start(RecordingEgress(refusal: EgressFailure(kind, "x", "y")), isolation)
            let value = await test.call("requests.read", ["url": url]).result?.value
            // From another process it comes a moment later.
            #expect((value?["refused"] ?? value?["status"]) == .integer(status))
        }
    }

    @Test(arguments: ["in-process", "runner"])
    func saysWhyThereIsNoAnswer(isolation: String) async throws {
        let kinds: [(EgressFailure.Kind, Int64)] = [
            (.hostNotAllowed, -41), (.authRequired, -60), (.rateLimited, -61), (.unavailable, -62), (.rejected, -63),
            (.deadline, -23), (.tooLarge, -25), (.cancelled, -24), (.busy, -22), (.internalFault, -99),
        ]
        let next = Mutex(0)
        let egress = RecordingEgress { _ throws(EgressFailure) in
            let index = next.withLock { next in
                defer { next += 1 }
                return next
            }
            throw EgressFailure(kinds[index].0, "some_code", "why", retryAfter: .seconds(7), status: 401, redirects: 1)
        }
        let test = try await start(egress, isolation)
        for (_, status) in kinds {
            let value = await test.call("requests.read", ["url": url]).result?.value
            #expect(value?["status"] == .integer(status))
            #expect(value?["wait"] == 7000)
            #expect(value?["code"] == 401)
            #expect(value?["detail"] == ["code": "some_code", "message": "why"])
        }
    }

    @Test(arguments: ["in-process", "runner"])
    func answersMisuseWithAStatus(isolation: String) async throws {
        let test = try await start(RecordingEgress(), isolation)
        let value = await test.call("requests.misuse", ["url": url]).result?.value
        #expect(value == [-7, -2, -4, -25, -1, -1, -1, 0, -4, -4])
        #expect(await test.call("requests.read", ["url": url, "method": "BREW"]).result?.value == ["refused": -1])
    }

    @Test(arguments: ["in-process", "runner"])
    func limitsWhatIsUnderWayAndEndsItWithTheCall(isolation: String) async throws {
        let egress = RecordingEgress.waiting()
        let test = try await start(egress, isolation)
        let before = HostBuffer.outstanding.load(ordering: .relaxed)
        // The call ends at once; its requests do not outlive it.
        let value = await test.call("requests.many", ["url": url]).result?.value
        #expect(value == ["accepted": 16])
        #expect(await eventually { egress.cancelled == egress.requests.count })
        #expect(await test.call("requests.abandon", ["url": url]).result?.value == [:])
        // A runner hears a moment later that the requests of a call that is over have ended.
        #expect(await eventually { await test.call("requests.many", ["url": url]).result?.value == ["accepted": 16] })
        #expect(HostBuffer.outstanding.load(ordering: .relaxed) <= before + 64)
    }

    @Test(arguments: ["in-process", "runner"])
    func cancelsARequest(isolation: String) async throws {
        let egress = RecordingEgress.waiting()
        let test = try await start(egress, isolation)
        let value = await test.call("requests.cancel", ["url": url]).result?.value
        #expect(value?["status"] == -24)
    }

    @Test(arguments: ["in-process", "runner"])
    func endsRequestsOfACallThatIsGivenUp(isolation: String) async throws {
        let egress = RecordingEgress.waiting()
        let test = try await start(egress, isolation)
        // The instance is there before the clock runs.
        _ = await test.call("requests.misuse", ["url": url])
        let outcome = await test.call("requests.read", ["url": url], within: .milliseconds(500))
        // Told in time, the plugin still answers, or the host gives up.
        #expect(outcome.error?.code == "timeout" || outcome.result?.value["status"] == -24)
        #expect(await eventually { egress.cancelled == egress.requests.count })
    }

    @Test(arguments: ["in-process", "runner"])
    func streamsABody(isolation: String) async throws {
        let egress = RecordingEgress { _ in EgressResponse(status: 200, body: [UInt8](repeating: 65, count: 123_456)) }
        let test = try await start(egress, isolation)
        // A hundred turns of the shared pool: a deadline of the usual length would cut it on a busy machine.
        let value = await test.call("requests.stream", ["url": url], within: .seconds(50)).result?.value
        #expect(value == ["status": 0, "received": 123_456, "again": -4])
        // A stream that nobody reads to its end ends with its call.
        #expect(await test.call("requests.leave", ["url": url]).result?.value == ["status": 0])
        #expect(await eventually { egress.closedStreams == 1 })
    }

    @Test(arguments: ["in-process", "runner"])
    func tellsAStreamThatWasCutFromOneThatEnded(isolation: String) async throws {
        let gate = OneShot<Void>()
        let reads = Mutex(0)
        let egress = RecordingEgress(
            { _ in EgressResponse(status: 200, body: [UInt8](repeating: 65, count: 123_456)) },
            beforeRead: {
                let count = reads.withLock { reads in
                    reads += 1
                    return reads
                }
                if count == 3 { await gate.value() }
            })
        let test = try await start(egress, isolation, cancelGrace: .seconds(30))
        let place = url
        let call = Task { await test.call("requests.stream", ["url": place]) }
        #expect(await eventually { reads.withLock { $0 } == 3 })
        call.cancel()
        #expect(await eventually { egress.closedStreams == 1 })
        gate.resolve(())
        #expect(await call.value.result?.value == ["status": -24, "received": 3000, "again": -4])
    }

    @Test(arguments: ["in-process", "runner"])
    func withdrawsWithTheGrant(isolation: String) async throws {
        let egress = RecordingEgress.waiting()
        let test = try await start(egress, isolation)
        let (scope, place) = (test.scope(1), url)
        let call = Task { await test.call("requests.read", ["url": place]) }
        #expect(await eventually { egress.requests.count == 1 })
        try await test.host.switchOff("test.requests", in: scope)
        #expect(await call.value.result?.value["status"] == -43)
        #expect(egress.forgotten.contains("test.requests"))
    }
}

/// Egress that records what it was asked and answers what a test wants.
final class RecordingEgress: PluginEgress {
    typealias Answer = @Sendable (EgressRequest) async throws(EgressFailure) -> EgressResponse

    private struct State {
        var requests: [(request: EgressRequest, caller: EgressCaller)] = []
        var cancelled = 0
        var closedStreams = 0
        var forgotten: [String] = []
    }

    private let state = Mutex(State())
    private let refusal: EgressFailure?
    private let answer: Answer
    private let beforeRead: @Sendable () async -> Void

    init(
        refusal: EgressFailure? = nil, _ answer: @escaping Answer = { _ in EgressResponse(status: 200) },
        beforeRead: @escaping @Sendable () async -> Void = {}
    ) {
        self.refusal = refusal
        self.beforeRead = beforeRead
        self.answer = answer
    }

    /// Answers nothing until it is cancelled.
    static func waiting() -> RecordingEgress {
        RecordingEgress { _ throws(EgressFailure) in
            try? await Task.sleep(for: .seconds(3600))
            throw EgressFailure(.cancelled, "cancelled", "cancelled")
        }
    }

    var requests: [(request: EgressRequest, caller: EgressCaller)] { state.withLock { $0.requests } }
    var cancelled: Int { state.withLock { $0.cancelled } }
    var closedStreams: Int { state.withLock { $0.closedStreams } }
    var forgotten: [String] { state.withLock { $0.forgotten } }

    func refusal(of request: EgressRequest, for caller: EgressCaller) -> EgressFailure? { refusal }

    func send(
        _ request: EgressRequest, for caller: EgressCaller
    ) async throws(EgressFailure) -> EgressResponse {
        state.withLock { $0.requests.append((request, caller)) }
        do throws(EgressFailure) {
            return try await answer(request)
        } catch {
            state.withLock { $0.cancelled += 1 }
            throw error
        }
    }

    func open(
        _ request: EgressRequest, for caller: EgressCaller
    ) async throws(EgressFailure) -> (EgressResponse, EgressStream) {
        var response = try await send(request, for: caller)
        let rest = Rest(response.body)
        response.body = []
        return (
            response,
            EgressStream(
                read: { [beforeRead] limit throws(EgressFailure) in
                    await beforeRead()
                    return rest.take(limit)
                },
                cancel: { [self] in state.withLock { $0.closedStreams += 1 } })
        )
    }

    func forget(_ scope: UserScope, plugin: String?) { state.withLock { $0.forgotten.append(plugin ?? "") } }

    private final class Rest: Sendable {
        private let bytes: Mutex<ArraySlice<UInt8>>

        init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes[...]) }

        func take(_ limit: Int) -> [UInt8] {
            bytes.withLock { bytes in
                defer { bytes = bytes.dropFirst(limit) }
                return Array(bytes.prefix(limit))
            }
        }
    }
}
