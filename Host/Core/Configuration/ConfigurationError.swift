/// Everything that is wrong with the configuration, so that one start shows all of it.
public struct ConfigurationError: Error, Sendable, Hashable {
    /// One setting, what is wrong with it and what to do. Never holds the value of a secret.
    public struct Problem: Sendable, Hashable {
        /// The variable, e.g. `TANDEM_LISTEN`.
        public let variable: String
        public let reason: String
        public let advice: String

        public init(variable: String, reason: String, advice: String) {
            self.variable = variable
            self.reason = reason
            self.advice = advice
        }
    }

    /// In the order in which the settings are read; never empty.
    public let problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }
}

extension ConfigurationError.Problem: CustomStringConvertible {
    /// `TANDEM_LISTEN: port 99999 is not within 1-65535. Give HOST:PORT, e.g. 127.0.0.1:8080.`
    public var description: String { "\(variable): \(reason). \(advice)" }
}

extension ConfigurationError: CustomStringConvertible {
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
