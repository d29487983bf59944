import TandemCore
import TandemJSON

/// Switching integrations on and off by text.
struct IntegrationTools: Toolbox {
    let control: any IntegrationControl

    /// The entity type of integrations in `shown`; their id is the namespace.
    static let entity = "integrations.integration"

    private static let integration = SlotDefinition(.reference(entity: entity), required: true)
    /// What `integrations.restore` takes, so that one undo puts back what was before.
    private static let change = Shape.object(
        ["integration": Shape.text("#NAMESPACE", upTo: 64), "enabled": Shape.flag("On.")],
        required: ["integration", "enabled"])

    static let definitions: [ToolDefinition] = [
        ToolDefinition(
            id: "integrations.on", title: "Switch an integration on",
            description: "Switches an integration on for this person and says what it may do.",
            parameters: Shape.object(["integration": Shape.reference("integration")], required: ["integration"]),
            result: change, effect: .write, undo: .tool("integrations.restore"),
            utterances: [
                Utterance("(turn|switch) on {integration}"), Utterance("(turn|switch) {integration} on"),
                Utterance("(enable|activate) {integration}"), Utterance("I want to use {integration}"),
            ],
            slots: ["integration": integration], actsOn: entity),
        ToolDefinition(
            id: "integrations.off", title: "Switch an integration off",
            description: "Switches an integration off for this person. Its data stays.",
            parameters: Shape.object(["integration": Shape.reference("integration")], required: ["integration"]),
            result: change, effect: .write, undo: .tool("integrations.restore"),
            utterances: [
                Utterance("(turn|switch) off {integration}"), Utterance("(turn|switch) {integration} off"),
                Utterance("(disable|deactivate) {integration}"), Utterance("I don't want {integration} any more"),
            ],
            slots: ["integration": integration], actsOn: entity),
        ToolDefinition(
            id: "integrations.list", title: "List integrations",
            description: "Shows which integrations there are and which are on.",
            parameters: Shape.object(["filter": Shape.choice("Which ones; all by default.", ["all", "on", "off"])]),
            result: Shape.result(
                [
                    "integrations": Shape.array(
                        Shape.result(["namespace": Shape.string, "name": Shape.string, "enabled": Shape.boolean]))
                ], required: ["integrations"]),
            effect: .read,
            utterances: [
                Utterance("what can I (switch|turn) on", arguments: ["filter": "off"]),
                Utterance("what else can you do", arguments: ["filter": "off"]), Utterance("what can you do"),
                Utterance("(show|list) [my|the] (integrations|plugins|apps)"),
                Utterance("which integrations are there"),
                Utterance("which (integrations|plugins) are on", arguments: ["filter": "on"]),
                Utterance("what is (switched|turned) on", arguments: ["filter": "on"]),
                Utterance("which (integrations|plugins) are off", arguments: ["filter": "off"]),
            ]),
        ToolDefinition(
            id: "integrations.restore", title: "Put an integration back",
            description: "For undo only: sets an integration to what it was.", parameters: change, result: change,
            effect: .write, undo: .tool("integrations.restore")),
    ]

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "integrations.on": return try await set(true, request)
        case "integrations.off": return try await set(false, request)
        case "integrations.list": return try await list(request)
        case "integrations.restore": return try await set(request.flag("enabled"), request, isRestoring: true)
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    private func set(_ isOn: Bool, _ request: ToolRequest, isRestoring: Bool = false) async throws -> ToolOutcome {
        let all = try await control.integrations(for: request.scope)
        let integration = all[try IntegrationTools.resolve(request, among: all)]
        let wasOn = integration.state == .on
        // The value is what undo sets: the state from before.
        let value: JSON = ["integration": .string("#" + integration.namespace), "enabled": .bool(wasOn)]
        let shown = ShownEntities.touched([IntegrationTools.item(integration)])
        if case .unavailable(let reason) = integration.state, isOn {
            throw ToolFailure(
                status: -62, code: "unavailable",
                message: Wording.line("\(integration.name) can't be switched on here: ", reason))
        }
        if wasOn == isOn {
            return .value(value, "\(integration.name) is \(isOn ? "on" : "off") already.", shown: shown)
        }
        try await control.setEnabled(
            isOn, namespace: integration.namespace, in: request.scope, origin: request.call.origin)
        if isOn {
            let what = integration.permissions.isEmpty ? integration.summary : integration.permissions
            let head = "\(integration.name) is on"
            guard !what.isEmpty, !isRestoring else { return .value(value, head + ".", shown: shown) }
            let room = Wording.firstLineLimit - Wording.septets(head) - 4
            var text = Wording.clip(what, to: max(room, 20))
            if text.hasSuffix("."), !text.hasSuffix("...") { text.removeLast() }
            return .value(value, "\(head). It \(IntegrationTools.lowered(text)).", shown: shown)
        }
        let tail = isRestoring ? "." : ". What it saved stays; switch it on again any time."
        return .value(value, "\(integration.name) is off\(tail)", shown: shown)
    }

