import TandemCore
import TandemJSON

/// Whom, where to and for how much a call's arguments would act.
struct CallReach: Sendable, Equatable {
    var recipient = PolicyParty.none
    var host = PolicyParty.none
    var amount = PolicyAmount.none

    /// Names of arguments that hold whom something goes to, besides whatever looks like an address.
    private static let recipientNames: Set<String> = [
        "to", "cc", "bcc", "recipient", "recipients", "attendee", "attendees", "invitee", "invitees", "guest", "guests",
        "email", "emails", "phone", "share_with", "user", "users", "member", "members", "payee", "iban", "account",
    ]
    private static let amountNames: Set<String> = ["amount", "price", "total", "sum", "cost", "cents"]

    /// Whether an argument of this name says whom something goes to or what it costs.
    static func isDecisive(_ name: String) -> Bool { recipientNames.contains(name) || amountNames.contains(name) }

    /// - Parameters:
    ///   - sources: What the arguments may be from.
    ///   - isKnown: Whether the owner gave their word for this recipient before.
    static func of(
        _ arguments: JSON, tool: ToolDefinition, sources: ArgumentSources, isKnown: (String) -> Bool = { _ in false }
    ) -> CallReach {
        var reach = CallReach()
        for (name, value) in leaves(of: arguments) {
            let isMoney = amountNames.contains(name)
            switch value {
            case .string(let text):
                if addresses(in: text) || (recipientNames.contains(name) && !text.hasPrefix("#")) {
                    let isNamed = sources.label(of: value) == .owner || isKnown(text)
                    reach.recipient = worse(reach.recipient, isNamed ? .known : .new)
                }
                // In the words of a note an address goes nowhere; a tool that reads goes to it.
                if isWebAddress(text, alone: tool.effect != .read) {
                    let isGiven = sources.ownersWords(contain: text) || sources.gave(text, to: tool.namespace)
                    reach.host = worse(reach.host, isGiven ? .known : .new)
                }
                if isMoney { reach.amount = amount(reach.amount, value, sources) }
            case .integer, .number:
                if isMoney { reach.amount = amount(reach.amount, value, sources) }
            default: break
            }
        }
        return reach
    }

    private static func amount(_ before: PolicyAmount, _ value: JSON, _ sources: ArgumentSources) -> PolicyAmount {
        before == .foreign || sources.label(of: value) != .owner ? .foreign : .stated
    }

    private static func worse(_ left: PolicyParty, _ right: PolicyParty) -> PolicyParty {
        left == .new || right == .new ? .new : left == .known || right == .known ? .known : .none
    }

    /// Every value that is no object and no array, with the name of the nearest member around it.
    static func leaves(of json: JSON, name: String = "") -> [(name: String, value: JSON)] {
        switch json {
        case .object(let members): members.flatMap { leaves(of: $0.value, name: $0.key.lowercased()) }
        case .array(let values): values.flatMap { leaves(of: $0, name: name) }
        default: [(name, json)]
        }
    }

    /// A mail address or a telephone number, alone or within words.
    private static func addresses(in text: String) -> Bool {
        for word in text.split(whereSeparator: { $0.isWhitespace || "<>,;()".contains($0) }) {
            if let at = word.firstIndex(of: "@"), at > word.startIndex, word[at...].contains("."), word.count < 255 {
                return true
            }
            let digits = word.utf8.count { (48...57).contains($0) }
            if word.first == "+", digits >= 7, word.dropFirst().allSatisfy({ $0.isNumber || "-. ".contains($0) }) {
                return true
            }
        }
        return false
    }

    /// `scheme://…`, `//host`, `www.…` or `host.tld/…`; anywhere in the text unless `alone`.
    private static func isWebAddress(_ text: String, alone: Bool) -> Bool {
        let words = text.split(whereSeparator: { $0.isWhitespace || "<>\"'()".contains($0) })
        guard !alone || words.count == 1 else { return false }
        return words.contains { word in
            let lower = word.lowercased()
            if lower.contains("://") || lower.hasPrefix("//") || lower.hasPrefix("www.") { return true }
            guard let slash = lower.firstIndex(where: { "/?".contains($0) }) else { return false }
            let host = lower[..<slash]
            return host.contains(".") && !host.hasSuffix(".")
                && host.allSatisfy { $0.isLetter || $0.isNumber || ".-:".contains($0) }
                && host.contains(where: \.isLetter)
        }
    }
}
