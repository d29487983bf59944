import PluginCommon
public import TandemSDK

/// An ingredient as it is said: `{"name":"flour","quantity":"250","unit":"g","note":"sifted","optional":true}`.
public struct IngredientInput: Sendable, Hashable, JSONRepresentable {
    public var thing: Quantity
    public var note: String?
    public var isOptional: Bool

    init(thing: Quantity, note: String?, isOptional: Bool) {
        self.thing = thing
        self.note = note
        self.isOptional = isOptional
    }

    public static var shape: Shape {
        Shape(
            schema: [
                "type": "object",
                "properties": [
                    "name": ["type": "string", "minLength": 1, "maxLength": 400], "quantity": Decimal.shape.schema,
                    "unit": ["type": "string", "maxLength": 40], "note": ["type": "string", "maxLength": 1000],
                    "optional": ["type": "boolean"],
                ],
                "required": ["name"], "additionalProperties": false,
            ], slot: .quantity, column: nil)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        thing = try Quantity(json: json, reader: reader)
        note = json["note"]?.stringValue
        isOptional = json["optional"]?.boolValue ?? false
    }

    public var json: JSON {
        var object = thing.json.objectValue ?? [:]
        if let note { object["note"] = .string(note) }
        if isOptional { object["optional"] = true }
        return .object(object)
    }
}

/// An ingredient read and checked, before it belongs to a recipe.
struct Ingredient: Sendable, Hashable {
    var name: String
    var key: String
    var quantity: Decimal?
    var unit: Unit
    var note: String?
    var isOptional: Bool

    /// Reads `salt to taste`, `parsley (optional)`, `onion (chopped)`; throws what to tell the person.
    init(_ input: IngredientInput) throws(ToolError) {
        var name = input.thing.name.singleLine(limit: 400)
        var notes: [String] = []
        if let note = input.note?.singleLine(limit: RecipeLimits.noteLength).nonEmpty { notes.append(note) }
        var isOptional = input.isOptional
        if let open = name.firstIndex(of: "("), let close = name.lastIndex(of: ")"), open < close {
            let inner = String(name[name.index(after: open)..<close]).singleLine(limit: RecipeLimits.noteLength)
            let outer = (name[..<open] + " " + name[name.index(after: close)...]).singleLine(limit: 400)
            if !outer.isEmpty {
                name = outer
                if !inner.isEmpty { notes.append(inner) }
            }
        }
        if notes.contains(where: { $0.lowercased() == "optional" }) {
            isOptional = true
            notes.removeAll { $0.lowercased() == "optional" }
        }
        for (ending, note) in [(" to taste", "to taste"), (" for serving", "for serving"), (" optional", "")] {
            guard name.lowercased().hasSuffix(ending), name.count > ending.count else { continue }
            name = String(name.dropLast(ending.count)).singleLine(limit: 400)
            if note.isEmpty { isOptional = true } else { notes.append(note) }
        }
        if name.lowercased().hasPrefix("optional "), name.count > 9 {
            name = String(name.dropFirst(9))
            isOptional = true
        }
        self.isOptional = isOptional
        self.name = name.cut(to: RecipeLimits.nameLength)
        guard self.name.isVisible else {
            throw .invalid("Which ingredients? Like: 250 g flour, 3 eggs.", code: "no_name")
        }
        key = Words.key(self.name)
        unit = Unit(input.thing.unit ?? "")
        note = notes.isEmpty ? nil : notes.joined(separator: ", ").cut(to: RecipeLimits.noteLength)
        quantity = try Ingredient.checked(input.thing.amount, unit, of: self.name)
        // A unit without a number is one of it: `a pinch of salt`.
        if quantity == nil, unit != .piece { quantity = 1 }
    }

    private static func checked(_ amount: Decimal?, _ unit: Unit, of name: String) throws(ToolError) -> Decimal? {
        guard let amount else { return nil }
        let quantity = amount.rounded(places: 4)
        guard quantity.isNumber, quantity > .zero else {
            throw .invalid("How much \(name.cut(to: 40))? A number above 0 works.", code: "invalid_quantity")
        }
        guard quantity <= RecipeLimits.quantity else {
            throw .invalid("That is a lot of \(name.cut(to: 40)). A smaller number works.", code: "too_much")
        }
        return quantity
    }

    /// All of them; the same thing in the same unit counts once, with its amounts together.
    static func all(
        _ inputs: [IngredientInput], limit: Int = RecipeLimits.ingredients
    ) throws(ToolError) -> [Ingredient] {
        guard inputs.count <= limit else {
            throw .invalid("That is a lot. Up to \(limit) things in one go work.", code: "too_many")
        }
        var all: [Ingredient] = []
        for input in inputs {
            let ingredient = try Ingredient(input)
            if let place = all.firstIndex(where: { $0.key == ingredient.key && $0.unit == ingredient.unit }),
                let mine = all[place].quantity, let other = ingredient.quantity
            {
                let sum = mine + other
                guard sum <= RecipeLimits.quantity else {
                    throw .invalid(
                        "That is a lot of \(ingredient.name.cut(to: 40)). A smaller number works.", code: "too_much")
                }
                all[place].quantity = sum
            } else {
                all.append(ingredient)
            }
        }
        return all
    }

    func row(of recipe: RowID, at place: Int) -> RecipeIngredient {
        RecipeIngredient(
            recipeID: recipe, ingredientName: name, nameKey: key, quantity: quantity,
            unit: unit == .piece ? nil : unit.name, notes: note, isOptional: isOptional, orderIndex: place)
    }
}
