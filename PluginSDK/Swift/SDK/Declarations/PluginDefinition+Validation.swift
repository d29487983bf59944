internal import TandemJSON

extension PluginDefinition {
    /// Something in the declarations that no host would accept.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// `tool grocery.add`, `table grocery_items`, `plugin`.
        public var place: String
        public var text: String

        public var description: String { "\(place): \(text)" }
    }

    /// Everything that is wrong with the declarations; empty when a host will accept them.
    ///
    /// The same rules as the host's for manifests (docs/plugins/manifest.md), said about the Swift declarations.
    public func validate() -> [Problem] {
        var problems = ProblemList()
        problems.check(Names.isPluginID(id), "plugin", "id must be a reverse domain name like org.example.tides")
        problems.check(
            Names.isName(namespace, 24) && !Names.carrierWords.contains(namespace), "plugin",
            "namespace must match [a-z][a-z0-9_]{0,23} and be no word of the phone carriers")
        problems.check(Names.isLine(name, 40), "plugin", "name must be one line of 1 to 40 characters")
        problems.check(Names.isVersion(version), "plugin", "version must be like 1.2.3")
        problems.check(Names.isLine(summary, 160), "plugin", "summary must be one line of 1 to 160 characters")
        for alias in aliases where !Names.isLine(alias, 40) || Names.carrierWords.contains(alias.lowercased()) {
            problems.add("plugin", "alias \(alias) must be one line and no word of the phone carriers")
        }
        problems.check(aliases.count <= 16, "plugin", "more than 16 aliases")
        problems.check(Set(aliases.map { $0.lowercased() }).count == aliases.count, "plugin", "an alias stands twice")
        problems.check((1...64).contains(maxInFlight), "plugin", "maxInFlight must be 1 to 64")
        problems.check((1...64).contains(tools.count), "plugin", "a plugin has 1 to 64 tools")
        problems.check(tables.count <= 32, "plugin", "more than 32 tables")
        for (name, value) in quota?.limits ?? [] {
            problems.check(value > 0, "plugin", "quota: \(name) must be positive")
        }
        validateCalls(&problems)
        validateHosts(&problems)
        validateAccounts(&problems)
        validateServices(&problems)
        if let configuration { problems.check(configuration) }
        let tableNames = tables.map { $0.problemName }
        for table in tables { problems.check(table, among: tableNames) }
        let toolIDs = tools.map { $0.declaration.id }
        for tool in tools { problems.check(tool, namespace: namespace, among: toolIDs) }
        return problems.problems
    }

    private func validateHosts(_ problems: inout ProblemList) {
        for host in hosts {
            let place = "host \(host.host)"
            problems.check(
                HostPattern(host.host) != nil, place,
                "must be like api.example.org, *.example.org or api.example.org:8443")
            problems.check(Names.isLine(host.reason, 160), place, "reason must be one line of 1 to 160 characters")
            for read in host.reads where !HostPattern.isReadingRequest(read) {
                problems.add(place, "reads: \(read) must look like POST /v1/items/*/query")
            }
            problems.check(host.reads.count <= 32, place, "more than 32 reads")
        }
        problems.check(
            Set(hosts.compactMap { HostPattern($0.host) }).count == hosts.count, "plugin", "a host stands twice")
        problems.check(hosts.count <= 32, "plugin", "more than 32 hosts")
    }

    private func validateAccounts(_ problems: inout ProblemList) {
        problems.check(accounts.isEmpty || !hosts.isEmpty, "plugin", "accounts need the service's hosts")
        problems.check(Set(accounts.map(\.name)).count == accounts.count, "plugin", "an account stands twice")
        problems.check(accounts.count <= 16, "plugin", "more than 16 accounts")
        for account in accounts {
            let place = "account \(account.name)"
            problems.check(Names.isName(account.name, 48), place, "must match [a-z][a-z0-9_]*")
            problems.check(Names.isName(account.provider, 40), place, "provider must match [a-z][a-z0-9_]*")
            problems.check(Names.isLine(account.reason, 160), place, "reason must be one line of 1 to 160 characters")
            problems.check(
                Set(account.scopes.map(\.scope)).count == account.scopes.count, place, "a scope stands twice")
            problems.check(account.scopes.count <= 32, place, "more than 32 scopes")
            for scope in account.scopes {
                let isWord =
                    (1...256).contains(scope.scope.utf8.count)
                    && scope.scope.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && ![0x22, 0x23, 0x5C].contains($0) }
                problems.check(isWord, place, "scope \(scope.scope) must be visible ASCII without \" # and \\")
                problems.check(
                    Names.isLine(scope.reason, 160), place, "a scope's reason must be one line of 1 to 160 characters")
            }
        }
    }

    private func validateCalls(_ problems: inout ProblemList) {
        for call in calls {
            let place = "call \(call.tool)"
            problems.check(Names.isToolID(call.tool), place, "must be a tool id like grocery.add")
            problems.check(!call.tool.hasPrefix(namespace + "."), place, "is the plugin's own tool: call its code")
            problems.check(Names.isLine(call.reason, 160), place, "reason must be one line of 1 to 160 characters")
        }
        problems.check(Set(calls.map(\.tool)).count == calls.count, "plugin", "a call stands twice")
        problems.check(calls.count <= 32, "plugin", "more than 32 calls")
    }
}

