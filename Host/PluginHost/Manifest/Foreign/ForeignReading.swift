import TandemCore
import TandemJSON

/// Reads the `foreign` section of a manifest and refuses whatever does not hold together.
struct ForeignReading {
    let problems: ProblemList
    private(set) var symbols: [String] = []
    private(set) var files: Set<String> = []
    /// Objects that have been read, in the order of the document.
    private(set) var objects: [String] = []

    /// The section, or nil when there is none.
    ///
    /// - Parameter tools: the ids of the manifest's tools with the pointer of each, to which functions are matched.
    static func interface(
        in manifest: ObjectReader, tools: [(pointer: String, id: String)]
    ) -> ForeignInterface? {
        guard manifest.has("foreign") else { return nil }
        guard let reader = manifest.object("foreign") else {
            return ForeignInterface(library: .system(""), isConcurrent: false, symbols: [], files: [])
        }
        var reading = ForeignReading(problems: manifest.problems)
        return reading.interface(reader, tools: tools)
    }

    private init(problems: ProblemList) { self.problems = problems }

    private mutating func interface(
        _ reader: ObjectReader, tools: [(pointer: String, id: String)]
    ) -> ForeignInterface {
        defer { reader.finish() }
        let library = library(in: reader)
        let isConcurrent = reader.bool("concurrent") ?? false
        readObjects(in: reader)
        var shapes: [String: ForeignShape] = [:]
        if !reader.has("functions") { problems.add(reader.pointer, "functions is missing") }
        let functions = reader.members("functions")
        if functions.count > ForeignInterface.maxFunctions {
            reader.problem("functions", "must have at most \(ForeignInterface.maxFunctions) members")
        }
        for (pointer, tool, value) in functions.prefix(ForeignInterface.maxFunctions) {
            if !tools.contains(where: { $0.id == tool }) {
                problems.add(pointer, "names no tool of this plugin", atName: true)
            }
            guard let function = ObjectReader(value, at: pointer, problems: problems) else { continue }
            shapes[tool] = readFunction(function)
        }
        for tool in tools where !functions.contains(where: { $0.key == tool.id }) {
            problems.add(tool.pointer, "has no function in /foreign/functions")
        }
        var interface = ForeignInterface(
            library: library, isConcurrent: isConcurrent, symbols: symbols, files: files)
        interface.shapes = shapes
        return interface
    }

    private func library(in reader: ObjectReader) -> ForeignInterface.Library {
        guard let library = reader.object("library", required: true) else { return .system("") }
        defer { library.finish() }
        let system = library.string("system")
        let file = library.string("file")
        if let system, !ForeignNames.isSoname(system) {
            library.problem("system", "must be a soname like libm.so.6, without a folder")
        }
        if let file, !TextRule.isFileName(file) || file == "plugin.json" {
            library.problem("file", "must be the name of a file beside plugin.json")
        }
        switch (system, file) {
        case (let system?, nil): return .system(system)
        case (nil, let file?): return .file(file)
        default:
            problems.add(library.pointer, "must have either system or file")
            return .system("")
        }
    }

    // MARK: Symbols

    /// A C identifier, noted as needed from the library.
    mutating func symbol(_ name: String, in reader: ObjectReader) -> String {
        let symbol = reader.string(name, "must be the name of a C function", ForeignNames.isSymbol)
        note(symbol)
        return symbol
    }

    mutating func note(_ symbol: String) {
        if ForeignNames.isSymbol(symbol), !symbols.contains(symbol) { symbols.append(symbol) }
    }

    mutating func noteFile(_ name: String) { files.insert(name) }

    // MARK: Objects

    private mutating func readObjects(in reader: ObjectReader) {
        let members = reader.members("objects")
        if members.count > ForeignInterface.maxObjects {
            reader.problem("objects", "must have at most \(ForeignInterface.maxObjects) members")
        }
        for (pointer, name, value) in members.prefix(ForeignInterface.maxObjects) {
            if !ForeignNames.isName(name) {
                problems.add(pointer, "must match \(ForeignNames.nameRule)", atName: true)
            }
            guard let object = ObjectReader(value, at: pointer, problems: problems) else { continue }
            _ = object.bool("shared")
            if object.has("destroy") { _ = symbol("destroy", in: object) }
            if let create = object.object("create", required: true) { readCreate(create) }
            object.finish()
            objects.append(name)
        }
    }

