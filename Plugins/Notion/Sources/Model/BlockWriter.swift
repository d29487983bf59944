import TandemSDK

/// Plain text as Notion's blocks: a block for each line, with the marks that people type (`# `, `- `, `1. `, `[ ] `, `> `,
/// `---`, fences of three backticks).
enum BlockWriter {
    /// Of one request, with its children (https://developers.notion.com/reference/request-limits).
    static let blocksLimit = 1000

    static func blocks(_ text: String) -> [JSON] {
        var blocks: [JSON] = []
        var code: [Substring]?
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.hasPrefix("```") {
                if let lines = code {
                    blocks += block("code", lines.joined(separator: "\n"), ["language": "plain text"])
                    code = nil
                } else {
                    code = []
                }
                continue
            }
            if code != nil {
                code?.append(line)
                continue
            }
            blocks += self.line(line)
        }
        // A fence that nobody closed is code all the same.
        if let lines = code { blocks += block("code", lines.joined(separator: "\n"), ["language": "plain text"]) }
        return blocks
    }

    private static let marks: [(mark: String, type: String, members: JSONObject)] = [
        ("### ", "heading_3", [:]), ("## ", "heading_2", [:]), ("# ", "heading_1", [:]),
        ("- [ ] ", "to_do", ["checked": false]), ("- [x] ", "to_do", ["checked": true]),
        ("[ ] ", "to_do", ["checked": false]), ("[x] ", "to_do", ["checked": true]),
        ("- ", "bulleted_list_item", [:]), ("* ", "bulleted_list_item", [:]), ("> ", "quote", [:]),
    ]

    private static func line(_ line: Substring) -> [JSON] {
        let text = line.drop { $0 == " " || $0 == "\t" }
        guard text.contains(where: { !$0.isWhitespace }) else { return [] }
        if text.utf8.count >= 3, text.utf8.allSatisfy({ $0 == UInt8(ascii: "-") }) {
            return [["object": "block", "type": "divider", "divider": [:]]]
        }
        for (mark, type, members) in marks where text.hasPrefix(mark) {
            return block(type, String(text.dropFirst(mark.count)), members)
        }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        if (1...3).contains(digits.count), text.dropFirst(digits.count).hasPrefix(". ") {
            return block("numbered_list_item", String(text.dropFirst(digits.count + 2)))
        }
        return block("paragraph", String(text))
    }

    /// A paragraph.
    static func paragraph(_ text: String) -> JSON { block("paragraph", text).first ?? .null }

    /// One block, or more where the text is longer than the items of one can hold.
    private static func block(_ type: String, _ text: String, _ members: JSONObject = [:]) -> [JSON] {
        let items = RichText.items(text)
        guard !items.isEmpty else { return [] }
        return stride(from: 0, to: items.count, by: RichText.itemsLimit).map { start in
            var content: JSONObject = ["rich_text": .array(Array(items[start...].prefix(RichText.itemsLimit)))]
            for (name, value) in members { content[name] = value }
            return ["object": "block", "type": .string(type), type: .object(content)]
        }
    }
}
