import CTandemPlugin
import TandemCore
import TandemJSON

extension PluginManifest {
    /// Reads and checks a manifest; throws every problem with its JSON pointer and, given the text, line and column.
    ///
    /// - Parameter packaged: a bundle's `plugin.json`, which has `library` and `files`; false: what code says, which
    ///   must not have them.
    public init(reading text: [UInt8], packaged: Bool) throws(DocumentError) {
        let document: JSON
        do {
            document = try JSON(parsing: text, limits: JSONLimits(maxBytes: PluginManifest.maxDocumentBytes))
        } catch {
            throw DocumentError(document: "plugin.json", parsing: error)
        }
        let problems = ProblemList()
        let manifest = PluginManifest(document, packaged: packaged, problems: problems)
        try problems.check(document: "plugin.json", text: text)
        guard let manifest else {
            throw DocumentError(
                document: "plugin.json", problems: [DocumentProblem(pointer: "", message: "is incomplete")])
        }
        self = manifest
    }

    private init?(_ value: JSON, packaged: Bool, problems: ProblemList) {
        guard let reader = ObjectReader(value, at: "", problems: problems), case .object(let document) = value else {
            return nil
        }
        if let format = reader.value("manifest", required: true), format.int64Value != 1 {
            reader.problem("manifest", "must be 1, the only format this host reads")
        }
        id = reader.string("id", PluginManifest.idRequirement, TextRule.isPluginID)
        namespace = reader.string("namespace", "must match [a-z][a-z0-9_]{0,23}") { TextRule.isName($0, atMost: 24) }
        if ReservedWords.carrier.contains(namespace) {
            reader.problem("namespace", "is a word that belongs to the phone carriers")
        }
        version = reader.string("version", "must follow Semantic Versioning 2.0.0", TextRule.isVersion)
        name = Self.line("name", atMost: 40, in: reader)
        summary = Self.line("summary", atMost: 160, in: reader)
        aliases = Self.aliases(in: reader)
        publisher = Self.publisher(in: reader)
        license = reader.string("license")
        abi = Self.abi(in: reader)
        tables = TableReading.tables(in: reader)
        calls = Self.calls(in: reader, namespace: namespace)
        hosts = HostReading.hosts(in: reader)
        config = Self.config(in: reader)
        extensions = Self.extensions(in: reader)
        if !tables.isEmpty { extensions.insert(TANDEM_EXT_ROWS) }
        if !calls.isEmpty { extensions.insert(TANDEM_EXT_TOOLS) }
        if !hosts.isEmpty { extensions.insert(TANDEM_EXT_HTTP) }
        if config != nil { extensions.insert(TANDEM_EXT_CONFIG) }
        foreign = ForeignReading.interface(in: reader, tools: ToolReading.ids(in: document))
        tools = ToolReading.tools(in: reader, namespace: namespace, foreign: foreign)
        handlers = DeclarationReading.handlers(in: reader, namespace: namespace, tools: tools)
        secrets = DeclarationReading.secrets(in: reader)
        accounts = DeclarationReading.accounts(in: reader)
        if !accounts.isEmpty, hosts.isEmpty {
            reader.problem("grants", "tokens go to hosts only: declare those of the service in hosts")
        }
        metrics = DeclarationReading.metrics(in: reader)
        (publishes, subscribes) = DeclarationReading.events(in: reader, namespace: namespace, handlers: handlers)
        memory = DeclarationReading.memory(in: reader)
        if !secrets.isEmpty { extensions.insert(TANDEM_EXT_SECRET) }
        if !metrics.isEmpty { extensions.insert(TANDEM_EXT_METRICS) }
        if !publishes.isEmpty { extensions.insert(TANDEM_EXT_EVENT) }
        if memory != nil { extensions.insert(TANDEM_EXT_MEMORY) }
        if handlers.isEmpty, extensions.contains(TANDEM_EXT_TIMER) {
            reader.problem("extensions", "tandem.timer/1 needs at least one of handlers")
        }
        quota = Self.quota(in: reader)
        let limits = reader.object("limits")
        maxInFlight = Int(limits?.integer("maxInFlight", in: 1...64) ?? 4)
        memoryBytes = limits?.integer("memoryMiB", in: 64...65536).map { UInt64($0) << 20 }
        limits?.finish()
        packaging = packaged ? Self.packaging(in: reader, foreign: foreign) : nil
        self.document = document
        if foreign != nil { Self.checkForeign(in: reader) }
        reader.finish()
    }

    static func line(_ name: String, atMost limit: Int, in reader: ObjectReader) -> String {
        reader.string(name, "must be one line of 1 to \(limit) characters") { TextRule.isLine($0, atMost: limit) }
    }

    private static func aliases(in reader: ObjectReader) -> [String] {
        var seen: Set<String> = []
        return reader.strings("aliases", atMost: 16).map { pointer, alias in
            if !TextRule.isLine(alias, atMost: 40) {
                reader.problems.add(pointer, "must be one line of 1 to 40 characters")
            } else if ReservedWords.carrier.contains(alias.lowercased()) {
                reader.problems.add(pointer, "is a word that belongs to the phone carriers")
            } else if !seen.insert(alias.lowercased()).inserted {
                reader.problems.add(pointer, "stands here twice")
            }
            return alias
        }
    }

    private static func publisher(in reader: ObjectReader) -> Publisher? {
        guard let publisher = reader.object("publisher") else { return nil }
        defer { publisher.finish() }
        let name = line("name", atMost: 80, in: publisher)
        return Publisher(name: name, contact: publisher.string("contact"))
    }

