/// A path with names in braces: `/api/v1/tasks/{id}`.
public struct PathTemplate: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case literal(String)
        case name(String)
    }

    public let text: String
    let parts: [Part]

    init(_ text: String) {
        self.text = text
        parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { part in
            part.hasPrefix("{") && part.hasSuffix("}")
                ? .name(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    var hasNames: Bool { names.isEmpty == false }

    /// In the order of the path.
    public var names: [String] {
        parts.compactMap { part in
            if case .name(let name) = part { return name }
            return nil
        }
    }

    /// The values of the names for a path of the same number of segments; nil when it is another path.
    func match(_ segments: [Substring]) -> [Substring]? {
        guard segments.count == parts.count else { return nil }
        var values: [Substring] = []
        for (part, segment) in zip(parts, segments) {
            switch part {
            case .literal(let text): guard segment.utf8.elementsEqual(text.utf8) else { return nil }
            case .name:
                guard !segment.isEmpty else { return nil }
                values.append(segment)
            }
        }
        return values
    }
}
