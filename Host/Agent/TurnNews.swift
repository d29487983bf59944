public import TandemCore

/// How processes tell each other that a person's turn waits. It only makes things quicker: what is not told is found by
/// looking.
public protocol TurnNews: Sendable {
    /// Something waits for this person that another process may or must take up. Never blocks.
    func tell(_ user: UserID)

    /// - Parameter receiver: Told of people whose turns wait; nil: of any. Called on a thread that must not be held up.
    /// - Returns: Ends the listening when it is forgotten.
    func listen(_ receiver: @escaping @Sendable (UserID?) -> Void) -> any Sendable
}
