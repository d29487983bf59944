import TandemJSON

/// Reads the keywords of one subschema and checks their form (2020-12 validation, section 6).
struct SchemaKeywordReader {
    let object: JSONObject
    let site: SchemaIndex.Site
    let resource: Int

    func has(_ keyword: String) -> Bool { object.contains(keyword) }

    private func error(_ keyword: String, _ message: String, _ index: SchemaIndex) -> JSONSchemaError {
        JSONSchemaError(code: .invalidKeyword, location: index.location(of: site, keyword), message: message)
    }

    /// A non-negative integer, also when written as `2.0`; numbers beyond `Int` bound nothing.
    func count(_ keyword: String, _ index: SchemaIndex) throws(JSONSchemaError) -> Int? {
        guard let value = object[keyword] else { return nil }
        if let integer = value.int64Value, integer >= 0 { return Int(integer) }
        if let double = value.doubleValue, double >= 0x1p63 { return Int.max }
        throw error(keyword, "must be a non-negative integer", index)
    }

    func number(_ keyword: String, _ index: SchemaIndex) throws(JSONSchemaError) -> JSON? {
        guard let value = object[keyword] else { return nil }
        guard value.doubleValue != nil else { throw error(keyword, "must be a number", index) }
        return value
    }

    func string(_ keyword: String, _ index: SchemaIndex) throws(JSONSchemaError) -> String? {
        guard let value = object[keyword] else { return nil }
        guard let text = value.stringValue else { throw error(keyword, "must be a string", index) }
        return text
    }

    func boolean(_ keyword: String, _ index: SchemaIndex) throws(JSONSchemaError) -> Bool? {
        guard let value = object[keyword] else { return nil }
        guard let flag = value.boolValue else { throw error(keyword, "must be a boolean", index) }
        return flag
    }

    func array(_ keyword: String, _ index: SchemaIndex) throws(JSONSchemaError) -> [JSON]? {
        guard let value = object[keyword] else { return nil }
        guard let elements = value.arrayValue else { throw error(keyword, "must be an array", index) }
        return elements
    }

    func map(_ keyword: String, _ index: SchemaIndex) throws(JSONSchemaError) -> JSONObject? {
        guard let value = object[keyword] else { return nil }
        guard let members = value.objectValue else { throw error(keyword, "must be an object", index) }
        return members
    }

    /// Distinct strings under a keyword, or under a member of it.
    func names(_ value: JSON, _ path: [String], _ index: SchemaIndex) throws(JSONSchemaError) -> [String] {
        var names: [String] = []
        var seen: Set<JSON> = []
        for element in value.arrayValue ?? [.null] {
            guard let name = element.stringValue, seen.insert(element).inserted else {
                var place = site
                place.tokens += path
                throw JSONSchemaError(
                    code: .invalidKeyword, location: index.location(of: place),
                    message: "must be an array of distinct strings")
            }
            names.append(name)
        }
        return names
    }

    func types(_ index: SchemaIndex) throws(JSONSchemaError) -> SchemaTypes? {
        guard let value = object["type"] else { return nil }
        let message = "must be one of null, boolean, integer, number, string, array, object, or a list of these"
        if let name = value.stringValue {
            guard let type = SchemaTypes(name: name) else { throw error("type", message, index) }
            return type
        }
        guard let names = value.arrayValue, !names.isEmpty else { throw error("type", message, index) }
        var types: SchemaTypes = []
        var seen: Set<String> = []
        for element in names {
            guard let name = element.stringValue, seen.insert(name).inserted, let type = SchemaTypes(name: name) else {
                throw error("type", message, index)
            }
            types.formUnion(type)
        }
        return types
    }
}
