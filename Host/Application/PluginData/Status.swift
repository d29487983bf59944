/// The statuses of the plugin ABI (`tandem/base.h`) that the services answer with.
enum Status {
    static let invalidArgument: Int32 = -1
    static let unsupported: Int32 = -2
    static let notFound: Int32 = -8
    static let conflict: Int32 = -9
    static let overQuota: Int32 = -21
    static let busy: Int32 = -22
}
