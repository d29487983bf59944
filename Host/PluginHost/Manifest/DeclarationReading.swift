import CTandemPlugin
import TandemCore
import TandemJSON

/// Reads what a manifest declares besides tables and tools: handlers, secrets, accounts, metrics, events,
/// memory.
enum DeclarationReading {
    private static func line(_ name: String, atMost limit: Int, in reader: ObjectReader) -> String {
        reader.string(name, "must be one line of 1 to \(limit) characters") { TextRule.isLine($0, atMost: limit) }
    }

    // MARK: Handlers

    private enum HandlerEffect: String, CaseIterable { case read, write }

    /// What timers and events call: like tools, but nobody asks for them.
    static func handlers(in reader: ObjectReader, namespace: String, tools: [ToolDefinition]) -> [ToolDefinition] {
        var seen = Set(tools.map(\.id))
        return reader.array("handlers", atMost: 32).compactMap { pointer, value in
            guard let handler = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { handler.finish() }
            let name = handler.string("name", "must match [a-z][a-z0-9_]*, at most 39 characters") {
                TextRule.isName($0, atMost: 39)
            }
            let id = "\(namespace).\(name)"
            if TextRule.isName(name, atMost: 39), !seen.insert(id).inserted {
                handler.problem("name", "is the name of another handler or tool of this plugin")
            }
            let description = line("description", atMost: 300, in: handler)
            var parameters: JSON = ["type": "object"]
            if let schema = handler.value("parameters") {
                parameters = schema
                let place = handler.path("parameters")
                if SchemaReading.compile(schema, at: place, problems: reader.problems) != nil,
                    schema["type"]?.stringValue != "object"
                {
                    reader.problems.add(place, "must have the type object")
                }
            }
            // Nobody is there to confirm what sends, spends or deletes.
            let effect = handler.word("effect", HandlerEffect.self, required: true) ?? .read
            let timeout = Int(handler.integer("timeoutMilliseconds", in: 1...600_000) ?? 10_000)
            return ToolDefinition(
                id: id, title: name, description: description, parameters: parameters,
                effect: effect == .write ? .write : .read, timeoutMilliseconds: timeout)
        }
    }

    // MARK: Secrets

    static func secrets(in reader: ObjectReader) -> [DeclaredSecret] {
        var seen: Set<String> = []
        return reader.array("secrets", atMost: 16).compactMap { pointer, value in
            guard let secret = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { secret.finish() }
            let name = secret.string("name", "must match [a-z][a-z0-9_]*, at most 48 characters") {
                TextRule.isName($0, atMost: 48)
            }
            if TextRule.isName(name, atMost: 48), !seen.insert(name).inserted {
                secret.problem("name", "stands here twice")
            }
            let title = line("title", atMost: 80, in: secret)
            let hint = secret.has("hint") ? line("hint", atMost: 200, in: secret) : nil
            return DeclaredSecret(
                name: name, title: title, hint: hint,
                enteredBy: secret.word("enteredBy", DeclaredSecret.EnteredBy.self) ?? .person)
        }
    }

    // MARK: Accounts elsewhere

    static func accounts(in reader: ObjectReader) -> [DeclaredAccount] {
        var names: Set<String> = []
        return reader.array("grants", atMost: 16).compactMap { pointer, value in
            guard let grant = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { grant.finish() }
            let name = grant.string("name", "must match [a-z][a-z0-9_]*, at most 48 characters") {
                TextRule.isName($0, atMost: 48)
            }
            if TextRule.isName(name, atMost: 48), !names.insert(name).inserted {
                grant.problem("name", "stands here twice")
            }
            let provider = grant.string("provider", "must be the id of a service, such as microsoft") {
                TextRule.isName($0, atMost: 40)
            }
            return DeclaredAccount(
                name: name, provider: provider, reason: line("reason", atMost: 160, in: grant),
                scopes: scopes(in: grant))
        }
    }

