import TandemCore
import Testing

@testable import TandemCache

struct AddressTests {
    @Test(arguments: [
        ("redis://127.0.0.1", RedisAddress.Place.host("127.0.0.1", port: 6379), 0),
        ("redis://cache.example.org:7000/3", .host("cache.example.org", port: 7000), 3),
        ("redis://[::1]:6380/", .host("::1", port: 6380), 0),
        ("redis://localhost?db=2", .host("localhost", port: 6379), 2),
        ("redis:///4", .host("127.0.0.1", port: 6379), 4),
        ("unix:/run/redis.sock", .path("/run/redis.sock"), 0),
        ("unix:///run/redis%20a.sock?db=5", .path("/run/redis a.sock"), 5),
    ])
    func readsPlaces(text: String, place: RedisAddress.Place, database: Int) throws {
        let address = try RedisAddress(text)
        #expect(address.place == place)
        #expect(address.database == database)
        #expect(address.password == nil && address.user == nil && !address.usesTLS)
    }

    @Test func readsCredentialsAndShowsNone() throws {
        let address = try RedisAddress("redis://ann:p%40ss%2F:word@host:1/1")
        #expect(address.user == "ann")
        #expect(address.password?.reveal() == "p@ss/:word")
        #expect(address.place == .host("host", port: 1))
        #expect(!"\(address)".contains("word") && !"\(address)".contains("ann"))
        #expect(try RedisAddress("redis://:secret@host").user == nil)
        #expect(try RedisAddress("redis://:secret@host").password?.reveal() == "secret")
        #expect(try RedisAddress("unix://:secret@/run/r.sock").password?.reveal() == "secret")
        #expect(try RedisAddress("rediss://u:p@h?ca_file=/etc/ca.pem").authorities == "/etc/ca.pem")
        #expect(try RedisAddress("rediss://u:p@h").usesTLS)
    }

    @Test(arguments: [
        "", "redis", "http://host", "redis:host", "redis://host:0", "redis://host:65536", "redis://host:x",
        "redis://host/x", "redis://host/-1", "redis://user@host", "redis://user:@host", "redis://::1", "redis://[h]",
        "redis://host?ssl=1", "redis://host?ca_file=/x", "redis://host#1", "redis://ho st", "redis://h\u{e4}st",
        "redis://:a%2@host", "redis://:%ff@host", "unix:run/redis.sock", "unix:", "redis://:pa/ss@host",
        "unix:/\(String(repeating: "x", count: 120))",
    ])
    func refusesWhatIsWrongWithoutQuotingIt(text: String) {
        do throws(RedisAddress.Invalid) {
            let address = try RedisAddress(text)
            Issue.record("read as \(address)")
        } catch {
            #expect(!error.reason.isEmpty)
            #expect(!error.reason.contains("pa/ss"))
        }
    }
}
