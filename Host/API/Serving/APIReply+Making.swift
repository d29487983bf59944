import Crypto
import HTTPTypes
import TandemCore
import TandemJSON
import TandemStorage

extension APIReply {
    static let noContent = APIReply(204)

    static func json(_ value: JSON, status: Int = 200) -> APIReply {
        APIReply(status, headers: [.contentType: "application/json"], body: .bytes(value.serialized()))
    }

    /// With its version.
    static func versioned(_ value: JSON, status: Int = 200) -> APIReply {
        let bytes = value.serialized()
        var reply = APIReply(status, headers: [.contentType: "application/json"], body: .bytes(bytes))
        reply.headers[.eTag] = EntityTag.of(bytes)
        return reply
    }

    /// 201 with where it is.
    static func created(_ value: JSON, at path: String) -> APIReply {
        var reply = versioned(value, status: 201)
        reply.headers[.location] = path
        return reply
    }

    /// A page that is text already.
    static func page(_ page: RowPage) -> APIReply {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(page.text.count + 64)
        bytes.append(contentsOf: "{\"items\":".utf8)
        bytes.append(contentsOf: page.text)
        bytes.append(contentsOf: ",\"next_cursor\":".utf8)
        if page.hasMore, let last = page.lastID {
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: last.description.utf8)
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes.append(contentsOf: "null".utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return APIReply(200, headers: [.contentType: "application/json"], body: .bytes(bytes))
    }

    /// A page of a list that was asked for with one row more than its limit.
    static func page(_ rows: [UserRow], limit: Int, _ json: (UserRow) -> JSON) -> APIReply {
        let shown = rows.prefix(limit)
        let next: JSON = rows.count > limit ? shown.last.map { .id($0.id) } ?? .null : .null
        return .json(["items": .array(shown.map(json)), "next_cursor": next])
    }
}

/// Versions of what is answered (RFC 9110 §8.8.3).
enum EntityTag {
    /// 128 bits of the SHA-256 of the bytes: who has the tag has seen exactly these.
    static func of(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = [34]
        for byte in SHA256.hash(data: bytes).prefix(16) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        text.append(34)
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a list of tags, or `*`, names a version. Strong comparison takes no weak tags (RFC 9110 §8.8.3.2).
    static func list(_ list: String, names tag: String, isStrong: Bool) -> Bool {
        if list == "*" { return true }
        return list.split(separator: ",").contains { item in
            var item = item
            while item.first == " " { item = item.dropFirst() }
            while item.last == " " { item = item.dropLast() }
            if item.hasPrefix("W/") {
                if isStrong { return false }
                item = item.dropFirst(2)
            }
            return item.utf8.elementsEqual(tag.utf8)
        }
    }
}
