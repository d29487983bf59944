import Notion
import TandemSDK

/// What the host looks up in the library.
@c(tandem_plugin_entry)
public func entry(_ hostMajor: UInt32, _ hostMinor: UInt32) -> UnsafeRawPointer? {
    Notion.entry(hostMajor, hostMinor)
}
