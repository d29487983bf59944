/// The shapes of names in declarations, checked on bytes.
enum Names {
    /// Words that phone carriers answer to themselves.
    static let carrierWords: Set<String> = [
        "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "start", "yes", "unstop", "help",
        "info",
    ]

    private static func isLower(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7A }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// `[a-z][a-z0-9_]{0,limit-1}`
    static func isName(_ text: some StringProtocol, _ limit: Int) -> Bool {
        guard let first = text.utf8.first, isLower(first), text.utf8.count <= limit else { return false }
        return text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    /// A name of a table or column: at most 48 bytes and no SQL keyword.
    static func isColumnName(_ text: String) -> Bool { isName(text, 48) && !keywords.contains(text) }

    /// `namespace.name`, at most 64 bytes.
    static func isToolID(_ text: String) -> Bool {
        guard text.utf8.count <= 64, let dot = text.firstIndex(of: ".") else { return false }
        return isName(text[..<dot], 24) && isName(text[text.index(after: dot)...], 63)
    }

    /// `[a-z0-9]+([.-][a-z0-9]+)+`, at most 64 bytes.
    static func isPluginID(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        let parts = text.utf8.split(omittingEmptySubsequences: false) { $0 == 0x2E || $0 == 0x2D }
        return parts.count > 1 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { isLower($0) || isDigit($0) } }
    }

    /// Semantic Versioning 2.0.0: the numbers strictly, the rest by its characters.
    static func isVersion(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        let core = text.utf8.prefix { $0 != 0x2D && $0 != 0x2B }
        let numbers = core.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard numbers.count == 3 else { return false }
        for number in numbers {
            guard !number.isEmpty, number.count <= 9, number.allSatisfy(isDigit) else { return false }
            if number.count > 1, number.first == 0x30 { return false }
        }
        let rest = text.utf8.dropFirst(core.count)
        guard !rest.isEmpty else { return true }
        let parts = rest.dropFirst().split(omittingEmptySubsequences: false) { $0 == 0x2E || $0 == 0x2B }
        return parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { isLower($0) || isDigit($0) || ($0 >= 0x41 && $0 <= 0x5A) || $0 == 0x2D }
        }
    }

    /// `[A-Za-z0-9_.:/-]{1,48}`
    static func isLabelValue(_ text: String) -> Bool {
        (1...48).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                isLower(byte) || isDigit(byte) || (byte >= 0x41 && byte <= 0x5A) || "_.:/-".utf8.contains(byte)
            }
    }

    /// Text for people in one line: not blank, no control or direction-changing characters.
    static func isLine(_ text: String, _ limit: Int) -> Bool {
        guard text.count <= limit, text.utf8.contains(where: { $0 != 0x20 }) else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
            default: true
            }
        }
    }

    /// Reserved by SQLite or PostgreSQL.
    private static let keywords: Set<String> = [
        "add", "all", "alter", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
        "authorization", "autoincrement", "between", "binary", "both", "case", "cast", "check", "collate",
        "collation", "column", "commit", "concurrently", "constraint", "create", "cross", "current_catalog",
        "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
        "default", "deferrable", "delete", "desc", "distinct", "do", "drop", "else", "end", "escape", "except",
        "exists", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike",
        "in", "index", "initially", "inner", "insert", "intersect", "into", "is", "isnull", "join", "lateral",
        "leading", "left", "like", "limit", "localtime", "localtimestamp", "natural", "not", "nothing", "notnull",
        "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing", "primary", "references",
        "returning", "right", "select", "session_user", "set", "similar", "some", "symmetric", "table", "tablesample",
        "then", "to", "trailing", "transaction", "true", "union", "unique", "update", "user", "using", "values",
        "variadic", "verbose", "when", "where", "window", "with",
    ]
}