    private static func abi(in reader: ObjectReader) -> ABIVersion {
        guard let abi = reader.object("abi", required: true) else { return ABIVersion(major: 0, minor: 0) }
        defer { abi.finish() }
        return ABIVersion(
            major: UInt32(abi.integer("major", in: 0...0xFFFF, required: true) ?? 0),
            minor: UInt32(abi.integer("minor", in: 0...0xFFFF, required: true) ?? 0))
    }

    private static func extensions(in reader: ObjectReader) -> Set<String> {
        var all: Set<String> = []
        for (pointer, id) in reader.strings("extensions", atMost: 32) {
            if !TextRule.isExtensionID(id) {
                reader.problems.add(pointer, "must look like tandem.rows/1")
            } else if !all.insert(id).inserted {
                reader.problems.add(pointer, "stands here twice")
            }
        }
        return all
    }

    private static func calls(in reader: ObjectReader, namespace: String) -> [DeclaredCall] {
        var seen: Set<String> = []
        return reader.array("calls", atMost: 32).compactMap { pointer, value in
            guard let call = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { call.finish() }
            let tool = call.string("tool", "must be a tool id like grocery.add", TextRule.isToolID)
            if TextRule.isToolID(tool) {
                if tool.prefix(while: { $0 != "." }) == namespace {
                    call.problem("tool", "is the plugin's own tool; only other plugins' are called through the host")
                } else if !seen.insert(tool).inserted {
                    call.problem("tool", "stands here twice")
                }
            }
            return DeclaredCall(tool: tool, reason: line("reason", atMost: 160, in: call))
        }
    }

    private static func config(in reader: ObjectReader) -> JSON? {
        guard let schema = reader.value("config") else { return nil }
        guard SchemaReading.compile(schema, at: reader.path("config"), problems: reader.problems) != nil else {
            return schema
        }
        let before = reader.problems.entries.count
        SchemaReading.checkObject(schema, at: reader.path("config"), problems: reader.problems)
        for (name, property) in schema["properties"]?.objectValue ?? [:] where property["default"] == nil {
            var pointer = reader.path("config") + "/properties"
            JSONPointer.append(name, to: &pointer)
            reader.problems.add(pointer, "must have a default")
        }
        guard reader.problems.entries.count == before else { return schema }
        let defaults = JSON.object(SettingsSchema.defaults(of: schema))
        if let compiled = try? JSONSchema(compiling: schema), !compiled.isValid(defaults) {
            reader.problem("config", "the defaults do not match the schema")
        }
        return schema
    }

    private static func quota(in reader: ObjectReader) -> PluginQuota? {
        guard let quota = reader.object("quota") else { return nil }
        defer { quota.finish() }
        return quotaMembers(of: quota)
    }

    static func quotaMembers(of quota: ObjectReader) -> PluginQuota {
        PluginQuota(
            rows: Int(quota.integer("rows", in: 1...100_000_000) ?? Int64(PluginQuota.standard.rows)),
            bytes: Int(quota.integer("bytes", in: 1...(1 << 40)) ?? Int64(PluginQuota.standard.bytes)),
            kvEntries: Int(quota.integer("kvEntries", in: 1...100_000) ?? Int64(PluginQuota.standard.kvEntries)),
            kvBytes: Int(quota.integer("kvBytes", in: 1...(1 << 30)) ?? Int64(PluginQuota.standard.kvBytes)),
            timers: Int(quota.integer("timers", in: 1...10_000) ?? Int64(PluginQuota.standard.timers)))
    }

    /// Without code nobody would use the services of the host.
    private static func checkForeign(in reader: ObjectReader) {
        let services = [
            "extensions", "tables", "calls", "config", "quota", "handlers", "secrets", "grants", "metrics", "events",
            "memory",
        ]
        for name in services where reader.has(name) {
            if name == "extensions", reader.value(name)?.arrayValue?.isEmpty == true { continue }
            reader.problem(name, "a plugin with a foreign section has no code that could use it")
        }
    }

    private static func packaging(in reader: ObjectReader, foreign: ForeignInterface?) -> Packaging? {
        let library: String
        if let foreign {
            library = foreign.libraryFile ?? ""
            if reader.value("library") != nil {
                reader.problem("library", "a plugin with a foreign section names its library there")
            }
        } else {
            library = reader.string("library", "must be a file name without a folder", TextRule.isFileName)
        }
        var files: [String: String] = [:]
        if !reader.has("files") { reader.problems.add(reader.pointer, "files is missing") }
        for (pointer, name, value) in reader.members("files") {
            if !TextRule.isFileName(name) || name == "plugin.json" || name == ManifestSignature.fileName {
                reader.problems.add(pointer, "must be the name of a file beside plugin.json", atName: true)
            } else if let checksum = value.stringValue, TextRule.isChecksum(checksum) {
                files[name] = checksum
            } else {
                reader.problems.add(pointer, "must be sha256: and 64 lower-case hexadecimal digits")
            }
        }
        if reader.has("files"), TextRule.isFileName(library), files[library] == nil {
            reader.problem("files", "does not name the library")
        }
        for name in foreign?.files.sorted() ?? [] where TextRule.isFileName(name) && files[name] == nil {
            reader.problem("files", "does not name \(name), which a function gets")
        }
        let build = reader.object("build")
        defer { build?.finish() }
        return Packaging(
            library: library, files: files, language: build?.string("language"),
            toolchain: build?.string("toolchain"), platform: build?.string("platform"))
    }
}

extension PluginManifest {
    static let idRequirement = "must be a reverse domain name like tandem.grocery, at most 64 characters"
}

/// Words that the phone carriers answer to themselves: no namespace or alias may be one of them.
enum ReservedWords {
    static let carrier: Set<String> = [
        "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "start", "yes", "unstop",
        "help", "info",
    ]
}
