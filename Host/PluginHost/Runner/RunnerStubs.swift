import CRunner
import CTandemPlugin
import Glibc
import TandemCore

/// A request of a runner for an extension of the host: what `Host/Runner/ext_NAME.c` sent.
///
/// A stub reads the arguments in the order in which they were sent and calls the table that in-process plugins get, with
/// `instance.host`. The payload is borrowed and comes from a plugin: `reader` never reads beyond it.
struct RunnerRequest {
    let instance: RunnerInstance
    let function: UInt32
    /// 0: nobody waits for an answer.
    let number: UInt64
    let payload: UnsafeRawBufferPointer

    var reader: FrameReader { FrameReader(payload) }

    /// Answers at once.
    func reply(_ status: tandem_status, _ bytes: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0))
    {
        RunnerReply(self).send(status, bytes)
    }

    /// Something to hand over as the `context` of a `done` function, which turns it back by `RunnerReply.take`.
    func retained() -> UnsafeMutableRawPointer { Unmanaged.passRetained(RunnerReply(self)).toOpaque() }
}

/// The way back to whoever asked. Exactly one answer.
final class RunnerReply: Sendable {
    let instance: RunnerInstance
    private let number: UInt64

    init(_ request: RunnerRequest) {
        instance = request.instance
        number = request.number
    }

    static func take(_ context: UnsafeMutableRawPointer?) -> RunnerReply? {
        context.map { Unmanaged<RunnerReply>.fromOpaque($0).takeRetainedValue() }
    }

    func send(_ status: tandem_status, _ bytes: UnsafeRawBufferPointer) {
        send(status, length: bytes.count) { place in
            if let base = bytes.baseAddress { place.copyMemory(from: base, byteCount: bytes.count) }
        }
    }

    func send(_ status: tandem_status, length: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        guard number != 0 else { return }
        instance.process.requestEnded()
        instance.process.send(
            TANDEM_F_REPLY, instance: instance.number, code: UInt32(bitPattern: status), id: number, length: length,
            isUrgent: true, fill)
    }

    /// Takes over a buffer that the host gave to the plugin's `done`.
    func send(_ status: tandem_status, _ buffer: tandem_buffer) {
        let length = Int(buffer.len)
        send(status, UnsafeRawBufferPointer(start: buffer.ptr, count: buffer.ptr == nil ? 0 : length))
        buffer.release?(buffer.owner)
    }
}

/// All extensions that plugins in runners can use.
///
/// To add one: its number in `tandem_frames.h`, `Host/Runner/ext_NAME.c` (see `ext_rows.c`), a stub like `RowsStub`, and a
/// line in each of the two functions below.
enum RunnerStubs {
    /// False when the request is not one that any runner of this build makes.
    static func handle(extension number: UInt32, _ request: RunnerRequest) -> Bool {
        switch number {
        case TANDEM_X_LOG: LogStub.handle(request)
        case TANDEM_X_CLOCK: ClockStub.handle(request)
        case TANDEM_X_ROWS: RowsStub.handle(request)
        case TANDEM_X_TOOLS: ToolsStub.handle(request)
        case TANDEM_X_HTTP: HTTPStub.handle(request)
        case TANDEM_X_KV: KeyValueStub.handle(request)
        case TANDEM_X_SECRET: SecretStub.handle(request)
        case TANDEM_X_METRICS: MetricsStub.handle(request)
        case TANDEM_X_TIMER: TimerStub.handle(request)
        case TANDEM_X_EVENT: EventStub.handle(request)
        case TANDEM_X_MEMORY: MemoryStub.handle(request)
        default: false
        }
    }

    private static let extensions: [(id: String, number: UInt32)] = [
        (TANDEM_EXT_LOG, TANDEM_X_LOG), (TANDEM_EXT_CLOCK, TANDEM_X_CLOCK), (TANDEM_EXT_CONFIG, TANDEM_X_CONFIG),
        (TANDEM_EXT_ROWS, TANDEM_X_ROWS), (TANDEM_EXT_TOOLS, TANDEM_X_TOOLS),
        (TANDEM_EXT_HTTP, TANDEM_X_HTTP), (TANDEM_EXT_KV, TANDEM_X_KV), (TANDEM_EXT_SECRET, TANDEM_X_SECRET),
        (TANDEM_EXT_METRICS, TANDEM_X_METRICS), (TANDEM_EXT_TIMER, TANDEM_X_TIMER),
        (TANDEM_EXT_EVENT, TANDEM_X_EVENT), (TANDEM_EXT_MEMORY, TANDEM_X_MEMORY),
    ]

    /// What the instance behind a host table was granted, as bits: the host table itself decides.
    static func granted(to host: UnsafePointer<tandem_host>) -> UInt64 {
        var bits: UInt64 = 0
        for (id, number) in extensions where host.pointee.get_extension(host, id) != nil { bits |= 1 << UInt64(number) }
        return bits
    }
}
