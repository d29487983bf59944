public import TandemSDK

/// Looking at outcomes in a test.
extension Outcome {
    /// What the person reads, of any kind of outcome.
    public var message: String {
        switch self {
        case .value(_, let message, _, _): message
        case .failure(let error): error.message
        case .question(let ask): ask.message
        case .authRequired(let auth): auth.message
        case .accepted(let accepted): accepted.message
        }
    }

    public var value: JSON? {
        if case .value(let value, _, _, _) = self { return value }
        return nil
    }

    public var shown: Shown? {
        if case .value(_, _, let shown, _) = self { return shown }
        return nil
    }

    /// Of a value that says how far it can be trusted.
    public var trust: Trust? {
        if case .value(_, _, _, let trust) = self { return trust }
        return nil
    }

    public var error: ToolError? {
        if case .failure(let error) = self { return error }
        return nil
    }

    public var question: Ask? {
        if case .question(let ask) = self { return ask }
        return nil
    }
}
