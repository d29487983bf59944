internal import CTandemPlugin
internal import Synchronization

/// The plugin that this image is. A plugin's library holds one.
private struct Image: @unchecked Sendable {
    // Sendable: the table and the manifest's bytes are written once, before the pointer is published, and never freed.
    let type: ObjectIdentifier
    let registration: Registration
    let table: UnsafePointer<tandem_plugin>
    let manifest: UnsafeBufferPointer<UInt8>
}

private let image = Mutex<Image?>(nil)

func pluginTable<P: Plugin>(for type: P.Type, _ hostMajor: UInt32, _ hostMinor: UInt32) -> UnsafePointer<tandem_plugin>?
{
    guard hostMajor == TANDEM_ABI_MAJOR else { return nil }
    return image.withLock { image in
        if let known = image { return known.type == ObjectIdentifier(type) ? known.table : nil }
        let registration = Registration(type)
        guard registration.problems.isEmpty else { return nil }
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: registration.manifest.count)
        _ = bytes.initialize(from: registration.manifest)
        let table = UnsafeMutablePointer<tandem_plugin>.allocate(capacity: 1)
        table.initialize(
            to: tandem_plugin(
                header: tandem_header(size: UInt32(MemoryLayout<tandem_plugin>.size), flags: 0),
                abi_major: TANDEM_ABI_MAJOR, abi_minor: TANDEM_ABI_MINOR, abi_lowest_minor: 0, reserved: 0,
                context: nil, manifest: tandemSDKManifest, create: tandemSDKCreate))
        image = Image(
            type: ObjectIdentifier(type), registration: registration, table: UnsafePointer(table),
            manifest: UnsafeBufferPointer(bytes))
        return UnsafePointer(table)
    }
}

func tandemSDKManifest(_ plugin: UnsafePointer<tandem_plugin>) -> tandem_slice {
    guard let bytes = image.withLock({ $0?.manifest }) else { return tandem_slice() }
    return tandem_slice(ptr: bytes.baseAddress, len: UInt64(bytes.count))
}

func tandemSDKCreate(
    _ plugin: UnsafePointer<tandem_plugin>, _ host: UnsafePointer<tandem_host>,
    _ out: UnsafeMutablePointer<UnsafeMutablePointer<tandem_instance>?>
) -> Int32 {
    out.pointee = nil
    guard let registration = image.withLock({ $0?.registration }) else { return TANDEM_E_WRONG_STATE }
    guard let instance = registration.makeInstance(host) else { return TANDEM_E_SIZE_TOO_SMALL }
    out.pointee = instance
    return TANDEM_OK
}
