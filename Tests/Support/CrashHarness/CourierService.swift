import Foundation
import ScriptServer
import Synchronization
import TandemJSON

/// A service that counts what it was told to do, told apart by the idempotency keys that it honours; it may kill whoever
/// asks before it has done it, or after.
final class CourierService: Sendable {
    enum Death: Sendable {
        /// The request was received and nothing done.
        case before
        /// It was done and nobody told.
        case after
    }

    private struct State {
        var keys: [String: Set<String>] = [:]
        var requests = 0
        var death: (Death, pid_t)?
        var died = false
        var pause: UInt32 = 0
    }

    private let state = Mutex(State())
    let server: Mutex<ScriptServer?> = Mutex(nil)

    init() throws {
        let made = try ScriptServer { [weak self] request in self?.answer(request) ?? .close }
        server.withLock { $0 = made }
    }

    var url: String { server.withLock { $0?.origin ?? "" } }

    /// By parcel: under how many different keys it was sent.
    var parcels: [String: Int] { state.withLock { $0.keys.mapValues(\.count) } }
    var requests: Int { state.withLock { $0.requests } }

    /// The next request kills this process.
    func kill(_ pid: pid_t, _ death: Death) {
        state.withLock { state in
            state.death = (death, pid)
            state.died = false
        }
    }

    /// Takes so many milliseconds from now on.
    func slow(by pause: UInt32) { state.withLock { $0.pause = pause } }

    /// Whether that came about; it does not any more.
    func disarm() -> Bool {
        state.withLock { state in
            state.death = nil
            return state.died
        }
    }

    func stop() { server.withLock { $0?.stop() } }

    private func answer(_ request: ScriptServer.Request) -> ScriptServer.Answer {
        guard let body = try? JSON(parsing: request.body), let parcel = body["parcel"]?.stringValue,
            let key = request["idempotency-key"]
        else { return .answer(400) }
        return state.withLock { state in
            state.requests += 1
            if case (.before, let pid)? = state.death {
                state.death = nil
                state.died = true
                Glibc.kill(pid, SIGKILL)
                return .close
            }
            state.keys[parcel, default: []].insert(key)
            if case (.after, let pid)? = state.death {
                state.death = nil
                state.died = true
                Glibc.kill(pid, SIGKILL)
                return .close
            }
            guard state.pause > 0 else {
                return .answer(200, [("Content-Type", "application/json")], body: Array("{}".utf8))
            }
            let head = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
            return .pieces(["HTTP/1.1 200 OK\r\n" + head, "{}"], milliseconds: state.pause)
        }
    }
}
