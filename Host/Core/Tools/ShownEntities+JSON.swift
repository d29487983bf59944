public import TandemJSON

extension ShownEntities {
    /// `{"select":…,"numbered":true,"items":[{"type":…,"id":…,"label":…}]}`.
    public var json: JSON {
        var object: JSONObject = [:]
        if let select { object["select"] = .string(select) }
        object["numbered"] = .bool(isNumbered)
        object["items"] = .array(
            items.map { item in
                var object: JSONObject = [:]
                object["type"] = .string(item.type)
                object["id"] = .string(item.id)
                object["label"] = .string(item.label)
                if item.trust != .system { object["trust"] = .string(item.trust.rawValue) }
                return .object(object)
            })
        return .object(object)
    }

    /// Nil when it is not an object with an array `items` of objects with text members `type`, `id` and `label`.
    public init?(json: JSON) {
        guard let array = json["items"]?.arrayValue else { return nil }
        var items: [Item] = []
        items.reserveCapacity(array.count)
        for element in array {
            guard let type = element["type"]?.stringValue, let id = element["id"]?.stringValue,
                let label = element["label"]?.stringValue
            else { return nil }
            let trust = element["trust"].map { $0.stringValue.flatMap(TrustLabel.init(rawValue:)) ?? .untrusted }
            items.append(Item(type: type, id: id, label: label, trust: trust ?? .system))
        }
        self.init(items: items, select: json["select"]?.stringValue, isNumbered: json["numbered"]?.boolValue ?? true)
    }
}
