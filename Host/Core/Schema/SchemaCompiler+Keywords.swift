import TandemJSON

extension SchemaCompiler {
    /// Reads every keyword of a subschema.
    mutating func read(_ keywords: inout SchemaKeywordReader, into number: NodeIndex) throws(JSONSchemaError) {
        let dialect = index.resources[keywords.resource].dialect
        if dialect.refHidesSiblings, keywords.has("$ref") {
            try readGeneral(keywords, dialect, number, onlyReference: true)
            return
        }
        if dialect.validation, let types = try keywords.types(index) {
            set(number) { $0.types = types }
        }
        if dialect.validation { try readNumber(keywords, number) }
        try readString(keywords, dialect, number)
        try readArray(keywords, dialect, number)
        try readObject(keywords, dialect, number)
        try readGeneral(keywords, dialect, number, onlyReference: false)
        // Definitions are compiled although nothing may refer to them, so that a fault in one is found now.
        for keyword in ["$defs", "definitions"] {
            for (name, _) in try keywords.map(keyword, index) ?? [:] {
                _ = try node(at: keywords.site.appending(keyword, name))
            }
        }
    }

    private mutating func subschema(_ keywords: SchemaKeywordReader, _ keyword: String) throws(JSONSchemaError)
        -> NodeIndex
    {
        keywords.has(keyword) ? try node(at: keywords.site.appending(keyword)) : -1
    }

    private mutating func list(_ keywords: SchemaKeywordReader, _ keyword: String) throws(JSONSchemaError)
        -> [NodeIndex]
    {
        guard let elements = try keywords.array(keyword, index) else { return [] }
        guard !elements.isEmpty else {
            throw JSONSchemaError(
                code: .invalidKeyword, location: index.location(of: keywords.site, keyword),
                message: "must hold at least one schema")
        }
        var nodes: [NodeIndex] = []
        for position in elements.indices {
            nodes.append(try node(at: keywords.site.appending(keyword, String(position))))
        }
        return nodes
    }

    private func pattern(_ text: String, _ site: SchemaIndex.Site) throws(JSONSchemaError) -> SchemaPattern {
        guard text.utf8.count <= limits.maxPatternBytes else {
            throw JSONSchemaError(
                code: .tooLarge, location: index.location(of: site),
                message: "is longer than \(limits.maxPatternBytes) bytes")
        }
        do {
            return try SchemaPattern(text)
        } catch {
            throw JSONSchemaError(code: .invalidPattern, location: index.location(of: site), message: error.message)
        }
    }

    // MARK: Numbers and strings

    private mutating func readNumber(_ keywords: SchemaKeywordReader, _ number: NodeIndex) throws(JSONSchemaError) {
        var rules = NumberRules()
        rules.minimum = try keywords.number("minimum", index).map(NumberBound.init)
        rules.maximum = try keywords.number("maximum", index).map(NumberBound.init)
        rules.exclusiveMinimum = try keywords.number("exclusiveMinimum", index).map(NumberBound.init)
        rules.exclusiveMaximum = try keywords.number("exclusiveMaximum", index).map(NumberBound.init)
        var isPresent =
            rules.minimum != nil || rules.maximum != nil || rules.exclusiveMinimum != nil
            || rules.exclusiveMaximum != nil
        if let divisor = try keywords.number("multipleOf", index) {
            guard let value = divisor.doubleValue, value > 0 else {
                throw JSONSchemaError(
                    code: .invalidKeyword, location: index.location(of: keywords.site, "multipleOf"),
                    message: "must be greater than 0")
            }
            isPresent = true
            rules.multipleOfText = divisor.text
            if let integer = divisor.int64Value {
                rules.integerDivisor = integer
                rules.multipleOf = ExactDecimal(integer)
            } else {
                rules.multipleOf = ExactDecimal(value)
            }
        }
        if isPresent { set(number) { $0.number = SchemaNode.box(rules) } }
    }

