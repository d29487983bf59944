/// How a database file is opened.
public struct SQLiteConfiguration: Sendable {
    /// How long a connection waits for another process.
    static let busyMilliseconds: Int32 = 5000

    /// The file; nil for a database in memory that ends with the program, whose reads run on the writer's thread.
    public var path: String?
    /// Threads with a read-only connection each, 1…16.
    public var readers: Int
    /// False: a commit is not waited for on the disk. For tests and throw-away data only.
    public var isDurable: Bool
    /// Opened for `DatabaseCopy` to fill: also when an earlier copy was not finished.
    public var isCopyTarget = false

    public init(path: String?, readers: Int = 2, isDurable: Bool = true) {
        self.path = path
        self.readers = min(max(readers, 1), 16)
        self.isDurable = isDurable
    }
}
