internal import CTandemPlugin
public import TandemJSON

/// Lines in the host's structured log: a constant message, the data in fields.
///
/// Never log what a person wrote, a token, an address or a number.
public struct Log: Sendable {
    let call: Call

    public func debug(_ message: StaticString, _ fields: JSONObject = [:]) { write(TANDEM_LOG_DEBUG, message, fields) }
    public func info(_ message: StaticString, _ fields: JSONObject = [:]) { write(TANDEM_LOG_INFO, message, fields) }

    public func warning(_ message: StaticString, _ fields: JSONObject = [:]) {
        write(TANDEM_LOG_WARNING, message, fields)
    }

    public func error(_ message: StaticString, _ fields: JSONObject = [:]) { write(TANDEM_LOG_ERROR, message, fields) }

    private func write(_ level: UInt32, _ message: StaticString, _ fields: JSONObject) {
        call.instance.host.log(level, call.id, message.description, fields)
    }
}
