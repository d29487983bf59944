import PluginCommon
public import TandemSDK

/// Whom a message would reach, and whether the person said so themselves.
public struct MailRecipients: Sendable {
    public var all: [MailAddress]
    /// The person did not say these addresses themselves.
    public var isGuess: Bool

    public init(all: [MailAddress], isGuess: Bool) {
        self.all = all
        self.isGuess = isGuess
    }

    /// The people that the person named: addresses as they are, names by whom they have mail of.
    ///
    /// - Parameter candidates: people on mails that fit a name.
    public static func find(
        _ texts: [String], _ context: Context, candidates: (String) async throws -> [MailAddress]
    ) async throws -> MailRecipients {
        var found = MailRecipients(all: [], isGuess: false)
        for text in texts {
            for part in text.split(whereSeparator: { ",;".contains($0) }) {
                let line = part.singleLine(limit: 300)
                guard !line.isEmpty else { continue }
                if let known = MailAddress.list(line).first {
                    found.all.append(known)
                } else if line.contains("@") {
                    throw ToolError.invalid(
                        "\(line.cut(to: 60)) is no mail address. How is it spelled?", code: "no_address")
                } else {
                    found.all.append(try await person(named: line, context, candidates))
                    found.isGuess = true
                }
            }
        }
        guard !found.all.isEmpty else { throw ToolError.invalid("Who should get it?", code: "no_recipient") }
        guard found.all.count <= 50 else {
            throw ToolError.invalid("That is more people than I write to at once.", code: "too_many")
        }
        return found
    }

    private static func person(
        named name: String, _ context: Context, _ candidates: (String) async throws -> [MailAddress]
    ) async throws -> MailAddress {
        if let given = context.answer("person:" + name)?.stringValue, MailAddress.isAddress(given) {
            return MailAddress(address: given)
        }
        var found: [MailAddress] = []
        for person in try await candidates(name) {
            let names = Words.split(person.name) + Words.split(String(person.address.prefix { $0 != "@" }))
            let isMeant = Words.split(name).allSatisfy { wanted in names.contains { $0.hasPrefix(wanted) } }
            if isMeant, !found.contains(where: { $0.isSame(as: person) }), !MailTriage.isMachine(person) {
                found.append(person)
            }
        }
        guard let first = found.first else {
            throw ToolError.notFound("I know no address for \(name.cut(to: 40)). Send it with the mail address.")
        }
        guard found.count > 1 else { return first }
        throw Ask(
            "Which \(name.cut(to: 30))?", field: "person:" + name,
            options: found.prefix(5).map { Ask.Option($0.address, value: .string($0.address)) })
    }

    /// Whether it should go: asks, naming everybody and how the text begins, where the person has not said the addresses.
    public func approved(about subject: String, text: String, _ context: Context) throws -> Bool {
        guard isGuess else { return true }
        if let answer = context.answer("send") { return answer == true }
        let names = all.prefix(10).map(\.address).joined(separator: ", ")
        let rest = all.count > 10 ? " and \(all.count - 10) more" : ""
        let words = text.singleLine(limit: 80)
        throw Ask(
            "Send to \(names)\(rest): \(subject.cut(to: 60))\(words.isEmpty ? "" : ", \"\(words)\"")?", field: "send",
            options: [.init("send it", value: true), .init("leave it", value: false)], schema: ["type": "boolean"])
    }
}
