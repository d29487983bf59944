import CTandemPlugin

/// `tandem.config/1`: the plugin's settings with defaults filled in.
enum ConfigExtension {
    static let table = StaticTable(
        tandem_config(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_config>.size), flags: 0), values: configValues,
            generation: configGeneration))
}

private func configValues(
    _ host: UnsafePointer<tandem_host>, _ out: UnsafeMutablePointer<tandem_buffer>
) -> tandem_status {
    guard let instance = PluginInstance.of(host), UInt(bitPattern: out) != 0 else { return TANDEM_E_INVALID_ARGUMENT }
    out.pointee = tandem_buffer()
    let permission = instance.permission(for: .config)
    guard permission == TANDEM_OK else { return permission }
    out.pointee = HostBuffer.make(instance.settings.bytes)
    return TANDEM_OK
}

private func configGeneration(_ host: UnsafePointer<tandem_host>) -> UInt64 {
    PluginInstance.of(host)?.settings.generation ?? 0
}
