import TandemJSON

/// One thing that is wrong in a registry, manifest or lock, and where.
///
/// The message names rules and member names, never secrets: these documents hold none.
public struct DocumentProblem: Sendable, Hashable, CustomStringConvertible {
    /// RFC 6901; empty for the whole document.
    public var pointer: String
    /// From 1; 0 when the text is not at hand (a manifest that came from code).
    public var line: Int
    /// The byte in the line, from 1; 0 like `line`.
    public var column: Int
    public var message: String

    public init(pointer: String, line: Int = 0, column: Int = 0, message: String) {
        self.pointer = pointer
        self.line = line
        self.column = column
        self.message = message
    }

    /// `3:14 /plugins/0/trust: must be one of …`
    public var description: String {
        let place = line > 0 ? "\(line):\(column) " : ""
        return "\(place)\(pointer.isEmpty ? "/" : pointer): \(message)"
    }
}

/// A document that cannot be used, with everything that is wrong with it.
public struct DocumentError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was read: `registry.json`, `plugin.json`.
    public var document: String
    /// At least one.
    public var problems: [DocumentProblem]

    public init(document: String, problems: [DocumentProblem]) {
        self.document = document
        self.problems = problems
    }

    init(document: String, parsing error: JSONError) {
        self.init(
            document: document,
            problems: [
                DocumentProblem(pointer: "", line: error.line, column: error.column, message: "\(error.code)")
            ])
    }

    /// The first three problems in one line.
    public var description: String {
        let shown = problems.prefix(3).map { "\(document):\($0)" }.joined(separator: "; ")
        return problems.count > 3 ? "\(shown); and \(problems.count - 3) more" : shown
    }
}
