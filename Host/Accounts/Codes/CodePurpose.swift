/// What a code or link is for; it is good for nothing else.
enum CodePurpose: String, Sendable, Hashable, CaseIterable {
    case emailVerification = "email_verification"
    case emailChange = "email_change"
    case phoneVerification = "phone_verification"
    case secondFactor = "second_factor"
    case stepUp = "step_up"
    case passwordReset = "password_reset"
    case dataExport = "data_export"
    case dataErasure = "data_erasure"
}
