import TandemCore
import TandemJSON

/// Makes a tool's schemas from its function's signature, and applies what the manifest tightens.
struct ForeignSchema {
    let problems: ProblemList

    /// The schema of an object: derived, with the keywords of `tightening` (the manifest's own schema, possibly of some
    /// properties only) on top. What is wider than the signature, or about something else, is a problem.
    func object(_ shape: ForeignObjectShape, tightening: JSON?, at pointer: String) -> JSON {
        var given: JSONObject = [:]
        switch tightening {
        case .object(let object)?: given = object
        case nil: break
        default: problems.add(pointer, "must be an object schema")
        }
        let properties = given["properties"]?.objectValue ?? [:]
        for (key, value) in given {
            switch key {
            case "type" where value.stringValue == "object": break
            case "additionalProperties" where value.boolValue == false: break
            case "title", "description": break
            case "properties": checkNames(properties, shape, at: pointer + "/properties")
            case "required": checkRequired(value, shape, at: pointer + "/required")
            default:
                var place = pointer
                JSONPointer.append(key, to: &place)
                problems.add(place, "does not fit: the function's signature makes this schema")
            }
        }
        let alsoRequired = Set((given["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        var made: JSONObject = [:]
        var required: [JSON] = []
        for member in shape.members {
            var place = pointer + "/properties"
            JSONPointer.append(member.name, to: &place)
            switch member.node {
            case .value(let schema):
                made[member.name] = .object(value(schema, tightening: properties[member.name], at: place))
            case .object(let inner):
                made[member.name] = object(inner, tightening: properties[member.name], at: place)
            }
            if member.isRequired || alsoRequired.contains(member.name) { required.append(.string(member.name)) }
        }
        var schema: JSONObject = ["type": "object"]
        for key in ["title", "description"] { schema[key] = given[key] }
        schema["properties"] = .object(made)
        if !required.isEmpty { schema["required"] = .array(required) }
        schema["additionalProperties"] = false
        return .object(schema)
    }

    private func checkNames(_ properties: JSONObject, _ shape: ForeignObjectShape, at pointer: String) {
        for (name, _) in properties where !shape.members.contains(where: { $0.name == name }) {
            var place = pointer
            JSONPointer.append(name, to: &place)
            problems.add(place, "is none of the function's values", atName: true)
        }
    }

    private func checkRequired(_ value: JSON, _ shape: ForeignObjectShape, at pointer: String) {
        guard let names = value.arrayValue else {
            problems.add(pointer, "must be an array")
            return
        }
        for (index, name) in names.enumerated()
        where !shape.members.contains(where: { $0.name == name.stringValue }) {
            problems.add("\(pointer)/\(index)", "names no property")
        }
    }

    /// Keywords that make a schema of a scalar narrower, or say something about it.
    private static let free: Set<String> = [
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "const", "minLength", "pattern", "format", "title",
        "description", "examples", "minItems", "uniqueItems",
    ]

    private func value(_ derived: JSONObject, tightening: JSON?, at pointer: String) -> JSONObject {
        guard let tightening else { return derived }
        guard case .object(let given) = tightening else {
            problems.add(pointer, "must be an object schema")
            return derived
        }
        var schema = derived
        for (key, value) in given {
            var place = pointer
            JSONPointer.append(key, to: &place)
            switch key {
            case _ where Self.free.contains(key): schema[key] = value
            case "type":
                if value != derived["type"] {
                    problems.add(place, "the function's signature makes this \(derived["type"]?.stringValue ?? "")")
                }
            case "default":
                if value != derived["default"] {
                    problems.add(place, "the default stands in the function's signature")
                }
            case "enum":
                if let allowed = derived["enum"]?.arrayValue,
                    value.arrayValue?.allSatisfy(allowed.contains) != true
                {
                    problems.add(place, "has a word that the function's signature does not know")
                }
                schema[key] = value
            case "minimum", "maximum", "maxLength", "maxItems":
                bound(key, value, of: &schema, at: place)
            case "items":
                if derived["items"] == nil { problems.add(place, "the function's signature makes no list of this") }
                schema[key] = value
            default: problems.add(place, "is no keyword that tightens the function's signature")
            }
        }
        return schema
    }

    private func bound(_ key: String, _ value: JSON, of schema: inout JSONObject, at place: String) {
        guard let number = value.doubleValue else {
            problems.add(place, "must be a number")
            return
        }
        if let derived = schema[key]?.doubleValue, key == "minimum" ? number < derived : number > derived {
            problems.add(place, "is wider than the function's signature, which has \(derived.formattedBound)")
        }
        schema[key] = value
    }
}

extension Double {
    /// Integers without a fraction.
    fileprivate var formattedBound: String {
        if let integer = Int64(exactly: self) { return String(integer) }
        return String(self)
    }
}
