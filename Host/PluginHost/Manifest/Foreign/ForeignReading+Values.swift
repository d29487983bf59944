import TandemCore
import TandemJSON

extension ForeignReading {
    /// One parameter, or what a function returns. Members that do not belong to its kind are unknown members.
    mutating func readValue(_ reader: ObjectReader, isReturn: Bool) -> ForeignValue? {
        guard let type = reader.word("type", ForeignType.self, required: true) else { return nil }
        defer { reader.finish() }
        let name = readName(in: reader)
        let direction = isReturn ? .out : reader.word("direction", ForeignDirection.self) ?? .in
        var value = ForeignValue(
            pointer: reader.pointer, name: name, type: type, direction: direction, role: .output, isReturn: isReturn)
        value.role = readRole(reader, value)
        checkDirection(reader, value)
        switch value.role {
        case .length, .capacity, .file, .object: return value
        case .constant:
            readConstant(reader, &value)
            return value
        case .argument, .output: break
        }
        guard type.isScalar || type.isMemory else { return value }
        if type.isMemory { readMemory(reader, &value) }
        readPlaces(reader, &value)
        let words = readWords(reader, value)
        value.choices = words.choices
        value.schema = schema(of: value, words: words, in: reader)
        if value.role == .argument { readDefault(reader, &value) }
        return value
    }

    private func readName(in reader: ObjectReader) -> String? {
        guard let name = reader.string("name") else { return nil }
        if !ForeignNames.isName(name) { reader.problem("name", "must match \(ForeignNames.nameRule)") }
        return name
    }

    private mutating func readRole(_ reader: ObjectReader, _ value: ForeignValue) -> ForeignValue.Role {
        if value.type == .file {
            let file = reader.string("file", "must be the name of a file beside plugin.json") {
                TextRule.isFileName($0) && $0 != "plugin.json"
            }
            noteFile(file)
            return .file(file)
        }
        if value.type == .object {
            guard !value.isReturn else { return .output }
            let object = reader.string("object", required: true) ?? ""
            if reader.has("object"), !objects.contains(object) {
                reader.problem("object", "names no object, or one that stands further down")
            }
            return .object(object)
        }
        let length = reader.string("lengthOf")
        let capacity = value.isReturn ? nil : reader.string("capacityOf")
        if length != nil || capacity != nil {
            if !value.type.isInteger { reader.problem("type", "a length is an integer") }
            if length != nil, capacity != nil { reader.problem("capacityOf", "stands beside lengthOf") }
            return length.map { .length(of: $0) } ?? .capacity(of: capacity ?? "")
        }
        if !value.isReturn, value.direction == .in, reader.has("constant") { return .constant }
        if value.type == .pointer {
            problems.add(reader.pointer, "a pointer can only be the constant null")
            return .constant
        }
        return value.direction == .out ? .output : .argument
    }

    private func checkDirection(_ reader: ObjectReader, _ value: ForeignValue) {
        let isOutRole: Bool
        switch value.role {
        case .file, .object, .capacity: isOutRole = false
        default: isOutRole = true
        }
        if value.direction != .in, !isOutRole {
            reader.problem("direction", "can only be in")
        } else if value.direction == .inout, !value.type.isScalar {
            reader.problem("direction", "only a number can go in and come out")
        } else if value.direction == .in, value.type == .strings {
            problems.add(reader.pointer, "a list of strings can only come out")
        }
        if reader.has("release"), value.direction != .out || !value.type.isMemory {
            reader.problem("release", "releases something that the function does not give")
        }
    }

    // MARK: Constants and defaults

    private mutating func readConstant(_ reader: ObjectReader, _ value: inout ForeignValue) {
        guard let constant = reader.value("constant") else { return }
        value.defaultValue = constant
        switch (value.type, constant) {
        case (.pointer, .null), (.string, .null), (.bytes, .null): break
        case (.pointer, _): reader.problem("constant", "must be null")
        case (.bytes, .string), (.string, .string):
            if !Self.isText(constant) { reader.problem("constant", "has a NUL character") }
        case (.bool, .bool): break
        default:
            if let range = value.type.integerRange {
                if constant.int64Value.map(range.contains) != true {
                    reader.problem("constant", "must be an integer that fits \(value.type.rawValue)")
                }
            } else if value.type.isReal, constant.doubleValue != nil {
                break
            } else {
                reader.problem("constant", "does not fit \(value.type.rawValue)")
            }
        }
    }

