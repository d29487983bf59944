public import TandemSDK

/// A video that the person means: `#` and its id as shown, its address, or words of its title.
public struct VideoReference: JSONRepresentable, Hashable {
    enum Meaning: Sendable, Hashable {
        case id(VideoID)
        case words(String)
    }

    var meaning: Meaning

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "minLength": 1, "maxLength": 500], slot: .reference(entity: Video.entity),
            column: nil)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, !text.isEmpty else { throw ShapeError("a video") }
        if text.hasPrefix("#"), let id = VideoID(text.dropFirst()) {
            meaning = .id(id)
        } else if let id = VideoID(address: text) {
            meaning = .id(id)
        } else {
            meaning = .words(text.hasPrefix("#") ? String(text.dropFirst()) : text)
        }
    }

    public var json: JSON {
        switch meaning {
        case .id(let id): .string("#\(id)")
        case .words(let words): .string(words)
        }
    }
}

/// A playlist that the person means, in the same forms.
public struct PlaylistReference: JSONRepresentable, Hashable {
    enum Meaning: Sendable, Hashable {
        case id(PlaylistID)
        case words(String)
    }

    static let entity = "youtube.playlist"

    var meaning: Meaning

    public static var shape: Shape {
        Shape(
            schema: ["type": "string", "minLength": 1, "maxLength": 500], slot: .reference(entity: entity), column: nil)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard case .string(let text) = json, !text.isEmpty else { throw ShapeError("a playlist") }
        if text.hasPrefix("#"), let id = PlaylistID(text.dropFirst()) {
            meaning = .id(id)
        } else if let id = PlaylistID(address: text) {
            meaning = .id(id)
        } else {
            meaning = .words(text.hasPrefix("#") ? String(text.dropFirst()) : text)
        }
    }

    public var json: JSON {
        switch meaning {
        case .id(let id): .string("#\(id)")
        case .words(let words): .string(words)
        }
    }
}
