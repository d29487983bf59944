import Foundation
import Synchronization
import TandemCore
public import TandemJSON

/// Holds bodies against Notion's types (`../shared/contracts/notion/notion-types.schema.json`), strictly.
public final class ContractChecker: Sendable {
    private let definitions: JSON
    private let compiled = Mutex<[String: JSONSchema]>([:])

    public init?(file: String) {
        guard let data = FileManager.default.contents(atPath: file),
            let document = try? JSON(parsing: Array(data), limits: JSONLimits(maxBytes: 16 << 20)),
            let definitions = document["$defs"]
        else { return nil }
        self.definitions = definitions
    }

    /// What is wrong with a body by the definition of that name; nil when nothing is.
    public func problem(_ body: JSON, _ name: String) -> String? {
        let schema = compiled.withLock { compiled -> JSONSchema? in
            if let known = compiled[name] { return known }
            guard
                let made = try? JSONSchema(
                    compiling: ["$ref": .string("#/$defs/\(name)"), "$defs": definitions])
            else { return nil }
            compiled[name] = made
            return made
        }
        guard let schema else { return "there is no definition \(name)" }
        return schema.validate(body).first.map { "\(name) \($0.instanceLocation): \($0.message)" }
    }

    func problem(_ body: JSON, response name: String) -> String? { name.isEmpty ? nil : problem(body, name) }
}
