import CTandemPlugin
import TandemCore

/// What a plugin may do, in words for the person it asks: made by the host from the manifest, never by the plugin,
/// except for the names of what it keeps, which the manifest's checks keep short and plain.
enum ConsentText {
    /// Verb phrases joined by `; `, the riskiest first, without a full stop: `may send messages, asking first; keeps your
    /// tide notes`. Plain GSM-7 as far as the manifest's own words are.
    static func summary(of manifest: PluginManifest, trust: RegistryEntry.Trust) -> String {
        text(phrases(of: manifest, trust: trust).map(\.full), "; ")
    }

    /// The same with fewer words, and fewer still: every kind of thing stays, names go first.
    static func briefs(of manifest: PluginManifest, trust: RegistryEntry.Trust) -> [String] {
        let phrases = phrases(of: manifest, trust: trust)
        // `may send (asks first); uses your key, memories; acts by itself`
        var brief: [String] = []
        let used = phrases.map(\.brief).filter { $0.hasPrefix(uses) }.map { String($0.dropFirst(uses.count)) }
        for phrase in phrases.map(\.brief) where !phrase.isEmpty {
            if !phrase.hasPrefix(uses) {
                brief.append(phrase)
            } else if phrase == uses + (used.first ?? "") {
                var seen: Set<String> = []
                let distinct = used.filter { seen.insert($0).inserted }
                let text = uses + distinct.joined(separator: ", ")
                if !brief.contains(text) { brief.append(text) }
            }
        }
        return [text(phrases.map(\.short), "; "), text(brief, "; ")]
    }

    private static let uses = "uses "

    private static func text(_ parts: [String], _ separator: String) -> String {
        parts.isEmpty ? "only looks things up" : parts.joined(separator: separator)
    }

    /// One thing that it may do, in three lengths.
    private typealias Phrase = (full: String, short: String, brief: String)

    private static func phrases(of manifest: PluginManifest, trust: RegistryEntry.Trust) -> [Phrase] {
        var phrases: [Phrase] = []
        let effects = Set(manifest.tools.map(\.effect))
        let risks = [Effect.spend, .send, .delete].filter(effects.contains)
        if !risks.isEmpty {
            let words = list(risks.map(verb), atMost: 3)
            phrases.append(
                (
                    "may \(words), asking first", "may \(words), asking first",
                    "may \(risks.map(\.rawValue).joined(separator: "/")) (asks first)"
                ))
        }
        phrases += reach(ApprovedReach(of: manifest, trust: trust).items, of: manifest, trust)
        let purposes = manifest.tables.map(\.purpose).filter { !$0.isEmpty }.map { said($0, by: trust) }
        if !purposes.isEmpty {
            phrases.append(
                ("keeps \(list(purposes, atMost: 3))", "keeps \(list(purposes, atMost: 1))", "keeps data"))
        } else if effects.contains(.write) {
            phrases.append(("may change things", "may change things", "changes things"))
        }
        return phrases
    }

    /// Words of the manifest inside a sentence of the host: a stranger's stand in quotes, without what could end them.
    private static func said(_ words: String, by trust: RegistryEntry.Trust) -> String {
        trust == .firstParty ? words : "\"" + PlainText.phrase(words, atMost: 60) + "\""
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
    private static func reach(
        _ items: Set<ReachItem>, of manifest: PluginManifest, _ trust: RegistryEntry.Trust
    ) -> [Phrase] {
        func names(_ kind: ReachItem.Kind) -> [String] { items.filter { $0.kind == kind }.map(\.name).sorted() }
        var phrases: [Phrase] = []
        func add(_ names: [String], _ phrase: ([String]) -> Phrase) {
            if !names.isEmpty { phrases.append(phrase(names)) }
        }
        let usesOwnService = trust == .firstParty && !names(.scope).isEmpty
        add(names(.host).map(host)) { hosts in
            if hosts.contains("*") {
                return ("reaches any page of the internet", "reaches any page of the internet", "uses the internet")
            }
            return (
                "reaches \(list(hosts, atMost: 2))", "reaches \(list(hosts, atMost: 1))",
                // An account elsewhere says as much.
                usesOwnService ? "" : "uses the internet"
            )
        }
        add(services(names(.scope))) { services in
            let purposes = manifest.accounts.map { said($0.reason, by: trust) }
            let short = "uses your \(list(services, atMost: 2)) account"
            return (
                purposes.isEmpty ? short : "\(short) (\(list(purposes, atMost: 2)))", short,
                services.count == 1 ? "uses your \(services[0]) account" : "uses your accounts"
            )
        }
        // What the operator entered for everybody is nothing of the person's.
        let own = names(.secret).filter { name in
            manifest.secrets.first { $0.name == name }?.enteredBy != .operator
        }
        add(own) { _ in ("uses a key that you enter", "uses a key that you enter", "uses your key") }
        add(names(.recall)) { _ in ("reads what I remember of you", "reads what I remember", "uses memories") }
        add(names(.propose)) { _ in
            ("may suggest what I should remember", "may suggest memories", "uses memories")
        }
        add(namespaces(names(.call))) { others in
            (
                "may use \(list(others, atMost: 3)) when that is on", "may use \(list(others, atMost: 2))",
                others.count == 1 ? "uses \(others[0])" : "uses other plugins"
            )
        }
        add(namespaces(names(.subscribes))) { heard in
            ("hears from \(list(heard, atMost: 3))", "hears from \(list(heard, atMost: 1))", "uses events")
        }
        add(names(.publishes)) { _ in
            ("tells your other integrations", "tells your other integrations", "uses events")
        }
        add(names(.handler)) { _ in ("may act when you are not there", "may act by itself", "acts by itself") }
        // Of later versions, or beyond what this text knows.
        add(names(.other)) { _ in ("has further rights", "has further rights", "has further rights") }
        return phrases
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
        let rights = names(.scope).map { $0.prefix { $0 != "#" }.split(separator: "/").last.map(String.init) ?? $0 }
        if !rights.isEmpty {
            let services = list(services(names(.scope)), atMost: 2)
            wishes.append("use more of your \(services) account: \(list(rights, atMost: 2))")
        }
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

    /// `microsoft/Mail.Read` and `microsoft/Mail.Send#write`: `Microsoft`.
    private static func services(_ rights: [String]) -> [String] {
        var seen: [String] = []
        for right in rights {
            let id = right.prefix { $0 != "/" }
            let name = written[String(id)] ?? id.prefix(1).uppercased() + id.dropFirst()
            if !seen.contains(name) { seen.append(name) }
        }
        return seen
    }

    /// Names that are not their id with a capital.
    private static let written = ["youtube": "YouTube"]

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
