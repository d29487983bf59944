import Glibc
import Synchronization

/// Answers whatever it is asked with the same bytes.
final class GarbageServer: Sendable {
    let port: Int
    private let listener: Int32

    init(_ answer: [UInt8]) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw POSIXFailure() }
        port = Int(UInt16(bigEndian: address.sin_port))
        let context = Unmanaged.passRetained(Context(listener: listener, answer: answer))
        var thread = pthread_t()
        guard pthread_create(&thread, nil, answerGarbage, context.toOpaque()) == 0 else {
            context.release()
            throw POSIXFailure()
        }
        pthread_detach(thread)
    }

    /// Ends the thread, too.
    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    struct POSIXFailure: Error {}
}

private final class Context: Sendable {
    let listener: Int32
    let answer: [UInt8]

    init(listener: Int32, answer: [UInt8]) {
        self.listener = listener
        self.answer = answer
    }
}

private func answerGarbage(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    let context = Unmanaged<Context>.fromOpaque(pointer).takeRetainedValue()
    while true {
        let connection = accept(context.listener, nil, nil)
        if connection < 0 { break }
        var chunk = [UInt8](repeating: 0, count: 4096)
        _ = read(connection, &chunk, chunk.count)
        _ = send(connection, context.answer, context.answer.count, Int32(MSG_NOSIGNAL))
        close(connection)
    }
    close(context.listener)
    return nil
}
