public import Foundation
import Hummingbird
import Logging
import Synchronization

/// Twilio's Messages API on this machine, strict against the published contract: what Twilio would refuse, and parameters
/// that it does not have, are refused with its error JSON.
///
/// It keeps what it accepts, lists and fetches it, and fails by script. It also makes the signed requests that Twilio
/// sends to us. Its forms and signatures are written apart from the host's own, so that the two check each other.
public final class TwilioSimulator: Sendable {
    /// How one request fails.
    public enum Fault: Sendable {
        /// Refused before anything happened, with Twilio's code.
        case refuse(status: Int, code: Int, retryAfter: Int? = nil)
        /// Accepted, and the connection is cut in the middle of the answer.
        case cutAfterAccepting
        /// Accepted, and a failure is answered.
        case failAfterAccepting(status: Int)
        /// Answered after a while.
        case slow(Duration)
        /// Not accepted, and never answered.
        case hang
    }

    public struct Message: Sendable {
        public var sid: String
        public var to: String
        public var from: String
        public var body: String
        public var status: String
        public var statusCallback: String?
        public var createdAt: Date
        public var errorCode: Int?
        public var price: String?
    }

    struct State {
        var messages: [Message] = []
        var faults: [Fault?] = []
        var optedOut: Set<String> = []
        var posts = 0
        var lists = 0
        var port = 0
        var refusals: [String] = []
    }

    public let accountSID: String
    public let authToken: String
    public let numbers: [String]
    let state = Mutex(State())

    public init(
        accountSID: String = "AC0123456789abcdef0123456789abcdef", authToken: String = "simulated-auth-token",
        numbers: [String] = ["+15555550100"]
    ) {
        self.accountSID = accountSID
        self.authToken = authToken
        self.numbers = numbers
    }

    // MARK: - What a test sees and sets

    /// `http://127.0.0.1:PORT`, once it runs.
    public var url: String { "http://127.0.0.1:\(state.withLock { $0.port })" }

    /// What was accepted, in order.
    public var messages: [Message] { state.withLock { $0.messages } }

    /// Requests to send a message, refused ones included.
    public var sendRequests: Int { state.withLock { $0.posts } }

    /// Requests for the list of messages.
    public var listRequests: Int { state.withLock { $0.lists } }

    /// Why requests were refused for breaking the contract; empty when the client is right.
    public var refusals: [String] { state.withLock { $0.refusals } }

    /// The next requests to send fail so; nil lets one through.
    public func script(_ faults: [Fault?]) { state.withLock { $0.faults += faults } }

    /// The number said STOP: sending to it is refused with 21610.
    public func optOut(_ number: String) { state.withLock { _ = $0.optedOut.insert(number) } }

    /// Adds a message as if somebody else had sent it.
    public func plant(to: String, body: String, from: String? = nil, age: TimeInterval = 0) {
        _ = add(to: to, from: from ?? numbers[0], body: body, callback: nil, age: age)
    }

    /// Changes what the list and fetch say of a message.
    public func setStatus(_ status: String, errorCode: Int? = nil, price: String? = nil, of sid: String) {
        state.withLock { state in
            guard let index = state.messages.firstIndex(where: { $0.sid == sid }) else { return }
            state.messages[index].status = status
            state.messages[index].errorCode = errorCode
            state.messages[index].price = price
        }
    }

    /// Waits until so many messages were accepted, or the task is cancelled.
    public func untilAccepted(_ count: Int) async {
        while state.withLock({ $0.messages.count }) < count, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    @discardableResult
    func add(to: String, from: String, body: String, callback: String?, age: TimeInterval = 0) -> Message {
        state.withLock { state in
            let message = Message(
                sid: "SM" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased(), to: to, from: from,
                body: body, status: "queued", statusCallback: callback, createdAt: Date(timeIntervalSinceNow: -age))
            state.messages.append(message)
            return message
        }
    }

    // MARK: - Running

    /// Runs the body against a simulator on a free port, or on the given one.
    public static func run<T: Sendable>(
        _ simulator: TwilioSimulator = TwilioSimulator(), port: Int = 0,
        _ body: @escaping @Sendable (TwilioSimulator) async throws -> T
    ) async throws -> T {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let app = Application(
            router: simulator.router(), configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                found.yield(channel.localAddress?.port ?? 0)
                found.finish()
            }, logger: Logger(label: "twilio-simulator") { _ in SwiftLogNoOpLogHandler() })
        let server = Task { try await app.run() }
        defer { server.cancel() }
        for await port in ports { simulator.state.withLock { $0.port = port } }
        return try await body(simulator)
    }
}
