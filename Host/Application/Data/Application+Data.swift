import TandemCore
import TandemStorage

extension Application {
    /// docs/data.md, with the declared tables of the host's own domains.
    public var dataDocument: String {
        let declared = database.store.tables.definitions.filter { $0.key.hasPrefix("host.") }.flatMap(\.value)
        return DataCatalogue.document(declared: declared)
    }
}
