import TandemEmbedding

/// What a person showed about their own way of saying things: these words meant that tool, or did not.
///
/// Used only for the person who said it; kept by the caller.
public struct PlannerLesson: Sendable, Hashable {
    /// The words, as written.
    public var text: String
    public var tool: String
    /// The tool was not what was meant.
    public var isWrong: Bool

    public init(text: String, tool: String, isWrong: Bool) {
        self.text = text
        self.tool = tool
        self.isWrong = isWrong
    }

    /// How near two texts are in meaning, 0…1 about.
    public static func likeness(_ left: String, _ right: String) -> Float { StaticEmbedder().similarity(left, right) }
}
