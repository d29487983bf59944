import CTandemPlugin
import Logging
import Synchronization
public import TandemCore
public import TandemJSON

extension PluginHost {
    /// The tools of the plugins that are on for this person, as far as their approval goes. Throws what the store of
    /// grants throws.
    public func tools(for scope: UserScope) async throws -> [ToolDefinition] {
        try await resolvedGrants(of: scope).tools
    }

    public func refusal(of arguments: JSON, tool: String) -> ToolFailure? {
        guard let reference = catalogue.tools[tool], !reference.tool.parameters.isValid(arguments) else { return nil }
        reference.plugin.meters.count(\.invalidArguments)
        return CallFailure.invalidArguments(reference.tool.parameters.validate(arguments).first)
    }

    /// Calls a plugin's tool: grants, arguments, instance, the call itself, the result. See `ToolProvider`.
    ///
    /// A tool that has always returned quickly is called on the caller's thread, unless its instance is busy; everything
    /// else runs on the host's own threads.
    public func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        let set = catalogue
        guard let reference = set.tools[call.tool] else { return .failure(CallFailure.unknownTool()) }
        let plugin = reference.plugin
        var now = monotonicNanoseconds()
        let grants: ResolvedGrants
        if let cached = freshGrants(of: scope, for: set, now: now) {
            grants = cached
        } else {
            do {
                grants = try await resolvedGrants(of: scope)
            } catch {
                return .failure(CallFailure.storage(plugin.name))
            }
            now = monotonicNanoseconds()
        }
        guard grants.set === set, let granted = grants.access[reference.index] else {
            // The set may have been replaced meanwhile: look again in the one that the grants are for.
            if grants.set !== set, grants.set === catalogue { return await self.call(call, in: scope) }
            return .failure(CallFailure.notEnabled(plugin.name))
        }
        let tool = reference.tool
        switch granted.access(to: tool.definition) {
        case .allowed, .confirm: break
        case .readOnly: return .failure(CallFailure.readOnly(plugin.name))
        case .off: return .failure(CallFailure.toolOff(plugin.name, tool.definition.title))
        case .offered: return .failure(CallFailure.notApproved(plugin.name, tool.definition.title))
        }
        guard tool.parameters.isValid(call.arguments) else {
            plugin.meters.count(\.invalidArguments)
            return .failure(CallFailure.invalidArguments(tool.parameters.validate(call.arguments).first))
        }
        let limit = now &+ UInt64(tool.definition.timeoutMilliseconds) &* 1_000_000
        let deadline = min(call.deadlineNanoseconds, limit)
        guard now < deadline else {
            plugin.meters.count(\.deadlines)
            return .failure(CallFailure.deadline(plugin.name))
        }
        if Task.isCancelled { return .failure(CallFailure.cancelled()) }
        let instance: PluginInstance
        if let ready = plugin.readyInstance(for: scope, withholding: granted.withheld, now: now) {
            instance = ready
        } else {
            switch await plugin.instance(for: scope, withholding: granted.withheld, deadline: deadline) {
            case .success(let made): instance = made
            case .failure(let failure):
                // Another version has taken over meanwhile: the call is its to answer.
                if catalogue !== set, catalogue.tools[call.tool] != nil { return await self.call(call, in: scope) }
                return .failure(failure)
            }
            now = monotonicNanoseconds()
        }
        let mayWrite = tool.definition.effect != .read && call.allowedEffect != .read
        return await make(
            call, of: tool, on: instance, in: scope, until: deadline, mayWrite: mayWrite, since: now, function: nil)
    }

    /// Makes a call on an instance that was counted in for it, and counts it out.
    ///
    /// - Parameter function: what is called instead of `invoke`: a function of a plugin-side extension.
    func make(
        _ call: ToolCall, of tool: CallableTool, on instance: PluginInstance, in scope: UserScope,
        until deadline: UInt64, mayWrite: Bool, isHandler: Bool = false, since now: UInt64,
        function: RequestFunction?
    ) async -> ToolOutcome {
        let plugin = instance.plugin
        let registered = CallTable.shared.register { id in
            PendingCall(
                id: id, instance: instance, tool: tool, scope: scope, call: call, deadline: deadline,
                mayWrite: mayWrite, isHandler: isHandler)
        }
        guard let pending = registered else {
            instance.endCall(now: now)
            return .failure(CallFailure.busy(plugin.name))
        }
        var ended = now
        let outcome = await perform(
            pending, call: call, plugin: plugin, since: now, function: function, ended: &ended)
        let wasCompleted = pending.wasCompleted
        if !wasCompleted { instance.forget(pending.id) }
        CallTable.shared.release(pending.id, wasCompleted: wasCompleted)
        // After this nothing is written in the call's name any more.
        if let services = pending.remainingServices() { await services.value() }
        instance.endCall(now: ended)
        return checked(outcome, of: tool, plugin: plugin)
    }

    /// - Parameters:
    ///   - started: when the call came; spares a look at the clock on the direct way.
    ///   - ended: set to when it was over.
    private func perform(
        _ pending: PendingCall, call: ToolCall, plugin: LoadedPlugin, since started: UInt64,
        function: RequestFunction?, ended: inout UInt64
    ) async -> ToolOutcome {
        let instance = pending.instance
        let arguments = call.arguments.serialized()
        let answers = call.answers?.serialized() ?? []
        let process = instance.process
        process?.openCalls.wrappingAdd(1, ordering: .relaxed)
        defer { process?.openCalls.wrappingSubtract(1, ordering: .relaxed) }
        if pending.tool.isDirect, instance.lane.tryEnter() {
            let isReader = pending.tool.answersQuickly && process?.beginOwnReading() == true
            let status = instance.invoke(
                pending, arguments: arguments, resume: call.resumeState, answers: answers, since: started,
                function: function, metersProcessor: false, ended: &ended)
            instance.lane.leave()
            Self.noteReturn(status, of: pending, plugin: plugin, isDirect: true)
            if isReader, process?.readOwn(pending, since: ended) == false {
                pending.tool.noteAnswer(afterNanoseconds: .max)
            }
            if let outcome = pending.takeOutcome() {
                if isReader { ended = monotonicNanoseconds() }
                return outcome
            }
        } else {
            let resume = call.resumeState
            instance.lane.submit {
                // Given up while it waited for its turn: the plugin never hears of it.
                guard pending.isInFlight else { return }
                var returned: UInt64 = 0
                let status = instance.invoke(
                    pending, arguments: arguments, resume: resume, answers: answers, since: monotonicNanoseconds(),
                    function: function, metersProcessor: true, ended: &returned)
                Self.noteReturn(status, of: pending, plugin: plugin, isDirect: false)
            }
        }
        let outcome = await ending(of: pending, plugin: plugin)
        ended = monotonicNanoseconds()
        if process != nil { pending.tool.noteAnswer(afterNanoseconds: ended &- started) }
        return outcome
    }

    private static func noteReturn(
        _ status: tandem_status, of pending: PendingCall, plugin: LoadedPlugin, isDirect: Bool
    ) {
        plugin.meters.countInvoke(isDirect: isDirect)
        guard status != TANDEM_OK else { return }
        plugin.meters.count(\.refusals)
        let isGone = status == TANDEM_E_UNAVAILABLE && plugin.link != nil
        if isGone {
            // The process ended at a moment when nobody knew of the instance.
            plugin.remove(pending.instance)
            pending.instance.close()
        }
        pending.giveUp(.failure(isGone ? plugin.unavailable : CallFailure.refused(plugin.name, status: status)))
    }

    /// Waits for the completion, the deadline or the cancellation.
    private func ending(of pending: PendingCall, plugin: LoadedPlugin) async -> ToolOutcome {
        let id = pending.id
        let name = plugin.name
        let deadline = pending.deadline
        let lead = configuration.cancelLead.nanoseconds
        let warning = deadline > lead ? deadline - lead : 0
        if warning > monotonicNanoseconds() {
            DeadlineTimer.shared.schedule(at: warning, for: id) {
                Self.endAtDeadline(id, deadline, name)
                guard case .inFlight(let call) = CallTable.shared.lookup(id), call.isInFlight else { return }
                if call.markCancelled() { call.instance.cancel(id, reason: TANDEM_CANCEL_DEADLINE) }
            }
        } else {
            Self.endAtDeadline(id, deadline, name)
        }
        let grace = configuration.cancelGrace.nanoseconds
        return await withTaskCancellationHandler {
            await pending.outcome()
        } onCancel: {
            guard case .inFlight(let call) = CallTable.shared.lookup(id), call.isInFlight, call.markCancelled() else {
                return
            }
            call.instance.plugin.meters.count(\.cancellations)
            call.instance.cancel(id, reason: TANDEM_CANCEL_USER)
            DeadlineTimer.shared.schedule(at: monotonicNanoseconds() + grace) {
                guard case .inFlight(let call) = CallTable.shared.lookup(id) else { return }
                call.giveUp(.failure(CallFailure.cancelled()))
            }
        }
    }

    private static func endAtDeadline(_ id: UInt64, _ deadline: UInt64, _ name: String) {
        DeadlineTimer.shared.schedule(at: deadline, for: id) {
            guard case .inFlight(let call) = CallTable.shared.lookup(id) else { return }
            let plugin = call.instance.plugin
            let isOver = call.giveUp(.failure(CallFailure.deadline(name))) {
                plugin.report("a plugin call was given up at its deadline", count: plugin.meters.count(\.deadlines))
            }
            guard isOver else { return }
            if call.markCancelled() { call.instance.cancel(id, reason: TANDEM_CANCEL_DEADLINE) }
        }
    }

    private func checked(_ outcome: ToolOutcome, of tool: CallableTool, plugin: LoadedPlugin) -> ToolOutcome {
        guard case .value(let value) = outcome else {
            plugin.meters.count(\.failures)
            return outcome
        }
        if let result = tool.result, !result.isValid(value.value) {
            let count = plugin.meters.count(\.invalidResults)
            let violation = result.validate(value.value).first
            plugin.report(
                "a plugin's result does not match its schema", count: count,
                [
                    "plugin.tool": "\(tool.definition.id)",
                    "reason": "\(violation.map { "\($0.instanceLocation): \($0.message)" } ?? "")",
                ])
            return .failure(CallFailure.misbehaved(plugin.name))
        }
        plugin.meters.countValue()
        return outcome
    }

    /// Whether the person could use a tool now, from what is in memory: for `tandem.tools/1`.
    ///
    /// Asked within a call, so the person's grants were read a moment ago. A change or a reload since then is judged when
    /// the tool is called.
    func canUse(_ tool: String, in scope: UserScope) -> Bool {
        guard catalogue.tools[tool] != nil else { return services.isHostTool(tool) }
        guard let grants = cache.lastKnown(of: scope), let reference = grants.set.tools[tool],
            let granted = grants.access[reference.index]
        else { return false }
        // What asks the person first cannot be had in passing.
        return granted.access(to: reference.tool.definition) == .allowed
    }
}
