import CCurl
import Glibc
import Synchronization
import TandemCore

/// The thread that drives libcurl's multi handle.
final class CurlLoop: Sendable {
    enum Command {
        case start(CurlTransfer)
        case cancel(CurlTransfer)
        /// Its reader has room again.
        case resume(CurlTransfer)
    }

    private struct Inbox {
        var state = State.idle
        var commands: [Command] = []
        var isStopping = false
        /// Requests submitted and not yet finished.
        var pending = 0
        var onEnd: [@Sendable () -> Void] = []
    }

    private static let isInitialised: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let options: CurlClient.Options
    private let inbox = Mutex(Inbox())

    /// libcurl's handle; `curl_multi_wakeup` alone may be called from any thread, the rest happens on the loop's.
    private struct MultiHandle: @unchecked Sendable {
        // Unchecked: a pointer that never changes; who may call what is said above.
        let pointer: UnsafeMutableRawPointer
    }

    /// Thread and handle exist from the first request to the end: a client that is never used costs neither.
    private enum State {
        case idle
        case running(MultiHandle)
        case ended
    }

    init(options: CurlClient.Options) { self.options = options }

    /// Ends all requests, then the thread; `onEnd` is called on it, or at once when there is none.
    func stop(_ onEnd: (@Sendable () -> Void)? = nil) {
        let hasEnded = inbox.withLock { inbox in
            inbox.isStopping = true
            guard case .running(let multi) = inbox.state else {
                inbox.state = .ended
                return true
            }
            if let onEnd { inbox.onEnd.append(onEnd) }
            curl_multi_wakeup(multi.pointer)
            return false
        }
        if hasEnded { onEnd?() }
    }

    func submit(_ command: Command) {
        let refusal: HTTPError.Code? = inbox.withLock { inbox in
            if case .start = command {
                if inbox.isStopping { return .closed }
                if inbox.pending >= options.maxRequests { return .overloaded }
                if case .idle = inbox.state {
                    guard let multi = start() else { return .overloaded }
                    inbox.state = .running(multi)
                }
                inbox.pending += 1
            }
            guard case .running(let multi) = inbox.state else { return nil }
            inbox.commands.append(command)
            // The handle is freed after the state has changed, so that it is there.
            if inbox.commands.count == 1 { curl_multi_wakeup(multi.pointer) }
            return nil
        }
        if let refusal, case .start(let transfer) = command { transfer.finish(.failure(transfer.failure(refusal))) }
    }

    /// Makes the handle and starts its thread, which keeps the loop alive until it is stopped.
    private func start() -> MultiHandle? {
        guard CurlLoop.isInitialised, let multi = curl_multi_init() else { return nil }
        tandem_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, options.maxIdleConnections)
        // One request at a time on a connection, also by HTTP/2: when several answers come over one, libcurl 7.88 now
        // and then leaves the last bytes of some where they are until their time is over.
        tandem_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        tandem_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, options.maxConnectionsPerHost)
        tandem_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, options.maxConnections)
        let handle = MultiHandle(pointer: multi)
        guard HostThread.start(named: "tandem-http", { [self] in run(handle.pointer) }) else {
            curl_multi_cleanup(multi)
            return nil
        }
        return handle
    }

    // MARK: - On the thread

    private func run(_ multi: UnsafeMutableRawPointer) {
        var active: [UnsafeMutableRawPointer: CurlTransfer] = [:]
        var pool: [UnsafeMutableRawPointer] = []
        var isStopping = false
        while !isStopping {
            let commands = inbox.withLock { inbox in
                isStopping = inbox.isStopping
                defer { inbox.commands.removeAll(keepingCapacity: true) }
                return inbox.commands
            }
            for command in commands {
                switch command {
                case .start(let transfer): begin(transfer, multi, &active, &pool)
                case .cancel(let transfer): cancel(transfer, multi, &active, &pool)
                case .resume(let transfer):
                    if let handle = transfer.handle { curl_easy_pause(handle, tandem_curl_continue) }
                }
            }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            var remaining: Int32 = 0
            while let message = curl_multi_info_read(multi, &remaining) {
                guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
                let code = tandem_curl_message_result(message)
                guard let transfer = active[handle] else { continue }
                end(transfer, transfer.outcome(code), multi, &active, &pool)
            }
            if !isStopping { curl_multi_poll(multi, nil, 0, active.isEmpty ? 60_000 : 1000, nil) }
        }
        for transfer in Array(active.values) {
            end(transfer, .failure(transfer.failure(.closed)), multi, &active, &pool)
        }
        for handle in pool { curl_easy_cleanup(handle) }
        let onEnd = inbox.withLock { inbox in
            inbox.state = .ended
            for case .start(let transfer) in inbox.commands {
                transfer.finish(.failure(transfer.failure(.closed)))
            }
            inbox.commands.removeAll()
            defer { inbox.onEnd.removeAll() }
            return inbox.onEnd
        }
        curl_multi_cleanup(multi)
        for action in onEnd { action() }
    }

    private func begin(
        _ transfer: CurlTransfer, _ multi: UnsafeMutableRawPointer,
        _ active: inout [UnsafeMutableRawPointer: CurlTransfer], _ pool: inout [UnsafeMutableRawPointer]
    ) {
        guard !transfer.isCancelled else {
            finished(transfer, .failure(transfer.failure(.cancelled)))
            return
        }
        guard let handle = pool.popLast() ?? curl_easy_init() else {
            finished(transfer, .failure(transfer.failure(.overloaded)))
            return
        }
        let code = transfer.configure(handle, options: options)
        active[handle] = transfer
        if code != CURLE_OK {
            end(transfer, transfer.outcome(code), multi, &active, &pool)
        } else if curl_multi_add_handle(multi, handle) != CURLM_OK {
            end(transfer, .failure(transfer.failure(.other)), multi, &active, &pool)
        }
    }

    private func cancel(
        _ transfer: CurlTransfer, _ multi: UnsafeMutableRawPointer,
        _ active: inout [UnsafeMutableRawPointer: CurlTransfer], _ pool: inout [UnsafeMutableRawPointer]
    ) {
        if transfer.handle != nil {
            end(transfer, .failure(transfer.failure(.cancelled)), multi, &active, &pool)
        } else {
            // Its start is still on the way, or it is over.
            transfer.isCancelled = true
        }
    }

    private func end(
        _ transfer: CurlTransfer, _ result: Result<HTTPResponse, HTTPError>, _ multi: UnsafeMutableRawPointer,
        _ active: inout [UnsafeMutableRawPointer: CurlTransfer], _ pool: inout [UnsafeMutableRawPointer]
    ) {
        guard let handle = transfer.handle else { return }
        curl_multi_remove_handle(multi, handle)
        transfer.release()
        active[handle] = nil
        if pool.count < 64 {
            curl_easy_reset(handle)
            pool.append(handle)
        } else {
            curl_easy_cleanup(handle)
        }
        finished(transfer, result)
    }

    private func finished(_ transfer: CurlTransfer, _ result: Result<HTTPResponse, HTTPError>) {
        inbox.withLock { $0.pending -= 1 }
        transfer.finish(result)
    }
}
