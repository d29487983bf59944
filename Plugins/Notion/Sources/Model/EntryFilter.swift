import PluginCommon
import TandemSDK

/// Conditions on the entries of a data source, from words: `status is done and due before 2026-12-01`.
struct EntryFilter {
    let source: DataSource
    let clock: PersonClock

    /// How a condition compares, longest words first.
    private enum Comparison { case isEmpty, isNotEmpty, equals, differs, contains, lacks, more, less, atLeast, atMost }

    private static let comparisons: [(words: String, comparison: Comparison)] = [
        ("is not empty", .isNotEmpty), ("is empty", .isEmpty), ("has no value", .isEmpty), ("is not set", .isEmpty),
        ("is set", .isNotEmpty), ("does not contain", .lacks), ("on or before", .atMost), ("on or after", .atLeast),
        ("at least", .atLeast), ("at most", .atMost), ("is before", .less), ("is after", .more),
        ("is less than", .less), ("is more than", .more), ("less than", .less), ("more than", .more),
        ("is over", .more), ("is under", .less), ("is not", .differs), ("contains", .contains), ("includes", .contains),
        ("before", .less), ("after", .more), ("over", .more), ("under", .less), ("equals", .equals), ("is", .equals),
        (">=", .atLeast), ("<=", .atMost), ("!=", .differs), (">", .more), ("<", .less), ("=", .equals), (":", .equals),
    ]

    /// Notion's filter. Throws a `ToolError` that names the properties when one is not there.
    func filter(_ text: String) throws -> JSON {
        let alternatives = EntryFilter.split(text, at: " or ")
        let groups = try alternatives.map { group -> JSON in
            let conditions = try EntryFilter.split(group, at: " and ").map(condition)
            return conditions.count == 1 ? conditions[0] : ["and": .array(conditions)]
        }
        return groups.count == 1 ? groups[0] : ["or": .array(groups)]
    }

    private static func split(_ text: String, at word: String) -> [String] {
        var parts: [String] = []
        var rest = text[...]
        // "on or before" is no choice between two.
        var from = rest.startIndex
        while let found = rest[from...].firstRange(of: word) {
            let before = rest[..<found.lowerBound]
            let after = rest[found.upperBound...]
            if word == " or ", before.hasSuffix(" on") || before == "on",
                after.hasPrefix("before") || after.hasPrefix("after")
            {
                from = found.upperBound
                continue
            }
            parts.append(before.trimmed)
            rest = after
            from = rest.startIndex
        }
        return parts + [rest.trimmed]
    }

    private func condition(_ text: String) throws -> JSON {
        let text = text.hasPrefix("the ") ? String(text.dropFirst(4)) : text
        for (words, comparison) in EntryFilter.comparisons {
            let isSign = words.first.map { !$0.isLetter } ?? true
            guard let range = text.firstRange(of: isSign ? words : " " + words),
                isSign || range.upperBound == text.endIndex || text[range.upperBound] == " "
            else { continue }
            let name = String(text[..<range.lowerBound]).trimmed
            guard let property = source.property(named: name) else { continue }
            return try condition(property, comparison, String(text[range.upperBound...]).trimmed)
        }
        // A bare name of something to tick: `done`, `not done`.
        let isDenied = text.hasPrefix("not ")
        if let property = source.property(named: isDenied ? String(text.dropFirst(4)) : text),
            property.type == "checkbox"
        {
            return ["property": .string(property.name), "checkbox": ["equals": .bool(!isDenied)]]
        }
        let names = source.properties.map { $0.name.singleLine(limit: 30) }
        throw ToolError.invalid(
            "I do not see which property that is. There are \(MessageText.enumeration(names, limit: 6)).",
            code: "no_such_property")
    }

