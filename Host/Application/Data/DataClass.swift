/// How private a column is.
public enum DataClass: String, Sendable, Hashable, CaseIterable {
    /// Could stand on a web page.
    case open = "public"
    /// The program's own business: ids, times, states, counters.
    case internalUse = "internal"
    /// Says something of a person.
    case personal
    /// Opens something: passwords, tokens, keys, codes. Sealed or hashed in the database, in no export and no log.
    case secret
}

/// How a column's values lie in the database.
public enum DataForm: String, Sendable, Hashable {
    case plain
    /// Encrypted with the person's key, or with the program's.
    case sealed
    /// A one-way hash, or a keyed one by which values are found.
    case hashed
}

/// For how long rows of a table stay.
public enum DataRetention: Sendable, Hashable {
    /// As long as the account.
    case account
    /// Until its own time is over, which the row says.
    case expiry
    /// So many days, by default; the setting's name.
    case days(Int, setting: String?)
    /// As long as the installation.
    case installation

    public var words: String {
        switch self {
        case .account: "as long as the account"
        case .expiry: "until it expires"
        case .days(let days, let setting): "\(days) days" + (setting.map { " (`\($0)`)" } ?? "")
        case .installation: "as long as the installation"
        }
    }
}

public struct ColumnRule: Sendable, Hashable {
    public var name: String
    public var dataClass: DataClass
    public var form: DataForm
}

/// What is said of a table of the system.
public struct TableRule: Sendable, Hashable {
    public var name: String
    public var purpose: String
    /// The column with the person's id; nil: nobody's in particular.
    public var person: String?
    public var retention: DataRetention
    public var columns: [ColumnRule]

    /// - Parameter columns: `name:class` separated by spaces; the class is `o` (public), `i`, `p` or `s`, then `!` for
    ///   sealed or `#` for hashed. A name alone is internal.
    init(_ name: String, _ purpose: String, person: String? = nil, _ retention: DataRetention, _ columns: String) {
        self.name = name
        self.purpose = purpose
        self.person = person
        self.retention = retention
        self.columns = columns.split(separator: " ").map { word in
            let parts = word.split(separator: ":")
            let marks = parts.count > 1 ? parts[1] : "i"
            let dataClass: DataClass =
                switch marks.first {
                case "o": .open
                case "p": .personal
                case "s": .secret
                default: .internalUse
                }
            let form: DataForm = marks.hasSuffix("!") ? .sealed : marks.hasSuffix("#") ? .hashed : .plain
            return ColumnRule(name: String(parts[0]), dataClass: dataClass, form: form)
        }
    }
}
