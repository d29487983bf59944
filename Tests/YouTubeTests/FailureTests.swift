import Foundation
import TandemJSON
import TandemSDK
import TandemTesting
import Testing
import YouTubeSimulator

@testable import YouTube

extension VideoTests {
    /// What goes wrong at YouTube, what the person is told, and what is tried again.
    @Suite(.serialized) struct FailureTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var sample: String
            var tool: String
            var status: Int
            var reason: String
            /// Nil: the connection is asked for.
            var code: String?
            var message: String
            var isRetryable = false

            var testDescription: String { sample }
        }

        static let cases = [
            Case(
                sample: "error-400-missing-part", tool: "search", status: 400, reason: "missingRequiredParameter",
                code: "rejected", message: "YouTube did not understand me. Please tell the operator."),
            Case(
                sample: "error-key", tool: "search", status: 400, reason: "API_KEY_INVALID", code: "bad_key",
                message: "YouTube does not take the key. Please tell the operator."),
            Case(
                sample: "error-401", tool: "captions", status: 401, reason: "authError", code: nil,
                message: "YouTube no longer accepts the connection."),
            Case(
                sample: "error-403-scope", tool: "captions", status: 403, reason: "insufficientPermissions", code: nil,
                message: "That needs another right from YouTube. Let me change things there first."),
            Case(
                sample: "error-404-captions", tool: "captions", status: 404, reason: "videoNotFound", code: "no_video",
                message: "YouTube has no such video, or it is private."),
            Case(
                sample: "error-quota", tool: "search", status: 403, reason: "quotaExceeded", code: "quota_exceeded",
                message: "YouTube's searches for today are used up. They come back in 22 hours.", isRetryable: true),
            Case(
                sample: "error-503", tool: "search", status: 503, reason: "backendError", code: "unavailable",
                message: "YouTube has a problem. Try again later.", isRetryable: true),
        ]

        /// With the vendor's sample where the contracts are at hand, otherwise with the same status and reason.
        @Test(arguments: cases)
        func saysWhatIsWrong(_ known: Case) async throws {
            let world = try World()
            var body: JSON = [
                "error": ["code": .integer(Int64(known.status)), "errors": [["reason": .string(known.reason)]]]
            ]
            if let folder = World.contracts,
                let data = FileManager.default.contents(atPath: "\(folder)/youtube/samples/\(known.sample).json")
            {
                let answer = try #require(try JSON(parsing: Array(data))["response"])
                #expect(answer["status"]?.int64Value == Int64(known.status))
                body = answer["json"] ?? .null
            }
            let reply = HTTPReply.json(body, status: known.status)
            world.host.http.on("GET", "https://www.googleapis.com/*") { _ in reply }
            let outcome = await world.call(
                known.tool, known.tool == "search" ? ["query": "x"] : ["video": "#SAMPLEvid01"])
            #expect(outcome.message == known.message)
            if let code = known.code {
                #expect(outcome.error?.code == code)
                #expect(outcome.error?.isRetryable == known.isRetryable)
            } else {
                guard case .authRequired(let need) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(need.grant == "account")
            }
            // Once; what may be tried again the host tries.
            #expect(world.host.http.requests.count == 1)
        }

        struct PlayerCase: Sendable, CustomTestStringConvertible {
            var sample: String
            var status: String
            var reason: String
            var code: String
            var message: String

            var testDescription: String { sample }
        }

        static let playerCases = [
            PlayerCase(
                sample: "innertube-age", status: "LOGIN_REQUIRED",
                reason: "This video may be inappropriate for some users.", code: "age_restricted",
                message: "YouTube asks for your age before it shows this video, so I cannot read it."),
            PlayerCase(
                sample: "innertube-bot", status: "LOGIN_REQUIRED", reason: "Sign in to confirm you\u{2019}re not a bot",
                code: "blocked",
                message: "YouTube takes me for a robot and does not say what is in its videos. Try again in 15 minutes."
            ),
            PlayerCase(
                sample: "innertube-no-captions", status: "OK", reason: "", code: "no_captions",
                message: "Nobody wrote down what is said in this video, and YouTube neither."),
            PlayerCase(
                sample: "innertube-unavailable", status: "ERROR", reason: "This video is unavailable", code: "no_video",
                message: "YouTube has no such video, or it is private."),
            PlayerCase(
                sample: "private", status: "LOGIN_REQUIRED", reason: "This is a private video.", code: "private_video",
                message: "This video is private."),
            PlayerCase(
                sample: "unplayable", status: "UNPLAYABLE", reason: "The uploader has not made this available.",
                code: "unplayable", message: "YouTube does not play this video here, so I cannot read it."),
            PlayerCase(
                sample: "offline", status: "LIVE_STREAM_OFFLINE", reason: "Premieres in 2 hours", code: "not_begun",
                message: "This video has not begun yet."),
        ]

        @Test(arguments: playerCases)
        func saysWhyAVideoCannotBeRead(_ known: PlayerCase) async throws {
            let world = try World()
            var body: JSON = [
                "playabilityStatus": ["status": .string(known.status), "reason": .string(known.reason)]
            ]
            if let folder = World.contracts,
                let data = FileManager.default.contents(atPath: "\(folder)/youtube/samples/\(known.sample).json")
            {
                body = try #require(try JSON(parsing: Array(data))["response"]?["json"])
            }
            let reply = HTTPReply.json(body)
            world.host.http.on("POST", "https://www.youtube.com/youtubei/v1/player") { _ in reply }
            let outcome = await world.call("transcript", ["video": "#SAMPLEvid01"])
            #expect(outcome.message == known.message)
            #expect(outcome.error?.code == known.code)
        }

        @Test func leavesYouTubeAloneForLongOnceItTakesUsForARobot() async throws {
            let world = try World()
            world.simulator.fail(.blocked)
            let first = await world.call("transcript", ["video": "#SAMPLEvid01"])
            #expect(first.error?.code == "blocked" && first.error?.retryAfterMilliseconds == 900_000)
            // Neither for this video nor for another. Somebody else finds out for themselves.
            let asked = world.simulator.requests.count
            #expect(await world.call("transcript", ["video": "#SAMPLEvid02"]).error?.code == "blocked")
            #expect(world.simulator.requests.count == asked)
            #expect(
                await world.host.person("ben").call("youtube.transcript", ["video": "#SAMPLEvid02"]).error == nil)
            // Twice as long the next time; a success ends it.
            world.host.now = Instant(milliseconds: world.host.now.milliseconds + 901_000)
            world.simulator.fail(.blocked, after: 1)
            #expect(
                await world.call("transcript", ["video": "#SAMPLEvid01"]).error?.retryAfterMilliseconds == 1_800_000)
            world.host.now = Instant(milliseconds: world.host.now.milliseconds + 1_801_000)
            #expect(await world.call("transcript", ["video": "#SAMPLEvid01"]).error == nil)
            #expect(world.host.total(of: YouTube.transcripts, labels: "blocked") == 2)
        }

        @Test func namesWhatIsNotAsItWas() async throws {
            let world = try World()
            var proof = YouTubeSimulator.Video("SAMPLEvid05", "Proof")
            proof.captions = [.init("en", [(0, "hello")])]
            proof.needsProof = true
            world.simulator.add(proof)
            #expect(await world.call("transcript", ["video": "#SAMPLEvid05"]).error?.code == "player_only")
            world.simulator.fail(.html(200))
            #expect(await world.call("transcript", ["video": "#SAMPLEvid01"]).error?.code == "unexpected_answer")
            world.simulator.fail(.html(200), after: 1)
            #expect(await world.call("transcript", ["video": "#SAMPLEvid01"]).error?.code == "unexpected_answer")
            world.simulator.fail(.empty, after: 2)
            #expect(await world.call("transcript", ["video": "#SAMPLEvid01"]).error?.code == "empty_transcript")
            world.simulator.fail(.html(503), after: 2)
            #expect(await world.call("transcript", ["video": "#SAMPLEvid01"]).error?.code == "unavailable")
            world.simulator.fail(.html(200))
            #expect(await world.call("search", ["query": "x"]).error?.code == "unexpected_answer")
        }

        /// A search finds videos although their lengths are not to be had, and a summary needs no API at all.
        @Test func doesWithoutWhatIsMissing() async throws {
            let world = try World()
            world.simulator.fail(.error(503, "backendError"), after: 1)
            #expect(await world.say("search", ["query": "swift"]).hasPrefix("1 Swift & concurrency (Sample Channel)."))
            world.simulator.fail(.error(503, "backendError"), after: 3)
            #expect(await world.say("summary", ["video": "#SAMPLEvid01"]).hasPrefix("Swift & concurrency: 0:00 Hello"))
        }

        @Test func tellsNobodyTheKey() async throws {
            let world = try World(key: "SECRET-KEY-1")
            let outcome = await world.call("search", ["query": "x"])
            #expect(outcome.error?.code == "bad_key")
            #expect(!outcome.message.contains("SECRET"))
            #expect(world.host.logs.allSatisfy { !"\($0)".contains("SECRET") })
        }
    }
}