    private static func isText(_ value: JSON) -> Bool { value.stringValue?.utf8.contains(0) == false }

    private func readDefault(_ reader: ObjectReader, _ value: inout ForeignValue) {
        guard let given = reader.value("default") else { return }
        value.defaultValue = given
        guard let schema = try? JSONSchema(compiling: .object(value.schema)) else { return }
        if !schema.isValid(given) { reader.problem("default", "does not fit the parameter") }
        value.schema["default"] = given
    }

    // MARK: Memory

    private mutating func readMemory(_ reader: ObjectReader, _ value: inout ForeignValue) {
        if value.direction == .in { return }
        let limits = 1...ForeignInterface.maxBytes
        if !value.isReturn, value.type != .strings {
            let size = reader.integer("size", in: limits)
            let capacity = reader.integer("capacity", in: limits)
            if size != nil, capacity != nil { reader.problem("size", "stands beside capacity") }
            value.isFixed = size != nil
            value.capacity = size ?? capacity
        }
        if value.capacity != nil {
            if reader.has("release") || reader.has("borrowed") {
                let name = reader.has("release") ? "release" : "borrowed"
                reader.problem(name, "the buffer is the adapter's: it is not released")
            }
            _ = reader.value("release")
            _ = reader.value("borrowed")
            return
        }
        value.isNullable = reader.bool("nullable") ?? false
        let isBorrowed = reader.bool("borrowed") ?? false
        readRelease(reader, &value)
        if isBorrowed, value.hasRelease { reader.problem("borrowed", "stands beside release") }
        if !isBorrowed, !value.hasRelease {
            problems.add(reader.pointer, "who frees it is not said: release or borrowed is missing")
        }
    }

    private mutating func readRelease(_ reader: ObjectReader, _ value: inout ForeignValue) {
        switch reader.value("release") {
        case nil: return
        case .string:
            value.hasRelease = true
            _ = symbol("release", in: reader)
        case .object:
            value.hasRelease = true
            guard let release = reader.object("release") else { return }
            _ = symbol("symbol", in: release)
            let parameters = release.array("parameters", required: true, atMost: 4)
            var hasPointer = false
            for (pointer, parameter) in parameters {
                guard let parameter = ObjectReader(parameter, at: pointer, problems: problems) else { continue }
                let type = parameter.string("type", required: true) ?? ""
                switch type {
                case "pointer", "address": hasPointer = true
                case "object":
                    let object = parameter.string("object", required: true) ?? ""
                    if !objects.contains(object) { parameter.problem("object", "names no object") }
                default:
                    if ForeignType(rawValue: type)?.isInteger == true {
                        value.releaseNeedsLength = true
                    } else {
                        parameter.problem("type", "must be pointer, address, object or an integer for the length")
                    }
                }
                parameter.finish()
            }
            if !hasPointer { release.problem("parameters", "must pass the pointer or its address") }
            release.finish()
        default:
            value.hasRelease = true
            reader.problem("release", "must be the name of a C function or an object")
        }
    }

    // MARK: Places

    private func readPlaces(_ reader: ObjectReader, _ value: inout ForeignValue) {
        if value.role == .argument { value.argument = place("argument", reader, value) }
        guard value.direction != .in else { return }
        if case .bool(false)? = reader.value("result") { return }
        if value.isReturn, value.name == nil, !reader.has("result") { return }
        value.result = place("result", reader, value)
    }

    private func place(_ member: String, _ reader: ObjectReader, _ value: ForeignValue) -> [String]? {
        guard reader.has(member) else {
            guard let name = value.name else {
                problems.add(reader.pointer, "name or \(member) is missing")
                return nil
            }
            return [name]
        }
        guard let text = reader.string(member) else { return nil }
        guard let steps = ForeignNames.place(text) else {
            reader.problem(member, "must be a name or a JSON Pointer of at most 4 names, like /size/width")
            return nil
        }
        return steps
    }

    // MARK: Words

