import Foundation
import Glibc
import Synchronization

/// An HTTP/1.1 server on a free port of this machine that answers as a test says, on threads of its own.
public final class ScriptServer: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// With the query.
        public var target: String
        public var headers: [(name: String, value: String)]
        public var body: [UInt8]

        public subscript(name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }
    }

    public enum Answer: Sendable {
        case answer(Int, [(String, String)] = [], body: [UInt8] = [])
        /// Sent as it is; the connection is then closed.
        case raw(String)
        /// Sent byte by byte with a pause before each.
        case drip(String, milliseconds: UInt32)
        /// Sent piece by piece with a pause before each but the first; the connection is then closed.
        case pieces([String], milliseconds: UInt32)
        /// A body of this many bytes, as fast as it is taken.
        case flood(Int)
        /// The connection is closed without a word.
        case close
        /// Nothing, until the server ends.
        case silence

        public static func text(_ text: String, _ headers: [(String, String)] = []) -> Answer {
            .answer(200, headers, body: Array(text.utf8))
        }
    }

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var sockets: Set<Int32> = []
        var isOver = false
        var isListenerClosed = false
        var floodedBytes = 0
    }

    private let state = Mutex(State())
    private let listener: Int32
    private let handler: @Sendable (Request) -> Answer
    public let port: Int

    public var requests: [Request] { state.withLock { $0.requests } }
    public var connections: Int { state.withLock { $0.connections } }
    /// Of `flood`, as far as the network took them.
    public var floodedBytes: Int { state.withLock { $0.floodedBytes } }
    public var origin: String { "http://127.0.0.1:\(port)" }

    public func url(_ path: String = "/") -> String { origin + path }

    /// - Parameter port: 0: any free one.
    public init(port: UInt16 = 0, _ handler: @escaping @Sendable (Request) -> Answer) throws {
        self.handler = handler
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        if port != 0 {
            var one: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, pointer, &size) == 0
            }
        }
        listener = descriptor
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [self] in acceptAll() }
        thread.start()
    }

    /// Runs the body against a server that lives as long.
    public static func run(
        _ handler: @escaping @Sendable (Request) -> Answer,
        _ body: @escaping @Sendable (ScriptServer) async throws -> Void
    ) async throws {
        let server = try ScriptServer(handler)
        defer { server.stop() }
        try await body(server)
    }

    public func stop() {
        // With the lock, which is also taken to close them: the number of a closed one may be another server's already.
        state.withLock { state in
            state.isOver = true
            if !state.isListenerClosed { shutdown(listener, Int32(SHUT_RDWR)) }
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private var isOver: Bool { state.withLock { $0.isOver } }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0, !isOver else {
                if descriptor >= 0 { close(descriptor) }
                break
            }
            state.withLock { state in
                state.connections += 1
                state.sockets.insert(descriptor)
            }
            let thread = Thread { [self] in
                serve(descriptor)
                state.withLock { state in
                    state.sockets.remove(descriptor)
                    close(descriptor)
                }
            }
            thread.start()
        }
        state.withLock { state in
            state.isListenerClosed = true
            close(listener)
        }
    }

    private func serve(_ descriptor: Int32) {
        var received: [UInt8] = []
        while let request = read(descriptor, &received) {
            state.withLock { $0.requests.append(request) }
            switch handler(request) {
            case .answer(let status, let headers, let body):
                var head = "HTTP/1.1 \(status) X\r\n"
                for (name, value) in headers { head += "\(name): \(value)\r\n" }
                if status != 204, status != 304 { head += "Content-Length: \(body.count)\r\n" }
                let content = request.method == "HEAD" || status == 304 ? [] : body
                guard write(descriptor, Array((head + "\r\n").utf8) + content) else { return }
            case .raw(let text):
                _ = write(descriptor, Array(text.utf8))
                return
            case .drip(let text, let milliseconds):
                for byte in text.utf8 {
                    usleep(milliseconds * 1000)
                    guard !isOver, write(descriptor, [byte]) else { return }
                }
            case .pieces(let pieces, let milliseconds):
                for (index, piece) in pieces.enumerated() {
                    if index > 0 { usleep(milliseconds * 1000) }
                    guard !isOver, write(descriptor, Array(piece.utf8)) else { return }
                }
                return
            case .flood(let count):
                guard write(descriptor, Array("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n".utf8)) else {
                    return
                }
                let block = [UInt8](repeating: 65, count: 65_536)
                var left = count
                while left > 0 {
                    let size = min(left, block.count)
                    guard write(descriptor, Array(block[0..<size])) else { return }
                    left -= size
                    state.withLock { $0.floodedBytes += size }
                }
            case .close: return
            case .silence: while !isOver, wait(descriptor) {}
            }
        }
    }

    /// False when the peer has gone.
    private func wait(_ descriptor: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 50) > 0 else { return true }
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK)) > 0
    }

    private func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(descriptor, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func read(_ descriptor: Int32, _ received: inout [UInt8]) -> Request? {
        while true {
            if let request = Self.parse(&received) { return request }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            received.append(contentsOf: chunk[0..<count])
        }
    }

    private static func parse(_ received: inout [UInt8]) -> Request? {
        guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (parts[0].lowercased(), parts.count == 2 ? String(parts[1].drop { $0 == " " }) : "")
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        guard received.count - end.upperBound >= length else { return nil }
        let body = Array(received[end.upperBound..<(end.upperBound + length)])
        received.removeFirst(end.upperBound + length)
        return Request(method: String(words[0]), target: String(words[1]), headers: headers, body: body)
    }
}
