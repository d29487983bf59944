public import TandemSDK

/// A page that the person means: `#` and its id as shown, its address, or words of its title.
public struct PageReference: JSONRepresentable, Hashable {
    enum Meaning: Sendable, Hashable {
        case id(NotionID)
        case words(String)
    }

    var meaning: Meaning

    init(_ meaning: Meaning) { self.meaning = meaning }

    public static var shape: Shape { ReferenceForm.shape(NotionPage.entity) }

    public init(json: JSON, reader: Reader) throws(ShapeError) { meaning = try ReferenceForm.read(json) }

    public var json: JSON { ReferenceForm.json(meaning) }
}

/// A database that the person means, in the same forms.
public struct DatabaseReference: JSONRepresentable, Hashable {
    var meaning: PageReference.Meaning

    public static var shape: Shape { ReferenceForm.shape(DataSource.entity) }

    public init(json: JSON, reader: Reader) throws(ShapeError) { meaning = try ReferenceForm.read(json) }

    public var json: JSON { ReferenceForm.json(meaning) }
}

private enum ReferenceForm {
    static func shape(_ entity: String) -> Shape {
        Shape(
            schema: ["type": "string", "minLength": 1, "maxLength": 500], slot: .reference(entity: entity), column: nil)
    }

    static func read(_ json: JSON) throws(ShapeError) -> PageReference.Meaning {
        guard case .string(let text) = json, !text.isEmpty else { throw ShapeError("a page as shown or by its title") }
        let name = text.hasPrefix("#") ? text.dropFirst() : text[...]
        if let id = NotionID(name) ?? NotionID(address: text) { return .id(id) }
        return .words(String(name))
    }

    static func json(_ meaning: PageReference.Meaning) -> JSON {
        switch meaning {
        case .id(let id): .string("#\(id)")
        case .words(let words): .string(words)
        }
    }
}