struct ProblemList {
    private(set) var problems: [PluginDefinition.Problem] = []

    mutating func add(_ place: String, _ text: String) {
        problems.append(PluginDefinition.Problem(place: place, text: text))
    }

    mutating func check(_ holds: Bool, _ place: String, _ text: @autoclosure () -> String) {
        if !holds { add(place, text()) }
    }

    mutating func check<C: Configuration>(_ type: C.Type) {
        let layout = StructLayout.of(type)
        for problem in layout.problems { add("configuration", problem) }
        for field in layout.fields where field.shape.isOptional {
            add("configuration", "\(field.property) is optional: every setting needs a default")
        }
    }

    mutating func check<R: Row>(_ type: R.Type, among names: [String]) {
        let table = R.table
        let place = "table \(table.name)"
        let layout = StructLayout.of(type)
        for problem in layout.problems { add(place, problem) }
        check(Names.isColumnName(table.name), place, "the name must match [a-z][a-z0-9_]{0,47} and be no SQL keyword")
        check(names.filter { $0 == table.name }.count == 1, place, "two tables have this name")
        check(Names.isLine(table.purpose, 160), place, "the purpose must be one line of 1 to 160 characters")
        let columns = layout.fields.filter { !impliedColumns.contains($0.name) }
        check((1...64).contains(columns.count), place, "a table has 1 to 64 columns")
        check(layout.fields.contains { $0.name == "id" }, place, "id must be a stored property")
        for field in columns {
            check(
                Names.isColumnName(field.name) && field.name != "user_id", place,
                "column \(field.name): a bad name or an SQL keyword")
            check(field.shape.column != nil, place, "\(field.property): a row cannot be a column")
        }
        check(Set(layout.fields.map(\.name)).count == layout.fields.count, place, "two properties are the same column")
        for name in ["created_at", "updated_at"] {
            guard let field = layout.fields.first(where: { $0.name == name }) else { continue }
            check(
                field.shape.column == .timestamp && field.shape.isOptional, place,
                "\(field.property) is kept by the host: declare it as Instant?")
        }
        for option in table.options { check(option, layout, place, names) }
    }

    private mutating func check<R: Row>(
        _ option: TableOption<R>, _ layout: StructLayout, _ place: String, _ names: [String]
    ) {
        let fields = option.offsets.compactMap { offset in offset.flatMap { layout.field(at: $0) } }
        if case .copy = option.kind { return }
        guard fields.count == option.offsets.count, !fields.isEmpty else {
            add(place, "an option names something that is no stored property")
            return
        }
        for field in fields {
            check(!impliedColumns.contains(field.name), place, "\(field.property) is kept by the host")
        }
        guard let column = fields.first?.shape.column, let name = fields.first?.property else { return }
        switch option.kind {
        case .scale(let places):
            var isDecimal = false
            if case .decimal = column { isDecimal = true }
            check(isDecimal, place, "\(name) is no decimal: it has no scale")
            check((0...9).contains(places), place, "\(name): scale must be 0 to 9")
        case .references(let other):
            check(column == .id, place, "\(name) must be a RowID to refer to \(other)")
            check(names.contains(other), place, "\(name) refers to \(other), which is no table of this plugin")
        case .sealed:
            let isReference = R.table.options.contains { other in
                if case .references = other.kind { return other.offsets == option.offsets }
                return false
            }
            check(!isReference, place, "\(name): a reference cannot be sealed")
        case .searchable:
            check(column == .text || column == .json, place, "\(name) holds no texts: it is not searchable")
        case .standard(let value):
            let fits =
                switch column {
                case .json, .id: false
                default: !value.isNull
                }
            check(fits, place, "\(name): no default value can be given for this type")
        case .index:
            check(fields.count <= 8, place, "an index has at most 8 columns")
            check(Set(fields.map(\.name)).count == fields.count, place, "an index names a column twice")
        case .copy: break
        }
    }

