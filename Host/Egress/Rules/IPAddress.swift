/// An IPv4 or IPv6 address.
public struct IPAddress: Sendable, Hashable {
    /// Big-endian; an IPv4 address in the lowest 32 bits.
    public let high: UInt64
    public let low: UInt64
    public let isV6: Bool

    public init(v4 value: UInt32) {
        high = 0
        low = UInt64(value)
        isV6 = false
    }

    public init(v6High high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        isV6 = true
    }

    /// The four bytes of an address in network order, or the sixteen.
    init?(bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 4: self.init(v4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            self.init(
                v6High: bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) },
                low: bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// Dotted decimal without leading zeros, or RFC 4291 §2.2 text without a zone; nil otherwise.
    public init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let value = Self.v6(text) else { return nil }
            self = value
        } else {
            guard let value = Self.v4(text[...]) else { return nil }
            self.init(v4: value)
        }
    }

    private static func v4(_ text: Substring) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ $0 &- 48 < 10 }),
                part.count == 1 || part.first != UInt8(ascii: "0"), let number = UInt32(Substring(part)), number < 256
            else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func v6(_ text: String) -> IPAddress? {
        guard text.utf8.count <= 45 else { return nil }
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text[...]
        if rest.hasPrefix("::") {
            gap = 0
            rest = rest.dropFirst(2)
        } else if rest.hasPrefix(":") {
            return nil
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != ":" }
            if part.utf8.contains(UInt8(ascii: ".")) {
                guard part.endIndex == rest.endIndex, let value = v4(part) else { return nil }
                groups += [UInt16(value >> 16), UInt16(truncatingIfNeeded: value)]
                rest = ""
                break
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 6 }),
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
            rest = rest[part.endIndex...]
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.hasPrefix(":") {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        return IPAddress(
            v6High: groups[0..<4].reduce(0) { $0 << 16 | UInt64($1) },
            low: groups[4..<8].reduce(0) { $0 << 16 | UInt64($1) })
    }

    /// The IPv4 address within an IPv4-mapped one (`::ffff:1.2.3.4`) or a NAT64 one (`64:ff9b::1.2.3.4`, RFC 6052).
    var embeddedV4: IPAddress? {
        guard isV6 else { return nil }
        let isMapped = high == 0 && low >> 32 == 0xFFFF
        let isTranslated = high == 0x0064_FF9B_0000_0000 && low >> 32 == 0
        return isMapped || isTranslated ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : nil
    }

    /// An address of the public Internet, by the special-purpose registries of IANA (RFC 6890 and later): no loopback,
    /// link-local, private, shared (carrier-grade NAT), documentation, benchmarking, multicast or reserved address.
    public var isPublic: Bool {
        if let embeddedV4 { return embeddedV4.isPublic }
        if !isV6 { return !Self.specialV4.contains { $0.contains(self) } }
        // Global unicast is 2000::/3; everything else is special.
        return high >> 61 == 1 && !Self.specialV6.contains { $0.contains(self) }
    }

    private static let specialV4: [IPNetwork] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    ].compactMap(IPNetwork.init)

    /// Protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112.
    private static let specialV6: [IPNetwork] = [
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    ].compactMap(IPNetwork.init)
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal, or all eight groups in hexadecimal.
    public var description: String {
        if !isV6 { return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)" }
        return [high, low].flatMap { half in
            (0..<4).map { String(half >> (48 - UInt64($0) * 16) & 0xFFFF, radix: 16) }
        }.joined(separator: ":")
    }
}

/// A range of addresses, `10.0.0.0/8` or `fd00::/8`; a single address without a length.
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    public let address: IPAddress
    public let length: Int

    /// Nil for malformed text, a length beyond the address, or bits beyond the length.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        let width = address.isV6 ? 128 : 32
        var length = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ $0 &- 48 < 10 }), let number = Int(parts[1]), number <= width else {
                return nil
            }
            length = number
        }
        self.address = address
        self.length = length
        guard Self.masked(address, length) == address else { return nil }
    }

    public func contains(_ other: IPAddress) -> Bool {
        if other.isV6 != address.isV6 {
            guard let embedded = other.embeddedV4 else { return false }
            return contains(embedded)
        }
        return Self.masked(other, length) == address
    }

    private static func masked(_ address: IPAddress, _ length: Int) -> IPAddress {
        func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(UInt64.max >> UInt64(bits)) }
        guard address.isV6 else {
            return IPAddress(v4: UInt32(truncatingIfNeeded: address.low & (mask(length) >> 32)))
        }
        return IPAddress(v6High: address.high & mask(length), low: address.low & mask(length - 64))
    }

    public var description: String { "\(address)/\(length)" }
}

/// Which network addresses a connection may be made to.
public struct AddressPolicy: Sendable, Hashable {
    /// Addresses that are not public and allowed all the same.
    public var allowed: [IPNetwork]

    public init(allowing allowed: [IPNetwork] = []) { self.allowed = allowed }

    public func permits(_ address: IPAddress) -> Bool {
        address.isPublic || allowed.contains { $0.contains(address) }
    }
}
