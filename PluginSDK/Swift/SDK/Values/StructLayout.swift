@_spi(Reflection) internal import Swift
internal import Synchronization
internal import TandemJSON

/// The stored properties of a struct: name, place and how to read and write each; found once per type.
///
/// A value is made by initialising every property in raw memory at its offset, so no default value and no `init` is
/// needed, and a call pays for no reflection.
final class StructLayout: Sendable {
    /// A class, so that walking the fields copies nothing.
    final class Field: Sendable {
        /// As declared, without the underscore of a property wrapper.
        let property: String
        /// On the wire.
        let name: String
        let offset: Int
        let shape: Shape
        let isOptional: Bool
        let initialize: @Sendable (UnsafeMutableRawPointer, JSON?, Reader) throws(ShapeError) -> Void
        let deinitialize: @Sendable (UnsafeMutableRawPointer) -> Void
        let encode: @Sendable (UnsafeRawPointer) -> JSON

        init(
            property: String, name: String, offset: Int, shape: Shape,
            initialize: @escaping @Sendable (UnsafeMutableRawPointer, JSON?, Reader) throws(ShapeError) -> Void,
            deinitialize: @escaping @Sendable (UnsafeMutableRawPointer) -> Void,
            encode: @escaping @Sendable (UnsafeRawPointer) -> JSON
        ) {
            self.property = property
            self.name = name
            self.offset = offset
            self.shape = shape
            isOptional = shape.isOptional
            self.initialize = initialize
            self.deinitialize = deinitialize
            self.encode = encode
        }
    }

    let fields: [Field]
    /// Why values of the type cannot be read; empty when they can.
    let problems: [String]
    let schema: JSON

    private static let cache = Mutex<[ObjectIdentifier: StructLayout]>([:])
    /// The types whose schema is being made: a type that contains itself refers to "any value" there.
    @TaskLocal private static var building: [ObjectIdentifier] = []

    static func of<T: Sendable>(_ type: T.Type) -> StructLayout {
        let key = ObjectIdentifier(type)
        if let known = cache.withLock({ $0[key] }) { return known }
        if building.contains(key) { return StructLayout(fields: [], problems: [], schema: true) }
        let made = $building.withValue(building + [key]) { StructLayout(reflecting: type) }
        return cache.withLock { known in
            if let other = known[key] { return other }
            known[key] = made
            return made
        }
    }

    private init(fields: [Field], problems: [String], schema: JSON) {
        self.fields = fields
        self.problems = problems
        self.schema = schema
    }

    private convenience init<T: Sendable>(reflecting type: T.Type) {
        var fields: [Field] = []
        var problems: [String] = []
        let isStruct = forEachStoredProperty(of: type) { property, offset, fieldType in
            guard let value = fieldType as? any JSONRepresentable.Type else {
                problems.append("\(T.self).\(property): \(fieldType) has no JSON form (JSONRepresentable)")
                return
            }
            fields.append(Self.field(value, property, offset))
        }
        if !isStruct { problems.append("\(T.self) must be a struct") }
        let descriptions = (type as? any Object.Type)?.descriptions ?? [:]
        for name in descriptions.keys.sorted() where !fields.contains(where: { $0.property == name }) {
            problems.append("\(T.self).descriptions names \(name), which is no stored property")
        }
        var properties = JSONObject()
        var required: [JSON] = []
        for field in fields {
            var schema = field.shape.schema
            if let text = descriptions[field.property], schema.objectValue != nil {
                schema["description"] = .string(text)
            }
            properties[field.name] = schema
            if !field.shape.isOptional { required.append(.string(field.name)) }
        }
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { schema["required"] = .array(required) }
        schema["additionalProperties"] = false
        self.init(fields: fields, problems: problems, schema: .object(schema))
    }

    private static func field<V: JSONRepresentable>(_ type: V.Type, _ property: String, _ offset: Int) -> Field {
        let name = snakeCase(property)
        return Field(
            property: property, name: name, offset: offset, shape: V.shape,
            initialize: { base, json, reader throws(ShapeError) in
                let value: V
                if let json {
                    do throws(ShapeError) {
                        value = try V(json: json, reader: reader)
                    } catch {
                        throw error.within(name)
                    }
                } else if let absent = V.whenAbsent {
                    value = absent
                } else {
                    throw ShapeError("a value").within(name)
                }
                (base + offset).bindMemory(to: V.self, capacity: 1).initialize(to: value)
            },
            deinitialize: { base in (base + offset).assumingMemoryBound(to: V.self).deinitialize(count: 1) },
            encode: { base in (base + offset).assumingMemoryBound(to: V.self).pointee.json })
    }

    /// Makes a value from the members of an object; unknown members are ignored.
    func decode<T>(_ type: T.Type, _ object: JSONObject, _ reader: Reader) throws(ShapeError) -> T {
        guard problems.isEmpty else { throw ShapeError(problems.joined(separator: "; ")) }
        let memory = UnsafeMutablePointer<T>.allocate(capacity: 1)
        defer { memory.deallocate() }
        let base = UnsafeMutableRawPointer(memory)
        var done = 0
        do throws(ShapeError) {
            for field in fields {
                try field.initialize(base, object[field.name], reader)
                done += 1
            }
        } catch {
            for field in fields[..<done] { field.deinitialize(base) }
            throw error
        }
        return memory.move()
    }

    func encode<T>(_ value: T, omittingNulls: Bool, except excluded: Set<String> = []) -> JSONObject {
        withUnsafeBytes(of: value) { bytes in
            var object = JSONObject()
            guard let base = bytes.baseAddress else { return object }
            object.reserveCapacity(fields.count)
            for field in fields where excluded.isEmpty || !excluded.contains(field.name) {
                let json = field.encode(base)
                if omittingNulls, field.isOptional, json.isNull { continue }
                object[field.name] = json
            }
            return object
        }
    }

    func field(at offset: Int) -> Field? { fields.first { $0.offset == offset } }
}

/// Calls `body` with name, byte offset and type of each stored property of a struct; false when it is none.
///
/// `_forEachField` is the standard library's own walk over the field metadata that `Mirror` uses, with the offsets that
/// `Mirror` does not give (stdlib/public/core/ReflectionMirror.swift).
func forEachStoredProperty<T>(of type: T.Type, _ body: (String, Int, any Any.Type) -> Void) -> Bool {
    var isStruct = true
    let walked = _forEachField(of: type) { name, offset, fieldType, kind in
        body(String(cString: name), offset, fieldType)
        return true
    }
    if !walked || type is AnyObject.Type { isStruct = false }
    return isStruct
}

/// `targetDate` → `target_date`, `recipeID` → `recipe_id`, `URLPath` → `url_path`.
func snakeCase(_ name: String) -> String {
    let bytes = Array(name.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + 4)
    for index in bytes.indices {
        let byte = bytes[index]
        guard byte >= 65, byte <= 90 else {
            result.append(byte)
            continue
        }
        let previous = index > 0 ? bytes[index - 1] : 0
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0
        let afterLower = previous >= 97 && previous <= 122 || previous >= 48 && previous <= 57
        let endOfAcronym = previous >= 65 && previous <= 90 && next >= 97 && next <= 122
        if afterLower || endOfAcronym { result.append(95) }
        result.append(byte | 0x20)
    }
    return String(decoding: result, as: UTF8.self)
}
