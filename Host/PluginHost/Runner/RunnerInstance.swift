import CRunner
import CTandemPlugin
import Glibc
import Synchronization
import TandemCore
import TandemJSON

/// An instance that lives in a runner, as the table that a mapped library would have given: its functions write frames.
final class RunnerInstance: @unchecked Sendable {
    // `table` is written by `present` before anybody else sees it; `host` and `owner` are constant.
    let process: RunnerProcess
    let number: UInt32
    /// The table that an in-process plugin would have: what comes from the runner is called on it.
    let host: UnsafePointer<tandem_host>
    let owner: PluginInstance
    /// What the runner found of extensions of the plugin's own, as bits of their numbers.
    private(set) var pluginExtensions: UInt64 = 0
    private var table: UnsafeMutableRawPointer?
    private let pushed: Mutex<Pushed>

    private struct Pushed {
        var person: PersonContext
        var offset: OffsetInterval
    }

    private init(process: RunnerProcess, number: UInt32, host: UnsafePointer<tandem_host>, owner: PluginInstance) {
        self.process = process
        self.number = number
        self.host = host
        self.owner = owner
        let person = ClockExtension.person(of: owner)
        let now = owner.plugin.services.clock.now.millisecondsSinceEpoch
        pushed = Mutex(Pushed(person: person, offset: OffsetInterval(around: now, person.utcOffsetSeconds)))
    }

    deinit { table?.deallocate() }

    /// `tandem_plugin.create` for a plugin in a runner; starts the runner when there is none. Blocks.
    static func create(
        for owner: PluginInstance, host: UnsafePointer<tandem_host>,
        into out: UnsafeMutablePointer<UnsafeMutablePointer<tandem_instance>?>
    ) -> tandem_status {
        guard let link = owner.plugin.link else { return TANDEM_E_INTERNAL }
        guard let instance = place(owner, host, in: link) else { return TANDEM_E_UNAVAILABLE }
        let process = instance.process
        let settings = owner.settings
        let locale = ClockExtension.locale(of: owner).serialized()
        var head = tandem_frame_create()
        head.extensions = RunnerStubs.granted(to: host)
        head.config_generation = settings.generation
        head.config_length = UInt64(settings.bytes.count)
        head.person = instance.personFrame(localeLength: locale.count)
        let headSize = MemoryLayout<tandem_frame_create>.size
        let answer = process.ask(
            TANDEM_F_CREATE, instance: instance.number, within: link.configuration.answerTimeout,
            length: headSize + locale.count + settings.bytes.count
        ) { place in
            place.storeBytes(of: head, as: tandem_frame_create.self)
            locale.withUnsafeBytes { Self.copy($0, to: place + headSize) }
            settings.bytes.withUnsafeBytes { Self.copy($0, to: place + headSize + locale.count) }
        }
        guard let answer else {
            process.remove(instance)
            process.kill("create did not return within \(link.configuration.answerTimeout)")
            return TANDEM_E_DEADLINE_EXCEEDED
        }
        let status = Int32(bitPattern: answer.code)
        guard answer.kind == UInt16(TANDEM_F_DONE), status == TANDEM_OK else {
            process.remove(instance)
            return answer.kind == UInt16(TANDEM_F_DONE)
                ? (status < 0 ? status : TANDEM_E_INTERNAL) : TANDEM_E_UNAVAILABLE
        }
        let created = answer.bytes.withUnsafeBytes { bytes in
            var reader = FrameReader(bytes)
            return reader.structure(tandem_frame_created.self)
        }
        guard let created, created.facts & TANDEM_TABLE_PRESENT != 0 else {
            process.remove(instance)
            return TANDEM_OK
        }
        out.pointee = instance.present(created)
        if created.functions & 31 != 31 || created.size < UInt32(MemoryLayout<tandem_instance>.size) {
            // Refused by whoever looks at the table: there will be no destroy.
            process.remove(instance)
        } else {
            owner.attach(instance)
        }
        return TANDEM_OK
    }

    /// In the process of its person.
    private static func place(
        _ owner: PluginInstance, _ host: UnsafePointer<tandem_host>, in link: RunnerLink
    ) -> RunnerInstance? {
        // A process may be about to end at the very moment when it is looked up.
        for _ in 0..<3 {
            guard case .success(let process) = link.process(for: owner.scope) else { return nil }
            let instance = process.add { RunnerInstance(process: process, number: $0, host: host, owner: owner) }
            if let instance { return instance }
        }
        return nil
    }

