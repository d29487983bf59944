public import TandemJSON

/// The line pipes `tandem schema validate` and `tandem schema gemini`: one JSON object in, one out.
public enum SchemaPipe {
    /// Validates `{"schema", "data"}`: `{"valid":true}`, or `{"valid":false,"errors":[…]}` with the pointers
    /// `instance` and `keyword` and a `message` each; a line or schema that is wrong itself gives `{"error":{…}}`.
    ///
    /// `"formatAssertion": true` makes `format` an assertion.
    public static func validate(line: JSON) -> JSON {
        guard case .object(let object) = line, let schema = object["schema"], let data = object["data"] else {
            return problem("invalid_line", "", "must be an object with the members schema and data")
        }
        do throws(JSONSchemaError) {
            let compiled = try JSONSchema(compiling: schema, formatAssertion: object["formatAssertion"] == true)
            let violations = compiled.validate(data)
            if violations.isEmpty { return ["valid": true] }
            let errors = violations.map { violation -> JSON in
                [
                    "instance": .string(violation.instanceLocation), "keyword": .string(violation.keywordLocation),
                    "message": .string(violation.message),
                ]
            }
            return ["valid": false, "errors": .array(errors)]
        } catch {
            return problem(error.code.rawValue, error.location, error.message)
        }
    }

    /// Converts `{"name", "description", "parameters"}` to a Gemini function declaration, or gives `{"error":{…}}`.
    public static func gemini(line: JSON) -> JSON {
        declaration(line) { name, description, parameters throws(JSONSchemaError) in
            try GeminiDeclaration.declaration(name: name, description: description, parameters: parameters)
        }
    }

    /// The same to a function of the chat-completions API.
    public static func chat(line: JSON) -> JSON {
        declaration(line) { name, description, parameters throws(JSONSchemaError) in
            try ChatDeclaration.declaration(name: name, description: description, parameters: parameters)
        }
    }

    private static func declaration(
        _ line: JSON, _ make: (String, String, JSON) throws(JSONSchemaError) -> JSON
    ) -> JSON {
        guard case .object(let object) = line, let name = object["name"]?.stringValue else {
            return problem("invalid_line", "", "must be an object with the members name, description and parameters")
        }
        var parameters = object["parameters"] ?? true
        if parameters.isNull { parameters = true }
        do throws(JSONSchemaError) {
            return try make(name, object["description"]?.stringValue ?? "", parameters)
        } catch {
            return problem(error.code.rawValue, error.location, error.message)
        }
    }

    private static func problem(_ code: String, _ location: String, _ message: String) -> JSON {
        ["error": ["code": .string(code), "location": .string(location), "message": .string(message)]]
    }
}
