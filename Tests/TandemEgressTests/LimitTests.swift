import TandemCore
import Testing

@testable import TandemEgress

/// Token bucket, breaker, backoff and dates, without time passing.
@Suite struct LimitTests {
    private let second: UInt64 = 1_000_000_000

    @Test func refillsABucketSteadily() {
        let rate = Rate(perSecond: 2, burst: 3)
        var bucket = TokenBucket(rate, now: 0)
        for _ in 0..<3 {
            let value1 = bucket.wait(rate, now: 0)
            #expect(value1 == 0)
            bucket.take()
        }
        let value2 = bucket.wait(rate, now: 0)
        #expect(value2 == second / 2)
        bucket.take()
        // The next in the queue waits longer.
        let value3 = bucket.wait(rate, now: 0)
        #expect(value3 == second)
        let value4 = bucket.wait(rate, now: second)
        #expect(value4 == 0)
        let value5 = bucket.isFull(rate, now: second)
        #expect(!value5)
        let value6 = bucket.isFull(rate, now: 10 * second)
        #expect(value6)
        #expect(bucket.tokens == 3)
        // A clock that jumps back changes nothing.
        let value7 = bucket.wait(rate, now: second)
        #expect(value7 == 0)
    }

    @Test func opensAfterFailuresInARowAndTriesOnce() {
        var breaker = CircuitBreaker()
        for _ in 0..<4 { breaker.failed(now: 0) }
        let value8 = breaker.refusal(now: 0)
        #expect(value8 == nil)
        let opened = breaker.failed(now: 0)
        #expect(opened)
        let value9 = breaker.refusal(now: 4 * second)
        #expect(value9 == 6 * second)
        let value10 = breaker.refusal(now: 10 * second)
        #expect(value10 == nil)
        #expect(breaker.state == .halfOpen)
        let value11 = breaker.refusal(now: 10 * second)
        #expect(value11 != nil)
        // The try fails: twice as long.
        let reopened = breaker.failed(now: 11 * second)
        #expect(reopened)
        let value12 = breaker.refusal(now: 11 * second)
        #expect(value12 == 20 * second)
        let value13 = breaker.refusal(now: 31 * second)
        #expect(value13 == nil)
        let closed = breaker.succeeded(now: 32 * second)
        #expect(closed)
        #expect(breaker.state == .closed)
        let value14 = breaker.refusal(now: 32 * second)
        #expect(value14 == nil)
        // Recovered: the next opening is short again.
        for _ in 0..<5 { breaker.failed(now: 40 * second) }
        let value15 = breaker.refusal(now: 40 * second)
        #expect(value15 == 10 * second)
    }

    @Test func opensWhenHalfOfManyFail() {
        var breaker = CircuitBreaker()
        for index in 0..<9 { if index % 2 == 0 { breaker.failed(now: 1) } else { breaker.succeeded(now: 1) } }
        #expect(breaker.state == .closed)
        let opened = breaker.failed(now: 1)
        #expect(opened)
    }

    @Test func forgetsOldFailures() {
        var breaker = CircuitBreaker()
        for index in 0..<9 { if index % 2 == 0 { breaker.failed(now: 1) } else { breaker.succeeded(now: 1) } }
        let opened = breaker.failed(now: 60 * second)
        #expect(!opened)
    }

    @Test func letsAnotherTryWhenATryIsAbandoned() {
        var breaker = CircuitBreaker()
        for _ in 0..<5 { breaker.failed(now: 0) }
        let value16 = breaker.refusal(now: 10 * second)
        #expect(value16 == nil)
        breaker.abandoned()
        let value17 = breaker.refusal(now: 10 * second)
        #expect(value17 == nil)
        // A try of which nothing is heard.
        let value18 = breaker.refusal(now: 71 * second)
        #expect(value18 == nil)
    }

    @Test func opensForFiveMinutesAtMost() {
        var breaker = CircuitBreaker()
        var now: UInt64 = 0
        for _ in 0..<5 { breaker.failed(now: now) }
        for _ in 0..<40 {
            now += 301 * second
            let value19 = breaker.refusal(now: now)
            #expect(value19 == nil)
            breaker.failed(now: now)
        }
        let value20 = breaker.refusal(now: now)
        #expect(value20 == 300 * second)
    }

    @Test func backsOffWithFullJitter() {
        let policy = RetryPolicy()
        #expect(policy.delay(after: 1, random: 0, retryAfter: nil) == 0)
        #expect(policy.delay(after: 1, random: 0.5, retryAfter: nil) == 100_000_000)
        #expect(policy.delay(after: 3, random: 0.5, retryAfter: nil) == 400_000_000)
        #expect(policy.delay(after: 60, random: 0.5, retryAfter: nil) == 5 * second)
        #expect(policy.delay(after: 1, random: 0.5, retryAfter: 3 * second) == 3 * second)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ] as [(String, Int64)])
    func readsDates(text: String, expected: Int64) {
        let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)
        #expect(HTTPDate.parse(text, now: now) == expected)
    }

    @Test(arguments: ["", "0", "-1", "tomorrow", "Sun, 31 Feb 2021 00:00:00 GMT", "Sun, 06 Nov 1994 25:00:00 GMT"])
    func refusesOtherDates(text: String) {
        #expect(HTTPDate.parse(text, now: Timestamp(millisecondsSinceEpoch: 0)) == nil)
    }

    @Test func writesDates() {
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test func readsRetryAfter() {
        let now = Timestamp(millisecondsSinceEpoch: 784_111_777_000)
        #expect(HTTPDate.retryAfter(["Retry-After": "120"], now: now) == 120 * second)
        #expect(HTTPDate.retryAfter(["Retry-After": "Sun, 06 Nov 1994 08:49:47 GMT"], now: now) == 10 * second)
        #expect(HTTPDate.retryAfter(["Retry-After": "Sun, 06 Nov 1994 08:49:07 GMT"], now: now) == 0)
        #expect(HTTPDate.retryAfter(["Retry-After": "soon"], now: now) == nil)
        #expect(HTTPDate.retryAfter([:], now: now) == nil)
    }

    @Test func readsCacheControl() {
        var headers = HTTPHeaders()
        headers.append("Cache-Control", "private, max-age=60, stale-if-error = \"300\"")
        headers.append("cache-control", "no-cache=\"x, no-store\", must-revalidate")
        let control = CacheControl(headers)
        #expect(control.maxAgeSeconds == 60)
        #expect(control.staleIfErrorSeconds == 300)
        #expect(control.isNoCache)
        #expect(control.mustRevalidate)
        #expect(!control.isNoStore)
        #expect(CacheControl(["Cache-Control": "max-age=99999999999"]).maxAgeSeconds == 2_147_483_648)
        #expect(CacheControl(["Cache-Control": "max-age=soon"]).maxAgeSeconds == 0)
        #expect(CacheControl(["Cache-Control": "NO-STORE"]).isNoStore)
    }
}
