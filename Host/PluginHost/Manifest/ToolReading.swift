import TandemCore
import TandemJSON

/// Reads the `tools` of a manifest.
enum ToolReading {
    private enum Trust: String, CaseIterable { case system, contact, untrusted }

    private enum Kind: String, CaseIterable {
        case text, number, quantity, items, money, date, dateTime, duration, choice, list, reference, period
    }

    /// The ids that stand in a manifest, with the places of their tools.
    static func ids(in document: JSONObject) -> [(pointer: String, id: String)] {
        (document["tools"]?.arrayValue ?? []).prefix(64).enumerated().compactMap { index, tool in
            tool["id"]?.stringValue.map { ("/tools/\(index)", $0) }
        }
    }

    /// - Parameter foreign: makes the schemas of the tools from signatures.
    static func tools(
        in reader: ObjectReader, namespace: String, foreign: ForeignInterface?
    ) -> [ToolDefinition] {
        var seen: Set<String> = []
        var undoTools: [(pointer: String, tool: String)] = []
        let tools = reader.array("tools", required: true, atMost: 64).compactMap { pointer, value in
            ObjectReader(value, at: pointer, problems: reader.problems).map { tool in
                read(tool, namespace: namespace, foreign: foreign, seen: &seen, undoTools: &undoTools)
            }
        }
        for (pointer, tool) in undoTools where !seen.contains(tool) {
            reader.problems.add(pointer, "names no tool of this plugin")
        }
        for (index, tool) in tools.enumerated() {
            guard let lookup = tool.lookup else { continue }
            let pointer = "/tools/\(index)/lookup"
            if tool.effect < .send { reader.problems.add(pointer, "is for tools of effect send or spend") }
            if tools.first(where: { $0.id == lookup })?.effect != .read {
                reader.problems.add(pointer, "names no reading tool of this plugin")
            }
        }
        return tools
    }