    private func condition(_ property: DataSource.Property, _ comparison: Comparison, _ value: String) throws -> JSON {
        let type = property.type
        func made(_ name: String, _ condition: JSONObject) -> JSON {
            ["property": .string(property.name), name: .object(condition)]
        }
        if comparison == .isEmpty || comparison == .isNotEmpty {
            guard type != "checkbox", type != "unique_id", type != "formula", type != "rollup" else {
                throw unsupported(property)
            }
            return made(type, [comparison == .isEmpty ? "is_empty" : "is_not_empty": true])
        }
        switch type {
        case "title", "rich_text", "url", "email", "phone_number":
            return made(type, [try textual(comparison, property): .string(value)])
        case "formula": return made(type, ["string": [try textual(comparison, property): .string(value)]])
        case "number", "unique_id":
            guard let number = PropertyValue.number(value) else { throw wrong(property, "a number") }
            return made(type, [try numeric(comparison, property): number])
        case "checkbox":
            guard let isTicked = PropertyValue.truth(value), comparison == .equals || comparison == .differs else {
                throw wrong(property, "yes or no")
            }
            return made(type, ["equals": .bool(isTicked == (comparison == .equals))])
        case "select", "status":
            guard comparison == .equals || comparison == .differs else { throw unsupported(property) }
            let option = try PropertyValue.option(value, property)
            return made(type, [comparison == .equals ? "equals" : "does_not_equal": .string(option)])
        case "multi_select":
            let isDenied = comparison == .differs || comparison == .lacks
            guard isDenied || comparison == .equals || comparison == .contains else { throw unsupported(property) }
            let option = try PropertyValue.option(value, property)
            return made(type, [isDenied ? "does_not_contain" : "contains": .string(option)])
        case "date", "created_time", "last_edited_time":
            guard let day = PropertyValue.day(value, clock) else { throw wrong(property, "a date like 2026-11-30") }
            return made(type, [try temporal(comparison, property): .string(day)])
        default: throw unsupported(property)
        }
    }

    private func textual(_ comparison: Comparison, _ property: DataSource.Property) throws -> String {
        switch comparison {
        case .equals: "equals"
        case .differs: "does_not_equal"
        case .contains: "contains"
        case .lacks: "does_not_contain"
        default: throw unsupported(property)
        }
    }

    private func numeric(_ comparison: Comparison, _ property: DataSource.Property) throws -> String {
        switch comparison {
        case .equals: "equals"
        case .differs: "does_not_equal"
        case .more: "greater_than"
        case .less: "less_than"
        case .atLeast: "greater_than_or_equal_to"
        case .atMost: "less_than_or_equal_to"
        default: throw unsupported(property)
        }
    }

    private func temporal(_ comparison: Comparison, _ property: DataSource.Property) throws -> String {
        switch comparison {
        case .equals: "equals"
        case .more: "after"
        case .less: "before"
        case .atLeast: "on_or_after"
        case .atMost: "on_or_before"
        default: throw unsupported(property)
        }
    }

    private func unsupported(_ property: DataSource.Property) -> ToolError {
        ToolError.invalid("I cannot look for \(property.name.cut(to: 60)) in that way.", code: "unsupported")
    }

    private func wrong(_ property: DataSource.Property, _ expected: String) -> ToolError {
        ToolError.invalid("\(property.name.cut(to: 60)) takes \(expected).", code: "wrong_value")
    }

    /// `due`, `due descending`, `newest`.
    func sort(_ text: String) throws -> JSON {
        var words = text.split(separator: " ").map(String.init)
        var direction = "ascending"
        if let last = words.last?.lowercased(), ["descending", "desc", "down"].contains(last) {
            direction = "descending"
            words.removeLast()
        } else if let last = words.last?.lowercased(), ["ascending", "asc", "up"].contains(last) {
            words.removeLast()
        }
        let name = words.joined(separator: " ")
        if ["newest", "created"].contains(name.lowercased()) {
            return ["timestamp": "created_time", "direction": "descending"]
        }
        if ["edited", "last edited", "changed"].contains(name.lowercased()) {
            return ["timestamp": "last_edited_time", "direction": "descending"]
        }
        guard let property = source.property(named: name) else {
            throw ToolError.invalid(
                "There is no property \(name.singleLine(limit: 40)) to sort by.", code: "no_such_property")
        }
        return ["property": .string(property.name), "direction": .string(direction)]
    }
}