    private mutating func readCreate(_ reader: ObjectReader) {
        _ = symbol("symbol", in: reader)
        var values = readParameters(in: reader)
        for value in values {
            switch value.role {
            case .argument, .output:
                problems.add(value.pointer, "an object is made of constants, files and earlier objects only")
            default: break
            }
        }
        if let returns = reader.object("returns", required: true) {
            if let value = readValue(returns, isReturn: true) {
                if value.type != .object { returns.problem("type", "must be object") }
                values.append(value)
            }
        }
        checkLengths(values)
        _ = readError(in: reader, values: values, arguments: [])
        reader.finish()
    }

    // MARK: Functions

    private mutating func readFunction(_ reader: ObjectReader) -> ForeignShape {
        _ = symbol("symbol", in: reader)
        var values = readParameters(in: reader)
        if let returns = reader.object("returns"), let value = readValue(returns, isReturn: true) {
            if value.type == .object { returns.problem("type", "only an object's create returns an object") }
            values.append(value)
        }
        checkNames(values)
        checkLengths(values)
        let shape = shape(of: values)
        let arguments = Set(values.flatMap { names(of: $0, at: $0.argument) })
        let results = Set(values.flatMap { names(of: $0, at: $0.result) })
        let errorParameter = readError(in: reader, values: values, arguments: arguments)
        for value in values where isIdle(value, errorParameter: errorParameter) {
            problems.add(value.pointer, "an out parameter needs a name, a result, or false for its result")
        }
        readMessage(in: reader, names: arguments.union(results))
        reader.finish()
        return shape
    }

    /// An out scalar that nobody looks at was forgotten.
    private func isIdle(_ value: ForeignValue, errorParameter: String?) -> Bool {
        guard value.role == .output, !value.isReturn, value.result == nil, value.name == nil else { return false }
        return true
    }

    private mutating func readParameters(in reader: ObjectReader) -> [ForeignValue] {
        var values: [ForeignValue] = []
        for (pointer, value) in reader.array("parameters", atMost: ForeignInterface.maxParameters) {
            guard let parameter = ObjectReader(value, at: pointer, problems: problems) else { continue }
            if let value = readValue(parameter, isReturn: false) { values.append(value) }
        }
        return values
    }

    private func checkNames(_ values: [ForeignValue]) {
        var seen: Set<String> = []
        for value in values {
            guard let name = value.name else { continue }
            if !seen.insert(name).inserted { problems.add(value.pointer + "/name", "another parameter has this name") }
        }
    }

    /// What a message may call a value: its name and the last step of its place.
    private func names(of value: ForeignValue, at place: [String]?) -> [String] {
        guard let place, let last = place.last else { return [] }
        return value.name.map { [$0, last] } ?? [last]
    }

    private func shape(of values: [ForeignValue]) -> ForeignShape {
        var shape = ForeignShape()
        for value in values {
            if let place = value.argument {
                let isRequired = value.defaultValue == nil
                if !shape.arguments.insert(value.schema, at: place[...], isRequired: isRequired) {
                    problems.add(value.pointer, "its argument's place is taken by another parameter")
                }
            }
            if let place = value.result {
                var schema = value.schema
                schema["default"] = nil
                if !shape.results.insert(schema, at: place[...], isRequired: !value.isNullable) {
                    problems.add(value.pointer, "its result's place is taken by another value")
                }
            }
        }
        return shape
    }

    // MARK: Lengths

