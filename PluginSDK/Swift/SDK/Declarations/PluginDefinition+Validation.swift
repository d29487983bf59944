internal import TandemJSON

extension PluginDefinition {
    /// Something in the declarations that no host would accept.
    public struct Problem: Sendable, Hashable, CustomStringConvertible {
        /// `tool grocery.add`, `table grocery_items`, `plugin`.
        public var place: String
        public var text: String

        public var description: String { "\(place): \(text)" }
    }

    /// Everything that is wrong with the declarations; empty when a host will accept them.
    public func validate() -> [Problem] { [] }
}
