public import TandemCore

/// Whose a number is that wrote to us.
public enum PhoneRecognition: Sendable, Hashable {
    /// The active account that verified it.
    case owner(UserScope)
    /// An account verified it, but too long ago, or the carrier does not know it any more: somebody else may have it. They
    /// get nothing of that account; who signs in can prove the number anew.
    case unproven
    case stranger
}