    private func checkLengths(_ values: [ForeignValue]) {
        var measuredIn: Set<String> = []
        var measuredOut: Set<String> = []
        var bounded: Set<String> = []
        for value in values {
            let (target, member): (String, String)
            switch value.role {
            case .length(let name): (target, member) = (name, "lengthOf")
            case .capacity(let name): (target, member) = (name, "capacityOf")
            default: continue
            }
            let place = value.pointer + "/" + member
            guard let measured = values.first(where: { $0.name == target }) else {
                problems.add(place, "names no parameter of the function")
                continue
            }
            guard measured.type.isMemory else {
                problems.add(place, "\(target) is no string, bytes or strings")
                continue
            }
            let isOut = measured.direction == .out
            switch (value.role, value.direction) {
            case (.capacity, _), (.length, .inout):
                if measured.capacity == nil { problems.add(place, "\(target) has no capacity of its own") }
                if !bounded.insert(target).inserted { problems.add(place, "\(target) has a capacity already") }
                if value.direction == .inout, !measuredOut.insert(target).inserted {
                    problems.add(place, "\(target) has a length already")
                }
            case (.length, .in):
                if isOut {
                    problems.add(place, "\(target) comes out: say capacityOf, or direction out or inout")
                } else if !measuredIn.insert(target).inserted {
                    problems.add(place, "\(target) has a length already")
                }
            case (_, .out):
                if !isOut {
                    problems.add(place, "\(target) goes in, its length cannot come out")
                } else if !measuredOut.insert(target).inserted {
                    problems.add(place, "\(target) has a length already")
                }
            default: break
            }
        }
        for value in values where value.type.isMemory {
            let name = value.name ?? ""
            switch value.direction {
            case .in:
                if value.type == .bytes, !measuredIn.contains(name), value.defaultValue != .null {
                    problems.add(value.pointer, "bytes go in with their length: a parameter with lengthOf is missing")
                }
            case .out, .inout:
                let needsLength = value.type == .strings || (value.type == .bytes && !value.isFixed)
                if needsLength, !measuredOut.contains(name) {
                    problems.add(value.pointer, "nothing tells its length: a lengthOf that comes out is missing")
                }
                if value.releaseNeedsLength, !measuredOut.contains(name) {
                    problems.add(value.pointer + "/release", "passes a length that nothing tells")
                }
                if value.capacity != nil, !value.isFixed, !bounded.contains(name) {
                    problems.add(
                        value.pointer,
                        "the function is not told the capacity: capacityOf is missing (or say size, if it knows)")
                }
            }
        }
    }

    // MARK: Errors and messages

    private enum ErrorKind: String, CaseIterable { case code, null, errno, parameter }

    /// The name of the out parameter that tells the error, if one does.
    private mutating func readError(
        in function: ObjectReader, values: [ForeignValue], arguments: Set<String>
    ) -> String? {
        guard let reader = function.object("error") else { return nil }
        defer { reader.finish() }
        let kind = reader.word("kind", ErrorKind.self, required: true)
        let returned = values.first { $0.isReturn }
        var parameter: String?
        switch kind {
        case .code:
            if returned?.type.isInteger != true { reader.problem("kind", "the function returns no integer") }
            checkOK(reader)
        case .null:
            if returned.map({ $0.type.isMemory || $0.type == .object }) != true {
                reader.problem("kind", "the function returns no pointer")
            }
        case .parameter:
            parameter = reader.string("parameter", required: true)
            let found = values.first { $0.name == parameter && !$0.isReturn }
            if reader.has("parameter"), found.map({ $0.type.isInteger && $0.direction != .in }) != true {
                reader.problem("parameter", "names no integer that comes out of the function")
            }
            checkOK(reader)
        case .errno, nil: break
        }
        if let message = reader.object("message") {
            _ = symbol("symbol", in: message)
            if let takes = message.string("takes"), takes != "code", takes != "nothing" {
                message.problem("takes", "must be one of code, nothing")
            }
            message.finish()
        }
        let names = arguments.union(["message", "code"])
        if let text = reader.string("text") { checkTemplate(text, at: reader.path("text"), names: names) }
        for (pointer, code, value) in reader.members("cases") {
            if Int64(code).map({ String($0) == code }) != true {
                problems.add(pointer, "must be an integer", atName: true)
            }
            guard let text = value.stringValue else {
                problems.add(pointer, "must be a string")
                continue
            }
            checkTemplate(text, at: pointer, names: names)
        }
        return parameter
    }