    private mutating func readString(
        _ keywords: SchemaKeywordReader, _ dialect: SchemaIndex.Dialect, _ number: NodeIndex
    ) throws(JSONSchemaError) {
        var rules = StringRules()
        var isPresent = false
        if dialect.validation {
            if let count = try keywords.count("minLength", index) {
                rules.minLength = count
                isPresent = isPresent || count > 0
            }
            if let count = try keywords.count("maxLength", index) {
                rules.maxLength = count
                isPresent = true
            }
            if let text = try keywords.string("pattern", index) {
                rules.pattern = try pattern(text, keywords.site.appending("pattern"))
                isPresent = true
            }
        }
        if let name = try keywords.string("format", index), formatAssertion || dialect.formatAssertion,
            let format = SchemaFormat(rawValue: name)
        {
            rules.format = format
            isPresent = true
        }
        if isPresent { set(number) { $0.string = SchemaNode.box(rules) } }
    }

    // MARK: Arrays

    private mutating func readArray(
        _ keywords: SchemaKeywordReader, _ dialect: SchemaIndex.Dialect, _ number: NodeIndex
    ) throws(JSONSchemaError) {
        var rules = ArrayRules()
        var isPresent = false
        if dialect.validation {
            if let count = try keywords.count("minItems", index) {
                rules.minItems = count
                isPresent = isPresent || count > 0
            }
            if let count = try keywords.count("maxItems", index) {
                rules.maxItems = count
                isPresent = true
            }
            if try keywords.boolean("uniqueItems", index) == true {
                rules.uniqueItems = true
                isPresent = true
            }
            rules.minContains = try keywords.count("minContains", index) ?? 1
            rules.maxContains = try keywords.count("maxContains", index) ?? Int.max
        }
        if dialect.applicator {
            if dialect.isLegacy, case .array(let elements)? = keywords.object["items"] {
                for position in elements.indices {
                    rules.prefix.append(try node(at: keywords.site.appending("items", String(position))))
                }
                rules.items = try subschema(keywords, "additionalItems")
                rules.itemsKeyword = "additionalItems"
            } else {
                if !dialect.isLegacy { rules.prefix = try list(keywords, "prefixItems") }
                rules.items = try subschema(keywords, "items")
            }
            rules.contains = try subschema(keywords, "contains")
            isPresent = isPresent || !rules.prefix.isEmpty || rules.items >= 0 || rules.contains >= 0
        }
        if dialect.unevaluated {
            rules.unevaluated = try subschema(keywords, "unevaluatedItems")
            isPresent = isPresent || rules.unevaluated >= 0
        }
        if isPresent { set(number) { $0.array = SchemaNode.box(rules) } }
    }

    // MARK: Objects

