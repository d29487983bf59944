internal import CTandemPlugin
public import TandemJSON

extension PluginDefinition {
    /// The manifest (docs/plugins/manifest.md), without what packaging adds. The same declarations give the same value.
    public var manifest: JSON {
        var manifest: JSONObject = [
            "manifest": 1, "id": .string(id), "namespace": .string(namespace), "name": .string(name),
            "version": .string(version), "summary": .string(summary),
        ]
        if !aliases.isEmpty { manifest["aliases"] = aliases.json }
        if let publisher {
            manifest["publisher"] = ["name": .string(publisher.name), "contact": .string(publisher.contact)]
        }
        if let license { manifest["license"] = .string(license) }
        manifest["abi"] = ["major": .integer(Int64(TANDEM_ABI_MAJOR)), "minor": .integer(Int64(TANDEM_ABI_MINOR))]
        manifest["extensions"] = extensions.json
        if !tables.isEmpty { manifest["tables"] = .array(tables.map { $0.tableJSON }) }
        manifest["tools"] = .array(tools.map { toolJSON($0) })
        if !calls.isEmpty {
            manifest["calls"] = .array(calls.map { ["tool": .string($0.tool), "reason": .string($0.reason)] })
        }
        if !hosts.isEmpty {
            manifest["hosts"] = .array(
                hosts.map { host in
                    var object: JSONObject = ["host": .string(host.host), "reason": .string(host.reason)]
                    if !host.reads.isEmpty { object["reads"] = host.reads.json }
                    return .object(object)
                })
        }
        if !handlers.isEmpty { manifest["handlers"] = .array(handlers.map { handlerJSON($0) }) }
        if !secrets.isEmpty { manifest["secrets"] = .array(secrets.map(\.json)) }
        if !accounts.isEmpty { manifest["grants"] = .array(accounts.map(\.json)) }
        if !metrics.isEmpty { manifest["metrics"] = .array(metrics.map(\.json)) }
        if let events = eventsJSON { manifest["events"] = events }
        if let memory { manifest["memory"] = memory.json }
        if let configuration { manifest["config"] = configuration.schema }
        if let quota, !quota.limits.isEmpty {
            var limits = JSONObject()
            for (name, value) in quota.limits { limits[name] = .integer(Int64(value)) }
            manifest["quota"] = .object(limits)
        }
        manifest["limits"] = ["maxInFlight": .integer(Int64(maxInFlight))]
        return .object(manifest)
    }

    /// The canonical bytes of the manifest.
    public var manifestBytes: [UInt8] { manifest.canonical() }

    /// The host extensions that the declarations need.
    var extensions: [String] {
        var extensions = [TANDEM_EXT_CLOCK, TANDEM_EXT_LOG]
        if configuration != nil { extensions.append(TANDEM_EXT_CONFIG) }
        if !tables.isEmpty { extensions.append(TANDEM_EXT_ROWS) }
        if !calls.isEmpty { extensions.append(TANDEM_EXT_TOOLS) }
        if !hosts.isEmpty { extensions.append(TANDEM_EXT_HTTP) }
        if !secrets.isEmpty { extensions.append(TANDEM_EXT_SECRET) }
        if !metrics.isEmpty { extensions.append(TANDEM_EXT_METRICS) }
        if !publishes.isEmpty { extensions.append(TANDEM_EXT_EVENT) }
        if memory != nil { extensions.append(TANDEM_EXT_MEMORY) }
        extensions += uses.map(\.rawValue)
        return extensions.sorted()
    }
}

extension PluginDefinition {
    private var eventsJSON: JSON? {
        var events = JSONObject()
        if !publishes.isEmpty {
            events["publishes"] = .array(
                publishes.map { topic in
                    [
                        "topic": .string(topic.name), "description": .string(topic.description),
                        "schema": topic.schema,
                    ]
                })
        }
        if !subscribes.isEmpty {
            events["subscribes"] = .array(
                subscribes.map { subscription in
                    [
                        "topic": .string(subscription.topic), "handler": .string(subscription.handler),
                        "reason": .string(subscription.reason),
                    ]
                })
        }
        return events.isEmpty ? nil : .object(events)
    }
}

private func handlerJSON<H: Handler>(_ type: H.Type) -> JSON {
    let declaration = H.declaration
    return [
        "name": .string(declaration.name), "description": .string(declaration.description),
        "effect": .string(declaration.effect.rawValue), "parameters": H.parameters,
        "timeoutMilliseconds": .integer(Int64(declaration.timeoutMilliseconds)),
    ]
}

private func toolJSON<T: Tool>(_ type: T.Type) -> JSON {
    let declaration = T.declaration
    let layout = ToolLayout(type)
    var tool: JSONObject = [
        "id": .string(declaration.id), "title": .string(declaration.title),
        "description": .string(declaration.description), "parameters": T.parameters, "result": T.result,
        "effect": .string(declaration.effect.rawValue),
    ]
    switch declaration.undo {
    case .rows: tool["undo"] = "rows"
    case .tool(let id): tool["undo"] = ["tool": .string(id)]
    case .none: tool["undo"] = "none"
    }
    if let lookup = declaration.lookup { tool["lookup"] = .string(lookup) }
    tool["trust"] = .string(declaration.trust.rawValue)
    if !declaration.utterances.isEmpty {
        tool["utterances"] = .array(
            declaration.utterances.map { utterance in
                var object: JSONObject = ["text": .string(utterance.text)]
                if !utterance.arguments.isEmpty { object["arguments"] = .object(utterance.arguments) }
                return .object(object)
            })
    }
    var slots = JSONObject()
    var entities: [String] = []
    for field in layout.fields {
        guard let kind = field.slot else { continue }
        var slot: JSONObject = ["kind": .string(kind.name)]
        if field.isRequired { slot["required"] = true }
        if !field.declaration.hints.isEmpty { slot["hints"] = field.declaration.hints.json }
        switch kind {
        case .choice(let choices):
            slot["choices"] = .array(
                choices.map { choice in
                    var object: JSONObject = ["value": .string(choice.value)]
                    if !choice.words.isEmpty { object["words"] = choice.words.json }
                    return .object(object)
                })
        case .reference(let entity):
            slot["entity"] = .string(entity)
            entities.append(entity)
        default: break
        }
        slots[field.name] = .object(slot)
    }
    if !slots.isEmpty { tool["slots"] = .object(slots) }
    if let actsOn = declaration.actsOn ?? (entities.count == 1 ? entities[0] : nil) { tool["actsOn"] = .string(actsOn) }
    tool["timeoutMilliseconds"] = .integer(Int64(declaration.timeoutMilliseconds))
    return .object(tool)
}

extension PluginDefinition.DeclaredAccount {
    fileprivate var json: JSON {
        var object: JSONObject = [
            "name": .string(name), "provider": .string(provider), "reason": .string(reason),
        ]
        if !scopes.isEmpty {
            object["scopes"] = .array(
                scopes.map { scope in
                    [
                        "scope": .string(scope.scope), "level": scope.isForWriting ? "write" : "read_only",
                        "reason": .string(scope.reason),
                    ]
                })
        }
        return .object(object)
    }
}
