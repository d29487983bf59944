import PluginCommon
import TandemSDK

/// A page's blocks as plain text, line by line, as far as the limits go.
struct BlockReader {
    /// What was read.
    struct Text: Sendable, Hashable {
        var lines: [String] = []
        /// Nil when all of it was read, else why not.
        var rest: String?
        /// How often Notion was asked.
        var requests = 0

        var whole: String { lines.joined(separator: "\n") }
    }

    /// Enough for any page that somebody reads by message; a request has a hundred blocks.
    static let requestsLimit = 20
    static let bytesLimit = 60_000
    static let depthLimit = 4

    let client: NotionClient
    private var bytes = 0
    private var text = Text()

    private let limit: Int

    private init(_ client: NotionClient, _ limit: Int) {
        self.client = client
        self.limit = limit
    }

    /// What fails after something was read is said in `rest`; a lost connection is thrown.
    ///
    /// - Parameter limit: of requests.
    static func read(
        _ id: NotionID, _ client: NotionClient, limit: Int = requestsLimit
    ) async throws -> Text {
        var reader = BlockReader(client, limit)
        do {
            try await reader.read(id, depth: 0)
        } catch let error as ToolError where !reader.text.lines.isEmpty {
            reader.text.rest = error.message
        }
        return reader.text
    }

    private mutating func read(_ id: NotionID, depth: Int) async throws {
        var cursor: String?
        var number = 0
        repeat {
            guard text.requests < limit, bytes < Self.bytesLimit else {
                text.rest = "The page goes on."
                return
            }
            text.requests += 1
            var query = [("page_size", "\(NotionClient.pageSize)")]
            if let cursor { query.append(("start_cursor", cursor)) }
            let answer = try await client.get("blocks/\(id)/children", query)
            guard let blocks = answer["results"]?.arrayValue else { throw NotionFailure.unreadable }
            for block in blocks {
                let type = block["type"]?.stringValue ?? ""
                number = type == "numbered_list_item" ? number + 1 : 0
                add(BlockReader.line(block, type, number: number), depth)
                // A page within the page is a page of its own.
                guard block["has_children"] == true, type != "child_page", type != "child_database",
                    depth < Self.depthLimit, let child = NotionID(block["id"]?.stringValue ?? "")
                else { continue }
                try await read(child, depth: depth + 1)
                if text.rest != nil { return }
            }
            let next = answer["has_more"] == true ? answer["next_cursor"]?.stringValue : nil
            cursor = next == cursor ? nil : next
        } while cursor != nil
    }

    private mutating func add(_ line: String?, _ depth: Int) {
        guard let line else { return }
        for part in line.split(whereSeparator: \.isNewline) {
            let text = String(repeating: "  ", count: depth) + part
            bytes += text.utf8.count + 1
            guard bytes <= Self.bytesLimit else { return }
            self.text.lines.append(text)
        }
    }

    /// One block without its children; nil for what says nothing.
    static func line(_ block: JSON, _ type: String, number: Int) -> String? {
        let content = block[type]
        let text = RichText.withLinks(content?["rich_text"])
        switch type {
        case "heading_1": return text.nonEmpty.map { "# " + $0 }
        case "heading_2": return text.nonEmpty.map { "## " + $0 }
        case "heading_3", "heading_4": return text.nonEmpty.map { "### " + $0 }
        case "bulleted_list_item": return "- " + text
        case "numbered_list_item": return "\(number). " + text
        case "to_do": return (content?["checked"] == true ? "[x] " : "[ ] ") + text
        case "quote": return "> " + text
        case "divider": return "---"
        case "equation": return content?["expression"]?.stringValue
        case "child_page", "child_database":
            let kind = type == "child_page" ? "Page" : "Database"
            return "[\(kind): \(content?["title"]?.stringValue ?? "")]"
        case "table_row":
            return (content?["cells"]?.arrayValue ?? []).map { RichText.plain($0) }.joined(separator: " | ")
        case "bookmark", "embed", "link_preview": return content?["url"]?.stringValue.map { "[Link: \($0)]" }
        case "image", "video", "file", "pdf", "audio":
            let caption = RichText.plain(content?["caption"])
            let name = caption.nonEmpty ?? content?["name"]?.stringValue ?? ""
            return "[\(type.prefix(1).uppercased())\(type.dropFirst())\(name.isEmpty ? "" : ": " + name)]"
        // Called so until 2026-03-11, and meeting_notes since.
        case "transcription", "meeting_notes":
            let title = RichText.plain(content?["title"])
            return "[Meeting notes\(title.isEmpty ? "" : ": " + title)]"
        case "link_to_page": return "[Link to a page]"
        default: return text.nonEmpty
        }
    }
}