    struct Words {
        var unit: String?
        var description: String?
        var choices: [(word: String, value: Int64)]?
        var isTruth = false
        var maxBytes: Int64 = 0
        var isBase64 = false
    }

    private func readWords(_ reader: ObjectReader, _ value: ForeignValue) -> Words {
        var words = Words()
        words.unit = line("unit", atMost: 24, in: reader)
        words.description = line("description", atMost: 400, in: reader)
        if value.type.isReal {
            for name in ["scale", "offset"] {
                guard let number = reader.value(name) else { continue }
                if number.doubleValue?.isFinite != true || (name == "scale" && number.doubleValue == 0) {
                    reader.problem(name, "must be a number\(name == "scale" ? " other than 0" : "")")
                }
            }
        }
        if value.type.isScalar, value.type != .bool { _ = reader.integer("decimals", in: 0...12) }
        if value.type.isInteger {
            words.choices = choices(in: reader, value)
            if value.direction == .out, let form = reader.string("as") {
                words.isTruth = true
                if form != "bool" { reader.problem("as", "must be bool") }
                if words.choices != nil { reader.problem("as", "stands beside values") }
            }
        }
        if value.type.isMemory {
            let standard = value.direction == .in ? ForeignInterface.argumentBytes : ForeignInterface.resultBytes
            words.maxBytes = value.capacity ?? standard
            if value.capacity == nil {
                words.maxBytes = reader.integer("maxBytes", in: 1...ForeignInterface.maxBytes) ?? standard
            }
        }
        if value.type == .bytes, let encoding = reader.string("encoding") {
            words.isBase64 = encoding == "base64"
            if !["base64", "utf8"].contains(encoding) { reader.problem("encoding", "must be one of utf8, base64") }
        }
        return words
    }

    private func line(_ name: String, atMost limit: Int, in reader: ObjectReader) -> String? {
        guard let text = reader.string(name) else { return nil }
        if !TextRule.isLine(text, atMost: limit) {
            reader.problem(name, "must be one line of 1 to \(limit) characters")
        }
        return text
    }

    private func choices(in reader: ObjectReader, _ value: ForeignValue) -> [(word: String, value: Int64)]? {
        guard reader.has("values") else { return nil }
        var choices: [(word: String, value: Int64)] = []
        for (pointer, word, number) in reader.members("values") {
            if !TextRule.isLine(word, atMost: 80) {
                problems.add(pointer, "must be one line of 1 to 80 characters", atName: true)
            }
            guard let integer = number.int64Value, value.type.integerRange?.contains(integer) == true else {
                problems.add(pointer, "must be an integer that fits \(value.type.rawValue)")
                continue
            }
            if value.direction != .in, choices.contains(where: { $0.value == integer }) {
                problems.add(pointer, "another word has this number")
            }
            choices.append((word, integer))
        }
        if choices.isEmpty || choices.count > 64 { reader.problem("values", "must have 1 to 64 members") }
        return choices
    }

    // MARK: Schema

    private func schema(of value: ForeignValue, words: Words, in reader: ObjectReader) -> JSONObject {
        var schema: JSONObject = [:]
        let description = [words.description, words.unit.map { "In \($0)." }].compactMap { $0 }
        if !description.isEmpty { schema["description"] = .string(description.joined(separator: " ")) }
        if let choices = words.choices {
            schema["type"] = "string"
            schema["enum"] = .array(choices.map { .string($0.word) })
        } else if words.isTruth || value.type == .bool {
            schema["type"] = "boolean"
        } else if let range = value.type.integerRange {
            schema["type"] = "integer"
            if range.lowerBound != .min { schema["minimum"] = .integer(range.lowerBound) }
            if range.upperBound != .max { schema["maximum"] = .integer(range.upperBound) }
        } else if value.type.isReal {
            schema["type"] = "number"
        } else if value.type == .strings {
            schema["type"] = "array"
            schema["items"] = ["type": "string"]
            schema["maxItems"] = .integer(Int64(ForeignInterface.maxListElements))
        } else {
            schema["type"] = "string"
            schema["maxLength"] = .integer(words.isBase64 ? (words.maxBytes + 2) / 3 * 4 : words.maxBytes)
            if words.isBase64 { schema["contentEncoding"] = "base64" }
        }
        return schema
    }
}
