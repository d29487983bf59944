import Foundation
import Glibc
import Synchronization

/// A server that reads HTTP requests and answers the first few of each connection, then cuts it; with no answers at all it
/// keeps silent. One thread of its own, on a free port of this machine.
final class RawServer: Sendable {
    private struct State {
        var connections = 0
        var requests = 0
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let listener: Int32
    private let answers: Int
    private let answer: [UInt8]
    let url: String

    var connections: Int { state.withLock { $0.connections } }
    var requests: Int { state.withLock { $0.requests } }

    /// Waits until a whole request has arrived.
    func firstRequest() async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.requests == 0 { state.waiting.append(continuation) }
                return state.requests > 0
            }
            if isThere { continuation.resume() }
        }
    }

    /// Runs the body against a server that lives as long.
    static func run(
        answers: Int, answer: String = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        _ body: @escaping @Sendable (RawServer) async throws -> Void
    ) async throws {
        let server = try RawServer(answers: answers, answer: answer)
        let thread = Thread { server.serve() }
        thread.start()
        defer { server.state.withLock { $0.isOver = true } }
        try await body(server)
    }

    private init(answers: Int, answer: String) throws {
        self.answers = answers
        self.answer = Array(answer.utf8)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, pointer, &size) == 0
            }
        }
        listener = descriptor
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/"
    }

    private func serve() {
        var open: [Int32: (received: [UInt8], answered: Int)] = [:]
        while !state.withLock({ $0.isOver }) {
            var polled = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            for descriptor in open.keys { polled.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
            guard poll(&polled, nfds_t(polled.count), 20) > 0 else { continue }
            for entry in polled where entry.revents != 0 {
                if entry.fd == listener {
                    open[accept(listener, nil, nil)] = ([], 0)
                    state.withLock { $0.connections += 1 }
                } else if !serve(entry.fd, &open[entry.fd, default: ([], 0)]) {
                    close(entry.fd)
                    open[entry.fd] = nil
                }
            }
        }
        for descriptor in open.keys { close(descriptor) }
        close(listener)
    }

    /// Reads what there is; false ends the connection.
    private func serve(_ descriptor: Int32, _ connection: inout (received: [UInt8], answered: Int)) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        connection.received.append(contentsOf: chunk[0..<count])
        let text = String(decoding: connection.received, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return true }
        let length =
            text.firstRange(of: "Content-Length: ").flatMap {
                Int(text[$0.upperBound...].prefix { $0.isNumber })
            } ?? 0
        guard text[end.upperBound...].utf8.count >= length else { return true }
        connection.received.removeAll()
        let waiting = state.withLock { state in
            state.requests += 1
            defer { state.waiting.removeAll() }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        if connection.answered < answers {
            connection.answered += 1
            return send(descriptor, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count
        }
        return answers == 0
    }
}
