import TandemCore
import Testing

@testable import TandemEgress

@Suite struct RuleTests {
    @Test func theWholeWebIsNamesAtTheUsualPortWithTLS() throws {
        let rule = try #require(HostRule("*"))
        #expect(rule.description == "*")
        for (address, isThere) in [
            ("https://example.org/a", true), ("https://a.b.example.org/", true), ("http://example.org/", false),
            ("https://example.org:8443/", false), ("https://127.0.0.1/", false), ("https://[::1]/", false),
            ("https://localhost/", false),
        ] {
            #expect(rule.matches(try #require(OutboundURL(address))) == isThere, "\(address)")
        }
    }

    @Test(arguments: [
        ("https://API.Example.org/a?b=c#d", "https://api.example.org/a?b=c"),
        ("https://example.org", "https://example.org/"), ("https://example.org:443/x", "https://example.org/x"),
        ("http://example.org:8080?q", "http://example.org:8080/?q"),
        ("https://[2001:DB8::1]:8443/", "https://[2001:db8:0:0:0:0:0:1]:8443/"),
    ])
    func readsAddresses(text: String, expected: String) {
        #expect(OutboundURL(text)?.description == expected)
    }

    @Test(arguments: [
        "", "example.org", "//example.org/", "ftp://example.org/", "https:///x", "https://", "https://u@example.org/",
        "https://u:p@example.org/", "https://example.org\\@evil.org/", "https://example.org./", "https://exa mple.org/",
        "https://example.org:0/", "https://example.org:65536/", "https://example.org:/", "https://example.org:8x/",
        "https://ex%61mple.org/", "https://[::1", "https://[::1%25eth0]/", "https://\u{e9}.org/", "https://a..b/",
        "file:///etc/passwd", "https://example.org/\r\nX: y", "javascript:alert(1)", "https:example.org",
    ])
    func refusesOtherAddresses(text: String) { #expect(OutboundURL(text) == nil) }

    @Test(arguments: [
        ("/x", "https://a.example.org/x"), ("y?z=1", "https://a.example.org/p/y?z=1"),
        ("//b.example.org/", "https://b.example.org/"), ("../../../up", "https://a.example.org/up"),
        ("https://c.example.org", "https://c.example.org/"), ("?only", "https://a.example.org/p/q?only"),
    ])
    func resolvesRedirects(location: String, expected: String) throws {
        let base = try #require(OutboundURL("https://a.example.org/p/q?r"))
        #expect(base.resolving(location)?.description == expected)
        #expect(base.resolving("https://u@x.org/") == nil)
        #expect(base.resolving("file:///etc/passwd") == nil)
        #expect(base.resolving("http:\\\\x.org") == nil)
    }

    @Test(arguments: [
        ("api.example.org", "https://api.example.org/x", true), ("api.example.org", "https://example.org/", false),
        ("api.example.org", "http://api.example.org/", false),
        ("api.example.org", "https://api.example.org:8443/", false),
        ("api.example.org:8443", "https://api.example.org:8443/", true),
        ("*.example.org", "https://api.example.org/", true), ("*.example.org", "https://a.b.example.org/", true),
        ("*.example.org", "https://example.org/", false), ("*.example.org", "https://evilexample.org/", false),
        ("*.example.org", "https://example.org.evil.org/", false),
        ("http://printer.local:8080", "http://printer.local:8080/", true), ("127.0.0.1", "https://127.0.0.1/", true),
        ("[fd00::1]", "https://[FD00:0::1]/", true), ("Api.Example.Org", "https://api.example.org/", true),
    ])
    func matchesHosts(rule: String, url: String, expected: Bool) throws {
        let rule = try #require(HostRule(rule))
        #expect(rule.matches(try #require(OutboundURL(url))) == expected)
    }

    @Test(arguments: [
        "", "**", "*:443", "http://*", "*.org", "org", "a.*.org", "*.*.org", "example.org/path", "https://example.org/",
        "ftp://example.org",
        "example.org:0", "u@example.org", "1.2.3", "2130706433", "0x7f.0.0.1", "127.1", "010.0.0.1", "*.1.2.3.4",
        "example.org.", "[::1", "ex ample.org",
    ])
    func refusesOtherHosts(text: String) { #expect(HostRule(text) == nil) }

    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1", "169.253.1.1",
        "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    ])
    func knowsPublicAddresses(text: String) throws { #expect(try #require(IPAddress(text)).isPublic) }

    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "fe80::1", "fec0::1",
        "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "2002:a00:1::1", "100::1",
        "64:ff9b:1::1", "::127.0.0.1", "3fff::1", "5f00::1",
    ])
    func knowsSpecialAddresses(text: String) throws { #expect(!(try #require(IPAddress(text)).isPublic)) }

    @Test(arguments: [
        "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.-4", "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "12345::", "g::", "fe80::1%eth0", "1.2.3.4::", "::1.2.3",
    ])
    func refusesOtherTexts(text: String) { #expect(IPAddress(text) == nil) }

    @Test func readsNetworks() throws {
        let home = try #require(IPNetwork("192.168.0.0/16"))
        #expect(home.contains(try #require(IPAddress("192.168.3.4"))))
        #expect(home.contains(try #require(IPAddress("::ffff:192.168.3.4"))))
        #expect(!home.contains(try #require(IPAddress("192.169.0.1"))))
        let all = try #require(IPNetwork("::/0"))
        #expect(all.contains(try #require(IPAddress("fe80::1"))))
        #expect(!all.contains(try #require(IPAddress("10.0.0.1"))))
        #expect(IPNetwork("192.168.0.1/16") == nil)
        #expect(IPNetwork("10.0.0.0/33") == nil)
        #expect(IPNetwork("10.0.0.0/x") == nil)
        #expect(IPNetwork("fd00::/8")?.contains(try #require(IPAddress("fdff::1"))) == true)
    }

    @Test(arguments: [
        ("POST /v1/search", "POST", "/v1/search", true), ("POST /v1/search", "POST", "/v1/search/", false),
        ("POST /v1/*/query", "POST", "/v1/abc/query", true), ("POST /v1/*/query", "POST", "/v1/a/b/query", false),
        ("POST /v1/*/query", "POST", "/v1//query", false), ("POST /v1/*/query", "POST", "/v1/../query", false),
        ("POST /v1/search", "DELETE", "/v1/search", false),
    ])
    func matchesReadingRequests(rule: String, method: String, path: String, expected: Bool) throws {
        let rule = try #require(ReadingRequest(rule))
        #expect(rule.matches(try #require(HTTPRequest.Method(rawValue: method)), path) == expected)
    }

    @Test(arguments: ["GET /x", "POST x", "POST", "POST /a b", "POST /a?b", "post /a", "POST /a*", "POST /../x"])
    func refusesOtherReadingRequests(text: String) { #expect(ReadingRequest(text) == nil) }

    @Test func refusesHeadersThatAreTheHosts() {
        for name in [
            "Host", "host", "Connection", "Content-Length", "Transfer-Encoding", "TE", "Upgrade", "Cookie", "Via",
            "Proxy-Authorization", "Sec-Fetch-Site", "X-Forwarded-For", "Forwarded", "Accept-Encoding", "Expect",
            "Idempotency-Key", "X-HTTP-Method-Override",
        ] {
            var headers = HTTPHeaders()
            headers.append(name, "x")
            #expect(HeaderRules.problem(headers, isCached: false, grantHeader: nil) != nil, "\(name)")
        }
        for (name, value) in [("X y", "z"), ("X", "a\r\nB: c"), ("", "x"), ("X:", "y"), ("X", "\u{7f}")] {
            var headers = HTTPHeaders()
            headers.append(name, value)
            #expect(HeaderRules.problem(headers, isCached: false, grantHeader: nil) != nil)
        }
        #expect(HeaderRules.problem(["Authorization": "x"], isCached: false, grantHeader: nil) == nil)
        #expect(HeaderRules.problem(["Authorization": "x"], isCached: false, grantHeader: "Authorization") != nil)
        #expect(HeaderRules.problem(["If-None-Match": "x"], isCached: true, grantHeader: nil) != nil)
        #expect(HeaderRules.problem(["X-A": "1", "x-a": "2"], isCached: false, grantHeader: nil) != nil)
        #expect(HeaderRules.problem(["Accept": "1", "accept": "2"], isCached: false, grantHeader: nil) == nil)
    }

    @Test func hidesWhatIsNotForPlugins() {
        let visible = HeaderRules.visible([
            "Set-Cookie": "a=b", "Connection": "close, X-Internal", "X-Internal": "1", "Content-Encoding": "gzip",
            "Content-Length": "5", "Content-Type": "text/plain", "ETag": "\"x\"",
        ])
        #expect(visible.fields.map(\.name) == ["content-type", "etag"])
    }
}
