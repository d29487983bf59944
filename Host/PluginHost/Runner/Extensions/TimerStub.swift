import CTandemPlugin

/// `tandem.timer/1` for runners.
enum TimerStub {
    static func handle(_ request: RunnerRequest) -> Bool {
        let table = TimerExtension.table.pointer.pointee
        let host = request.instance.host
        var reader = request.reader
        let call: UInt64 = reader.number()
        switch request.function {
        case 1:
            var plan = tandem_timer_plan()
            plan.header.size = UInt32(MemoryLayout<tandem_timer_plan>.size)
            plan.due_ms = reader.number()
            plan.repeat_unit = UInt32(clamping: reader.number(UInt64.self))
            plan.repeat_every = UInt32(clamping: reader.number(UInt64.self))
            let lengths = (reader.number(UInt64.self), reader.number(UInt64.self))
            let name = tandem_slice(reader.slice(lengths.0))
            plan.handler = tandem_slice(reader.slice(lengths.1))
            plan.data = tandem_slice(reader.rest())
            return request.ask(reader) { table.set(host, call, name, &plan, $0, $1) }
        case 2:
            let name = tandem_slice(reader.rest())
            return request.ask(reader) { table.cancel(host, call, name, $0, $1) }
        case 3: return request.ask(reader) { table.list(host, call, $0, $1) }
        default: return false
        }
    }
}
