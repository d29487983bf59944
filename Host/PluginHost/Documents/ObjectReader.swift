import TandemJSON

/// Collects what is wrong while a document is read, so that its author sees everything at once.
final class ProblemList {
    struct Entry {
        var pointer: String
        var message: String
        /// The place is the member's name, not its value.
        var isAtName: Bool
    }

    private(set) var entries: [Entry] = []

    func add(_ pointer: String, _ message: String, atName: Bool = false) {
        guard entries.count < 100 else { return }
        entries.append(Entry(pointer: pointer, message: message, isAtName: atName))
    }

    /// Throws when there is any problem; `text` is what the places refer to.
    func check(document: String, text: [UInt8]?) throws(DocumentError) {
        guard !entries.isEmpty else { return }
        let locator = text.map(DocumentLocator.init)
        throw DocumentError(
            document: document,
            problems: entries.map { entry in
                let place = locator?.place(of: entry.pointer, atName: entry.isAtName)
                return DocumentProblem(
                    pointer: entry.pointer, line: place?.line ?? 0, column: place?.column ?? 0, message: entry.message)
            })
    }
}

/// Reads the members of one object strictly: a wrong type, a missing or an unknown member is a problem.
final class ObjectReader {
    let pointer: String
    let problems: ProblemList
    private let object: JSONObject
    private var seen: Set<String> = []

    /// Nil, with a problem, when the value is no object.
    init?(_ value: JSON, at pointer: String, problems: ProblemList) {
        guard case .object(let object) = value else {
            problems.add(pointer, "must be an object")
            return nil
        }
        self.object = object
        self.pointer = pointer
        self.problems = problems
    }

    /// The pointer of a member.
    func path(_ name: String) -> String {
        var path = pointer
        JSONPointer.append(name, to: &path)
        return path
    }

    func problem(_ name: String, _ message: String) { problems.add(path(name), message) }

    func has(_ name: String) -> Bool { object.contains(name) }

    /// A member of any type.
    func value(_ name: String, required: Bool = false) -> JSON? {
        seen.insert(name)
        let value = object[name]
        if value == nil, required { problems.add(pointer, "\(name) is missing") }
        return value
    }

    func string(_ name: String, required: Bool = false) -> String? {
        guard let value = value(name, required: required) else { return nil }
        guard let string = value.stringValue else {
            problem(name, "must be a string")
            return nil
        }
        return string
    }

    /// A required string that must follow a rule; empty, with a problem, when it does not.
    func string(_ name: String, _ requirement: String, _ rule: (String) -> Bool) -> String {
        guard let string = string(name, required: true) else { return "" }
        if !rule(string) { problem(name, requirement) }
        return string
    }

    func integer(_ name: String, in range: ClosedRange<Int64>, required: Bool = false) -> Int64? {
        guard let value = value(name, required: required) else { return nil }
        guard let integer = value.int64Value else {
            problem(name, "must be an integer")
            return nil
        }
        guard range.contains(integer) else {
            problem(name, "must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return integer
    }

    func bool(_ name: String) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let bool = value.boolValue else {
            problem(name, "must be true or false")
            return nil
        }
        return bool
    }

    /// The elements with their pointers; empty when the member is absent.
    func array(_ name: String, required: Bool = false, atMost limit: Int) -> [(pointer: String, value: JSON)] {
        guard let value = value(name, required: required) else { return [] }
        guard case .array(let elements) = value else {
            problem(name, "must be an array")
            return []
        }
        if elements.count > limit { problem(name, "must have at most \(limit) elements") }
        let base = path(name)
        return elements.prefix(limit).enumerated().map { ("\(base)/\($0.offset)", $0.element) }
    }

    /// The strings of an array; other elements are problems.
    func strings(_ name: String, atMost limit: Int) -> [(pointer: String, value: String)] {
        array(name, atMost: limit).compactMap { pointer, value in
            guard let string = value.stringValue else {
                problems.add(pointer, "must be a string")
                return nil
            }
            return (pointer, string)
        }
    }

    func object(_ name: String, required: Bool = false) -> ObjectReader? {
        guard let value = value(name, required: required) else { return nil }
        return ObjectReader(value, at: path(name), problems: problems)
    }

    /// The members of an object whose names are free.
    func members(_ name: String) -> [(pointer: String, key: String, value: JSON)] {
        guard let value = value(name) else { return [] }
        guard case .object(let members) = value else {
            problem(name, "must be an object")
            return []
        }
        return members.map { key, value in
            var pointer = path(name)
            JSONPointer.append(key, to: &pointer)
            return (pointer, key, value)
        }
    }

    /// One of a closed set of words.
    func word<Word: RawRepresentable<String> & CaseIterable>(
        _ name: String, _: Word.Type = Word.self, required: Bool = false
    ) -> Word? {
        guard let string = string(name, required: required) else { return nil }
        guard let word = Word(rawValue: string) else {
            let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
            problem(name, "must be one of \(words)")
            return nil
        }
        return word
    }

    /// Reports every member that was not asked for. Call last.
    func finish() {
        for (key, _) in object where !seen.contains(key) {
            var place = pointer
            JSONPointer.append(key, to: &place)
            problems.add(place, "unknown member", atName: true)
        }
    }
}