    private func list(_ request: ToolRequest) async throws -> ToolOutcome {
        let filter = request.line("filter") ?? "all"
        var all = try await control.integrations(for: request.scope)
        all.removeAll { integration in
            switch filter {
            case "on": integration.state != .on
            case "off": integration.state != .off
            default: false
            }
        }
        let value: JSON = [
            "integrations": .array(
                all.map {
                    [
                        "namespace": .string($0.namespace), "name": .string($0.name), "enabled": .bool($0.state == .on),
                    ]
                })
        ]
        guard !all.isEmpty else {
            switch filter {
            case "on": return .value(value, "Nothing is switched on yet. Ask: what can I switch on?")
            case "off": return .value(value, "Everything is on already.")
            default: return .value(value, "There are no integrations here yet.")
            }
        }
        if filter == "off" {
            return .value(
                value, Wording.numbered("You can switch on:", all.map(\.name), tail: "A number is enough."),
                shown: ShownEntities(items: all.map(IntegrationTools.item), select: "integrations.on"))
        }
        let labels = all.map { integration in
            switch integration.state {
            case .on: "\(integration.name) (on)"
            case .off: "\(integration.name) (off)"
            case .unavailable: "\(integration.name) (not available)"
            }
        }
        return .value(
            value,
            Wording.numbered(filter == "on" ? "On:" : "Integrations:", filter == "on" ? all.map(\.name) : labels),
            shown: ShownEntities(items: all.map(IntegrationTools.item)))
    }

    private static func item(_ integration: Integration) -> ShownEntities.Item {
        ShownEntities.Item(type: entity, id: integration.namespace, label: integration.name)
    }

    /// The first letter in lower case, unless the word is all capitals.
    private static func lowered(_ text: String) -> String {
        guard let first = text.first, first.isUppercase, !(text.dropFirst().first?.isUppercase ?? false) else {
            return text
        }
        return first.lowercased() + text.dropFirst()
    }

    /// By namespace, name or alias, singular or plural.
    private static func resolve(_ request: ToolRequest, among all: [Integration]) throws -> Int {
        guard let words = request.line("integration") else {
            throw ToolFailure.empty("Which one? Ask \"what can I switch on\" for the list.")
        }
        if !words.hasPrefix("#") {
            for (index, integration) in all.enumerated() {
                let names = [integration.namespace, integration.name] + integration.aliases
                if names.contains(where: { $0.lowercased() == words.lowercased() }) { return index }
            }
        }
        // Each alias is a candidate of its own; several of one integration are no ambiguity.
        var labels: [String] = []
        var owners: [Int] = []
        for (index, integration) in all.enumerated() {
            for name in [integration.name, integration.namespace] + integration.aliases {
                labels.append(name)
                owners.append(index)
            }
        }
        if words.hasPrefix("#") {
            guard let index = all.firstIndex(where: { $0.namespace == words.dropFirst() }) else {
                throw ToolFailure.notFound("integration", words)
            }
            return index
        }
        let ignoring: Set<String> = ["integration", "plugin", "app", "list", "tracker", "tracking"]
        switch TitleMatcher.match(words, among: labels, ignoring: ignoring) {
        case .one(let label): return owners[label]
        case .several(let found):
            var distinct: [Int] = []
            for label in found where !distinct.contains(owners[label]) { distinct.append(owners[label]) }
            if distinct.count == 1, let only = distinct.first { return only }
            throw request.choice(
                "integration", items: distinct.map { Referable(id: all[$0].namespace, label: all[$0].name) })
        case .none: throw ToolFailure.notFound("integration", words)
        }
    }
}
