import CPostgreSQL

/// Translates PostgreSQL's errors (https://www.postgresql.org/docs/15/errcodes-appendix.html).
enum PostgreSQLFailure {
    /// The error of one statement's result.
    static func error(_ result: OpaquePointer, operation: String?) -> StorageError {
        let state = field(result, tandem_pg_sqlstate) ?? "XX000"
        var error = error(
            state: state, detail: field(result, tandem_pg_message) ?? "the statement failed", operation: operation)
        error.table = field(result, tandem_pg_table)
        error.column = field(result, tandem_pg_column)
        error.constraint = field(result, tandem_pg_constraint)
        return error
    }

    private static func field(_ result: OpaquePointer, _ code: Int32) -> String? {
        PQresultErrorField(result, code).map { String(cString: $0) }
    }

    /// - Parameter detail: The server's primary message.
    static func error(state: String, detail: String, operation: String?) -> StorageError {
        let (kind, advice) = classify(state)
        // The messages of these classes name tables, columns and words of the statement; others quote values.
        let isFreeOfValues = ["0A", "23", "25", "26", "40", "42", "53", "54", "55", "57"].contains(state.prefix(2))
        var message = isFreeOfValues ? detail : general(state)
        if let advice { message += ": \(advice)" }
        return StorageError(kind, message, operation: operation, sqlState: state)
    }

    private static func general(_ state: String) -> String {
        switch state {
        case "22003": "a number is out of its type's range"
        case "22021", "22P05": "a text is not valid in the database's encoding"
        case "08P01": "the server does not understand the program"
        case _ where state.hasPrefix("22"): "a value is not of the type that the statement needs"
        case _ where state.hasPrefix("58"): "the server's system failed"
        default: "the statement failed"
        }
    }

    private static func classify(_ state: String) -> (StorageError.Code, String?) {
        switch state {
        case "23502": return (.notNull, nil)
        case "23503": return (.reference, nil)
        case "23505", "23P01": return (.unique, nil)
        case "22003": return (.overflow, nil)
        case "22021", "22P05": return (.invalid, nil)
        case "25006", "42501": return (.notAllowed, nil)
        case "25P02", "25P03": return (.transactionOver, nil)
        case "53100": return (.diskFull, "free space on the server's disk")
        case "53300": return (.unavailable, "raise max_connections of the server, or lower DATABASE_POOL")
        case "55P03": return (.busy, "another transaction holds what this one needs")
        case "57014": return (.busy, "the statement took longer than it may")
        case "57P01", "57P02", "57P03", "57P05": return (.unavailable, "the server is stopping or starting")
        case "3D000": return (.cannotOpen, "create the database: tandem db setup")
        case "28P01", "28000": return (.permission, "check the user and the password")
        case "42804": return (.typeMismatch, nil)
        case "40001", "40P01": return (.busy, nil)
        default: break
        }
        switch state.prefix(2) {
        case "08": return (.unavailable, nil)
        case "22": return (.typeMismatch, nil)
        case "23", "44": return (.check, nil)
        case "25", "26", "42", "0A": return (.statement, nil)
        case "53": return (.unavailable, "the server lacks memory or disk")
        case "54": return (.tooLarge, nil)
        case "58": return (.io, "look at the server's log")
        default: return (state.hasPrefix("XX00") && state != "XX000" ? .corrupt : .internalFailure, nil)
        }
    }

    /// Why a connection could not be made. The text is libpq's, which names host, user and database and never a password.
    static func connecting(_ text: String, to address: PostgreSQLAddress) -> StorageError {
        let line = text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(separator: " ")
        func has(_ part: String) -> Bool { line.contains(part) }
        let (kind, advice): (StorageError.Code, String)
        if has("password authentication failed") || has("no password supplied") || has("authentication failed") {
            (kind, advice) = (.permission, "correct the user in \(address.setting) and the password")
        } else if has("no pg_hba.conf entry") || has("pg_hba.conf rejects") {
            (kind, advice) = (.permission, "the server's pg_hba.conf does not let this user in from here")
        } else if has("database \"") && has("does not exist") {
            (kind, advice) = (.cannotOpen, "create the database: tandem db setup")
        } else if has("role \"") && has("does not exist") {
            (kind, advice) = (.permission, "create the role: tandem db setup")
        } else if has("is not permitted to log in") {
            (kind, advice) = (.permission, "give the role LOGIN: tandem db setup")
        } else if has("certificate") || has("sslmode") || has("SSL") && !has("closed the connection") {
            (kind, advice) = (.configuration, "check sslmode, sslrootcert and the server's certificate")
        } else if has("invalid connection option") || has("invalid port number") || has("invalid integer value") {
            (kind, advice) = (.configuration, "correct \(address.setting)")
        } else {
            (kind, advice) = (.unavailable, "see that the server runs and \(address.setting) names it")
        }
        return StorageError(
            kind, "\(line.isEmpty ? "no connection" : line): \(advice)", operation: "connect to \(address)")
    }
}
