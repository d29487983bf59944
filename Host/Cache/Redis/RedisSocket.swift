import CHiredis
import CTLS
import Glibc
import TandemCore

/// A connection to the server: bytes, by TLS or not. Belongs to one thread, whose waiting an event can end.
final class RedisSocket {
    enum Failure: Error {
        case stopped
        case problem(String)
    }

    enum Transfer {
        case moved(Int)
        /// Wait until the socket is ready for this.
        case wait(Int16)
        case ended
    }

    let descriptor: Int32
    private var tls: OpaquePointer?

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        tandem_tls_close(tls)
        close(descriptor)
    }

    /// - Parameters:
    ///   - event: readable when `isStopped` may have become true.
    ///   - deadline: by `monotonicNanoseconds`, for everything together except the name's look-up.
    static func connect(
        _ address: RedisAddress, deadline: UInt64, silence: Duration, event: Int32,
        isStopped: @escaping () -> Bool
    ) throws(Failure) -> RedisSocket {
        let waiter = { (socket: RedisSocket, events: Int16) throws(Failure) in
            while true {
                if isStopped() { throw .stopped }
                let now = monotonicNanoseconds()
                guard now < deadline else { throw .problem("the server does not answer in time") }
                var polled = [
                    pollfd(fd: socket.descriptor, events: events, revents: 0),
                    pollfd(fd: event, events: Int16(POLLIN), revents: 0),
                ]
                let count = poll(&polled, 2, Int32(min((deadline - now) / 1_000_000 + 1, 60_000)))
                if count < 0, errno != EINTR { throw .problem("poll failed (errno \(errno))") }
                if polled[1].revents != 0 { drain(event) }
                if polled[0].revents != 0 { return }
            }
        }
        switch address.place {
        case .path(let path):
            let socket = RedisSocket(descriptor: try open(AF_UNIX))
            guard tandem_connect_path(socket.descriptor, path) == 0 else {
                throw .problem("the socket cannot be connected to (\(text(errno)))")
            }
            return socket
        case .host(let host, let port):
            var list: UnsafeMutablePointer<addrinfo>?
            let code = tandem_resolve(host, String(port), &list)
            guard code == 0, let first = list else {
                throw .problem("the host's name cannot be resolved (\(String(cString: gai_strerror(code))))")
            }
            defer { freeaddrinfo(first) }
            var failure = Failure.problem("the host has no address")
            var entry: UnsafeMutablePointer<addrinfo>? = first
            while let info = entry?.pointee {
                defer { entry = info.ai_next }
                do throws(Failure) {
                    let socket = RedisSocket(descriptor: try open(info.ai_family))
                    tandem_tune(socket.descriptor, UInt32(clamping: silence.milliseconds))
                    if Glibc.connect(socket.descriptor, info.ai_addr, info.ai_addrlen) != 0 {
                        guard errno == EINPROGRESS else { throw .problem(text(errno)) }
                        try waiter(socket, Int16(POLLOUT))
                        let error = tandem_connect_result(socket.descriptor)
                        guard error == 0 else { throw .problem(text(error)) }
                    }
                    if address.usesTLS { try socket.handshake(host, address.authorities, waiter) }
                    return socket
                } catch {
                    if case .stopped = error { throw error }
                    failure = error
                }
            }
            throw failure
        }
    }

    private func handshake(
        _ host: String, _ authorities: String?, _ wait: (RedisSocket, Int16) throws(Failure) -> Void
    ) throws(Failure) {
        var problem = [CChar](repeating: 0, count: 256)
        guard let tls = tandem_tls_open(descriptor, host, authorities, &problem, problem.count) else {
            throw .problem(RedisSocket.text(problem))
        }
        self.tls = tls
        while true {
            switch Int(tandem_tls_handshake(tls, &problem, problem.count)) {
            case 0: return
            case TANDEM_TLS_WANTS_READ: try wait(self, Int16(POLLIN))
            case TANDEM_TLS_WANTS_WRITE: try wait(self, Int16(POLLOUT))
            default: throw .problem(RedisSocket.text(problem))
            }
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        if let tls {
            return transfer(tandem_tls_write(tls, bytes.baseAddress, bytes.count))
        }
        while true {
            let count = tandem_send(descriptor, bytes.baseAddress, bytes.count)
            if count >= 0 { return .moved(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wait(Int16(POLLOUT))
            default: return .ended
            }
        }
    }

    func receive(_ bytes: UnsafeMutableRawBufferPointer) -> Transfer {
        if let tls {
            let count = tandem_tls_read(tls, bytes.baseAddress, bytes.count)
            return count == 0 ? .ended : transfer(count)
        }
        while true {
            let count = tandem_receive(descriptor, bytes.baseAddress, bytes.count)
            if count > 0 { return .moved(count) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wait(Int16(POLLIN))
            default: return .ended
            }
        }
    }

    private func transfer(_ count: Int) -> Transfer {
        switch count {
        case TANDEM_TLS_WANTS_READ: .wait(Int16(POLLIN))
        case TANDEM_TLS_WANTS_WRITE: .wait(Int16(POLLOUT))
        case 1...: .moved(count)
        default: .ended
        }
    }

    static func drain(_ event: Int32) {
        var value: UInt64 = 0
        while read(event, &value, 8) == 8 {}
    }

    private static func open(_ family: Int32) throws(Failure) -> Int32 {
        let descriptor = tandem_socket(family)
        guard descriptor >= 0 else { throw .problem("no socket (\(text(errno)))") }
        return descriptor
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
