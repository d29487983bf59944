import TandemJSON

/// Converts one schema of tool parameters for Gemini.
struct GeminiSchemaConverter {
    /// The subset cannot carry the schema; another form has to.
    struct Unfit: Error {}

    private enum Form {
        /// `Schema` of the API: upper-case types, everything inlined.
        case subset
        /// JSON Schema with the keywords that the API knows; recursive parts under `$defs`.
        case jsonSchema
    }

    private let root: JSON
    private var index: SchemaIndex
    private var form = Form.subset
    /// The definitions being inlined, to notice recursion.
    private var open: [String] = []
    /// Recursive definitions: their names under `$defs` by pointer, and their schemas.
    private var names: [String: String] = [:]
    private var definitions: JSONObject = [:]
    private var keepsReferences = false
    private var budget = 0

    /// Inlining may multiply a schema; past this many subschemas it is refused.
    private static let maxSubschemas = 4000

    init(_ root: JSON) throws(JSONSchemaError) {
        self.root = root
        index = try SchemaIndex(root: root, available: [:])
    }

    /// The field of the declaration and its value; nil for a tool without parameters.
    mutating func parameters() throws(JSONSchemaError) -> (field: String, schema: JSON)? {
        let object = try rootObject()
        let isOpen = object["additionalProperties"]?.objectValue != nil || object["patternProperties"] != nil
        if object["properties"]?.objectValue?.isEmpty ?? true, !isOpen, object["anyOf"] == nil, object["oneOf"] == nil {
            return nil
        }
        do {
            return ("parameters", .object(try subset(root, isRoot: true)))
        } catch let error as JSONSchemaError {
            throw error
        } catch {
            return ("parametersJsonSchema", try jsonSchema())
        }
    }

    /// The same as JSON Schema with `type` object at the root and no alternatives there, which some servers refuse.
    mutating func plainParameters() throws(JSONSchemaError) -> JSONObject? {
        _ = try rootObject()
        guard case .object(var schema) = try jsonSchema() else { return nil }
        schema["type"] = "object"
        if schema["properties"] == nil { schema["properties"] = [:] }
        // Alternatives at the root become members that may be left out: the host checks which of them go together.
        for key in ["anyOf", "oneOf"] {
            guard let alternatives = schema[key]?.arrayValue else { continue }
            schema[key] = nil
            var properties = schema["properties"]?.objectValue ?? [:]
            for alternative in alternatives {
                for (name, member) in alternative["properties"]?.objectValue ?? [:] where properties[name] == nil {
                    properties[name] = member
                }
            }
            schema["properties"] = .object(properties)
        }
        schema["enum"] = nil
        return schema
    }

    /// The root's keywords; it has to describe an object.
    private mutating func rootObject() throws(JSONSchemaError) -> JSONObject {
        budget = Self.maxSubschemas
        let object: JSONObject
        do {
            object = try flattened(root)
            open = []
        } catch let error as JSONSchemaError {
            throw error
        } catch {
            throw tooComplex("")
        }
        let types = Self.types(of: object)
        guard types.contains("object") || types.isEmpty else {
            throw JSONSchemaError(
                code: .invalidKeyword, location: "/type",
                message: "must be object, for a function takes named arguments")
        }
        return object
    }

    private func tooComplex(_ location: String) -> JSONSchemaError {
        JSONSchemaError(
            code: .tooLarge, location: location, message: "has too many subschemas once references are written out")
    }

    private mutating func jsonSchema() throws(JSONSchemaError) -> JSON {
        form = .jsonSchema
        // Written out where that stays small, with every reference kept where it would not.
        for keepsReferences in [false, true] {
            self.keepsReferences = keepsReferences
            open = []
            names = [:]
            definitions = [:]
            budget = Self.maxSubschemas
            do {
                var schema = try full(root)
                if !definitions.isEmpty { schema["$defs"] = .object(definitions) }
                return .object(schema)
            } catch let error as JSONSchemaError {
                if error.code != .tooLarge { throw error }
            } catch {
                continue
            }
        }
        throw tooComplex("")
    }

