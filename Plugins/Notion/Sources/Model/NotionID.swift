import TandemSDK

/// The id of a page, block, database or data source: a UUID, written with hyphens.
public struct NotionID: Sendable, Hashable, CustomStringConvertible {
    public let description: String

    /// With or without hyphens, in any case; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for byte in text.utf8 where byte != UInt8(ascii: "-") {
            let lower = byte &- 65 < 6 ? byte | 0x20 : byte
            guard lower &- 48 < 10 || lower &- 97 < 6, digits.count < 32 else { return nil }
            digits.append(lower)
        }
        guard digits.count == 32, text.utf8.count == 32 || text.utf8.count == 36 else { return nil }
        var bytes: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { bytes.append(UInt8(ascii: "-")) }
            bytes.append(digit)
        }
        description = String(decoding: bytes, as: UTF8.self)
    }

    /// That of a page's address: `https://www.notion.so/Dentist-notes-0000…` ends with it.
    init?(address: String) {
        let lower = address.lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else { return nil }
        let rest = lower[(lower.firstRange(of: "://")?.upperBound ?? lower.endIndex)...]
        let host = rest.prefix { $0 != "/" }
        guard host == "notion.so" || host.hasSuffix(".notion.so") || host.hasSuffix(".notion.site") else { return nil }
        let path = rest.dropFirst(host.count).prefix { $0 != "?" && $0 != "#" }
        guard let last = path.split(separator: "/").last else { return nil }
        if let id = NotionID(last) {
            self = id
        } else if let id = NotionID(last.suffix(32)) {
            self = id
        } else {
            return nil
        }
    }

    var json: JSON { .string(description) }
}