    /// The table with the plugin's own size, flags and gaps, so that the host's checks see what they would see in process.
    private func present(_ created: tandem_frame_created) -> UnsafeMutablePointer<tandem_instance> {
        let size = MemoryLayout<tandem_instance>.size
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 8, alignment: 16)
        table = memory
        pluginExtensions = created.extensions
        guard created.facts & TANDEM_TABLE_ALIGNED != 0 else {
            return (memory + 1).assumingMemoryBound(to: tandem_instance.self)
        }
        let instance = memory.bindMemory(to: tandem_instance.self, capacity: 1)
        instance.initialize(to: tandem_instance())
        instance.pointee.header = tandem_header(size: created.size, flags: created.flags)
        let has = created.functions
        if has & 1 != 0 { instance.pointee.activate = runnerActivate }
        if has & 2 != 0 { instance.pointee.invoke = runnerInvoke }
        if has & 4 != 0 { instance.pointee.cancel = runnerCancel }
        if has & 8 != 0 { instance.pointee.quiesce = runnerQuiesce }
        if has & 16 != 0 { instance.pointee.destroy = runnerDestroy }
        if has & 32 != 0 { instance.pointee.get_extension = runnerGetExtension }
        // Given back by destroy, which is not called on a table that is not whole.
        if created.functions & 31 == 31, created.size >= UInt32(size) {
            instance.pointee.context = Unmanaged.passRetained(self).toOpaque()
        }
        return instance
    }

    fileprivate static func copy(_ bytes: UnsafeRawBufferPointer, to place: UnsafeMutableRawPointer) {
        if let base = bytes.baseAddress { place.copyMemory(from: base, byteCount: bytes.count) }
    }

    // MARK: To the runner

    fileprivate func ask(_ kind: UInt32, _ name: String) -> tandem_status {
        let limit = process.link.configuration.answerTimeout
        guard let answer = process.ask(kind, instance: number, within: limit) else {
            process.kill("\(name) did not return within \(limit)")
            return TANDEM_E_DEADLINE_EXCEEDED
        }
        guard answer.kind == UInt16(TANDEM_F_DONE) else { return TANDEM_E_UNAVAILABLE }
        return Int32(bitPattern: answer.code)
    }

    /// - Parameter code: the plugin-side extension whose function is meant, or 0.
    fileprivate func invoke(_ request: tandem_request, code: UInt32 = 0) -> tandem_status {
        pushPersonIfChanged()
        var head = tandem_frame_invoke()
        head.deadline_ns = request.deadline_ns
        head.now_ms = ownClock
        let slices = (
            request.tool, request.arguments, request.trace_parent, request.idempotency_key, request.resume_state,
            request.answers
        )
        head.tool_length = UInt32(clamping: slices.0.len)
        head.arguments_length = UInt32(clamping: slices.1.len)
        head.trace_length = UInt32(clamping: slices.2.len)
        head.key_length = UInt32(clamping: slices.3.len)
        head.resume_length = UInt32(clamping: slices.4.len)
        head.answers_length = UInt32(clamping: slices.5.len)
        let headSize = MemoryLayout<tandem_frame_invoke>.size
        let length = slices.0.len + slices.1.len + slices.2.len + slices.3.len + slices.4.len + slices.5.len
        guard length < UInt64(RunnerFrame.maxLength - headSize) else { return TANDEM_E_TOO_LARGE }
        process.owed.calls.wrappingAdd(1, ordering: .releasing)
        let sent = process.send(
            TANDEM_F_INVOKE, instance: number, code: code, id: request.call, length: headSize + Int(length)
        ) {
            var place = $0
            place.storeBytes(of: head, as: tandem_frame_invoke.self)
            place += headSize
            func put(_ slice: tandem_slice) {
                if let bytes = slice.ptr { place.copyMemory(from: bytes, byteCount: Int(slice.len)) }
                place += Int(slice.len)
            }
            put(slices.0)
            put(slices.1)
            put(slices.2)
            put(slices.3)
            put(slices.4)
            put(slices.5)
        }
        switch sent {
        case .sent: return TANDEM_OK
        case .full: return TANDEM_E_BUSY
        case .gone: return TANDEM_E_UNAVAILABLE
        }
    }

    fileprivate func cancel(_ call: UInt64, reason: UInt32) {
        process.send(TANDEM_F_CANCEL, instance: number, code: reason, id: call, isUrgent: true)
    }

    /// The host has given up on a call.
    func forget(_ call: UInt64) { process.send(TANDEM_F_FORGET, instance: number, id: call, isUrgent: true) }

    func push(settings: [UInt8], generation: UInt64) {
        process.send(TANDEM_F_CONFIG, instance: number, id: generation, length: settings.count, isUrgent: true) {
            place in
            settings.withUnsafeBytes { Self.copy($0, to: place) }
        }
    }

    func revoke() { process.send(TANDEM_F_REVOKE, instance: number, isUrgent: true) }

    // MARK: The person's clock

    /// The time of a clock that is not the system's; the runner reads the latter by itself.
    private var ownClock: Int64 {
        let clock = owner.plugin.services.clock
        return clock is SystemClock ? .min : clock.now.millisecondsSinceEpoch
    }

    private func personFrame(localeLength: Int) -> tandem_frame_person {
        let offset = pushed.withLock { $0.offset }
        return tandem_frame_person(
            now_ms: ownClock, offset_from_ms: offset.from, offset_until_ms: offset.until,
            offset_seconds: offset.seconds, locale_length: UInt32(localeLength))
    }

    private func pushPersonIfChanged() {
        let person = ClockExtension.person(of: owner)
        let now = owner.plugin.services.clock.now.millisecondsSinceEpoch
        let isSame = pushed.withLock { pushed in
            let old = pushed.person
            let isSame =
                old.timeZone == person.timeZone && old.currency == person.currency && old.language == person.language
            if !isSame {
                pushed = Pushed(person: person, offset: OffsetInterval(around: now, person.utcOffsetSeconds))
            }
            return isSame
        }
        guard !isSame else { return }
        let locale = ClockExtension.locale(of: owner).serialized()
        let head = personFrame(localeLength: locale.count)
        let headSize = MemoryLayout<tandem_frame_person>.size
        process.send(TANDEM_F_PERSON, instance: number, length: headSize + locale.count, isUrgent: true) { place in
            place.storeBytes(of: head, as: tandem_frame_person.self)
            locale.withUnsafeBytes { Self.copy($0, to: place + headSize) }
        }
    }

    // MARK: From the runner, on the loop's thread

    /// What the host's table says to it; nil when the payload is not whole.
    func complete(_ call: UInt64, _ payload: UnsafeRawBufferPointer) -> tandem_status? {
        var reader = FrameReader(payload)
        guard let head = reader.structure(tandem_frame_outcome.self) else { return nil }
        guard head.size > 0 else { return host.pointee.complete(host, call, nil) }
        var outcome = tandem_outcome()
        outcome.header = tandem_header(size: head.size, flags: head.flags)
        outcome.kind = head.kind
        outcome.status = head.status
        outcome.trust = head.trust
        outcome.reserved = head.reserved
        outcome.retry_after_ms = head.retry_after_ms
        func buffer(_ length: UInt64, _ bit: UInt32) -> tandem_buffer {
            // Null, or so long that it is refused unseen.
            if head.withheld & bit != 0 { return tandem_buffer(ptr: nil, len: length, owner: nil, release: nil) }
            let bytes = reader.slice(length)
            return tandem_buffer(
                ptr: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), len: UInt64(bytes.count), owner: nil,
                release: nil)
        }
        outcome.value = buffer(head.lengths.0, 1)
        outcome.message = buffer(head.lengths.1, 2)
        outcome.shown = buffer(head.lengths.2, 4)
        outcome.resume_state = buffer(head.lengths.3, 8)
        guard reader.isIntact else { return nil }
        return host.pointee.complete(host, call, &outcome)
    }

    /// `invoke` returned something else than OK, or took its time. False when no call in flight is meant.
    func returned(_ id: UInt64, status: tandem_status, duration: UInt64) -> Bool {
        if duration > Watchdog.budgetNanoseconds {
            owner.noteOverrun("invoke", duration, used: 0, isBlamed: duration > Watchdog.blameNanoseconds)
        }
        guard case .inFlight(let call) = CallTable.shared.lookup(id), call.instance === owner else { return false }
        guard status != TANDEM_OK else { return true }
        owner.plugin.meters.count(\.refusals)
        call.giveUp(.failure(CallFailure.refused(owner.plugin.name, status: status)))
        return true
    }

    /// The plugin completed a call again, too late, or one that is not its own: `status` is what the runner answered.
    func completedLate(_ call: UInt64, status: tandem_status) {
        HostTable.countLate(call, of: owner, runnerStatus: status)
    }

    func progress(_ call: UInt64, permille: Int32, _ note: UnsafeRawBufferPointer) {
        let slice = tandem_slice(ptr: note.baseAddress?.assumingMemoryBound(to: UInt8.self), len: UInt64(note.count))
        _ = host.pointee.progress(host, call, permille, slice)
    }
}

