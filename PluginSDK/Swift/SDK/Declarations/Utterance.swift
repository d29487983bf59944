public import TandemJSON

/// An example sentence: words, `{slot}`, `[optional words]`, `(one|of these)`.
///
/// `"add {items} to (my|the) [grocery] list"`. A slot is an argument's name on the wire: `{target_date}`.
public struct Utterance: Sendable, Hashable, ExpressibleByStringLiteral {
    public var text: String
    /// Arguments that this wording implies besides its slots: `["status": "bought"]`.
    public var arguments: JSONObject

    public init(_ text: String, arguments: JSONObject = [:]) {
        self.text = text
        self.arguments = arguments
    }

    public init(stringLiteral value: String) { self.init(value) }
}
