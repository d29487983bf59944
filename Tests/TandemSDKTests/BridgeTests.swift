import CTandemPlugin
@_spi(Testing) import TandemSDK
import TandemTesting
import Testing

/// The C tables that the SDK makes, seen from the host's side.
@Suite struct BridgeTests {
    private let bytes: [UInt8] = Array("{}".utf8)

    private func driver(_ services: HostServices = HostServices()) throws -> PluginDriver {
        let plugin = try #require(Shelf.entry(1, 0))
        let driver = try #require(PluginDriver(plugin: plugin, host: HostTable(services)))
        #expect(driver.activate() == 0)
        return driver
    }

    @Test func theEntryNegotiatesTheVersion() throws {
        #expect(Shelf.entry(2, 0) == nil)
        #expect(Shelf.entry(0, 9) == nil)
        let table = try #require(Shelf.entry(1, 7)?.assumingMemoryBound(to: tandem_plugin.self))
        #expect(Int(table.pointee.header.size) == MemoryLayout<tandem_plugin>.size)
        #expect(table.pointee.abi_major == 1)
        #expect(PluginDriver.manifest(of: table) == Shelf.definition.manifestBytes)
        #expect(Shelf.entry(1, 0) == UnsafeRawPointer(table))
        // One image is one plugin.
        #expect(Ledger.entry(1, 0) == nil)
    }

    @Test func aHostTableThatIsTooShortIsRefused() throws {
        let plugin = try #require(Shelf.entry(1, 0))
        #expect(PluginDriver(plugin: plugin, host: HostTable(HostServices(), size: 24)) == nil)
        #expect(PluginDriver(plugin: plugin, host: HostTable(HostServices(), size: 4096)) != nil)
    }

    @Test func invokeChecksWhatItIsGiven() async throws {
        let driver = try driver()
        #expect(await driver.invoke("shelf.nothing", bytes).status == TANDEM_E_UNSUPPORTED)
        #expect(await driver.invoke("shelf.later", [0xFF]).status == TANDEM_E_INVALID_ARGUMENT)
        #expect(await driver.invoke("shelf.later", Array("[]".utf8)).status == TANDEM_E_INVALID_ARGUMENT)
        #expect(await driver.invoke("shelf.later", []).status == TANDEM_E_INVALID_ARGUMENT)
        #expect(await driver.invoke("shelf.later", bytes, call: 0).status == TANDEM_E_INVALID_ARGUMENT)
        #expect(await driver.invoke("shelf.later", bytes, requestSize: 40).status == TANDEM_E_SIZE_TOO_SMALL)
        #expect(await driver.invoke("shelf.later", bytes, flags: 0x10000).status == TANDEM_E_UNSUPPORTED)
        // Unknown flags in the lower half and fields beyond the known ones are ignored.
        #expect(await driver.invoke("shelf.later", bytes, requestSize: 4096, flags: 1).kind == TANDEM_OUTCOME_ACCEPTED)
        #expect(driver.host.counts.completions == 1)
        #expect(driver.host.counts.staleCompletions == 0)
    }

    @Test func nothingIsAcceptedBeforeActivateOrAfterQuiesce() async throws {
        let plugin = try #require(Shelf.entry(1, 0))
        let driver = try #require(PluginDriver(plugin: plugin, host: HostTable(HostServices())))
        #expect(await driver.invoke("shelf.later", bytes).status == TANDEM_E_WRONG_STATE)
        #expect(driver.activate() == 0)
        #expect(driver.activate() == TANDEM_E_WRONG_STATE)
        #expect(driver.quiesce() == 0)
        #expect(await driver.invoke("shelf.later", bytes).status == TANDEM_E_WRONG_STATE)
    }

