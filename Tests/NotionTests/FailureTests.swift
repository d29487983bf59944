import Foundation
import NotionSimulator
import TandemJSON
import TandemSDK
import TandemTesting
import Testing

@testable import Notion

/// What goes wrong at Notion, what the person is told, and what is tried again.
struct FailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var sample: String
        var status: Int
        var code: String
        var wait: Int?
        /// Of the tool's error; nil: the connection is asked for.
        var error: String?
        var message: String
        /// Whether the tool's error invites another try, and after how long.
        var isRetryable = false

        var testDescription: String { sample }
    }

    static let cases = [
        Case(
            sample: "error-400-validation", status: 400, code: "validation_error", error: "validation",
            message: "Notion does not take that as it is. Try it in other words."),
        Case(
            sample: "error-400-version", status: 400, code: "missing_version", error: "bad_version",
            message: "Notion wants another version of its interface. Please tell the operator."),
        Case(
            sample: "error-401", status: 401, code: "unauthorized", error: nil,
            message: "Notion no longer accepts the connection."),
        Case(
            sample: "error-403", status: 403, code: "restricted_resource", error: "not_allowed",
            message: "Notion does not let me do that. The connection needs that right in Notion's settings."),
        Case(
            sample: "error-404", status: 404, code: "object_not_found", error: "not_shared",
            message: "Notion does not show me that page. Share it with Tandem in Notion: ... > Connections."),
        Case(
            sample: "error-409", status: 409, code: "conflict_error", error: "conflict",
            message: "Somebody is changing that in Notion right now. Try again in a moment.", isRetryable: true),
        Case(
            sample: "error-429", status: 429, code: "rate_limited", wait: 12, error: "rate_limited",
            message: "Notion wants me to slow down. Try again in 12 seconds.", isRetryable: true),
        Case(
            sample: "error-500", status: 500, code: "internal_server_error", error: "unavailable",
            message: "Notion has a problem. Try again later.", isRetryable: true),
        Case(
            sample: "error-503", status: 503, code: "service_unavailable", error: "unavailable",
            message: "Notion has a problem. Try again later.", isRetryable: true),
        Case(
            sample: "error-529", status: 529, code: "service_overload", wait: 5, error: "unavailable",
            message: "Notion is overloaded. Try again in 5 seconds.", isRetryable: true),
    ]

    /// With the vendor's sample where the contracts are at hand, otherwise with the same status and code.
    @Test(arguments: cases)
    func saysWhatIsWrong(_ known: Case) async throws {
        let world = try World()
        var reply = HTTPResponse(
            status: known.status,
            body: JSON.object([
                "object": "error", "status": .integer(Int64(known.status)), "code": .string(known.code), "message": "x",
            ]).serialized(), retryAfter: known.wait.map { .seconds($0) })
        if let folder = World.contracts,
            let data = FileManager.default.contents(atPath: "\(folder)/notion/samples/\(known.sample).json")
        {
            let answer = try #require(try JSON(parsing: Array(data))["response"])
            #expect(answer["status"]?.int64Value == Int64(known.status))
            reply.body = (answer["json"] ?? .null).serialized()
            #expect(answer["headers"]?["Retry-After"]?.stringValue == known.wait.map { "\($0)" })
        }
        let response = reply
        world.host.http.on("POST", "https://api.notion.com/v1/search") { _ in .response(response) }
        let outcome = await world.call("search", ["query": "dentist"])
        #expect(outcome.message == known.message)
        if let code = known.error {
            let error = try #require(outcome.error)
            #expect(error.code == code)
            #expect(error.isRetryable == known.isRetryable)
            #expect(error.retryAfterMilliseconds == known.wait.map { $0 * 1000 })
        } else {
            guard case .authRequired(let need) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(need.grant == "workspace")
        }
        // A conflict is asked again at once, by us; all else by the host, which is told that it may.
        let sent = world.host.http.requests
        #expect(sent.count == (known.status == 409 ? 3 : 1))
        #expect(sent.allSatisfy { $0.mayBeRepeated })
    }

    @Test func tellsNothingOfWhatNotionSays() async throws {
        let world = try World()
        world.simulator.fail(.error(400, "validation_error"))
        let message = await world.say("search", ["query": "my secret"])
        #expect(!message.contains("Scripted") && !message.contains("secret"))
        #expect(world.host.logs.allSatisfy { !"\($0)".contains("secret") })
    }

    @Test func triesAgainAfterAConflictAndSavesOnce() async throws {
        let world = try World()
        let page = world.simulator.addPage("List")
        world.simulator.fail(.error(409, "conflict_error"), after: 1)
        #expect(await world.say("append", ["page": .id(page), "text": "one"]).hasPrefix("Added to List"))
        #expect(world.simulator.lines(of: page) == ["paragraph: one"])
    }

    /// Notion knows no idempotency key: what may have been saved is not sent again.
    @Test(arguments: [NotionSimulator.Fault.cutAfter, .halfAnswer, .error(500, "internal_server_error"), .html(502)])
    func neverAppendsTwice(fault: NotionSimulator.Fault) async throws {
        let world = try World()
        let page = world.simulator.addPage("List")
        world.simulator.fail(fault, after: 1)
        let outcome = await world.call("append", ["page": .id(page), "text": "one"])
        #expect(outcome.error?.code == "outcome_unknown")
        #expect(outcome.error?.isRetryable == false)
        #expect(outcome.message.contains("Look in Notion before you ask for it again."))
        #expect(world.simulator.requests.count == 2)
        #expect(world.host.http.requests.last?.mayBeRepeated == false)
        #expect(world.simulator.lines(of: page).count <= 1)
    }

    @Test func readsAsFarAsNotionLets() async throws {
        let world = try World()
        let page = world.simulator.addPage("Log", blocks: (1...250).map { ("paragraph", "Line \($0)") })
        world.simulator.fail(.error(429, "rate_limited", retryAfter: 30), after: 2)
        let read = await world.call("read", ["page": .id(page)])
        #expect(read.value?["complete"] == false)
        #expect(read.message.contains("(Notion wants me to slow down. Try again in 30 seconds.)"))
        // A connection that ends in the middle is no short page.
        world.simulator.fail(.error(401, "unauthorized"), after: 2)
        guard case .authRequired = await world.call("read", ["page": .id(page)]) else {
            Issue.record("a lost connection was not noticed")
            return
        }
    }

    @Test func saysWhatWasNotWritten() async throws {
        let world = try World()
        let text = (1...230).map { "line \($0)" }.joined(separator: "\n")
        world.simulator.fail(.error(529, "service_overload", retryAfter: 5), after: 2)
        let made = await world.call("create", ["title": "Plan", "text": .string(text)])
        #expect(made.message.contains("Notion did not take the last 30 lines. Add them again later."))
        #expect(made.value?["missing"] == 30)
        let page = try #require(made.value?["page"]?.stringValue)
        #expect(world.simulator.lines(of: page).count == 200)
    }

    @Test func takesAPageOfHTMLForNoAnswer() async throws {
        let world = try World()
        world.simulator.fail(.html(200))
        let outcome = await world.call("search", ["query": "x"])
        #expect(outcome.error?.code == "unexpected_answer")
        #expect(outcome.message == "Notion answered in a way that I cannot read. Try again later.")
    }

    @Test func asksToConnectFirst() async throws {
        let world = try World()
        world.ann.setConnected("workspace", false)
        guard case .authRequired(let need) = await world.call("search", ["query": "x"]) else {
            Issue.record("no connection was asked for")
            return
        }
        #expect(need.grant == "workspace")
        #expect(world.simulator.requests.isEmpty)
    }
}
