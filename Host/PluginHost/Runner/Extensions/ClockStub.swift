import CRunner
import CTandemPlugin

/// `tandem.clock/1` for runners: only an offset that was not pushed is asked for.
enum ClockStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        guard request.function == 3 else { return false }
        var reader = request.reader
        let instant: Int64 = reader.number()
        guard reader.isIntact else { return false }
        let host = request.instance.host
        // Far beyond any calendar the steps of the search would overflow.
        let bounded = min(max(instant, -(1 << 52)), 1 << 52)
        let interval = OffsetInterval(around: bounded) {
            ClockExtension.table.pointer.pointee.utc_offset_at(host, $0)
        }
        var answer = tandem_frame_person()
        answer.offset_from_ms = min(interval.from, instant)
        answer.offset_until_ms = max(interval.until, instant < .max ? instant + 1 : instant)
        answer.offset_seconds = interval.seconds
        withUnsafeBytes(of: &answer) { request.reply(TANDEM_OK, $0) }
        return true
    }
}