    // MARK: References and allOf

    /// A schema's keywords with its reference followed and its `allOf` merged in; `open` grows by what was followed.
    private mutating func flattened(_ schema: JSON) throws -> JSONObject {
        budget -= 1
        guard budget > 0 else { throw form == .subset ? Unfit() : tooComplex("") }
        switch schema {
        case .bool(true): return [:]
        case .object(var object):
            var parts: [JSON] = []
            if let reference = object["$ref"]?.stringValue ?? object["$dynamicRef"]?.stringValue {
                object["$ref"] = nil
                object["$dynamicRef"] = nil
                let (pointer, target) = try follow(reference)
                guard !open.contains(pointer) else { throw Unfit() }
                open.append(pointer)
                parts.append(target)
            }
            if let all = object["allOf"]?.arrayValue {
                object["allOf"] = nil
                parts += all
            }
            for part in parts { object = try Self.merged(object, try flattened(part)) }
            return object
        default: throw Unfit()
        }
    }

    private mutating func follow(_ reference: String) throws(JSONSchemaError) -> (pointer: String, schema: JSON) {
        let target = try index.resolve(reference, from: 0, at: "")
        guard index.resource(around: target.site) == 0, let schema = index.value(at: target.site) else {
            throw JSONSchemaError(
                code: .remoteReference, location: index.location(of: target.site),
                message: "belongs to an embedded schema with an identifier of its own, which cannot be declared")
        }
        return (index.location(of: target.site), schema)
    }

    /// Both schemas at once. Where only one statement can be made, the outer one is kept.
    private static func merged(_ outer: JSONObject, _ inner: JSONObject) throws -> JSONObject {
        var result = outer
        for (key, value) in inner {
            guard let own = result[key] else {
                result[key] = value
                continue
            }
            switch key {
            case "type":
                let both = typeNames(own).filter { typeNames(value).contains($0) }
                let narrowed =
                    both.isEmpty && typeNames(own).contains("number") && typeNames(value).contains("integer")
                    ? ["integer"] : both
                guard !narrowed.isEmpty else { throw Unfit() }
                result[key] = narrowed.count == 1 ? .string(narrowed[0]) : .array(narrowed.map { .string($0) })
            case "properties":
                guard case .object(var properties) = own, case .object(let others) = value else { throw Unfit() }
                for (name, schema) in others {
                    properties[name] = properties[name].map { ["allOf": [$0, schema]] } ?? schema
                }
                result[key] = .object(properties)
            case "required":
                let names =
                    (own.arrayValue ?? []) + (value.arrayValue ?? []).filter { !(own.arrayValue ?? []).contains($0) }
                result[key] = .array(names)
            case "enum":
                let both = (own.arrayValue ?? []).filter { (value.arrayValue ?? []).contains($0) }
                result[key] = .array(both)
            case "items": result[key] = ["allOf": [own, value]]
            case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties":
                if (value.doubleValue ?? 0) > (own.doubleValue ?? 0) { result[key] = value }
            case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
                if (value.doubleValue ?? 0) < (own.doubleValue ?? 0) { result[key] = value }
            case "anyOf", "oneOf":
                if own != value { throw Unfit() }
            default: continue
            }
        }
        return result
    }

    // MARK: Types

