import TandemCore
import TandemJSON

/// Compares what a bundle's `plugin.json` says with what the code says.
enum ManifestDifference {
    /// The pointer of the first difference, leaving out what packaging adds; nil when there is none.
    static func pointer(file: JSONObject, code: JSONObject) -> String? {
        var file = file
        for name in PluginManifest.packagingMembers {
            file[name] = nil
            if code.contains(name) { return "/\(name)" }
        }
        return first(.object(file), .object(code), at: "")
    }

    /// What the code says, with the effects of the file where its own are higher; and these, by tool id.
    static func raised(file: JSONObject, code: JSONObject) -> (code: JSONObject, effects: [String: Effect]) {
        guard let tools = file["tools"]?.arrayValue, var others = code["tools"]?.arrayValue else { return (code, [:]) }
        var effects: [String: Effect] = [:]
        for (index, tool) in tools.enumerated() where others.indices.contains(index) {
            guard case .object(var other) = others[index], let id = tool["id"]?.stringValue, other["id"] == tool["id"],
                let effect = tool["effect"]?.stringValue.flatMap(Effect.init(rawValue:)),
                let higher = other["effect"]?.stringValue.flatMap(Effect.init(rawValue:)), higher > effect
            else { continue }
            effects[id] = higher
            other["effect"] = tool["effect"]
            others[index] = .object(other)
        }
        var code = code
        if !effects.isEmpty { code["tools"] = .array(others) }
        return (code, effects)
    }

    private static func first(_ left: JSON, _ right: JSON, at pointer: String) -> String? {
        switch (left, right) {
        case (.object(let left), .object(let right)):
            for (key, value) in left {
                var place = pointer
                JSONPointer.append(key, to: &place)
                guard let other = right[key] else { return place }
                if let difference = first(value, other, at: place) { return difference }
            }
            for (key, _) in right where !left.contains(key) {
                var place = pointer
                JSONPointer.append(key, to: &place)
                return place
            }
            return nil
        case (.array(let left), .array(let right)):
            for index in 0..<min(left.count, right.count) {
                if let difference = first(left[index], right[index], at: "\(pointer)/\(index)") { return difference }
            }
            return left.count == right.count ? nil : "\(pointer)/\(min(left.count, right.count))"
        default:
            return left == right ? nil : pointer
        }
    }
}
