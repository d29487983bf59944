import TandemJSON
import Testing

@testable import TandemAPI

struct ReadingTests {
    @Test(arguments: [
        ("a%20b", "a b"), ("a+b", "a b"), ("%C3%A9", "é"), ("", ""), ("plain", "plain"),
    ])
    func decodesPercent(text: String, expected: String) {
        #expect(PercentEncoding.decoded(text[...], plusIsSpace: true) == expected)
    }

    @Test(arguments: ["%", "%4", "%zz", "%ff", "%C3"])
    func refusesWhatIsNotUTF8(text: String) {
        #expect(PercentEncoding.decoded(text[...], plusIsSpace: true) == nil)
    }

    @Test(arguments: [
        ("application/json", true), ("application/json; charset=utf-8", true), ("Application/JSON", true),
        ("application/json; charset=latin1", false), ("text/json", false), ("application/jsonx", false), ("", false),
    ])
    func takesJSONOnly(type: String, isTaken: Bool) { #expect(RequestReading.isJSON(type) == isTaken) }

    @Test(arguments: [
        ("*/*", true), ("application/*", true), ("application/json", true), ("text/html", false),
        ("text/html, */*;q=0.1", true), ("application/json;q=0, */*", false), ("application/problem+json", true),
    ])
    func knowsWhatAClientTakes(accept: String, takesJSON: Bool) {
        #expect(AcceptHeader(accept).takes("application/json") == takesJSON)
    }

    @Test func findsRoutesAndNamesMethods() {
        let table = RouteTable(APIRoute.all)
        guard case .route(let route, let path) = table.find("DELETE", "/api/v1/tasks/5") else {
            Issue.record("no route")
            return
        }
        #expect(route.id == "deleteTask" && path == ["id": "5"])
        guard case .wrongMethod(let allow) = table.find("TRACE", "/api/v1/tasks") else {
            Issue.record("no 405")
            return
        }
        #expect(allow == "GET, POST, HEAD")
        guard case .notFound = table.find("GET", "/api/v1/tasks/5/x") else {
            Issue.record("no 404")
            return
        }
        guard case .notFound = table.find("GET", "/api/v1/tasks/") else {
            Issue.record("no 404 for an empty name")
            return
        }
        guard case .route(let fixed, _) = table.find("GET", "/api/v1/messages/stream") else {
            Issue.record("no stream")
            return
        }
        #expect(fixed.id == "streamMessages")
    }

    @Test func versionsAreCompared() {
        let tag = EntityTag.of(Array("{}".utf8))
        #expect(EntityTag.list("*", names: tag, isStrong: true))
        #expect(EntityTag.list("\"x\", \(tag)", names: tag, isStrong: true))
        #expect(!EntityTag.list("W/\(tag)", names: tag, isStrong: true))
        #expect(EntityTag.list("W/\(tag)", names: tag, isStrong: false))
        #expect(!EntityTag.list("\"x\"", names: tag, isStrong: true))
    }

    @Test func metricsBecomeJSON() {
        let items = MetricText.items(
            Array("# HELP a b\na_total{route=\"/x\",status=\"20\\\"0\"} 3\nb_bucket{le=\"1\"} 2\nc 1.5\n".utf8))
        #expect(
            items == [
                ["name": "a_total", "labels": ["route": "/x", "status": "20\"0"], "value": 3],
                ["name": "c", "labels": [:], "value": 1.5],
            ])
    }

    @Test func networksAreCounted() {
        #expect(NetworkKey.of("127.0.0.1") == nil && NetworkKey.of("::1") == nil && NetworkKey.of(nil) == nil)
        #expect(NetworkKey.of("203.0.113.7") == NetworkKey.of("::ffff:203.0.113.7"))
        #expect(NetworkKey.of("2001:db8::1") == NetworkKey.of("2001:db8::ffff"))
        #expect(NetworkKey.of("2001:db8:0:1::1") != NetworkKey.of("2001:db8::1"))
        #expect(NetworkKey.of("nonsense") == nil)
    }
}

struct TokenBucketsTests {
    @Test func givesTheBurstAndRefills() {
        let buckets = TokenBuckets(clock: { 0 })
        let key = RateKey(.account(1), route: "x")
        for left in [2, 1, 0] {
            #expect(buckets.take(now: 1, key, perSecond: 1, burst: 3).remaining == left)
        }
        let refused = buckets.take(now: 1, key, perSecond: 1, burst: 3)
        #expect(!refused.isAllowed && refused.wait == 1)
        #expect(buckets.take(now: 1_000_000_002, key, perSecond: 1, burst: 3).isAllowed)
        #expect(buckets.take(now: 1, RateKey(.account(2), route: "x"), perSecond: 1, burst: 3).isAllowed)
        #expect(buckets.take(now: 1, RateKey(.account(1), route: "y"), perSecond: 1, burst: 3).isAllowed)
        #expect(buckets.take(now: 1, RateKey(.network(1), route: "x"), perSecond: 1, burst: 3).isAllowed)
    }
}
