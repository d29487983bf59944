import Courier
import TandemSDK

/// The only symbol of the library.
@c(tandem_plugin_entry)
public func entry(_ hostMajor: UInt32, _ hostMinor: UInt32) -> UnsafeRawPointer? { Courier.entry(hostMajor, hostMinor) }