    private static func typeNames(_ value: JSON) -> [String] {
        if let name = value.stringValue { return [name] }
        return (value.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// The declared types, or those that the keywords tell of.
    private static func types(of object: JSONObject) -> [String] {
        if let declared = object["type"] {
            let names = typeNames(declared)
            return names.contains("number") ? names.filter { $0 != "integer" } : names
        }
        if let values = object["enum"]?.arrayValue ?? object["const"].map({ [$0] }) {
            var names: [String] = []
            for name in values.map(typeName) where !names.contains(name) { names.append(name) }
            return names
        }
        for key in object.keys {
            switch key {
            case "properties", "required", "additionalProperties", "patternProperties", "propertyNames":
                return ["object"]
            case "items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains": return ["array"]
            case "pattern", "minLength", "maxLength", "format": return ["string"]
            case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf": return ["number"]
            default: continue
            }
        }
        return []
    }

    private static func typeName(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    // MARK: The subset

    private mutating func subset(_ schema: JSON, isRoot: Bool = false) throws -> JSONObject {
        let depth = open.count
        defer { open.removeLast(open.count - depth) }
        var object = try flattened(schema)
        var isNullable = false
        var alternatives = try self.alternatives(of: &object, &isNullable)
        if alternatives.count == 1 {
            object = try Self.merged(object, try flattened(alternatives[0]))
            alternatives = try self.alternatives(of: &object, &isNullable)
        }
        var types = Self.types(of: object)
        if types.contains("null"), types.count > 1 {
            isNullable = true
            types.removeAll { $0 == "null" }
        }
        let converted = try self.converted(alternatives, types)
        if types.isEmpty, let common = converted.first?["type"]?.stringValue { types = [common.lowercased()] }
        guard types.count == 1, let type = types.first else { throw Unfit() }
        if !converted.allSatisfy({ $0["type"]?.stringValue == type.uppercased() }) { throw Unfit() }
        var result: JSONObject = ["type": .string(type.uppercased())]
        for key in ["title", "description"] where object[key]?.stringValue != nil { result[key] = object[key] }
        if let value = object["default"], !value.isNull { result["default"] = value }
        switch type {
        case "object": try addMembers(of: object, to: &result, isOptional: !converted.isEmpty)
        case "array": try addElements(of: object, to: &result)
        case "string": try addText(of: object, to: &result, &isNullable)
        case "integer", "number": try addRange(of: object, type, to: &result)
        case "boolean":
            if let values = object["enum"]?.arrayValue, !(values.contains(true) && values.contains(false)) {
                throw Unfit()
            }
            if object["const"] != nil { throw Unfit() }
        default: break
        }
        if isNullable { result["nullable"] = true }
        if !converted.isEmpty { result["anyOf"] = .array(converted.map { .object($0) }) }
        return result
    }

    /// Takes `anyOf` or `oneOf` out of a schema: null becomes `isNullable`, constants become one `enum`.
    private mutating func alternatives(of object: inout JSONObject, _ isNullable: inout Bool) throws -> [JSON] {
        if object["anyOf"] != nil, object["oneOf"] != nil { throw Unfit() }
        guard let all = object["anyOf"]?.arrayValue ?? object["oneOf"]?.arrayValue else { return [] }
        object["anyOf"] = nil
        object["oneOf"] = nil
        var rest: [JSON] = []
        var constants: [JSON] = []
        for alternative in all {
            let depth = open.count
            let flat = try flattened(alternative)
            open.removeLast(open.count - depth)
            if Self.types(of: flat) == ["null"] {
                isNullable = true
                continue
            }
            let values = flat["const"].map { [$0] } ?? flat["enum"]?.arrayValue ?? []
            if !values.isEmpty, values.allSatisfy({ $0.stringValue != nil }) { constants += values }
            rest.append(alternative)
        }
        if !rest.isEmpty, constants.count >= rest.count, object["enum"] == nil {
            let areAllConstant = try rest.allSatisfy { alternative in
                let depth = open.count
                defer { open.removeLast(open.count - depth) }
                let flat = try flattened(alternative)
                return flat["const"] != nil || flat["enum"] != nil
            }
            if areAllConstant {
                var distinct: [JSON] = []
                for value in constants where !distinct.contains(value) { distinct.append(value) }
                object["enum"] = .array(distinct)
                if object["type"] == nil { object["type"] = "string" }
                return []
            }
        }
        return rest
    }

    /// Converts alternatives; those that only narrow what stands beside them are dropped.
    private mutating func converted(_ alternatives: [JSON], _ types: [String]) throws -> [JSONObject] {
        var result: [JSONObject] = []
        for alternative in alternatives {
            let depth = open.count
            let flat = try flattened(alternative)
            open.removeLast(open.count - depth)
            if !types.isEmpty, flat["properties"] == nil, flat["items"] == nil, flat["type"] == nil,
                flat["enum"] == nil,
                flat["const"] == nil
            {
                return []
            }
            result.append(try subset(alternative))
        }
        return result
    }

    private mutating func addMembers(of object: JSONObject, to result: inout JSONObject, isOptional: Bool) throws {
        if object["additionalProperties"]?.objectValue != nil || object["patternProperties"] != nil { throw Unfit() }
        guard case .object(let properties)? = object["properties"], !properties.isEmpty else {
            // The API wants members declared; an object of any content has another form.
            guard isOptional else { throw Unfit() }
            return
        }
        var converted: JSONObject = [:]
        for (name, schema) in properties {
            // A member that nothing fits cannot be sent.
            if schema == false { continue }
            converted[name] = .object(try subset(schema))
        }
        result["properties"] = .object(converted)
        let required = (object["required"]?.arrayValue ?? []).filter { converted.contains($0.stringValue ?? "") }
        if !required.isEmpty { result["required"] = .array(required) }
        addCounts(["minProperties", "maxProperties"], of: object, to: &result)
        result["propertyOrdering"] = .array(converted.keys.map { .string($0) })
    }

    private mutating func addElements(of object: JSONObject, to result: inout JSONObject) throws {
        if object["prefixItems"] != nil { throw Unfit() }
        guard let items = object["items"], items != false else { throw Unfit() }
        result["items"] = .object(try subset(items))
        addCounts(["minItems", "maxItems"], of: object, to: &result)
    }

    private func addText(of object: JSONObject, to result: inout JSONObject, _ isNullable: inout Bool) throws {
        if var values = object["const"].map({ [$0] }) ?? object["enum"]?.arrayValue {
            if values.contains(.null) {
                isNullable = true
                values.removeAll(where: \.isNull)
            }
            guard !values.isEmpty, values.allSatisfy({ $0.stringValue != nil }) else { throw Unfit() }
            result["format"] = "enum"
            result["enum"] = .array(values)
            return
        }
        if let format = object["format"]?.stringValue { result["format"] = .string(format) }
        if let pattern = object["pattern"]?.stringValue { result["pattern"] = .string(pattern) }
        addCounts(["minLength", "maxLength"], of: object, to: &result)
    }

    private func addRange(of object: JSONObject, _ type: String, to result: inout JSONObject) throws {
        if object["enum"] != nil || object["const"] != nil { throw Unfit() }
        if let format = object["format"]?.stringValue { result["format"] = .string(format) }
        if let bound = object["minimum"] ?? exclusive(object["exclusiveMinimum"], type, step: 1) {
            result["minimum"] = bound
        }
        if let bound = object["maximum"] ?? exclusive(object["exclusiveMaximum"], type, step: -1) {
            result["maximum"] = bound
        }
    }

    /// The nearest inclusive bound; between fractions there is none, so the bound itself.
    private func exclusive(_ bound: JSON?, _ type: String, step: Int64) -> JSON? {
        guard type == "integer", let integer = bound?.int64Value else { return bound }
        let (moved, overflow) = integer.addingReportingOverflow(step)
        return .integer(overflow ? integer : moved)
    }

    private func addCounts(_ keys: [String], of object: JSONObject, to result: inout JSONObject) {
        for key in keys {
            // The API's JSON form of 64-bit integers is a string.
            if let count = object[key]?.int64Value { result[key] = .string(String(count)) }
        }
    }

    // MARK: JSON Schema

    /// What the API documents for `parametersJsonSchema`, besides what is handled by name.
    private static let kept: Set<String> = [
        "type", "format", "title", "description", "enum", "minItems", "maxItems", "minimum", "maximum", "required",
    ]

    private mutating func full(_ schema: JSON) throws -> JSONObject {
        guard case .object(let source) = schema else {
            if schema == true { return [:] }
            // Nothing fits `false`, which the API cannot say; an empty list of values says the same.
            return ["enum": []]
        }
        if let reference = source["$ref"]?.stringValue ?? source["$dynamicRef"]?.stringValue {
            let (pointer, target) = try follow(reference)
            if try keepsReferences || isRecursive(pointer, target) { return try recursive(pointer, target, source) }
        }
        let depth = open.count
        defer { open.removeLast(open.count - depth) }
        let object = try flattened(schema)
        var result: JSONObject = [:]
        for (key, value) in object {
            switch key {
            case "const": result["enum"] = [value]
            case "items", "additionalProperties":
                if value.boolValue != nil { result[key] = value } else { result[key] = .object(try full(value)) }
            case "prefixItems", "anyOf", "oneOf":
                var list: [JSON] = []
                for element in value.arrayValue ?? [] { list.append(.object(try full(element))) }
                result[key] = .array(list)
            case "properties":
                var properties: JSONObject = [:]
                for (name, element) in value.objectValue ?? [:] { properties[name] = .object(try full(element)) }
                result[key] = .object(properties)
            case "exclusiveMinimum" where object["minimum"] == nil:
                result["minimum"] = exclusive(value, Self.types(of: object).first ?? "", step: 1)
            case "exclusiveMaximum" where object["maximum"] == nil:
                result["maximum"] = exclusive(value, Self.types(of: object).first ?? "", step: -1)
            default:
                if Self.kept.contains(key) { result[key] = value }
            }
        }
        if result["type"] == nil, result["enum"] == nil, result["anyOf"] == nil, result["oneOf"] == nil,
            let type = Self.types(of: object).first
        {
            result["type"] = .string(type)
        }
        return result
    }

    /// Puts a recursive definition under `$defs` once and refers to it.
    private mutating func recursive(_ pointer: String, _ target: JSON, _ source: JSONObject) throws -> JSONObject {
        if names[pointer] == nil {
            let last = JSONPointer(pointer)?.tokens.last ?? "root"
            var name = String(decoding: last.utf8.filter { ASCII.isAlphanumeric($0) || $0 == 0x5F }, as: UTF8.self)
            if name.isEmpty || names.values.contains(name) { name += "_\(names.count + 1)" }
            names[pointer] = name
            // Kept in the order of first mention.
            definitions[name] = [:]
            let outer = open
            open = []
            defer { open = outer }
            definitions[name] = .object(try full(target))
        }
        var result: JSONObject = ["$ref": .string("#/$defs/" + (names[pointer] ?? ""))]
        if let description = source["description"]?.stringValue { result["description"] = .string(description) }
        return result
    }

    /// Whether a definition can be reached from itself.
    private mutating func isRecursive(_ pointer: String, _ target: JSON) throws -> Bool {
        if names[pointer] != nil { return true }
        var seen: Set<String> = []
        var pending = [target]
        while let schema = pending.popLast() {
            for reference in Self.references(in: schema) {
                let (next, value) = try follow(reference)
                if next == pointer || pointer == "" { return true }
                if seen.insert(next).inserted { pending.append(value) }
            }
        }
        return false
    }

    private static func references(in schema: JSON) -> [String] {
        var found: [String] = []
        var pending = [schema]
        while let value = pending.popLast() {
            guard case .object(let object) = value else { continue }
            for (key, member) in object {
                if key == "$ref" || key == "$dynamicRef", let text = member.stringValue { found.append(text) }
                switch SchemaKeywords.applicators[key] {
                case .schema?, .schemaOrList?, .list?:
                    pending.append(member)
                    pending += member.arrayValue ?? []
                case .map? where key != "$defs" && key != "definitions":
                    pending += member.objectValue?.values ?? []
                default: continue
                }
            }
        }
        return found
    }
}
