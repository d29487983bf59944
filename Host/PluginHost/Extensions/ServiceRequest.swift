import CTandemPlugin
import Logging
import TandemCore
import TandemJSON

/// A request of a plugin to a host service, as part of a call in flight.
struct ServiceRequest: Sendable {
    let call: PendingCall
    let wanted: ExtensionSet

    /// At most so many requests of one call run at the same time.
    static let maxRunning = 64

    var instance: PluginInstance { call.instance }
    var plugin: LoadedPlugin { call.instance.plugin }
    var place: PluginPlace { PluginPlace(plugin: plugin.id, scope: call.scope) }

    /// Checks the grant and the call, and counts the request in: `run` must follow.
    static func begin(
        _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ wanted: ExtensionSet
    ) -> Result<ServiceRequest, StatusError> {
        guard let instance = PluginInstance.of(host) else { return .failure(StatusError(TANDEM_E_INVALID_ARGUMENT)) }
        let permission = instance.permission(for: wanted)
        guard permission == TANDEM_OK else { return .failure(StatusError(permission)) }
        guard case .inFlight(let call) = CallTable.shared.lookup(id), call.instance === instance else {
            return .failure(StatusError(TANDEM_E_STALE))
        }
        switch call.beginService(atMost: maxRunning) {
        case .begun: break
        case .over: return .failure(StatusError(TANDEM_E_STALE))
        case .full: return .failure(StatusError(TANDEM_E_BUSY))
        }
        instance.plugin.meters.count(\.serviceRequests)
        return .success(ServiceRequest(call: call, wanted: wanted))
    }

    /// Does the work and delivers what came of it; a grant that was withdrawn meanwhile is honoured.
    ///
    /// - Parameters:
    ///   - body: the work; throws `ServiceFailure`, or anything for a failure of the host.
    ///   - deliver: calls the plugin back, once.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value,
        deliver: @escaping @Sendable (Result<Value, ServiceFailure>) -> Void
    ) {
        Task(priority: plugin.taskPriority) {
            let result: Result<Value, ServiceFailure>
            do {
                // The callback came from a thread of the plugin's, which knows of no call.
                let value = try await CallProvenance.$current.withValue(call.provenance) { try await body() }
                let permission = instance.permission(for: wanted)
                result = permission == TANDEM_OK ? .success(value) : .failure(ServiceFailure(permission))
            } catch let failure as ServiceFailure {
                result = .failure(failure)
            } catch is CancellationError {
                result = .failure(ServiceFailure(TANDEM_E_CANCELLED))
            } catch {
                plugin.logger.error("a service for plugins failed", metadata: ["error": "\(type(of: error))"])
                result = .failure(ServiceFailure(TANDEM_E_INTERNAL))
            }
            if case .failure = result { plugin.meters.count(\.serviceRefusals) }
            // Counted out before the plugin hears of it: it may complete the call at once.
            call.endService()
            deliver(result)
        }
    }
}

/// The way back to a plugin that gets a status and a buffer.
struct BufferDone: @unchecked Sendable {
    // The plugin promises that both may be used from any thread, once.
    typealias Function = @convention(c) (UnsafeMutableRawPointer?, tandem_status, tandem_buffer) -> Void
    let context: UnsafeMutableRawPointer?
    let done: Function

    /// Nil for a null function, which C lets through.
    init?(_ context: UnsafeMutableRawPointer?, _ done: Function) {
        guard unsafeBitCast(done, to: UInt.self) != 0 else { return nil }
        self.context = context
        self.done = done
    }

    @Sendable
    func deliver(_ result: Result<JSON, ServiceFailure>) {
        switch result {
        case .success(let json): done(context, TANDEM_OK, HostBuffer.make(json))
        case .failure(let failure): done(context, failure.status, tandem_buffer())
        }
    }
}

extension tandem_slice {
    /// UTF-8 text of at most `limit` bytes without control characters; nil for anything else.
    func name(atMost limit: Int, allowsEmpty: Bool = false) -> String? {
        guard let bytes, bytes.count <= limit, allowsEmpty || !bytes.isEmpty else { return nil }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// A JSON object of at most `limit` bytes; an empty slice is `{}`.
    func object(atMost limit: Int) -> Result<JSONObject, StatusError> {
        guard let bytes else { return .failure(StatusError(TANDEM_E_INVALID_ARGUMENT)) }
        guard bytes.count <= limit else { return .failure(StatusError(TANDEM_E_TOO_LARGE)) }
        if bytes.isEmpty { return .success([:]) }
        guard case .object(let object)? = try? JSON(parsing: bytes, limits: JSONLimits(maxBytes: limit)) else {
            return .failure(StatusError(TANDEM_E_INVALID_ARGUMENT))
        }
        return .success(object)
    }
}