    private mutating func readObject(
        _ keywords: SchemaKeywordReader, _ dialect: SchemaIndex.Dialect, _ number: NodeIndex
    ) throws(JSONSchemaError) {
        var rules = ObjectRules()
        var isPresent = false
        var required: [String] = []
        if dialect.validation {
            if let count = try keywords.count("minProperties", index) {
                rules.minProperties = count
                isPresent = isPresent || count > 0
            }
            if let count = try keywords.count("maxProperties", index) {
                rules.maxProperties = count
                isPresent = true
            }
            if let value = keywords.object["required"] { required = try keywords.names(value, ["required"], index) }
            for (name, value) in try keywords.map("dependentRequired", index) ?? [:] {
                let names = try keywords.names(value, ["dependentRequired", name], index)
                rules.dependentRequired.append((name, names))
            }
        }
        var properties: [(String, NodeIndex)] = []
        if dialect.applicator {
            for (name, _) in try keywords.map("properties", index) ?? [:] {
                properties.append((name, try node(at: keywords.site.appending("properties", name))))
            }
            for (text, _) in try keywords.map("patternProperties", index) ?? [:] {
                let site = keywords.site.appending("patternProperties", text)
                rules.patterns.append((try pattern(text, site), text, try node(at: site)))
            }
            rules.additional = try subschema(keywords, "additionalProperties")
            rules.propertyNames = try subschema(keywords, "propertyNames")
            for (name, _) in try keywords.map("dependentSchemas", index) ?? [:] {
                let target = try node(at: keywords.site.appending("dependentSchemas", name))
                addInPlace(target, to: number)
                rules.dependentSchemas.append((name, target))
            }
            // Before 2019-09 both kinds of dependencies had one keyword; it is still met.
            for (name, value) in try keywords.map("dependencies", index) ?? [:] {
                if value.arrayValue != nil {
                    rules.dependentRequired.append((name, try keywords.names(value, ["dependencies", name], index)))
                } else {
                    let target = try node(at: keywords.site.appending("dependencies", name))
                    addInPlace(target, to: number)
                    rules.dependentSchemas.append((name, target))
                }
            }
        }
        if dialect.unevaluated { rules.unevaluated = try subschema(keywords, "unevaluatedProperties") }
        rules.setEntries(properties: properties, required: required)
        rules.visitsMembers =
            !rules.entries.isEmpty || !rules.patterns.isEmpty || rules.additional >= 0 || rules.propertyNames >= 0
        isPresent =
            isPresent || rules.visitsMembers || !rules.dependentRequired.isEmpty || !rules.dependentSchemas.isEmpty
            || rules.unevaluated >= 0
        if isPresent { set(number) { $0.object = SchemaNode.box(rules) } }
    }

    // MARK: Every kind

    private mutating func readGeneral(
        _ keywords: SchemaKeywordReader, _ dialect: SchemaIndex.Dialect, _ number: NodeIndex, onlyReference: Bool
    ) throws(JSONSchemaError) {
        var rules = GeneralRules()
        var isPresent = false
        if let reference = try keywords.string("$ref", index) {
            let location = index.location(of: keywords.site, "$ref")
            let target = try index.resolve(reference, from: keywords.resource, at: location)
            rules.reference = try node(at: target.site)
            addInPlace(rules.reference, to: number)
            isPresent = true
        }
        if !onlyReference {
            if let reference = try keywords.string("$dynamicRef", index) {
                let location = index.location(of: keywords.site, "$dynamicRef")
                let target = try index.resolve(reference, from: keywords.resource, at: location)
                rules.dynamicReference = try node(at: target.site)
                addInPlace(rules.dynamicReference, to: number)
                if let anchor = target.dynamicAnchor { addDynamicReference(anchor, at: number) }
                isPresent = true
            }
            if dialect.validation {
                rules.constant = keywords.object["const"]
                if let values = try keywords.array("enum", index) {
                    rules.values = values
                    rules.setSmallValues()
                }
                isPresent = isPresent || rules.constant != nil || rules.values != nil
            }
            if dialect.applicator {
                rules.allOf = try list(keywords, "allOf")
                rules.anyOf = try list(keywords, "anyOf")
                rules.oneOf = try list(keywords, "oneOf")
                rules.not = try subschema(keywords, "not")
                rules.condition = try subschema(keywords, "if")
                rules.then = try subschema(keywords, "then")
                rules.otherwise = try subschema(keywords, "else")
                let applied =
                    rules.allOf + rules.anyOf + rules.oneOf
                    + [rules.not, rules.condition, rules.then, rules.otherwise].filter { $0 >= 0 }
                for target in applied { addInPlace(target, to: number) }
                isPresent = isPresent || !applied.isEmpty
            }
            rules.isOnlyValues =
                rules.reference < 0 && rules.dynamicReference < 0 && rules.allOf.isEmpty && rules.anyOf.isEmpty
                && rules.oneOf.isEmpty && rules.not < 0 && rules.condition < 0
            if dialect.unevaluated, keywords.has("unevaluatedItems") || keywords.has("unevaluatedProperties") {
                rules.tracks = true
                isPresent = true
            }
        }
        if isPresent { set(number) { $0.general = SchemaNode.box(rules) } }
    }
}

