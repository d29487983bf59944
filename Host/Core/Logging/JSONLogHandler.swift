public import Logging

/// Writes one JSON object per line: `time`, `level`, `logger`, `message`, then `error` and `metadata` where present.
///
/// `metadata` is an object with dotted keys in byte order. Everything that looks like a secret or a person's address is
/// masked (`Redaction`), in the message as well; values under keys that name secrets or texts are never written. Text
/// longer than 2 KiB is cut. Control characters are escaped, so that a value cannot begin a line of its own.
public struct JSONLogHandler: LogHandler {
    static let longestText = 2048
    static let deepestMetadata = 6

    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let sink: any LogSink
    private let clock: any WallClock

    public init(
        label: String, level: Logger.Level = .info, sink: any LogSink = DescriptorLogSink(),
        clock: any WallClock = SystemClock(), metadataProvider: Logger.MetadataProvider? = nil
    ) {
        self.label = label
        self.logLevel = level
        self.sink = sink
        self.clock = clock
        self.metadataProvider = metadataProvider
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get(), !provided.isEmpty {
            merged.merge(provided) { _, new in new }
        }
        if let own = event.metadata, !own.isEmpty { merged.merge(own) { _, new in new } }

        var line = [UInt8]()
        line.reserveCapacity(384)
        line.append(contentsOf: "{\"time\":\"".utf8)
        line.append(contentsOf: clock.now.description.utf8)
        line.append(contentsOf: "\",\"level\":\"".utf8)
        line.append(contentsOf: event.level.rawValue.utf8)
        line.append(contentsOf: "\",\"logger\":".utf8)
        line.appendLogString(label, masked: false)
        line.append(contentsOf: ",\"message\":".utf8)
        line.appendLogString(event.message.description, masked: true)
        if let error = event.error {
            line.append(contentsOf: ",\"error\":".utf8)
            line.appendLogString("\(type(of: error)): \(error)", masked: true)
        }
        if !merged.isEmpty {
            line.append(contentsOf: ",\"metadata\":".utf8)
            line.appendLogMetadata(merged, depth: 0)
        }
        line.append(contentsOf: "}\n".utf8)
        sink.write(line)
    }
}

extension JSONLogHandler {
    /// Makes this the handler of every `Logger` of the process. To be called once, by the executable.
    ///
    /// - Parameter level: Loggers below it cost one comparison per call.
    public static func bootstrap(level: Logger.Level, sink: any LogSink = DescriptorLogSink()) {
        LoggingSystem.bootstrap(
            { label, provider in
                JSONLogHandler(label: label, level: level, sink: sink, metadataProvider: provider)
            }, metadataProvider: nil)
    }
}

extension [UInt8] {
    fileprivate mutating func appendLogMetadata(_ metadata: Logger.Metadata, depth: Int) {
        append(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            if !isFirst { append(UInt8(ascii: ",")) }
            isFirst = false
            appendLogString(key, masked: true)
            append(UInt8(ascii: ":"))
            if Redaction.isSensitive(key: key) {
                appendLogString(Redaction.hidden, masked: false)
            } else {
                appendLogValue(value, depth: depth + 1, key: key)
            }
        }
        append(UInt8(ascii: "}"))
    }

    private mutating func appendLogValue(_ value: Logger.MetadataValue, depth: Int, key: String) {
        if depth > JSONLogHandler.deepestMetadata {
            append(contentsOf: "\"...\"".utf8)
            return
        }
        switch value {
        case .string(let text):
            appendLogString(text, masked: !isPublicIdentifier(text, key: key))
        case .stringConvertible(let convertible):
            // Numbers keep their JSON type and are not searched for phone numbers: sizes and durations are long, too.
            switch convertible {
            case let number as Int: append(contentsOf: String(number).utf8)
            case let number as Int64: append(contentsOf: String(number).utf8)
            case let number as Int32: append(contentsOf: String(number).utf8)
            case let number as UInt64: append(contentsOf: String(number).utf8)
            case let number as UInt: append(contentsOf: String(number).utf8)
            case let number as Double where number.isFinite: append(contentsOf: String(number).utf8)
            case let truth as Bool: append(contentsOf: (truth ? "true" : "false").utf8)
            default:
                let text = convertible.description
                appendLogString(text, masked: !isPublicIdentifier(text, key: key))
            }
        case .dictionary(let dictionary):
            appendLogMetadata(dictionary, depth: depth)
        case .array(let values):
            append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { append(UInt8(ascii: ",")) }
                appendLogValue(value, depth: depth + 1, key: key)
            }
            append(UInt8(ascii: "]"))
        }
    }

    /// Trace ids and checksums are long hex by nature: they pass under keys that end in these names, if they are hex.
    private func isPublicIdentifier(_ text: String, key: String) -> Bool {
        guard
            key.hasSuffix("request.id") || key.hasSuffix("trace.id") || key.hasSuffix("span.id")
                || key.hasSuffix("sha256") || key.hasSuffix("checksum")
        else { return false }
        return text.utf8.count <= 64
            && text.utf8.allSatisfy { ($0 &- 48 < 10) || ($0 &- 97 < 6) || $0 == UInt8(ascii: "-") }
    }

    /// Appends a JSON string; masks it and cuts it at a character boundary first.
    fileprivate mutating func appendLogString(_ text: String, masked: Bool) {
        var text = text
        append(UInt8(ascii: "\""))
        text.withUTF8 { bytes in
            var end = Swift.min(bytes.count, JSONLogHandler.longestText)
            if end < bytes.count {
                while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            }
            let kept = UnsafeBufferPointer(rebasing: bytes[0..<end])
            if masked, Redaction.mayHoldSecret(kept) {
                var output = [UInt8]()
                output.reserveCapacity(kept.count)
                Redaction.append(kept, to: &output)
                output.withUnsafeBufferPointer { appendEscaped($0) }
            } else {
                appendEscaped(kept)
            }
            if end < bytes.count { append(contentsOf: "...".utf8) }
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func appendEscaped(_ bytes: UnsafeBufferPointer<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case UInt8(ascii: "\n"): append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\t"): append(contentsOf: "\\t".utf8)
            case 0..<0x20, 0x7F:
                append(contentsOf: "\\u00".utf8)
                append("0123456789abcdef".utf8.byte(at: Int(byte >> 4)))
                append("0123456789abcdef".utf8.byte(at: Int(byte & 15)))
            default: append(byte)
            }
        }
    }
}

extension String.UTF8View {
    fileprivate func byte(at offset: Int) -> UInt8 { self[index(startIndex, offsetBy: offset)] }
}
