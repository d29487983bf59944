public import TandemCore
public import TandemJSON

/// Switching integrations on and off by text, and deciding how far they may go.
///
/// Every tool here takes the owner's own words: no other tool and no text of others can cause a call.
struct IntegrationTools: Toolbox {
    let control: any IntegrationControl

    /// The entity type of integrations in `shown`; their id is the namespace.
    static let entity = "integrations.integration"

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "integrations.on": return try await switchOn(request)
        case "integrations.off": return try await switchOff(request)
        case "integrations.level": return try await setLevel(request)
        case "integrations.tool": return try await setTool(request)
        case "integrations.describe": return try await describe(request)
        case "integrations.review": return try await review(request)
        case "integrations.list": return try await list(request)
        case "integrations.restore": return try await restore(request)
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    // MARK: On and off

    private func switchOn(_ request: ToolRequest) async throws -> ToolOutcome {
        let integration = try await find(request)
        let value = IntegrationTools.value(integration, isOn: true)
        let shown = ShownEntities.touched([IntegrationTools.item(integration)])
        if case .unavailable(let reason) = integration.state {
            let step = await connectionStep(of: integration, request)
            throw ToolFailure(
                status: -62, code: "unavailable",
                message: Wording.line("\(integration.name) can't be switched on here: ", reason) + step)
        }
        if integration.state == .on {
            if integration.request != nil { return try await review(request) }
            return .value(value, "\(integration.name) is on already.", shown: shown)
        }
        var level: IntegrationLevel?
        if integration.needsConsent {
            // What it may do is shown before anything is granted.
            guard let decision = request.line("decision") else { throw request.consent(integration) }
            switch Decision(decision) {
            case .leave: return .value(value, "Alright, \(integration.name) stays off.", shown: shown)
            case .readOnly: level = .readOnly
            case .confirm: level = .confirm
            case .agree: level = integration.tier.isEmpty ? .write : .confirm
            }
        }
        try await apply(.on(level), to: integration, request)
        let head = "\(integration.name) is on"
        let step = await connectionStep(of: integration, request)
        if integration.needsConsent {
            switch level {
            case .readOnly: return .value(value, head + ", read only." + step, shown: shown)
            case .confirm: return .value(value, head + " and asks before it changes anything." + step, shown: shown)
            case .write, nil: return .value(value, head + "." + step, shown: shown)
            }
        }
        let what = integration.permissions.isEmpty ? integration.summary : integration.permissions
        guard !what.isEmpty, step.isEmpty else { return .value(value, head + "." + step, shown: shown) }
        let room = Wording.firstLineLimit - Wording.septets(head) - 4
        var text = Wording.clip(what, to: max(room, 20))
        if text.hasSuffix("."), !text.hasSuffix("...") { text.removeLast() }
        return .value(value, "\(head). It \(IntegrationTools.lowered(text)).", shown: shown)
    }

    private func switchOff(_ request: ToolRequest) async throws -> ToolOutcome {
        let integration = try await find(request)
        let value = IntegrationTools.value(integration, isOn: false)
        let shown = ShownEntities.touched([IntegrationTools.item(integration)])
        guard integration.state == .on else {
            return .value(value, "\(integration.name) is off already.", shown: shown)
        }
        let ending = try await control.ending(of: integration.namespace, in: request.scope)
        try await apply(.off, to: integration, request)
        return .value(value, IntegrationTools.farewell(integration.name, ending), shown: shown)
    }

