import Foundation
import TandemJSON

/// Gmail's search words, as far as anybody here uses them; what is not known is a word to look for.
struct MailSearch {
    private indirect enum Term {
        case all([Term])
        case any([Term])
        case not(Term)
        case word(String)
        case field(String, Term)
        case label(String, Bool)
        case since(Int64)
        case until(Int64)
        case nothing
    }

    private let root: Term
    private(set) var looksEverywhere = false

    init(_ text: String, now: Int64) {
        var tokens = MailSearch.tokens(text)[...]
        var everywhere = false
        root = MailSearch.terms(&tokens, until: nil, now, &everywhere)
        looksEverywhere = everywhere
    }

    func fits(_ message: GmailSimulator.Message) -> Bool { MailSearch.fits(root, message, nil) }

    private static func tokens(_ text: String) -> [String] {
        var tokens: [String] = []
        var current = ""
        var isQuoted = false
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
                continue
            }
            if !isQuoted, "(){}".contains(character) {
                if !current.isEmpty { tokens.append(current) }
                tokens.append(String(character))
                current = ""
            } else if !isQuoted, character.isWhitespace {
                if !current.isEmpty { tokens.append(current) }
                current = ""
            } else {
                current.append(character)
            }
        }
        if !current.isEmpty { tokens.append(current) }
        return tokens
    }

    private static func terms(
        _ tokens: inout ArraySlice<String>, until end: String?, _ now: Int64, _ everywhere: inout Bool
    ) -> Term {
        var all: [Term] = []
        while let token = tokens.popFirst() {
            if token == end { break }
            all.append(term(token, &tokens, now, &everywhere))
        }
        return end == "}" ? .any(all) : .all(all)
    }

    private static func term(
        _ token: String, _ tokens: inout ArraySlice<String>, _ now: Int64, _ everywhere: inout Bool
    ) -> Term {
        if token == "(" { return terms(&tokens, until: ")", now, &everywhere) }
        if token == "{" { return terms(&tokens, until: "}", now, &everywhere) }
        if token.hasPrefix("-"), token.count > 1 {
            return .not(term(String(token.dropFirst()), &tokens, now, &everywhere))
        }
        guard let colon = token.firstIndex(of: ":") else { return .word(token.lowercased()) }
        let name = token[..<colon].lowercased()
        let value = token[token.index(after: colon)...].lowercased()
        switch name {
        case "from", "to", "subject", "list":
            if value.isEmpty, tokens.first == "(" {
                tokens.removeFirst()
                return .field(name, terms(&tokens, until: ")", now, &everywhere))
            }
            return value == "*" ? .field(name, .word("")) : .field(name, .word(value))
        case "in":
            switch value {
            case "inbox": return .label("INBOX", true)
            case "sent": return .label("SENT", true)
            case "drafts", "draft": return .label("DRAFT", true)
            case "chats": return .label("CHAT", true)
            case "trash", "spam":
                everywhere = true
                return .label(value.uppercased(), true)
            case "anywhere":
                everywhere = true
                return .all([])
            default: return .nothing
            }
        case "is":
            return .label(value == "unread" ? "UNREAD" : value == "starred" ? "STARRED" : value.uppercased(), true)
        case "rfc822msgid": return .field("message-id", .word("<" + value.filter { !"<>".contains($0) } + ">"))
        case "category": return .label("CATEGORY_" + value.uppercased(), true)
        case "newer_than", "older_than":
            let count = Int64(value.dropLast()) ?? 0
            let unit: Int64 = value.hasSuffix("h") ? 3_600_000 : value.hasSuffix("d") ? 86_400_000 : 30 * 86_400_000
            return name == "newer_than" ? .since(now - count * unit) : .until(now - count * unit)
        case "after": return Int64(value).map { .since($0 * 1000) } ?? .nothing
        case "before": return Int64(value).map { .until($0 * 1000) } ?? .nothing
        default: return .word(token.lowercased())
        }
    }

    private static func header(_ name: String, _ message: GmailSimulator.Message) -> String? {
        let wanted = name == "list" ? "list-id" : name
        return message.payload["headers"]?.arrayValue?.first { $0["name"]?.stringValue?.lowercased() == wanted }?[
            "value"]?
            .stringValue?.lowercased()
    }

    private static func fits(_ term: Term, _ message: GmailSimulator.Message, _ field: String?) -> Bool {
        switch term {
        case .all(let terms): return terms.allSatisfy { fits($0, message, field) }
        case .any(let terms): return terms.contains { fits($0, message, field) }
        case .not(let term): return !fits(term, message, field)
        case .field(let name, let term): return header(name, message) != nil && fits(term, message, name)
        case .label(let label, let isThere): return message.labels.contains(label) == isThere
        case .since(let time): return message.date >= time
        case .until(let time): return message.date < time
        case .nothing: return false
        case .word(let word):
            if let field { return header(field, message)?.contains(word) ?? false }
            return ["from", "to", "subject"].contains { header($0, message)?.contains(word) ?? false }
                || message.text.lowercased().contains(word)
        }
    }
}
