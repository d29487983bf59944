/// Cuts a stream of server-sent events into their data (WHATWG HTML §9.2): lines may end with CR LF, LF or CR.
///
/// Names, ids and comments are dropped. An event that the end of the stream leaves open is given by `finish`, since some
/// services leave out the last empty line.
struct ServerSentEvents {
    /// A longer event is none of a language model's.
    static let longestEvent = 4 << 20

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var endedWithReturn = false

    /// The data of the events that these bytes complete; nil when one is too long.
    mutating func take(_ bytes: [UInt8]) -> [[UInt8]]? {
        var events: [[UInt8]] = []
        for byte in bytes {
            if endedWithReturn {
                endedWithReturn = false
                if byte == 0x0A { continue }
            }
            guard byte == 0x0A || byte == 0x0D else {
                line.append(byte)
                if line.count + data.count > Self.longestEvent { return nil }
                continue
            }
            endedWithReturn = byte == 0x0D
            if let event = endLine() { events.append(event) }
        }
        return events
    }

    /// At the end of the stream: the data of an event without its empty line.
    mutating func finish() -> [UInt8]? {
        if !line.isEmpty { _ = endLine() }
        return endLine()
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty {
            guard hasData else { return nil }
            defer {
                data = []
                hasData = false
            }
            return data
        }
        guard line.starts(with: [0x64, 0x61, 0x74, 0x61]) else { return nil }
        guard line.count > 4 else {
            append([])
            return nil
        }
        guard line[4] == 0x3A else { return nil }
        append(line.dropFirst(line.count > 5 && line[5] == 0x20 ? 6 : 5))
        return nil
    }

    private mutating func append(_ content: ArraySlice<UInt8>) {
        if hasData { data.append(0x0A) }
        data += content
        hasData = true
    }
}
