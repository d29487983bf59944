/// A plugin: tools, tables and settings under one name.
///
/// Its library exports one function, made in a target of its own:
///
///     @c(tandem_plugin_entry)
///     public func entry(_ hostMajor: UInt32, _ hostMinor: UInt32) -> UnsafeRawPointer? {
///         Grocery.entry(hostMajor, hostMinor)
///     }
public protocol Plugin: Sendable {
    static var definition: PluginDefinition { get }

    /// Whether the plugin could work now, for the operator (`tandem.health/1`). Changes nothing; within 5 s. What it
    /// throws counts as failing.
    static func health(_ context: Context) async throws -> Health
}

extension Plugin {
    public static func health(_ context: Context) async throws -> Health { .ok }

    /// The table for `tandem_plugin_entry`; nil when the host's version does not fit, the declarations have problems or
    /// the image already is another plugin. Made once, lives as long as the process.
    public static func entry(_ hostMajor: UInt32, _ hostMinor: UInt32) -> UnsafeRawPointer? {
        UnsafeRawPointer(pluginTable(for: Self.self, hostMajor, hostMinor))
    }
}