extension GeneralRules {
    /// Prepares the comparison of short strings by their words, if `enum` holds nothing else.
    mutating func setSmallValues() {
        guard SmallString.isKnown, let values else { return }
        var small: [SmallString.Words] = []
        for value in values {
            guard case .string(let text) = value else { return }
            let words = SmallString.words(text)
            guard SmallString.isSmall(words) else { return }
            small.append(words)
        }
        smallValues = small
    }
}

extension ObjectRules {
    /// Builds the table of names: those of `properties` and those only of `required`.
    mutating func setEntries(properties: [(String, NodeIndex)], required: [String]) {
        var position: [JSON: Int] = [:]
        func entry(_ name: String, _ node: NodeIndex) -> Entry {
            let words = Self.shortWords(of: name)
            return Entry(words: words ?? (0, 0), isSmall: words != nil, name: name, node: node, required: 0)
        }
        for (name, node) in properties {
            position[.string(name)] = entries.count
            entries.append(entry(name, node))
        }
        var bit: UInt64 = 1
        for name in required {
            guard bit != 0 else {
                furtherRequired.append(name)
                continue
            }
            if position[.string(name)] == nil {
                position[.string(name)] = entries.count
                entries.append(entry(name, -1))
            }
            entries[position[.string(name)] ?? 0].required = bit
            requiredMask |= bit
            bit <<= 1
        }
        guard !entries.isEmpty else { return }
        var size = 8
        while size < entries.count * 2 { size *= 2 }
        slots = [UInt32](repeating: 0, count: size)
        for (number, entry) in entries.enumerated() {
            var slot = Self.hash(entry) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(number + 1)
        }
    }

    private static func hash(_ entry: Entry) -> Int {
        entry.isSmall ? hash(entry.words) : hash(entry.name)
    }

    /// The words of a name of up to 15 ASCII bytes, however its string is held.
    static func shortWords(of name: String) -> SmallString.Words? {
        guard name.utf8.count <= SmallString.capacity else { return nil }
        var words: SmallString.Words = (0, UInt64(0xE0 | name.utf8.count) << 56)
        for (offset, unit) in name.utf8.enumerated() {
            guard unit < 0x80 else { return nil }
            if offset < 8 {
                words.low |= UInt64(unit) << UInt64(8 * offset)
            } else {
                words.high |= UInt64(unit) << UInt64(8 * (offset - 8))
            }
        }
        return words
    }

    /// The entry for a name given by its words.
    @inline(__always)
    func entry(_ words: SmallString.Words) -> Int? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count &- 1
        var slot = Self.hash(words) & mask
        while true {
            let number = Int(slots[slot])
            if number == 0 { return nil }
            if entries[number &- 1].isSmall, entries[number &- 1].words == words { return number &- 1 }
            slot = (slot &+ 1) & mask
        }
    }

    /// The entry for any name.
    func entry(named name: String) -> Int? {
        if let words = Self.shortWords(of: name) { return entry(words) }
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        var slot = Self.hash(name) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if !entries[number].isSmall, entries[number].name.utf8.elementsEqual(name.utf8) { return number }
            slot = (slot + 1) & mask
        }
        return nil
    }

    @inline(__always)
    private static func hash(_ words: SmallString.Words) -> Int {
        let mixed = (words.low ^ words.high &* 0x9E37_79B9_7F4A_7C15) &* 0xD6E8_FEB8_6659_FD93
        return Int(truncatingIfNeeded: mixed >> 40)
    }

    private static func hash(_ name: String) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for unit in name.utf8 { hash = (hash ^ UInt64(unit)) &* 0x0000_0100_0000_01B3 }
        return Int(truncatingIfNeeded: hash >> 24)
    }
}
