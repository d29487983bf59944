import CTandemPlugin
import Logging
import Synchronization
import TandemCore
import TandemJSON

/// `tandem.log/1`: lines in the host's log, with the plugin, its version, a pseudonym of the person and the call.
enum LogExtension {
    static let table = StaticTable(
        tandem_log(header: tandem_header(size: UInt32(MemoryLayout<tandem_log>.size), flags: 0), write: logWrite))

    static let maxLineBytes = 4096
}

/// At most 100 lines a second: as many at once after a quiet second, then evenly, so that who never stops costs nobody a
/// burst each second.
final class LogGate: Sendable {
    private static let price: UInt64 = 10_000_000
    private static let burst: UInt64 = 1_000_000_000

    /// The instant until which lines are paid for.
    private let paidUntil = Mutex<UInt64>(0)

    func admits(now: UInt64) -> Bool {
        paidUntil.withLock { paidUntil in
            let next = max(paidUntil, now > Self.burst ? now - Self.burst : 0) + Self.price
            guard next <= now else { return false }
            paidUntil = next
            return true
        }
    }
}

private func logWrite(
    _ host: UnsafePointer<tandem_host>, _ level: UInt32, _ call: tandem_call_id, _ message: tandem_slice,
    _ fields: tandem_slice
) -> tandem_status {
    guard let instance = PluginInstance.of(host) else { return TANDEM_E_INVALID_ARGUMENT }
    let permission = instance.permission(for: .log)
    // A revoked grant silences the log no less than it ends the rest; the trial instance has none.
    guard permission == TANDEM_OK else { return permission }
    let logLevel: Logger.Level
    switch level {
    case TANDEM_LOG_DEBUG: logLevel = .debug
    case TANDEM_LOG_INFO: logLevel = .info
    case TANDEM_LOG_WARNING: logLevel = .warning
    case TANDEM_LOG_ERROR, TANDEM_LOG_HOST_MISBEHAVING: logLevel = .error
    default: return TANDEM_E_INVALID_ARGUMENT
    }
    let plugin = instance.plugin
    guard instance.logGate.admits(now: monotonicNanoseconds()) else {
        plugin.meters.count(\.logLinesDropped)
        return TANDEM_OK
    }
    guard let messageBytes = message.bytes, let fieldBytes = fields.bytes else { return TANDEM_E_INVALID_ARGUMENT }
    guard let text = LogLine.text(messageBytes) else { return TANDEM_E_INVALID_ARGUMENT }
    var metadata: Logger.Metadata = [:]
    if !fieldBytes.isEmpty {
        if fieldBytes.count > LogExtension.maxLineBytes {
            metadata["plugin.fields"] = "too long"
        } else {
            guard case .object(let object)? = try? JSON(parsing: fieldBytes) else { return TANDEM_E_INVALID_ARGUMENT }
            for (key, value) in object {
                metadata["plugin.field.\(PlainText.sanitized(key))"] = "\(value.stringValue ?? value.text)"
            }
        }
    }
    guard plugin.logger.logLevel <= logLevel else { return TANDEM_OK }
    if let scope = instance.scope { metadata["person"] = "\(plugin.services.pseudonym(scope))" }
    if call != 0 { metadata["plugin.call"] = "\(call)" }
    if level == TANDEM_LOG_HOST_MISBEHAVING { metadata["plugin.blames_host"] = "true" }
    plugin.meters.count(\.logLines)
    plugin.logger.log(level: logLevel, "\(text)", metadata: metadata)
    return TANDEM_OK
}

private enum LogLine {
    /// One line, cut to 4 KiB at a character; nil for invalid UTF-8.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard !bytes.isEmpty else { return "" }
        var end = min(bytes.count, LogExtension.maxLineBytes)
        if end < bytes.count {
            while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        }
        guard let text = PlainText.sanitized(UnsafeRawBufferPointer(rebasing: bytes[..<end])) else { return nil }
        return text.utf8.contains(0x0A) ? String(text.map { $0 == "\n" ? " " : $0 }) : text
    }
}