    private static func read(
        _ reader: ObjectReader, namespace: String, foreign: ForeignInterface?, seen: inout Set<String>,
        undoTools: inout [(pointer: String, tool: String)]
    ) -> ToolDefinition {
        let id = reader.string(
            "id", "must match [a-z][a-z0-9_]*.[a-z][a-z0-9_]*, at most 64 characters", TextRule.isToolID)
        if TextRule.isToolID(id) {
            if id.prefix(while: { $0 != "." }) != namespace {
                reader.problem("id", "must start with the namespace, \(namespace).")
            } else if !seen.insert(id).inserted {
                reader.problem("id", "duplicate tool")
            }
        }
        let title = line("title", in: reader)
        let description = reader.string("description", "must have 1 to 4000 bytes") {
            !$0.isEmpty && $0.utf8.count <= 4000
        }
        let (parameters, result) =
            foreign == nil ? schemas(in: reader) : schemas(in: reader, shape: foreign?.shapes[id] ?? ForeignShape())
        let effect = reader.word("effect", Effect.self, required: true) ?? .write
        if foreign != nil, effect != .read {
            reader.problem("effect", "must be read: a function of a library reaches nothing outside of the runner")
        }
        let undo = self.undo(in: reader, undoTools: &undoTools)
        let trust = reader.word("trust", Trust.self).flatMap { TrustLabel(rawValue: $0.rawValue) } ?? .system
        let properties = parameters["properties"]?.objectValue ?? [:]
        let required = Set((parameters["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        let slots = self.slots(in: reader, properties: properties, required: required)
        let utterances = self.utterances(in: reader, slots: slots, properties: properties)
        let actsOn = reader.string("actsOn")
        if let actsOn {
            let isReferenced = slots.values.contains { $0.kind == .reference(entity: actsOn) }
            if !isReferenced { reader.problem("actsOn", "no reference slot has this entity") }
        }
        let timeout = Int(reader.integer("timeoutMilliseconds", in: 1...600_000) ?? 10_000)
        let lookup = reader.string("lookup")
        reader.finish()
        return ToolDefinition(
            id: id, title: title, description: description, parameters: parameters, result: result, effect: effect,
            undo: undo, trust: trust, utterances: utterances, slots: slots, actsOn: actsOn,
            timeoutMilliseconds: timeout, lookup: lookup)
    }

    private static func schemas(in reader: ObjectReader) -> (parameters: JSON, result: JSON) {
        let parameters = reader.value("parameters", required: true) ?? .null
        if reader.has("parameters") {
            let pointer = reader.path("parameters")
            if SchemaReading.compile(parameters, at: pointer, problems: reader.problems) != nil {
                SchemaReading.checkObject(parameters, at: pointer, problems: reader.problems)
            }
        }
        let result = reader.value("result") ?? true
        if reader.has("result") {
            _ = SchemaReading.compile(result, at: reader.path("result"), problems: reader.problems)
        }
        return (parameters, result)
    }

    /// Derived from a function's signature; what the manifest says tightens it.
    private static func schemas(in reader: ObjectReader, shape: ForeignShape) -> (parameters: JSON, result: JSON) {
        let derivation = ForeignSchema(problems: reader.problems)
        func schema(_ name: String, _ shape: ForeignObjectShape) -> JSON {
            let before = reader.problems.entries.count
            let schema = derivation.object(shape, tightening: reader.value(name), at: reader.path(name))
            if reader.problems.entries.count == before {
                _ = SchemaReading.compile(schema, at: reader.path(name), problems: reader.problems)
            }
            return schema
        }
        return (schema("parameters", shape.arguments), schema("result", shape.results))
    }

    private static func line(_ name: String, in reader: ObjectReader) -> String {
        reader.string(name, "must be one line of 1 to 80 characters") { TextRule.isLine($0, atMost: 80) }
    }

    private static func undo(
        in reader: ObjectReader, undoTools: inout [(pointer: String, tool: String)]
    ) -> UndoPolicy {
        switch reader.value("undo") {
        case nil: return .rows
        case .string("rows"): return .rows
        case .string("none"): return .none
        case .object:
            guard let undo = reader.object("undo") else { return .rows }
            defer { undo.finish() }
            guard let tool = undo.string("tool", required: true) else { return .rows }
            undoTools.append((undo.path("tool"), tool))
            return .tool(tool)
        default:
            reader.problem("undo", #"must be "rows", "none" or {"tool": "…"}"#)
            return .rows
        }
    }

    private static func slots(
        in reader: ObjectReader, properties: JSONObject, required: Set<String>
    ) -> [String: SlotDefinition] {
        var slots: [String: SlotDefinition] = [:]
        for (pointer, name, value) in reader.members("slots") {
            if !properties.contains(name) {
                reader.problems.add(pointer, "names no parameter of the tool", atName: true)
            }
            guard let slot = ObjectReader(value, at: pointer, problems: reader.problems) else { continue }
            let kind = kind(of: slot)
            let isRequired = slot.bool("required") ?? required.contains(name)
            let hints = slot.strings("hints", atMost: 32).map(\.value)
            slot.finish()
            if let kind { slots[name] = SlotDefinition(kind, required: isRequired, hints: hints) }
        }
        return slots
    }

    private static func kind(of slot: ObjectReader) -> SlotKind? {
        guard let kind = slot.word("kind", Kind.self, required: true) else {
            _ = slot.value("choices")
            _ = slot.value("entity")
            return nil
        }
        switch kind {
        case .text: return .text
        case .number: return .number
        case .quantity: return .quantity
        case .items: return .items
        case .money: return .money
        case .date: return .date
        case .dateTime: return .dateTime
        case .duration: return .duration
        case .list: return .list
        case .period: return .period
        case .choice:
            let choices = slot.array("choices", required: true, atMost: 64).compactMap {
                pointer, value -> SlotKind.Choice? in
                guard let choice = ObjectReader(value, at: pointer, problems: slot.problems) else { return nil }
                defer { choice.finish() }
                guard let name = choice.string("value", required: true) else { return nil }
                return SlotKind.Choice(name, choice.strings("words", atMost: 32).map(\.value))
            }
            if slot.has("choices"), choices.isEmpty { slot.problem("choices", "must not be empty") }
            return .choice(choices)
        case .reference:
            guard let entity = slot.string("entity", required: true) else { return nil }
            if !TextRule.isToolID(entity) { slot.problem("entity", "must look like grocery.item") }
            return .reference(entity: entity)
        }
    }

    private static func utterances(
        in reader: ObjectReader, slots: [String: SlotDefinition], properties: JSONObject
    ) -> [Utterance] {
        reader.array("utterances", atMost: 128).compactMap { pointer, value in
            guard let utterance = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { utterance.finish() }
            guard let text = utterance.string("text", required: true) else { return nil }
            if text.utf8.count > 300 { utterance.problem("text", "must have at most 300 bytes") }
            switch UtteranceSyntax.slots(of: text) {
            case .failure(let fault): utterance.problem("text", "is no example sentence: \(fault.message)")
            case .success(let names):
                for name in names where slots[name] == nil {
                    utterance.problem("text", "{\(name)} is none of the tool's slots")
                }
                if Set(names).count != names.count, !text.utf8.contains(UInt8(ascii: "|")) {
                    utterance.problem("text", "names a slot twice")
                }
            }
            var arguments: JSONObject = [:]
            for (pointer, name, value) in utterance.members("arguments") {
                if !properties.contains(name) {
                    reader.problems.add(pointer, "names no parameter of the tool", atName: true)
                }
                arguments[name] = value
            }
            return Utterance(text, arguments: arguments)
        }
    }
}
