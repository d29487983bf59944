import TandemSDK
import YouTube

/// What the host looks up in the library.
@c(tandem_plugin_entry)
public func entry(_ hostMajor: UInt32, _ hostMinor: UInt32) -> UnsafeRawPointer? {
    YouTube.entry(hostMajor, hostMinor)
}