    mutating func check<T: Tool>(_ type: T.Type, namespace: String, among ids: [String]) {
        let declaration = T.declaration
        let place = "tool \(declaration.id)"
        let layout = ToolLayout(type)
        for problem in layout.problems { add(place, problem) }
        check(Names.isToolID(declaration.id), place, "the id must match [a-z][a-z0-9_]*.[a-z][a-z0-9_]*")
        check(declaration.id.hasPrefix(namespace + "."), place, "the id must start with \(namespace).")
        check(ids.filter { $0 == declaration.id }.count == 1, place, "two tools have this id")
        check(Names.isLine(declaration.title, 80), place, "the title must be one line of 1 to 80 characters")
        check(declaration.description.utf8.count <= 4000, place, "the description is longer than 4000 bytes")
        check((1...600_000).contains(declaration.timeoutMilliseconds), place, "the timeout must be 1 to 600000 ms")
        if case .tool(let undo) = declaration.undo {
            check(ids.contains(undo), place, "undo names \(undo), which is no tool of this plugin")
        }
        if let lookup = declaration.lookup {
            check(ids.contains(lookup), place, "lookup names \(lookup), which is no tool of this plugin")
            check(
                declaration.effect == .send || declaration.effect == .spend, place,
                "a lookup is for tools of effect send or spend")
        }
        check(Set(layout.fields.map(\.name)).count == layout.fields.count, place, "two arguments have one name")
        for field in layout.fields {
            check(Names.isName(field.name, 48), place, "argument \(field.name): a bad name")
            switch field.slot {
            case .reference(let entity):
                check(
                    Names.isToolID(entity), place,
                    "\(field.property): its entity is \(entity); give the row a static entity like grocery.item")
            case .choice(let choices): check(!choices.isEmpty, place, "\(field.property): a choice without values")
            default: break
            }
        }
        let parameters = T.parameters
        check(
            parameters["type"] == "object" && parameters["additionalProperties"] == false, place,
            "parameters must be an object schema with additionalProperties: false")
        let properties = parameters["properties"]?.objectValue ?? [:]
        let slots = Set(layout.fields.filter { $0.slot != nil }.map(\.name))
        if let entity = declaration.actsOn {
            check(
                layout.fields.contains { $0.slot == .reference(entity: entity) }, place,
                "actsOn: no argument is a Reference to \(entity)")
        }
        check(declaration.utterances.count <= 128, place, "more than 128 utterances")
        for utterance in declaration.utterances {
            switch UtteranceTemplate.slots(of: utterance.text) {
            case .failure(let fault): add(place, "\"\(utterance.text)\": \(fault.text)")
            case .success(let names):
                for name in names where !slots.contains(name) {
                    let hint = properties.contains(name) ? "cannot be filled from words" : "is no argument"
                    add(place, "\"\(utterance.text)\": {\(name)} \(hint)")
                }
                if Set(names).count != names.count, !utterance.text.utf8.contains(UInt8(ascii: "|")) {
                    add(place, "\"\(utterance.text)\": names an argument twice")
                }
            }
            check(utterance.text.utf8.count <= 300, place, "\"\(utterance.text)\": longer than 300 bytes")
            for name in utterance.arguments.keys where !properties.contains(name) {
                add(place, "\"\(utterance.text)\": implies \(name), which is no argument")
            }
        }
    }
}

extension Row {
    fileprivate static var problemName: String { table.name }
}
