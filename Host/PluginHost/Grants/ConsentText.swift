import CTandemPlugin
import TandemCore

/// What a plugin may do, in words for the person it asks: made by the host from the manifest, never by the plugin,
/// except for the names of what it keeps, which the manifest's checks keep short and plain.
enum ConsentText {
    /// Verb phrases joined by `; `, the riskiest first, without a full stop: `may send messages, asking first; keeps your
    /// tide notes`. Plain GSM-7 as far as the manifest's own words are.
    static func summary(of manifest: PluginManifest, trust: RegistryEntry.Trust) -> String {
        var parts: [String] = []
        let effects = Set(manifest.tools.map(\.effect))
        if let risks = risks(effects) { parts.append("may \(risks), asking first") }
        let items = ApprovedReach(of: manifest, trust: trust).items
        parts += reach(items)
        let purposes = manifest.tables.map(\.purpose).filter { !$0.isEmpty }.map { said($0, by: trust) }
        if !purposes.isEmpty {
            parts.append("keeps \(list(purposes, atMost: 3))")
        } else if effects.contains(.write) {
            parts.append("may change things")
        }
        if parts.isEmpty { parts.append("only looks things up") }
        return parts.joined(separator: "; ")
    }

    /// Words of the manifest inside a sentence of the host: a stranger's stand in quotes, without what could end them.
    private static func said(_ words: String, by trust: RegistryEntry.Trust) -> String {
        trust == .firstParty ? words : "\"" + PlainText.phrase(words, atMost: 60) + "\""
    }

    /// `spend money, send messages and delete things`; nil for none of them.
    private static func risks(_ effects: Set<Effect>) -> String? {
        let words = [Effect.spend, .send, .delete].filter(effects.contains).map(verb)
        return words.isEmpty ? nil : list(words, atMost: 3)
    }

    static func verb(_ effect: Effect) -> String {
        switch effect {
        case .read: "look things up"
        case .write: "change things"
        case .delete: "delete things"
        case .send: "send messages"
        case .spend: "spend money"
        }
    }

    /// Third person: `reaches api.example.org`.
    private static func reach(_ items: Set<ReachItem>) -> [String] {
        func names(_ kinds: ReachItem.Kind...) -> [String] {
            items.filter { kinds.contains($0.kind) }.map(\.name).sorted()
        }
        var parts: [String] = []
        let hosts = names(.host).map(host)
        if !hosts.isEmpty { parts.append("reaches \(list(hosts, atMost: 2))") }
        let scopes = names(.scope)
        if !scopes.isEmpty { parts.append("uses your account: \(list(scopes, atMost: 2))") }
        if !names(.recall).isEmpty { parts.append("reads what I remember of you") }
        if !names(.propose).isEmpty { parts.append("may suggest what I should remember") }
        if !names(.secret).isEmpty { parts.append("uses a key that you enter") }
        let others = namespaces(names(.call))
        if !others.isEmpty { parts.append("may use \(list(others, atMost: 3)) when that is on") }
        let heard = namespaces(names(.subscribes))
        if !heard.isEmpty { parts.append("hears from \(list(heard, atMost: 3))") }
        if !names(.publishes).isEmpty { parts.append("tells your other integrations") }
        if !names(.handler).isEmpty { parts.append("may act when you are not there") }
        return parts
    }

    /// What is new, as a predicate: `wants to send messages and reach api.example.org now`.
    static func request(
        _ drift: ReachDrift, of manifest: PluginManifest, trust: RegistryEntry.Trust = .firstParty
    ) -> String {
        let tools = manifest.tools
        func title(_ id: String) -> String {
            "\"\(PlainText.phrase(tools.first { $0.id == id }?.title ?? id, atMost: 60))\""
        }
        /// The tools that drifted so, in the manifest's order.
        func drifted(_ kind: ToolDrift) -> [ToolDefinition] {
            tools.filter { drift.tools[$0.id]?.contains(kind) == true }
        }
        var wishes: [String] = []
        let raised = Set((drifted(.effect) + drifted(.isNew)).map(\.effect))
        for effect in [Effect.spend, .send, .delete, .write, .read] where raised.contains(effect) {
            let isNewOnly = !drifted(.effect).contains { $0.effect == effect }
            let named = drifted(.isNew).filter { $0.effect == effect }
            if isNewOnly, effect == .read || effect == .write {
                wishes.append("do more: " + list(named.map { title($0.id) }, atMost: 2))
            } else {
                wishes.append(verb(effect))
            }
        }
        func names(_ kind: ReachItem.Kind) -> [String] {
            drift.items.filter { $0.kind == kind }.map(\.name).sorted()
        }
        if !names(.host).isEmpty { wishes.append("reach \(list(names(.host).map(host), atMost: 2))") }
        if !names(.scope).isEmpty { wishes.append("use more of your account: \(list(names(.scope), atMost: 2))") }
        if !names(.recall).isEmpty { wishes.append("read what I remember of you") }
        if !names(.propose).isEmpty { wishes.append("suggest what I should remember") }
        if !names(.secret).isEmpty { wishes.append("use a key that you enter") }
        let others = namespaces(names(.call))
        if !others.isEmpty { wishes.append("use \(list(others, atMost: 2))") }
        let heard = namespaces(names(.subscribes))
        if !heard.isEmpty { wishes.append("hear from \(list(heard, atMost: 2))") }
        if !names(.publishes).isEmpty { wishes.append("tell your other integrations more") }
        if !names(.handler).isEmpty { wishes.append("act when you are not there") }
        for id in names(.extension) where id != TANDEM_EXT_HTTP {
            wishes.append(id == TANDEM_EXT_TIMER ? "set timers" : "use \(id)")
        }
        let tables = names(.table).compactMap {
            $0.split(separator: "/", maxSplits: 1).dropFirst().first.map(String.init)
        }
        if !tables.isEmpty { wishes.append("keep \(list(tables.map { said($0, by: trust) }, atMost: 2))") }
        if !names(.other).isEmpty { wishes.append("have more rights") }
        var parts: [String] = []
        if !wishes.isEmpty { parts.append("wants to \(list(wishes, atMost: 3)) now") }
        if !names(.developer).isEmpty { parts.append("is a test version that nobody reviewed now") }
        let changed = Set([.text, .schema, .trust].flatMap(drifted).map(\.id)).sorted()
        if !changed.isEmpty { parts.append("works differently now: \(list(changed.map(title), atMost: 2))") }
        let lost = drifted(.undo).map(\.id)
        if !lost.isEmpty { parts.append("cannot take back \(list(lost.map(title), atMost: 2)) any more") }
        return parts.isEmpty ? "has changed" : parts.joined(separator: "; ")
    }

    /// A host without what tells two declarations of it apart.
    private static func host(_ name: String) -> String { String(name.prefix { $0 != "#" }) }

    private static func namespaces(_ ids: [String]) -> [String] {
        var seen: [String] = []
        for id in ids {
            let namespace = String(id.prefix { $0 != "." })
            if !seen.contains(namespace) { seen.append(namespace) }
        }
        return seen
    }

    /// `a, b and c`; `a, b and 4 more`.
    static func list(_ words: [String], atMost limit: Int) -> String {
        var words = words
        if words.count > limit { words = Array(words.prefix(limit)) + ["\(words.count - limit) more"] }
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}
