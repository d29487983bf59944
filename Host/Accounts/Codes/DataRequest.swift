public import TandemCore

/// What a person may ask for of everything that is kept of them.
public enum DataRequest: String, Sendable, Hashable, CaseIterable {
    case export
    case erasure

    var purpose: CodePurpose {
        switch self {
        case .export: .dataExport
        case .erasure: .dataErasure
        }
    }

    /// The proof that it needs.
    public var stepUp: StepUp {
        switch self {
        case .export: .export
        case .erasure: .erasure
        }
    }
}

/// An address for the person's browser.
public struct DataLink: Sendable, Hashable {
    public var address: String
    public var expiresAt: Timestamp
}
