internal import CTandemPlugin
internal import TandemSDK

extension tandem_slice {
    var array: [UInt8] { ptr.map { Array(UnsafeBufferPointer(start: $0, count: Int(clamping: len))) } ?? [] }

    var text: String {
        ptr.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(clamping: len)), as: UTF8.self) } ?? ""
    }

    /// Nil when it is empty or malformed.
    var json: JSON? {
        guard let ptr, len > 0 else { return nil }
        return try? JSON(parsing: UnsafeRawBufferPointer(start: ptr, count: Int(clamping: len)))
    }
}

extension HostTable {
    static func of(_ host: UnsafePointer<tandem_host>) -> HostTable? {
        host.pointee.context.map { Unmanaged<HostTable>.fromOpaque($0).takeUnretainedValue() }
    }
}
