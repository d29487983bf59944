import TandemCore
import TandemJSON
import TandemMemory
import TandemPluginHost
import TandemStorage

/// What the search over everything knows of the parts of the program that it cannot see.
enum SearchParts {
    static func prepare(_ search: TextSearch, plugins: PluginHost) {
        search.add(messages, as: "message")
        search.set { [weak plugins] owner, scope in
            guard let plugins, let manifest = plugins.manifests.first(where: { $0.id == owner }),
                let grant = try? await plugins.grant(of: owner, in: scope), case .enabled = grant.state
            else { return nil }
            // What it fetches is others' words, also where a sync wrote it that no call stood behind.
            let isFromElsewhere = !manifest.hosts.isEmpty || !manifest.accounts.isEmpty
            return TextSearch.Owner(name: manifest.name, trust: isFromElsewhere ? .untrusted : .owner)
        }
    }

    /// What was said and answered. Not the questions: they would be the best answers to themselves.
    private static let messages = SearchSource(
        table: "messages", columns: ["text", "direction"], tuning: RecallTuning()
    ) { row in
        guard row.values.count == 2, let text = row.values[0].stringValue, text.utf8.count >= 12 else { return nil }
        if row.values[1].stringValue == "in" {
            guard StatementKind(text) != .question, !isSearch(text) else { return nil }
        }
        return (text, row.updatedAt)
    }

    private static func isSearch(_ text: String) -> Bool {
        let first = text.lowercased().prefix(24)
        return ["find ", "search ", "look for ", "look up ", "show ", "list ", "recall ", "tell me "].contains {
            first.hasPrefix($0)
        }
    }
}
