public import TandemJSON

/// A thing with an amount: `{"name":"milk","quantity":"2","unit":"l"}`, quantity and unit only where said.
public struct Quantity: Sendable, Hashable {
    public var name: String
    public var amount: Decimal?
    /// The canonical short form: g, kg, ml, l, tsp, tbsp, cup, oz, lb, piece, pack, can, bottle, bunch, clove, slice …
    public var unit: String?

    public init(_ name: String, _ amount: Decimal? = nil, unit: String? = nil) {
        self.name = name
        self.amount = amount
        self.unit = unit
    }
}

extension Quantity: CustomStringConvertible {
    /// `milk 2 l`, `2 eggs`, `bread`.
    public var description: String {
        guard let amount else { return name }
        guard let unit, unit != "piece" else { return "\(amount) \(name)" }
        return "\(name) \(amount) \(unit)"
    }
}

extension Quantity: JSONRepresentable {
    public static var shape: Shape {
        Shape(
            schema: [
                "type": "object",
                "properties": [
                    "name": ["type": "string", "minLength": 1], "quantity": Decimal.shape.schema,
                    "unit": ["type": "string"],
                ],
                "required": ["name"], "additionalProperties": false,
            ], slot: .quantity, column: .json)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .object(let object) = json, case .string(let name) = object["name"], !name.isEmpty else {
            throw ShapeError("a name", path: "name")
        }
        self.name = name
        if let quantity = object["quantity"], !quantity.isNull {
            do throws(ShapeError) {
                amount = try Decimal(json: quantity, reader: reader)
            } catch {
                throw error.within("quantity")
            }
        } else {
            amount = nil
        }
        switch object["unit"] {
        case .none, .null: unit = nil
        case .string(let text): unit = text
        default: throw ShapeError("text", path: "unit")
        }
    }

    public var json: JSON {
        var object = JSONObject()
        object.reserveCapacity(3)
        object.append(distinct: "name", .string(name))
        if let amount { object.append(distinct: "quantity", amount.json) }
        if let unit { object.append(distinct: "unit", .string(unit)) }
        return .object(object)
    }
}
