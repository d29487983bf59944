import HTTPTypes

/// Whose word about a client's address counts.
struct ProxyList: Sendable {
    static let headerName = HTTPField.Name("X-Forwarded-For") ?? .via

    private let addresses: Set<String>

    init(_ addresses: [String]) { self.addresses = Set(addresses) }

    /// The client's address: the peer's, or what the last proxy that is none of ours, or the client, was for the first
    /// one that is.
    func client(peer: String?, forwarded: String?) -> String? {
        guard let forwarded, isOurs(peer) else { return peer }
        for item in forwarded.split(separator: ",").reversed() {
            let address = ProxyList.bare(item)
            // What cannot be read was written by nobody of ours.
            guard !address.isEmpty, address.utf8.count <= 45 else { return peer }
            if !isOurs(address) { return address }
        }
        return peer
    }

    private func isOurs(_ address: String?) -> Bool {
        guard let address else { return true }
        return address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
            || addresses.contains(address)
    }

    /// Without spaces, brackets and port: `[2001:db8::1]:443`, `203.0.113.7:5060`.
    private static func bare(_ item: Substring) -> String {
        var text = item.filter { $0 != " " }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") { text = String(text[..<colon]) }
        return text
    }
}
