import ScriptServer
import Synchronization

/// What goes wrong at a vendor until it is over, whatever is asked of it.
final class VendorTrouble: Sendable {
    enum Vendor: String, CaseIterable, Sendable {
        case gmail, outlook, notion, youtube, duckduckgo

        var name: String {
            switch self {
            case .gmail: "Gmail"
            case .outlook: "Outlook"
            case .notion: "Notion"
            case .youtube: "YouTube"
            case .duckduckgo: "DuckDuckGo"
            }
        }

        /// Part of the names of its hosts.
        var host: String {
            switch self {
            case .gmail: "gmail.googleapis"
            case .outlook: "graph.microsoft"
            case .notion: "api.notion"
            case .youtube: "www."
            case .duckduckgo: "duckduckgo"
            }
        }
    }

    enum Kind: String, CaseIterable, Sendable {
        /// 503, and nothing is done.
        case down
        /// 429 with a time to wait, and nothing is done.
        case crowded
        /// All is done, and the line breaks before the answer.
        case cut
        /// A page of HTML with 200, and nothing is done.
        case page
        /// No answer ever, and nothing is done.
        case silent
    }

    private let state = Mutex<[Vendor: Kind]>([:])

    func begin(_ kind: Kind, at vendor: Vendor) { state.withLock { $0[vendor] = kind } }

    func end(at vendor: Vendor) { state.withLock { $0[vendor] = nil } }

    /// Whether a host of the real vendor's name never answers now.
    func isSilent(_ host: String) -> Bool {
        state.withLock { $0.contains { $0.value == .silent && host.contains($0.key.host) } }
    }

    func answer(
        _ vendor: Vendor, _ request: ScriptServer.Request,
        _ usual: @Sendable (ScriptServer.Request) -> ScriptServer.Answer
    ) -> ScriptServer.Answer {
        switch state.withLock({ $0[vendor] }) {
        case nil: return usual(request)
        case .down: return .answer(503, [("Content-Type", "text/plain")], body: Array("Service Unavailable".utf8))
        case .crowded: return .answer(429, [("Retry-After", "600")])
        case .cut:
            _ = usual(request)
            return .close
        case .page:
            return .text(
                "<html><title>Maintenance</title>We are back soon</html>", [("Content-Type", "text/html")])
        case .silent: return .silence
        }
    }
}
