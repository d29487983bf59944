internal import TandemJSON

extension PluginDefinition {
    /// Handlers, secrets, metrics, events and memory, by the host's rules.
    func validateServices(_ problems: inout ProblemList) {
        let toolIDs = Set(tools.map { $0.declaration.id })
        let names = handlers.map { $0.declaration.name }
        for handler in handlers { problems.check(handler, namespace: namespace, among: names, and: toolIDs) }
        problems.check(handlers.count <= 32, "plugin", "more than 32 handlers")
        problems.check(
            !uses.contains(.timers) || !handlers.isEmpty, "plugin", "uses timers, and has no handlers for them")
        validateSecrets(&problems)
        validateMetrics(&problems)
        validateEvents(&problems, handlers: names)
        if let memory {
            problems.check(
                !memory.recall.isEmpty || !memory.propose.isEmpty, "memory", "must name kinds in recall or propose")
            problems.check(
                Set(memory.recall).count == memory.recall.count && Set(memory.propose).count == memory.propose.count,
                "memory", "a kind stands twice")
            problems.checkLine(memory.reason, 160, "memory", "the reason")
        }
    }

    private func validateSecrets(_ problems: inout ProblemList) {
        for secret in secrets {
            let place = "secret \(secret.name)"
            problems.check(Names.isName(secret.name, 48), place, "the name must match [a-z][a-z0-9_]{0,47}")
            problems.checkLine(secret.title, 80, place, "the title")
            if let hint = secret.hint { problems.checkLine(hint, 200, place, "the hint") }
        }
        problems.check(Set(secrets.map(\.name)).count == secrets.count, "plugin", "a secret stands twice")
        problems.check(secrets.count <= 16, "plugin", "more than 16 secrets")
    }

    private func validateMetrics(_ problems: inout ProblemList) {
        var all = 0
        for metric in metrics {
            let place = "metric \(metric.name)"
            problems.check(Names.isName(metric.name, 48), place, "the name must match [a-z][a-z0-9_]{0,47}")
            if metric.kind == .counter {
                problems.check(metric.name.hasSuffix("_total"), place, "the name of a counter must end in _total")
            } else {
                for suffix in ["_total", "_bucket", "_sum", "_count"] where metric.name.hasSuffix(suffix) {
                    problems.add(place, "the name must not end in \(suffix)")
                }
            }
            problems.checkLine(metric.help, 200, place, "the help")
            problems.check(metric.labels.count <= 4, place, "more than 4 labels")
            problems.check(
                Set(metric.labels.map(\.name)).count == metric.labels.count, place, "a label stands twice")
            for label in metric.labels {
                problems.check(
                    Names.isName(label.name, 32) && label.name != "le", place, "label \(label.name): a bad name")
                problems.check(
                    (1...64).contains(label.values.count) && Set(label.values).count == label.values.count, place,
                    "label \(label.name): must have 1 to 64 different values")
                problems.check(
                    label.values.allSatisfy(Names.isLabelValue), place,
                    "label \(label.name): values have 1 to 48 characters of A-Z a-z 0-9 _ . : / -")
            }
            let combinations = metric.labels.reduce(1) { min($0 * max($1.values.count, 1), 1 << 20) }
            problems.check(combinations <= 256, place, "more than 256 combinations of label values")
            all += combinations
            let bounds = metric.bounds
            problems.check(
                bounds.isEmpty || metric.kind == .histogram, place, "only a histogram has bounds")
            problems.check(
                bounds.count <= 32 && bounds.allSatisfy(\.isFinite) && zip(bounds, bounds.dropFirst()).allSatisfy(<),
                place, "bounds must ascend, at most 32")
        }
        problems.check(all <= 1024, "plugin", "metrics: more than 1024 combinations of label values")
        problems.check(Set(metrics.map(\.name)).count == metrics.count, "plugin", "a metric stands twice")
        problems.check(metrics.count <= 32, "plugin", "more than 32 metrics")
    }

    private func validateEvents(_ problems: inout ProblemList, handlers: [String]) {
        for topic in publishes {
            let place = "topic \(topic.name)"
            problems.check(
                Names.isToolID(topic.name) && topic.name.hasPrefix(namespace + "."), place,
                "must be a name like \(namespace).bought")
            problems.checkLine(topic.description, 160, place, "the description")
            problems.check(topic.schema["type"] == "object", place, "its data must be an object")
        }
        problems.check(Set(publishes.map(\.name)).count == publishes.count, "plugin", "a topic stands twice")
        problems.check(publishes.count <= 32, "plugin", "more than 32 topics")
        for subscription in subscribes {
            let place = "subscription \(subscription.topic)"
            problems.check(Names.isToolID(subscription.topic), place, "must be a topic like grocery.bought")
            problems.check(
                !subscription.topic.hasPrefix(namespace + "."), place, "is the plugin's own topic: call its code")
            problems.check(
                handlers.contains(subscription.handler), place,
                "\(subscription.handler) is not among the definition's handlers")
            problems.checkLine(subscription.reason, 160, place, "the reason")
        }
        problems.check(
            Set(subscribes.map(\.topic)).count == subscribes.count, "plugin", "a subscription stands twice")
        problems.check(subscribes.count <= 32, "plugin", "more than 32 subscriptions")
    }
}

extension ProblemList {
    fileprivate mutating func checkLine(_ text: String, _ limit: Int, _ place: String, _ what: String) {
        check(Names.isLine(text, limit), place, "\(what) must be one line of 1 to \(limit) characters")
    }

    fileprivate mutating func check<H: Handler>(
        _ type: H.Type, namespace: String, among names: [String], and toolIDs: Set<String>
    ) {
        let declaration = H.declaration
        let place = "handler \(declaration.name)"
        let layout = ToolLayout(type)
        for problem in layout.problems { add(place, problem) }
        check(Names.isName(declaration.name, 39), place, "the name must match [a-z][a-z0-9_]{0,38}")
        check(names.filter { $0 == declaration.name }.count == 1, place, "two handlers have this name")
        check(!toolIDs.contains("\(namespace).\(declaration.name)"), place, "is the name of a tool")
        checkLine(declaration.description, 300, place, "the description")
        check(declaration.effect == .read || declaration.effect == .write, place, "the effect must be read or write")
        check((1...600_000).contains(declaration.timeoutMilliseconds), place, "the timeout must be 1 to 600000 ms")
        check(Set(layout.fields.map(\.name)).count == layout.fields.count, place, "two arguments have one name")
        for field in layout.fields { check(Names.isName(field.name, 48), place, "argument \(field.name): a bad name") }
        check(H.parameters["type"] == "object", place, "parameters must be an object schema")
    }
}
