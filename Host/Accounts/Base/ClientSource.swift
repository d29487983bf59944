import Glibc
public import TandemCore

/// Where a request comes from, as far as the interface that took it can tell.
public struct ClientSource: Sendable, Hashable {
    /// The peer's IPv4 or IPv6 address, without port; behind a proxy what the proxy says.
    public var address: String?
    public var userAgent: String?
    /// What the person calls the device: `Ann's phone`.
    public var deviceName: String?
    /// The long-lived token that an earlier sign-in on this device gave.
    public var deviceToken: Secret?

    public init(
        address: String? = nil, userAgent: String? = nil, deviceName: String? = nil, deviceToken: Secret? = nil
    ) {
        self.address = address
        self.userAgent = userAgent
        self.deviceName = deviceName
        self.deviceToken = deviceToken
    }

    /// What attempts are counted by: one IPv4 address, or the /64 of an IPv6 address, which one customer has.
    var throttleKey: String {
        guard let bytes = networkBytes else { return "unknown" }
        return ClientSource.text(bytes.count == 4 ? bytes[...] : bytes.prefix(8))
    }

    /// The network that a person may see in their list of sessions: /24 of IPv4, /48 of IPv6.
    var network: String? {
        guard let bytes = networkBytes else { return nil }
        if bytes.count == 4 { return "\(bytes[0]).\(bytes[1]).\(bytes[2]).0/24" }
        let groups = stride(from: 0, to: 6, by: 2).map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }
        return groups.joined(separator: ":") + "::/48"
    }

    /// The device in a few words: the person's own, else what the user agent says, else nil.
    var device: String? {
        if let name = deviceName.flatMap({ ClientSource.printable($0, limit: 60) }) { return name }
        return userAgent.flatMap { ClientSource.printable($0, limit: 300) }.map(UserAgent.summary)
    }

    private var networkBytes: [UInt8]? {
        guard let address, address.utf8.count <= 64 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &bytes) == 1 { return Array(bytes.prefix(4)) }
        // A zone is of this machine only: fe80::1%eth0.
        let withoutZone = String(address.prefix { $0 != "%" })
        guard inet_pton(AF_INET6, withoutZone, &bytes) == 1 else { return nil }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { bytes.map(String.init).joined(separator: ".") }

    /// One line without control characters; nil when nothing remains.
    static func printable(_ text: String, limit: Int) -> String? {
        var kept = ""
        for character in text.unicodeScalars where kept.utf8.count < limit {
            switch character.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: continue
            default: kept.unicodeScalars.append(character)
            }
        }
        let words = kept.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.isEmpty ? nil : words
    }
}

/// Reads a browser's User-Agent (RFC 9110 §10.1.5) for people; the order matters, since browsers name one another.
enum UserAgent {
    private static let programs = [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("SamsungBrowser/", "Samsung Internet"),
        ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("FxiOS/", "Firefox"), ("Safari/", "Safari"), ("curl/", "curl"),
    ]
    private static let systems = [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
        ("Mac OS X", "Mac"), ("Linux", "Linux"),
    ]

    static func summary(_ text: String) -> String {
        let program = programs.first { text.contains($0.0) }?.1
        let system = systems.first { text.contains($0.0) }?.1
        switch (program, system) {
        case (let program?, let system?): return "\(program) on \(system)"
        case (let program?, nil): return program
        case (nil, let system?): return system
        case (nil, nil): return String(text.prefix { $0 != " " && $0 != "/" }.prefix(40))
        }
    }
}
