internal import CTandemPlugin
internal import Synchronization
public import TandemJSON

/// What TandemTesting needs of the bridge; no interface for authors.
///
/// An image holds one plugin behind its entry point; a test binary holds several, so a test host makes instances here.
@_spi(Testing)
public struct PluginBridge: Sendable {
    private let registration: Registration
    public let manifest: JSON
    public let problems: [PluginDefinition.Problem]

    public init<P: Plugin>(_ type: P.Type) {
        registration = Registration(type)
        manifest = P.definition.manifest
        problems = registration.problems
    }

    /// A `tandem_instance` for a `tandem_host`; nil when the host's table is too short. Freed by its own `destroy`.
    public func makeInstance(host: UnsafeRawPointer) -> UnsafeMutableRawPointer? {
        registration.makeInstance(host.assumingMemoryBound(to: tandem_host.self)).map { UnsafeMutableRawPointer($0) }
    }

    /// Buffers that hosts have not released yet, in the whole process.
    public static var liveBufferCount: Int { liveBuffers.load(ordering: .relaxed) }
}

@_spi(Testing)
extension Shown {
    public init?(json: JSON) {
        guard let elements = json["items"]?.arrayValue else { return nil }
        var items: [Item] = []
        for element in elements {
            guard let type = element["type"]?.stringValue, let id = element["id"]?.stringValue,
                let label = element["label"]?.stringValue
            else { return nil }
            items.append(Item(type: type, id: id, label: label))
        }
        self.init(items, select: json["select"]?.stringValue, numbered: json["numbered"]?.boolValue ?? true)
    }
}