    /// What ended and what stays, the service first.
    private static func farewell(_ name: String, _ ending: IntegrationEnding) -> String {
        guard !ending.services.isEmpty || !ending.deleted.isEmpty else {
            return "\(name) is off. What it saved stays; switch it on again any time."
        }
        var lines: [String] = []
        let given = ending.services.filter { $0.keptFor == nil && $0.isGivenBack }.map(\.name)
        let deleted = ending.services.filter { $0.keptFor == nil && !$0.isGivenBack }
        var head = "\(name) is off"
        if !given.isEmpty { head += ", and its access to \(given.joined(separator: " and ")) was given back" }
        if !deleted.isEmpty {
            head += ", and the keys to \(deleted.map(\.name).joined(separator: " and ")) are deleted here"
        }
        lines.append(head + ".")
        for service in deleted {
            if let page = service.management { lines.append("To end it at \(service.name) as well: \(page)") }
        }
        for service in ending.services {
            if let other = service.keptFor { lines.append("\(service.name) stays connected for \(other).") }
        }
        if !ending.deleted.isEmpty { lines.append("Deleted here: \(ending.deleted.joined(separator: "; ")).") }
        if !ending.kept.isEmpty { lines.append("Kept: \(ending.kept.joined(separator: "; ")).") }
        return lines.joined(separator: "\n")
    }

    /// For undo of turns from before permissions were journaled.
    private func restore(_ request: ToolRequest) async throws -> ToolOutcome {
        let integration = try await find(request)
        let isOn = request.flag("enabled")
        let value = IntegrationTools.value(integration, isOn: isOn)
        if case .unavailable = integration.state {
        } else if (integration.state == .on) != isOn {
            try await apply(isOn ? .on(nil) : .off, to: integration, request)
        }
        return .value(value, "\(integration.name) is \(isOn ? "on" : "off").")
    }

    // MARK: How far

    private func setLevel(_ request: ToolRequest) async throws -> ToolOutcome {
        let integration = try await find(request)
        let shown = ShownEntities.touched([IntegrationTools.item(integration)])
        guard integration.state == .on else { throw IntegrationTools.isOff(integration) }
        let level =
            request.line("level").flatMap(IntegrationLevel.init(rawValue:))
            ?? (integration.tier.isEmpty ? .write : .confirm)
        let value: JSON = ["integration": .string("#" + integration.namespace), "level": .string(level.rawValue)]
        try await apply(.level(level), to: integration, request)
        let name = integration.name
        let step = await connectionStep(of: integration, request)
        switch level {
        case .readOnly:
            return .value(value, "\(name) is read only now: it looks things up and changes nothing.", shown: shown)
        case .confirm: return .value(value, "\(name) asks you before each change now." + step, shown: shown)
        case .write:
            let risks = integration.tools.contains { $0.effect > .write }
            let tail = risks ? " Before it deletes, sends or spends, it asks all the same." : ""
            return .value(value, "\(name) writes without asking now." + (step.isEmpty ? tail : step), shown: shown)
        }
    }

    private func setTool(_ request: ToolRequest) async throws -> ToolOutcome {
        let integration = try await find(request)
        guard integration.state == .on else { throw IntegrationTools.isOff(integration) }
        let tool = integration.tools[try IntegrationTools.resolveTool(request, of: integration)]
        let title = Wording.clip(tool.title, to: 50)
        let state: IntegrationChange.ToolState
        let text: String
        switch request.line("state") {
        case "off": (state, text) = (.off, "is off")
        case "confirm": (state, text) = (.confirm, "asks you first now")
        case "write": (state, text) = (.write, "works without asking now")
        default: (state, text) = (.on, "is on")
        }
        try await apply(.tool(tool.id, state), to: integration, request)
        let isRisky = state == .write && tool.effect > .write
        return .value(
            ["integration": .string("#" + integration.namespace), "tool": .string(tool.id)],
            "\"\(title)\" of \(integration.name) \(text)." + (isRisky ? " It still needs your word each time." : ""),
            shown: ShownEntities.touched([IntegrationTools.item(integration)]))
    }