// MARK: The functions of the table

private func runner(_ instance: UnsafeMutablePointer<tandem_instance>) -> RunnerInstance? {
    instance.pointee.context.map { Unmanaged<RunnerInstance>.fromOpaque($0).takeUnretainedValue() }
}

private func runnerActivate(_ instance: UnsafeMutablePointer<tandem_instance>) -> tandem_status {
    runner(instance)?.ask(TANDEM_F_ACTIVATE, "activate") ?? TANDEM_E_INTERNAL
}

private func runnerInvoke(
    _ instance: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> tandem_status { runner(instance)?.invoke(request.pointee) ?? TANDEM_E_INTERNAL }

private func runnerCancel(
    _ instance: UnsafeMutablePointer<tandem_instance>, _ call: tandem_call_id, _ reason: UInt32
) { runner(instance)?.cancel(call, reason: reason) }

/// A plugin that is gone is quiet.
private func runnerQuiesce(_ instance: UnsafeMutablePointer<tandem_instance>) -> tandem_status {
    let status = runner(instance)?.ask(TANDEM_F_QUIESCE, "quiesce") ?? TANDEM_OK
    return status == TANDEM_E_UNAVAILABLE || status == TANDEM_E_DEADLINE_EXCEEDED ? TANDEM_OK : status
}

private func runnerDestroy(_ instance: UnsafeMutablePointer<tandem_instance>) {
    guard let context = instance.pointee.context else { return }
    instance.pointee.context = nil
    let runner = Unmanaged<RunnerInstance>.fromOpaque(context).takeRetainedValue()
    _ = runner.ask(TANDEM_F_DESTROY, "destroy")
    runner.owner.detach()
    runner.process.remove(runner)
}

private func runnerGetExtension(
    _ instance: UnsafeMutablePointer<tandem_instance>, _ id: UnsafePointer<CChar>
) -> UnsafeRawPointer? { runner(instance).flatMap { RunnerConsultations.table(String(cString: id), of: $0) } }

/// The plugin-side extensions of instances in runners. All have the form of `tandem_health`: a header and one function.
private enum RunnerConsultations {
    private static let tables: [(id: String, number: UInt32, table: StaticTable<tandem_health>)] = [
        (TANDEM_EXT_HEALTH, TANDEM_P_HEALTH, table(runnerHealth)),
        (TANDEM_EXT_CONFIG_CHECK, TANDEM_P_CONFIG_CHECK, table(runnerConfigCheck)),
        (TANDEM_EXT_MIGRATE, TANDEM_P_MIGRATE, table(runnerMigrate)),
        (TANDEM_EXT_DIAGNOSTICS, TANDEM_P_DIAGNOSTICS, table(runnerDiagnostics)),
    ]

    private static func table(_ function: @escaping RequestFunction) -> StaticTable<tandem_health> {
        StaticTable(
            tandem_health(
                header: tandem_header(size: UInt32(MemoryLayout<tandem_health>.size), flags: 0), check: function))
    }

    static func table(_ id: String, of instance: RunnerInstance) -> UnsafeRawPointer? {
        guard let found = tables.first(where: { $0.id == id }),
            instance.pluginExtensions & 1 << UInt64(found.number) != 0
        else { return nil }
        return UnsafeRawPointer(found.table.pointer)
    }
}

private func runnerHealth(
    _ instance: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> tandem_status { runner(instance)?.invoke(request.pointee, code: TANDEM_P_HEALTH) ?? TANDEM_E_INTERNAL }

private func runnerConfigCheck(
    _ instance: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> tandem_status { runner(instance)?.invoke(request.pointee, code: TANDEM_P_CONFIG_CHECK) ?? TANDEM_E_INTERNAL }

private func runnerMigrate(
    _ instance: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> tandem_status { runner(instance)?.invoke(request.pointee, code: TANDEM_P_MIGRATE) ?? TANDEM_E_INTERNAL }

private func runnerDiagnostics(
    _ instance: UnsafeMutablePointer<tandem_instance>, _ request: UnsafePointer<tandem_request>
) -> tandem_status { runner(instance)?.invoke(request.pointee, code: TANDEM_P_DIAGNOSTICS) ?? TANDEM_E_INTERNAL }

/// The time around an instant for which an offset to UTC holds.
struct OffsetInterval: Sendable, Hashable {
    var from: Int64
    var until: Int64
    var seconds: Int32

    /// Looks a year to both sides, in steps shorter than any time zone has changed back again.
    init(around instant: Int64, _ offset: (Int64) -> Int32) {
        seconds = offset(instant)
        let value = seconds
        func edge(_ direction: Int64) -> Int64 {
            let step: Int64 = 7 * 86_400_000 * direction
            var same = instant
            for _ in 0..<52 {
                let next = same + step
                if offset(next) == value {
                    same = next
                    continue
                }
                // The offset is `value` at `same` and another at `other`: to the millisecond.
                var other = next
                while abs(other - same) > 1 {
                    let middle = same + (other - same) / 2
                    if offset(middle) == value { same = middle } else { other = middle }
                }
                return direction > 0 ? other : same
            }
            return same
        }
        from = edge(-1)
        until = edge(1)
        if until <= instant { until = instant + 1 }
    }
}
