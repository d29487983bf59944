/// The right to touch one person's rows: made where the person was authenticated, passed along, never widened.
///
/// No function of the host reads or writes a user's rows without one. It is made in three places: by `Accounts` after a
/// login, by the SMS router for a verified number, and by the worker that resumes a persisted turn.
public struct UserScope: Sendable, Hashable {
    public let user: UserID

    /// Only for code that has just established who the person is.
    public init(authenticated user: UserID) { self.user = user }
}

/// What caused a write: the unit of undo and of rolling back an interrupted call.
public struct WriteOrigin: Sendable, Hashable {
    /// The turn (one message of the person): what one `undo` takes back.
    public let turn: RecordID
    /// The step within the turn: what is rolled back when its call was interrupted and is made again.
    public let step: Int

    public init(turn: RecordID, step: Int) {
        self.turn = turn
        self.step = step
    }
}