    private func checkOK(_ reader: ObjectReader) {
        switch reader.value("ok") {
        case nil, .integer, .string("nonnegative"), .string("positive"), .string("nonzero"): break
        default: reader.problem("ok", "must be an integer or one of nonnegative, positive, nonzero")
        }
    }

    private func readMessage(in function: ObjectReader, names: Set<String>) {
        switch function.value("message", required: true) {
        case nil: break
        case .string(let text): checkTemplate(text, at: function.path("message"), names: names)
        case .array:
            let candidates = function.array("message", atMost: 16)
            if candidates.isEmpty { function.problem("message", "must not be empty") }
            for (index, (pointer, value)) in candidates.enumerated() {
                guard let candidate = ObjectReader(value, at: pointer, problems: problems) else { continue }
                for (place, name, _) in candidate.members("when") where !names.contains(name) {
                    problems.add(place, "names no argument or result", atName: true)
                }
                if index == candidates.count - 1, candidate.has("when") {
                    candidate.problem("when", "the last message must fit always")
                }
                if let text = candidate.string("text", required: true) {
                    checkTemplate(text, at: candidate.path("text"), names: names)
                }
                candidate.finish()
            }
        default: function.problem("message", "must be a string or an array of objects")
        }
    }

    private func checkTemplate(_ text: String, at pointer: String, names: Set<String>) {
        if text.isEmpty || text.utf8.count > 1000 { problems.add(pointer, "must have 1 to 1000 bytes") }
        switch ForeignNames.placeholders(of: text) {
        case .failure(let fault): problems.add(pointer, fault.message)
        case .success(let used):
            for name in used where !names.contains(name) {
                problems.add(pointer, "{\(name)} is no argument or result")
            }
        }
    }
}

/// The names of a `foreign` section.
enum ForeignNames {
    static let nameRule = "[a-z][A-Za-z0-9_]{0,47}"

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first >= 0x61, first <= 0x7A, text.utf8.count <= 48 else { return false }
        return text.utf8.allSatisfy(isWord)
    }

    /// A C identifier.
    static func isSymbol(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy(isWord)
    }

    /// `libm.so.6`, `libhunspell-1.7.so.0`.
    static func isSoname(_ text: String) -> Bool {
        guard text.utf8.count <= 64, text.hasPrefix("lib"), !text.contains("..") else { return false }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let marker = parts.lastIndex(of: "so"), marker > 0 else { return false }
        let isNumbered = parts[(marker + 1)...].allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        return isNumbered && text.utf8.allSatisfy { isWord($0) || "+-.".utf8.contains($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
    }

    /// The steps of a place: a bare name, or a JSON Pointer of names.
    static func place(_ text: String) -> [String]? {
        let steps = (text.hasPrefix("/") ? text.dropFirst() : text[...])
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard steps.count <= 4, steps.allSatisfy(isName), text.hasPrefix("/") || steps.count == 1 else { return nil }
        return steps
    }

    struct Fault: Error {
        var message: String
    }

    /// The names within braces; doubled braces are braces.
    static func placeholders(of text: String) -> Result<[String], Fault> {
        var names: [String] = []
        var name: [UInt8]?
        var previous: UInt8?
        for byte in text.utf8 {
            if byte < 0x20, byte != 0x0A { return .failure(Fault(message: "has a control character")) }
            if name != nil {
                if byte == UInt8(ascii: "{"), name?.isEmpty == true {
                    name = nil
                } else if byte == UInt8(ascii: "}") {
                    let text = String(decoding: name ?? [], as: UTF8.self)
                    guard isName(text) else { return .failure(Fault(message: "{\(text)} is no name")) }
                    names.append(text)
                    name = nil
                } else {
                    name?.append(byte)
                }
            } else if previous == UInt8(ascii: "}") {
                guard byte == UInt8(ascii: "}") else { return .failure(Fault(message: "has a } without {")) }
                previous = nil
            } else if byte == UInt8(ascii: "{") {
                name = []
            } else if byte == UInt8(ascii: "}") {
                previous = byte
            }
        }
        if name != nil { return .failure(Fault(message: "has a { without }")) }
        if previous != nil { return .failure(Fault(message: "has a } without {")) }
        return .success(names)
    }
}
