import TandemCore
import TandemJSON

extension IntegrationTools {
    private static let integration = SlotDefinition(.reference(entity: entity), required: true)
    /// What `integrations.restore` takes.
    private static let change = Shape.object(
        ["integration": Shape.text("#NAMESPACE", upTo: 64), "enabled": Shape.flag("On.")],
        required: ["integration", "enabled"])
    private static let changed = Shape.result(
        ["integration": Shape.string, "enabled": Shape.boolean], required: ["integration"])

    static let definitions: [ToolDefinition] = [
        ToolDefinition(
            id: "integrations.on", title: "Switch an integration on",
            description: "Switches an integration on for this person, after saying what it may do.",
            parameters: Shape.object(["integration": Shape.reference("integration")], required: ["integration"]),
            result: changed, effect: .write,
            utterances: [
                Utterance("(turn|switch) on {integration}"), Utterance("(turn|switch) {integration} on"),
                Utterance("(enable|activate) {integration}"), Utterance("I want to use {integration}"),
            ],
            slots: ["integration": integration], actsOn: entity, isOwnersAlone: true),
        ToolDefinition(
            id: "integrations.off", title: "Switch an integration off",
            description: "Switches an integration off for this person. Its data stays.",
            parameters: Shape.object(["integration": Shape.reference("integration")], required: ["integration"]),
            result: changed, effect: .write,
            utterances: [
                Utterance("(turn|switch) off {integration}"), Utterance("(turn|switch) {integration} off"),
                Utterance("(disable|deactivate) {integration}"), Utterance("I don't want {integration} any more"),
            ],
            slots: ["integration": integration], actsOn: entity, isOwnersAlone: true),
        ToolDefinition(
            id: "integrations.level", title: "Say how far an integration may go",
            description: """
                Sets how far an integration may go: read_only looks things up, confirm asks the person before each \
                change, write changes things without asking (what deletes, sends or spends is asked about all the same).
                """,
            parameters: Shape.object(
                [
                    "integration": Shape.reference("integration"),
                    "level": Shape.choice("How far.", IntegrationLevel.allCases.map(\.rawValue)),
                ], required: ["integration"]),
            result: Shape.result(["integration": Shape.string, "level": Shape.string], required: ["integration"]),
            effect: .write,
            slots: ["integration": integration], actsOn: entity, isOwnersAlone: true),
        ToolDefinition(
            id: "integrations.tool", title: "Switch a tool of an integration",
            description: """
                Decides about one tool of an integration: off, on (as the integration as a whole), confirm (asks first) \
                or write (without asking).
                """,
            parameters: Shape.object(
                [
                    "integration": Shape.reference("integration"), "tool": Shape.reference("tool"),
                    "state": Shape.choice("What it may do.", ["off", "on", "confirm", "write"]),
                ], required: ["integration", "tool", "state"]),
            result: Shape.result(["integration": Shape.string, "tool": Shape.string], required: ["integration"]),
            effect: .write,
            slots: ["integration": integration, "tool": SlotDefinition(.text, required: true)],
            isOwnersAlone: true),
        ToolDefinition(
            id: "integrations.describe", title: "Say what an integration may do",
            description: "Says what an integration may do, whether it is on, and how far each of its tools may go.",
            parameters: Shape.object(["integration": Shape.reference("integration")], required: ["integration"]),
            result: Shape.result(["integration": Shape.string, "enabled": Shape.boolean], required: ["integration"]),
            effect: .read,
            slots: ["integration": integration], actsOn: entity),
        ToolDefinition(
            id: "integrations.review", title: "Decide what an integration asks for",
            description: "Shows what an integration asks for since it changed, and takes the person's decision.",
            parameters: Shape.object(["integration": Shape.reference("integration")], required: ["integration"]),
            result: changed, effect: .write,
            slots: ["integration": integration], actsOn: entity, isOwnersAlone: true),
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
            description: "For undo of earlier versions only: sets an integration to what it was.", parameters: change,
            result: change, effect: .write, isOwnersAlone: true),
    ]
}
