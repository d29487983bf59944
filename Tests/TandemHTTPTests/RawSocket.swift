import Foundation
import Glibc

/// A TCP connection that sends what no proper client would.
final class RawSocket: Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw POSIXError(.ECONNREFUSED) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    func write(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard bytes.isEmpty || send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) >= 0 else {
            throw POSIXError(.EPIPE)
        }
    }

    /// What arrives until the text has been seen or the connection ends.
    func read(until end: String) async throws -> String {
        var received = [UInt8]()
        while true {
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 { received.append(contentsOf: chunk[0..<count]) }
            let text = String(decoding: received, as: UTF8.self)
            if text.contains(end) || count == 0 || (count < 0 && errno != EAGAIN) { return text }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func untilClosed() async throws { _ = try await read(until: "\u{1}never\u{1}") }
}
