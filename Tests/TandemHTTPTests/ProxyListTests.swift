import Testing

@testable import TandemHTTP

/// Whose word about a client's address counts, and whose does not.
struct ProxyListTests {
    private let proxies = ProxyList(["10.0.0.5", "2001:db8::5"])

    @Test(
        arguments: [
            // Nobody of ours said anything, or somebody else did.
            ("203.0.113.7", nil, "203.0.113.7"),
            ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
            // What the client wrote itself stands before what our proxy added.
            ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
            ("10.0.0.5", "203.0.113.7", "203.0.113.7"),
            ("2001:db8::5", "203.0.113.7:5060", "203.0.113.7"),
            ("10.0.0.5", "[2001:db8::9]:443", "2001:db8::9"),
            // A chain of ours.
            ("127.0.0.1", "203.0.113.7, 10.0.0.5", "203.0.113.7"),
            // All of it ours, or nothing that can be read.
            ("127.0.0.1", "127.0.0.1, 10.0.0.5", "127.0.0.1"),
            ("127.0.0.1", ", ,", "127.0.0.1"),
        ] as [(String, String?, String)])
    func findsTheClient(peer: String, forwarded: String?, client: String) {
        #expect(proxies.client(peer: peer, forwarded: forwarded) == client)
    }

    @Test func aSocketOfThisMachineIsBelieved() {
        #expect(proxies.client(peer: nil, forwarded: "203.0.113.7") == "203.0.113.7")
        #expect(proxies.client(peer: nil, forwarded: nil) == nil)
    }

    @Test func aLongAddressIsNone() {
        let long = String(repeating: "a", count: 46)
        #expect(proxies.client(peer: "127.0.0.1", forwarded: long) == "127.0.0.1")
    }
}
