import CTandemPlugin
import TandemCore
import TandemJSON

/// A function that takes a request and ends by `complete`, like `invoke`.
typealias RequestFunction =
    @convention(c) (UnsafeMutablePointer<tandem_instance>, UnsafePointer<tandem_request>) -> tandem_status

/// What the host may ask a plugin besides its tools: the plugin-side extensions.
enum Consultation: String, CaseIterable, Sendable {
    case configCheck = "tandem.config-check/1"
    case migrate = "tandem.migrate/1"
    case health = "tandem.health/1"
    case diagnostics = "tandem.diagnostics/1"

    var timeoutNanoseconds: UInt64 {
        switch self {
        case .configCheck: 30_000_000_000
        case .migrate: 60_000_000_000
        case .health: 5_000_000_000
        case .diagnostics: 10_000_000_000
        }
    }

    /// The request's `tool`, with schemas that let everything pass: each answer is checked where it is read.
    var tool: CallableTool? { Consultation.tools[self] }

    private static let tools: [Consultation: CallableTool] = {
        var tools: [Consultation: CallableTool] = [:]
        for consultation in allCases {
            let definition = ToolDefinition(
                id: consultation.rawValue, title: consultation.rawValue, description: "", parameters: true,
                effect: consultation == .migrate ? .write : .read)
            tools[consultation] = try? CallableTool(definition)
        }
        return tools
    }()
}
