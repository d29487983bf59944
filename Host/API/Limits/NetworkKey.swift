import Glibc

/// What an address counts as: one IPv4 address, or the /64 that a customer has of IPv6.
enum NetworkKey {
    /// Nil for no address, and for this machine's own: behind a proxy that does not say for whom it asks everybody would be
    /// one.
    static func of(_ address: String?) -> UInt64? {
        guard let address, address.utf8.count <= 45 else { return nil }
        var bytes: [UInt8] = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &bytes) == 1 {
            guard bytes[0] != 127 else { return nil }
            return number(bytes[0..<4])
        }
        guard inet_pton(AF_INET6, address, &bytes) == 1 else { return nil }
        if bytes[..<10].allSatisfy({ $0 == 0 }) {
            if bytes[10] == 0xFF, bytes[11] == 0xFF { return bytes[12] == 127 ? nil : number(bytes[12..<16]) }
            if bytes[15] == 1 { return nil }
        }
        return number(bytes[0..<8]) | 1 << 63
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