    private static func scopes(in grant: ObjectReader) -> [DeclaredAccount.Scope] {
        var seen: Set<String> = []
        return grant.array("scopes", atMost: 32).compactMap { pointer, value in
            guard let scope = ObjectReader(value, at: pointer, problems: grant.problems) else { return nil }
            defer { scope.finish() }
            let name = scope.string("scope", "must be 1 to 256 visible ASCII characters without \" # and \\") { text in
                // RFC 6749 §3.3; # tells the levels apart.
                (1...256).contains(text.utf8.count)
                    && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x23 && $0 != 0x5C }
            }
            if !name.isEmpty, !seen.insert(name).inserted { scope.problem("scope", "stands here twice") }
            return DeclaredAccount.Scope(
                scope: name, level: scope.word("level", DeclaredAccount.Level.self) ?? .readOnly,
                reason: line("reason", atMost: 160, in: scope))
        }
    }

    // MARK: Metrics

    private enum MetricKind: String, CaseIterable { case counter, gauge, histogram }

    static func metrics(in reader: ObjectReader) -> [DeclaredMetric] {
        var seen: Set<String> = []
        var series = 0
        return reader.array("metrics", atMost: 32).compactMap { pointer, value in
            guard let metric = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { metric.finish() }
            let name = metric.string("name", "must match [a-z][a-z0-9_]*, at most 48 characters") {
                TextRule.isName($0, atMost: 48)
            }
            let kind = metric.word("kind", MetricKind.self, required: true) ?? .counter
            if TextRule.isName(name, atMost: 48) {
                if !seen.insert(name).inserted { metric.problem("name", "stands here twice") }
                if kind == .counter, !name.hasSuffix("_total") {
                    metric.problem("name", "of a counter must end in _total")
                }
                if kind != .counter, ["_total", "_bucket", "_sum", "_count"].contains(where: name.hasSuffix) {
                    metric.problem("name", "must not end in _total, _bucket, _sum or _count")
                }
            }
            let help = line("help", atMost: 200, in: metric)
            let labels = labels(in: metric)
            let bounds = kind == .histogram ? bounds(in: metric) : []
            let declared = DeclaredMetric(
                name: name, kind: MetricSnapshot.Kind(rawValue: kind.rawValue) ?? .counter, help: help, labels: labels,
                bounds: bounds)
            if declared.seriesCount > 256 {
                metric.problem("labels", "make \(declared.seriesCount) combinations; at most 256 are possible")
            }
            series += declared.seriesCount
            if series > 1024 {
                reader.problems.add(pointer, "brings the plugin's metrics over 1024 combinations of label values")
            }
            return declared
        }
    }

    private static func labels(in metric: ObjectReader) -> [DeclaredMetric.Label] {
        var seen: Set<String> = []
        return metric.array("labels", atMost: 4).compactMap { pointer, value in
            guard let label = ObjectReader(value, at: pointer, problems: metric.problems) else { return nil }
            defer { label.finish() }
            let name = label.string("name", "must match [a-z][a-z0-9_]*, at most 32 characters") {
                TextRule.isName($0, atMost: 32)
            }
            if name == "le" { label.problem("name", "belongs to the buckets of histograms") }
            if TextRule.isName(name, atMost: 32), !seen.insert(name).inserted {
                label.problem("name", "stands here twice")
            }
            var values: [String] = []
            for (pointer, value) in label.strings("values", atMost: 64) {
                if !TextRule.isLabelValue(value) {
                    metric.problems.add(pointer, "must have 1 to 48 characters of A-Z a-z 0-9 _ . : / -")
                } else if values.contains(value) {
                    metric.problems.add(pointer, "stands here twice")
                }
                values.append(value)
            }
            if values.isEmpty { metric.problems.add(pointer, "values is missing or empty") }
            return DeclaredMetric.Label(name: name, values: values)
        }
    }

    private static func bounds(in metric: ObjectReader) -> [Double] {
        guard metric.has("bounds") else { return Histogram.latencySeconds }
        var bounds: [Double] = []
        for (pointer, value) in metric.array("bounds", atMost: 32) {
            guard let bound = value.doubleValue, bound.isFinite else {
                metric.problems.add(pointer, "must be a number")
                continue
            }
            if let last = bounds.last, bound <= last { metric.problems.add(pointer, "must be above the one before") }
            bounds.append(bound)
        }
        if bounds.isEmpty { metric.problem("bounds", "must not be empty") }
        return bounds
    }

    // MARK: Events

    static func events(
        in reader: ObjectReader, namespace: String, handlers: [ToolDefinition]
    ) -> (publishes: [DeclaredTopic], subscribes: [DeclaredSubscription]) {
        guard let events = reader.object("events") else { return ([], []) }
        defer { events.finish() }
        var published: Set<String> = []
        let publishes = events.array("publishes", atMost: 32).compactMap { pointer, value -> DeclaredTopic? in
            guard let topic = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { topic.finish() }
            let name = topic.string("topic", "must look like grocery.bought", TextRule.isToolID)
            if TextRule.isToolID(name) {
                if name.prefix(while: { $0 != "." }) != namespace {
                    topic.problem("topic", "must start with the namespace, \(namespace).")
                } else if !published.insert(name).inserted {
                    topic.problem("topic", "stands here twice")
                }
            }
            let description = line("description", atMost: 160, in: topic)
            var schema: JSON = ["type": "object"]
            if let value = topic.value("schema") {
                schema = value
                let place = topic.path("schema")
                if SchemaReading.compile(value, at: place, problems: reader.problems) != nil,
                    value["type"]?.stringValue != "object"
                {
                    reader.problems.add(place, "must have the type object")
                }
            }
            return DeclaredTopic(topic: name, description: description, schema: schema)
        }
        var subscribed: Set<String> = []
        let subscribes = events.array("subscribes", atMost: 32).compactMap { pointer, value -> DeclaredSubscription? in
            guard let subscription = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { subscription.finish() }
            let topic = subscription.string("topic", "must look like grocery.bought", TextRule.isToolID)
            if TextRule.isToolID(topic) {
                if topic.prefix(while: { $0 != "." }) == namespace {
                    subscription.problem("topic", "is the plugin's own; only other plugins' topics are subscribed to")
                } else if !subscribed.insert(topic).inserted {
                    subscription.problem("topic", "stands here twice")
                }
            }
            let handler = "\(namespace).\(subscription.string("handler", required: true) ?? "")"
            if subscription.has("handler"), !handlers.contains(where: { $0.id == handler }) {
                subscription.problem("handler", "names none of the plugin's handlers")
            }
            return DeclaredSubscription(
                topic: topic, handler: handler, reason: line("reason", atMost: 160, in: subscription))
        }
        return (publishes, subscribes)
    }

    // MARK: Memory

    static func memory(in reader: ObjectReader) -> DeclaredMemory? {
        guard let memory = reader.object("memory") else { return nil }
        defer { memory.finish() }
        let recall = kinds("recall", in: memory)
        let propose = kinds("propose", in: memory)
        if recall.isEmpty, propose.isEmpty {
            reader.problems.add(memory.pointer, "must name kinds in recall or propose")
        }
        return DeclaredMemory(recall: recall, propose: propose, reason: line("reason", atMost: 160, in: memory))
    }

    private static func kinds(_ name: String, in reader: ObjectReader) -> [String] {
        var kinds: [String] = []
        for (pointer, kind) in reader.strings(name, atMost: 16) {
            if !DeclaredMemory.kinds.contains(kind) {
                reader.problems.add(pointer, "must be one of \(DeclaredMemory.kinds.sorted().joined(separator: ", "))")
            } else if kinds.contains(kind) {
                reader.problems.add(pointer, "stands here twice")
            } else {
                kinds.append(kind)
            }
        }
        return kinds
    }
}
