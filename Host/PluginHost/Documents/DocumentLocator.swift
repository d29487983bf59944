import TandemJSON

/// Finds the line and column of a value in the text of a document that has been parsed before.
struct DocumentLocator {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The place of the value that `pointer` leads to, or of its member's name; of the deepest value on the way when
    /// the pointer leads nowhere.
    func place(of pointer: String, atName: Bool) -> (line: Int, column: Int) {
        let tokens = JSONPointer(pointer)?.tokens ?? []
        var position = afterSpace(0)
        for (depth, token) in tokens.enumerated() {
            guard position < bytes.count else { break }
            let found: (name: Int, value: Int)?
            switch bytes[position] {
            case UInt8(ascii: "{"): found = member(token, of: position)
            case UInt8(ascii: "["): found = element(token, of: position)
            default: found = nil
            }
            guard let found else { break }
            position = atName && depth == tokens.count - 1 ? found.name : found.value
        }
        var line = 1
        var start = 0
        for index in 0..<min(position, bytes.count) where bytes[index] == 0x0A {
            line += 1
            start = index + 1
        }
        return (line, position - start + 1)
    }

    private func afterSpace(_ position: Int) -> Int {
        var position = position
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        return position
    }

    private func member(_ name: String, of object: Int) -> (name: Int, value: Int)? {
        var position = afterSpace(object + 1)
        while position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            let end = skip(position)
            let value = afterSpace(afterSpace(end) + 1)
            guard value < bytes.count else { return nil }
            if let key = try? JSON(parsing: bytes[position..<end]).stringValue, key.utf8.elementsEqual(name.utf8) {
                return (position, value)
            }
            position = afterSpace(skip(value))
            guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else { return nil }
            position = afterSpace(position + 1)
        }
        return nil
    }

    private func element(_ index: String, of array: Int) -> (name: Int, value: Int)? {
        guard var remaining = Int(index) else { return nil }
        var position = afterSpace(array + 1)
        while position < bytes.count, bytes[position] != UInt8(ascii: "]") {
            if remaining == 0 { return (position, position) }
            remaining -= 1
            position = afterSpace(skip(position))
            guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else { return nil }
            position = afterSpace(position + 1)
        }
        return nil
    }

    /// The position after the value that starts at `start`.
    private func skip(_ start: Int) -> Int {
        var position = start
        var depth = 0
        repeat {
            guard position < bytes.count else { return position }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
            case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: ":"):
                position += 1
            default:
                while position < bytes.count, !Self.ends.contains(bytes[position]) { position += 1 }
            }
        } while depth > 0
        return position
    }

    private static let ends: Set<UInt8> = Set(",]}: \t\n\r".utf8)
}
