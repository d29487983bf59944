extension Configuration {
    /// For how many days what is kept; nil: as long as the account.
    public struct Retention: Sendable, Hashable {
        /// What a change can be taken back from. `TANDEM_RETAIN_UNDO_DAYS`, default 7.
        public var undo: Int? = 7
        /// Decisions of the assistant, recognitions, counts of SMS. `TANDEM_RETAIN_LOG_DAYS`, default 180.
        public var logs: Int? = 180
        /// Messages and what was done for them. `TANDEM_RETAIN_CONVERSATION_DAYS`, default: as long as the account.
        public var conversation: Int?
        /// `TANDEM_RETAIN_AUDIT_DAYS`, default 400.
        public var audit: Int? = 400

        public init() {}

        init(_ source: inout ConfigurationSource) {
            func days(_ name: String, _ standard: Int?) -> Int? {
                guard let text = source.text(name) else { return standard }
                if text == "forever" { return nil }
                if let days = Int(text), (1...36_500).contains(days) { return days }
                source.refuse(name, "is no number of days from 1 to 36500", "Write a number, or forever.")
                return standard
            }
            undo = days("TANDEM_RETAIN_UNDO_DAYS", 7)
            logs = days("TANDEM_RETAIN_LOG_DAYS", 180)
            conversation = days("TANDEM_RETAIN_CONVERSATION_DAYS", nil)
            audit = days("TANDEM_RETAIN_AUDIT_DAYS", 400)
        }
    }
}
