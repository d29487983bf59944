public import TandemJSON

extension String: JSONRepresentable {
    public static var shape: Shape { Shape(schema: ["type": "string"], slot: .text, column: .text) }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let value) = json else { throw ShapeError("text") }
        self = value
    }

    public var json: JSON { .string(self) }
}

extension Bool: JSONRepresentable {
    public static var shape: Shape { Shape(schema: ["type": "boolean"], column: .boolean) }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .bool(let value) = json else { throw ShapeError("true or false") }
        self = value
    }

    public var json: JSON { .bool(self) }
}

extension Int: JSONRepresentable {
    public static var shape: Shape { Shape(schema: ["type": "integer"], slot: .number, column: .integer) }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard let value = json.int64Value else { throw ShapeError("a whole number") }
        self = Int(value)
    }

    public var json: JSON { .integer(Int64(self)) }
}

extension Int64: JSONRepresentable {
    public static var shape: Shape { Int.shape }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard let value = json.int64Value else { throw ShapeError("a whole number") }
        self = value
    }

    public var json: JSON { .integer(self) }
}

extension Double: JSONRepresentable {
    public static var shape: Shape { Shape(schema: ["type": "number"], slot: .number, column: .real) }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard let value = json.doubleValue else { throw ShapeError("a number") }
        self = value
    }

    public var json: JSON { .number(self) }
}

/// The escape hatch: any JSON value, as it is.
extension JSON: JSONRepresentable {
    public static var shape: Shape { Shape(schema: true, column: .json) }

    public init(json: JSON, reader: Reader) throws(ShapeError) { self = json }

    public var json: JSON { self }
}

/// A missing member and `null` both are nil.
extension Optional: JSONRepresentable where Wrapped: JSONRepresentable {
    public static var shape: Shape {
        var shape = Wrapped.shape
        shape.isOptional = true
        return shape
    }

    public static var whenAbsent: Wrapped?? { .some(nil) }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        self = json.isNull ? nil : try Wrapped(json: json, reader: reader)
    }

    public var json: JSON { self?.json ?? .null }
}

extension Array: JSONRepresentable where Element: JSONRepresentable {
    public static var shape: Shape {
        let element = Element.shape
        let slot: SlotKind? =
            switch element.slot {
            case .text: .list
            case .quantity: .items
            default: nil
            }
        return Shape(schema: ["type": "array", "items": element.schema], slot: slot, column: .json)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .array(let elements) = json else { throw ShapeError("a list") }
        self = []
        reserveCapacity(elements.count)
        for index in elements.indices {
            do {
                append(try Element(json: elements[index], reader: reader))
            } catch {
                throw error.within("[\(index)]")
            }
        }
    }

    public var json: JSON {
        var elements: [JSON] = []
        elements.reserveCapacity(count)
        for element in self { elements.append(element.json) }
        return .array(elements)
    }
}

/// An object with any member names; written in the order of the names, so that the form is stable.
extension Dictionary: JSONRepresentable where Key == String, Value: JSONRepresentable {
    public static var shape: Shape {
        Shape(schema: ["type": "object", "additionalProperties": Value.shape.schema], column: .json)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .object(let object) = json else { throw ShapeError("an object") }
        self = [:]
        for (name, value) in object {
            do {
                self[name] = try Value(json: value, reader: reader)
            } catch {
                throw error.within(name)
            }
        }
    }

    public var json: JSON {
        var object = JSONObject()
        for name in keys.sorted() { object[name] = self[name]?.json }
        return .object(object)
    }
}