    @Test func argumentsThatDoNotDecodeAreAToolError() async throws {
        let outcome = await (try driver()).invoke("shelf.add", Array(#"{"items":[{"name":7}]}"#.utf8)).outcome
        #expect(outcome.error?.code == "invalid_arguments")
        #expect(outcome.message == "items[0].name: expected a name")
    }

    @Test(.timeLimit(.minutes(8))) func cancelEndsACallOnce() async throws {
        let driver = try driver()
        let call = PluginDriver.makeCallID()
        async let outcome = driver.invoke("shelf.slow", bytes, call: call)
        while driver.host.progressNotes.isEmpty { await Task.yield() }
        driver.cancel(call)
        driver.cancel(call, reason: 3)
        #expect(await outcome.status == TANDEM_E_CANCELLED)
        driver.cancel(call)
        driver.cancel(987_654)
        #expect(driver.host.counts.completions == 1)
        #expect(driver.host.counts.doubleCompletions == 0)
        #expect(driver.host.progressNotes[0].permille == 500)
    }

    @Test(.timeLimit(.minutes(8))) func aCallThatIsCancelledFromTheStartIsCompleted() async throws {
        let driver = try driver()
        let task = Task { await driver.invoke("shelf.slow", bytes) }
        task.cancel()
        #expect(await task.value.status == TANDEM_E_CANCELLED)
    }

    @Test(.timeLimit(.minutes(8))) func aLateCompletionIsStaleAndLeaksNothing() async throws {
        let driver = try driver()
        let call = PluginDriver.makeCallID()
        async let outcome = driver.invoke("shelf.slow", bytes, call: call)
        while driver.host.progressNotes.isEmpty { await Task.yield() }
        driver.host.giveUp(call)
        #expect(await outcome.status == TANDEM_E_DEADLINE_EXCEEDED)
        driver.cancel(call)
        #expect(await driver.drain())
        #expect(driver.host.counts.staleCompletions == 1)
        #expect(driver.host.counts.buffersReceived == driver.host.counts.buffersReleased)
    }

    @Test(.timeLimit(.minutes(8))) func tooManyCallsInFlightAreRefused() async throws {
        let driver = try driver()
        let outcomes = await withTaskGroup(of: WireOutcome.self) { group in
            for _ in 0..<12 { group.addTask { await driver.invoke("shelf.slow", self.bytes) } }
            var outcomes: [WireOutcome] = []
            for await outcome in group {
                outcomes.append(outcome)
                if outcomes.count == 4 { group.cancelAll() }
            }
            return outcomes
        }
        #expect(outcomes.prefix(4).allSatisfy { $0.status == TANDEM_E_BUSY })
        #expect(outcomes.dropFirst(4).allSatisfy { $0.status == TANDEM_E_CANCELLED })
        #expect(driver.host.counts.completions == 8)
    }

    @Test(.timeLimit(.minutes(8))) func quiesceWaitsForCallsInFlight() async throws {
        let driver = try driver()
        async let outcome = driver.invoke("shelf.slow", bytes)
        while driver.host.progressNotes.isEmpty { await Task.yield() }
        #expect(driver.quiesce() == TANDEM_E_BUSY)
        #expect(await driver.drain())
        #expect(await outcome.status == TANDEM_E_CANCELLED)
        driver.destroy()
        #expect(driver.activate() == TANDEM_E_WRONG_STATE)
    }

    @Test(.timeLimit(.minutes(8))) func destroyingUnderACallReachesTheHostNoMore() async throws {
        let driver = try driver()
        let call = PluginDriver.makeCallID()
        async let outcome = driver.invoke("shelf.slow", bytes, call: call)
        while driver.host.progressNotes.isEmpty { await Task.yield() }
        driver.destroy()
        driver.host.giveUp(call)
        #expect(await outcome.status == TANDEM_E_DEADLINE_EXCEEDED)
        #expect(driver.host.counts.completions == 0)
        // Other tests hold buffers for a moment; one that leaks would keep this from ever reaching 0.
        while PluginBridge.liveBufferCount != 0 { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test(.timeLimit(.minutes(8))) func manyCallsAtOnceCompleteOnceEach() async throws {
        let services = HostServices()
        try await withThrowingTaskGroup(of: HostCounts.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let plugin = try #require(Shelf.entry(1, 0))
                    let driver = try #require(PluginDriver(plugin: plugin, host: HostTable(services)))
                    driver.activate()
                    for index in 0..<200 {
                        let tool = index % 2 == 0 ? "shelf.later" : "shelf.speak"
                        #expect(await driver.invoke(tool, Array("{}".utf8)).status == 0)
                    }
                    #expect(await driver.drain())
                    return driver.host.counts
                }
            }
            for try await counts in group {
                #expect(counts.completions == 200)
                #expect(counts.doubleCompletions + counts.staleCompletions + counts.malformedOutcomes == 0)
                #expect(counts.buffersReceived == counts.buffersReleased)
            }
        }
    }

    @Test func extensionsThatAreMissingAreNotGranted() async throws {
        let driver = try driver()
        let arguments = Array(#"{"items":[{"name":"x"}]}"#.utf8)
        #expect(await driver.invoke("shelf.add", arguments).status == TANDEM_E_NOT_GRANTED)
        #expect(driver.pluginExtension("tandem.future/1") == nil)
    }

    @Test func aToolThatNeverSuspendsEndsBeforeInvokeReturns() async throws {
        let driver = try driver()
        let call = PluginDriver.makeCallID()
        // Nothing else runs between the start and the look at the counts: `completed` is set by invoke itself.
        var completed = 0
        let outcome = await driver.host.outcome(of: call) {
            let status = driver.submit("shelf.bare", Array(#"{"n":1}"#.utf8), call: call)
            completed = driver.host.counts.completions
            return status
        }
        #expect(completed == 1)
        #expect(outcome.outcome.value == ["doubled": 2])
    }

    @Test(.timeLimit(.minutes(8))) func instancesAndBuffersAreFreed() async throws {
        weak var table: HostTable?
        do {
            let driver = try driver()
            table = driver.host
            for _ in 0..<50 { _ = await driver.invoke("shelf.speak", bytes) }
            #expect(await driver.drain())
        }
        #expect(table == nil)
    }
}
