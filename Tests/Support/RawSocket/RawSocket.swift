import Foundation
import Glibc

/// A TCP connection to this machine that sends what no proper client would, and reads when a test says so.
public final class RawSocket: Sendable {
    private let descriptor: Int32

    /// - Parameter receiveBytes: How much the kernel takes that is not read; nil: as much as it likes.
    public init(port: Int, receiveBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, socklen_t(MemoryLayout<Int32>.size))
        }
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

    public func write(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard bytes.isEmpty || send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) >= 0 else {
            throw POSIXError(.EPIPE)
        }
    }

    /// What arrives next; nil when the connection has ended.
    public func read() async throws -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count > 0 { return Array(chunk[0..<count]) }
            if count == 0 || (errno != EAGAIN && errno != EINTR) { return nil }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// What arrives until the text has been seen or the connection ends.
    public func read(until end: String) async throws -> String {
        var received = [UInt8]()
        while let chunk = try await read() {
            received += chunk
            let text = String(decoding: received, as: UTF8.self)
            if text.contains(end) { return text }
        }
        return String(decoding: received, as: UTF8.self)
    }

    /// Whatever arrives until then is thrown away.
    public func untilClosed() async throws { while try await read() != nil {} }
}