    private func review(_ request: ToolRequest) async throws -> ToolOutcome {
        let integration = try await find(request)
        let shown = ShownEntities.touched([IntegrationTools.item(integration)])
        let value = IntegrationTools.value(integration, isOn: integration.state == .on)
        guard let question = LifeTools.review(of: integration) else {
            return .value(value, "\(integration.name) asks for nothing new.", shown: shown)
        }
        guard let decision = request.line("decision") else { throw Asking(request: question.request) }
        guard Decision(decision) != .leave else {
            try await apply(.leaveChanges, to: integration, request)
            let rest = integration.state == .on ? "The rest goes on as before." : "It stays off."
            return .value(value, "Alright, that stays off. \(rest)", shown: shown)
        }
        try await apply(.approveChanges, to: integration, request)
        return .value(value, "Done: \(integration.name) may do that now.", shown: shown)
    }

    // MARK: Looking

    private func describe(_ request: ToolRequest) async throws -> ToolOutcome {
        let integration = try await find(request)
        var state =
            switch integration.state {
            case .off: "off"
            case .unavailable: "not available"
            case .on:
                switch integration.level {
                case .readOnly: "on, read only"
                case .confirm: "on, asks first"
                case .write, nil: "on"
                }
            }
        if !integration.tier.isEmpty { state += ", " + integration.tier }
        let what = integration.permissions.isEmpty ? integration.summary : integration.permissions
        var lines = [Wording.clip("\(integration.name) (\(state)): \(what)", to: Wording.firstLineLimit)]
        if let asked = integration.request { lines.append("It \(asked).") }
        for tool in integration.tools {
            let note =
                switch tool.state {
                case .on: tool.effect > .write ? "asks first" : ""
                case .asking: "asks first"
                case .readOnly: "needs more than read only"
                case .off: "off"
                case .offered: integration.state == .on ? "waits for you" : ""
                }
            lines.append("- " + Wording.clip(tool.title, to: 60) + (note.isEmpty ? "" : " (\(note))"))
        }
        var tools: [JSON] = []
        for tool in integration.tools {
            tools.append([
                "id": .string(tool.id), "title": .string(tool.title), "effect": .string(tool.effect.rawValue),
                "state": .string(IntegrationTools.word(tool.state)),
            ])
        }
        return .value(
            [
                "integration": .string("#" + integration.namespace), "enabled": .bool(integration.state == .on),
                "level": integration.level.map { .string($0.rawValue) } ?? .null, "permissions": .string(what),
                "tools": .array(tools),
            ], lines.joined(separator: "\n"), shown: ShownEntities.touched([IntegrationTools.item(integration)]))
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
            case .on: integration.level == .readOnly ? "\(integration.name) (read only)" : "\(integration.name) (on)"
            case .off: "\(integration.name) (off)"
            case .unavailable: "\(integration.name) (not available)"
            }
        }
        return .value(
            value,
            Wording.numbered(filter == "on" ? "On:" : "Integrations:", filter == "on" ? all.map(\.name) : labels),
            shown: ShownEntities(items: all.map(IntegrationTools.item)))
    }

    // MARK: Parts

    private func apply(_ change: IntegrationChange, to integration: Integration, _ request: ToolRequest) async throws {
        try await control.apply(
            change, to: integration.namespace, in: request.scope, origin: request.call.origin)
    }

    /// On a line of its own; empty where nothing is left to do.
    private func connectionStep(of integration: Integration, _ request: ToolRequest) async -> String {
        // What is on stays on, whether or not this can be told.
        let step = try? await control.connectionStep(of: integration.namespace, in: request.scope)
        return step.flatMap { $0 }.map { "\n" + $0 } ?? ""
    }

    private func find(_ request: ToolRequest) async throws -> Integration {
        let all = try await control.integrations(for: request.scope)
        return all[try IntegrationTools.resolve(request, among: all)]
    }

    private static func value(_ integration: Integration, isOn: Bool) -> JSON {
        ["integration": .string("#" + integration.namespace), "enabled": .bool(isOn)]
    }

    private static func isOff(_ integration: Integration) -> ToolFailure {
        ToolFailure(
            status: -3, code: "off",
            message: Wording.line("\(integration.name) is off. To use it, text: turn on ", integration.namespace))
    }

    private static func word(_ state: Integration.Tool.State) -> String {
        switch state {
        case .on: "on"
        case .asking: "confirm"
        case .readOnly: "read_only"
        case .off: "off"
        case .offered: "offered"
        }
    }

    private static func item(_ integration: Integration) -> ShownEntities.Item {
        ShownEntities.Item(type: entity, id: integration.namespace, label: integration.name)
    }

    /// `4 look things up, 1 deletes things (asks first)`, the riskiest last.
    fileprivate static func counted(_ tools: [Integration.Tool]) -> String {
        let words: [(Effect, String, String)] = [
            (.read, "looks things up", "look things up"), (.write, "changes things", "change things"),
            (.delete, "deletes things (asks first)", "delete things (ask first)"),
            (.send, "sends messages (asks first)", "send messages (ask first)"),
            (.spend, "spends money (asks first)", "spend money (ask first)"),
        ]
        return words.compactMap { effect, one, several in
            let count = tools.count { $0.effect == effect }
            return count == 0 ? nil : "\(count) \(count == 1 ? one : several)"
        }.joined(separator: ", ")
    }

    /// The first letter in lower case, unless the word is all capitals.
    private static func lowered(_ text: String) -> String {
        guard let first = text.first, first.isUppercase, !(text.dropFirst().first?.isUppercase ?? false) else {
            return text
        }
        return first.lowercased() + text.dropFirst()
    }

    /// A tool of an integration by its id, its title or the verb in its id.
    private static func resolveTool(_ request: ToolRequest, of integration: Integration) throws -> Int {
        guard let words = request.line("tool") else { throw ToolFailure.empty("Which of its tools? Say its name.") }
        if words.hasPrefix("#") {
            guard let index = integration.tools.firstIndex(where: { $0.id == words.dropFirst() }) else {
                throw ToolFailure.notFound("tool", words)
            }
            return index
        }
        let plain = words.filter { $0 != "\"" }
        let lower = plain.lowercased()
        let underscored = lower.replacing(" ", with: "_")
        func named(_ tool: Integration.Tool, _ name: some StringProtocol) -> Bool {
            tool.id.drop { $0 != "." }.dropFirst() == name
        }
        if let index = integration.tools.firstIndex(where: { $0.id == lower || named($0, underscored) })
            ?? integration.tools.firstIndex(where: { $0.title.lowercased() == lower })
            // `remove anything`
            ?? integration.tools.firstIndex(where: { named($0, lower.prefix { $0 != " " }) })
        {
            return index
        }
        switch TitleMatcher.match(plain, among: integration.tools.map(\.title), ignoring: ["tool", "tools"]) {
        case .one(let index): return index
        case .several(let found):
            throw request.choice(
                "tool",
                items: found.map { tool in
                    Referable(id: integration.tools[tool].id, label: integration.tools[tool].title)
                })
        case .none:
            // "the delete tool", when one tool deletes.
            let effect = Effect(rawValue: plain.lowercased())
            let fitting = integration.tools.indices.filter { integration.tools[$0].effect == effect }
            guard effect != nil, let first = fitting.first else { throw ToolFailure.notFound("tool", plain) }
            guard fitting.count > 1 else { return first }
            throw request.choice(
                "tool",
                items: fitting.map { tool in
                    Referable(id: integration.tools[tool].id, label: integration.tools[tool].title)
                })
        }
    }

    /// By namespace, name or alias, singular or plural.
    private static func resolve(_ request: ToolRequest, among all: [Integration]) throws -> Int {
        guard let words = request.line("integration") else {
            throw ToolFailure.empty("Which one? Ask \"what can I switch on\" for the list.")
        }
        if !words.hasPrefix("#") {
            // Its own name before another's alias.
            let wanted = words.lowercased()
            if let index = all.firstIndex(where: { $0.namespace == wanted })
                ?? all.firstIndex(where: { $0.name.lowercased() == wanted })
                ?? all.firstIndex(where: { $0.aliases.contains { $0.lowercased() == wanted } })
            {
                return index
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

/// What a person answers when an integration asks for something.
private enum Decision: Equatable {
    case agree, confirm, readOnly, leave

    /// What people say instead of a number or an option's value.
    static let words: [(word: String, meaning: Decision)] =
        [
            "on", "ok", "okay", "sure", "y", "yes", "yeah", "yep", "yes please", "turn it on", "turn on", "allow",
            "allow it", "do it", "fine", "agreed", "go ahead",
        ].map { ($0, .agree) }
        + ["ask first", "ask me first", "ask", "ask me", "with confirmation"].map { ($0, .confirm) }
        + ["read only", "readonly", "only read", "reading", "read"].map { ($0, .readOnly) }
        + ["no", "n", "nope", "no thanks", "leave it", "off", "not now", "never", "don't", "dont"].map { ($0, .leave) }

    init(_ text: String) {
        let text = text.lowercased()
        switch text {
        case "agree", "1": self = .agree
        case "confirm": self = .confirm
        case "read_only": self = .readOnly
        default: self = Decision.words.first { $0.word == text }?.meaning ?? .leave
        }
    }
}

extension ToolRequest {
    /// What an integration may do, and whether to switch it on: one message.
    fileprivate func consent(_ integration: Integration) -> Asking {
        let tier = integration.tier.isEmpty ? "" : " (\(integration.tier))"
        let head = Wording.clip(integration.name, to: 30) + tier + ": "
        // What came with the host may write at once; a stranger's begins with asking.
        let mayWrite = integration.tier.isEmpty
        let tail =
            mayWrite
            ? ". Turn on? 1 on, 2 ask first, 3 read only, 4 leave it"
            : ". Turn on? 1 on, 2 read only, 3 leave it"
        // One segment, with what says that there is more.
        let room = 151 - Wording.septets(head) - Wording.septets(tail)
        let what = integration.permissions.isEmpty ? integration.summary : integration.permissions
        // Every kind of thing that it may do stands before the question; details may follow.
        let fitting = ([what] + integration.briefPermissions).first { Wording.septets($0) <= room }
        let shown = fitting ?? integration.briefPermissions.last ?? what
        var text = head + Wording.clip(shown, to: max(room, 24)) + tail
        if Wording.septets(what) > room { text += "\nIn full: it \(Wording.oneLine(what))." }
        let tools = IntegrationTools.counted(integration.tools)
        if !tools.isEmpty { text += "\nIts tools: \(tools)." }
        return asking(
            text, field: "decision",
            options: [("agree", "turn it on")] + (mayWrite ? [("confirm", "ask me first")] : [])
                + [("read_only", "read only"), ("leave", "leave it")], words: Decision.words.map(\.word))
    }
}

extension LifeTools {
    /// The question that an integration's new wishes are: text, options, and the tool that takes the answer. Nil when it
    /// asks for nothing new.
    public static func review(
        of integration: Integration
    ) -> (tool: String, arguments: JSON, request: InputRequest)? {
        guard let wish = integration.request else { return nil }
        let tail = ". Turn it on? 1 turn it on, 2 leave it"
        let room = 156 - Wording.septets(integration.name) - Wording.septets(tail)
        let text = "\(integration.name) \(Wording.clip(wish, to: max(room, 24)))" + tail
        let arguments: JSONObject = ["integration": .string("#" + integration.namespace)]
        let asking = ToolRequest.asking(
            text, field: "decision", options: [("agree", "turn it on"), ("leave", "leave it")],
            words: Decision.words.filter { [.agree, .leave].contains($0.meaning) }.map(\.word), arguments: arguments)
        return ("integrations.review", .object(arguments), asking.request)
    }
}
