import CTandemPlugin
import TandemCore
import TandemJSON

/// `tandem.clock/1`: the host's clock and the person's zone, currency and language.
enum ClockExtension {
    static let table = StaticTable(
        tandem_clock(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_clock>.size), flags: 0), now_ms: clockNow,
            monotonic_ns: clockMonotonic, utc_offset_at: clockOffset, locale: clockLocale))

    static func person(of instance: PluginInstance) -> PersonContext {
        instance.scope.map { instance.plugin.services.person($0) } ?? PersonContext()
    }

    static func locale(of instance: PluginInstance) -> JSON {
        let person = person(of: instance)
        return [
            "timeZone": .string(person.timeZone), "currency": .string(person.currency),
            "language": .string(person.language),
        ]
    }
}

private func clockNow(_ host: UnsafePointer<tandem_host>) -> Int64 {
    (PluginInstance.of(host)?.plugin.services.clock ?? SystemClock()).now.millisecondsSinceEpoch
}

private func clockMonotonic(_ host: UnsafePointer<tandem_host>) -> UInt64 { monotonicNanoseconds() }

private func clockOffset(_ host: UnsafePointer<tandem_host>, _ instant: Int64) -> Int32 {
    PluginInstance.of(host).map { ClockExtension.person(of: $0).utcOffsetSeconds(instant) } ?? 0
}

private func clockLocale(
    _ host: UnsafePointer<tandem_host>, _ out: UnsafeMutablePointer<tandem_buffer>
) -> tandem_status {
    guard let instance = PluginInstance.of(host), UInt(bitPattern: out) != 0 else { return TANDEM_E_INVALID_ARGUMENT }
    out.pointee = HostBuffer.make(ClockExtension.locale(of: instance))
    return TANDEM_OK
}
