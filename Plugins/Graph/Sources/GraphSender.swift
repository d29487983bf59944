import MailCommon
import PluginCommon
import TandemSDK

/// People whom a message would reach.
struct FoundPeople {
    var all: [MailAddress]
    /// The person did not say these addresses themselves.
    var isGuess: Bool

    /// Whether it should go: asks, naming everybody, where the person has not said the addresses.
    func approved(about subject: String, text: String, _ context: Context) throws -> Bool {
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

/// Makes drafts and sends them: a call that is made again finds its draft, and a draft that has become a sent mail is not
/// sent again. (With immutable ids a draft keeps its id when it goes.)
struct GraphSender {
    let service: GraphService
    var context: Context { service.context }

    init(_ context: Context) { service = GraphService(context) }

    func recipients(_ texts: [String]) async throws -> FoundPeople {
        var found = FoundPeople(all: [], isGuess: false)
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
                    found.all.append(try await person(named: line))
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

    private func person(named name: String) async throws -> MailAddress {
        if let given = context.answer("person:" + name)?.stringValue, MailAddress.isAddress(given) {
            return MailAddress(address: given)
        }
        let heads = try await GraphMail(context).search(name, limit: 10).heads
        var found: [MailAddress] = []
        for person in heads.flatMap({ [$0.from] + $0.to }) {
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

    /// The draft of this call: made now, or by an earlier attempt.
    func draft(_ make: () async throws -> JSON) async throws -> String {
        let key = "draft/" + context.idempotencyKey
        if let known = try await context.keyValues.get(key, as: String.self) { return known.value }
        guard let id = try await make()["id"]?.stringValue else { throw GraphService.unreadable }
        try await context.keyValues.set(key, to: id, expiresIn: .seconds(172_800))
        return id
    }

    func send(_ id: String) async throws {
        let path = "/messages/" + (try GraphService.segment(id))
        let mark = "sending/" + context.idempotencyKey
        if try await context.keyValues.get(mark, as: Bool.self) != nil {
            // Tried before: it has gone when it is no draft any more.
            do {
                let json = try await service.get(path, [("$select", "id,isDraft")], cache: .none).json
                if json["isDraft"] != true { return }
            } catch let error as ToolError where error.code == GraphRefusal.gone {
                return
            }
        } else {
            try await context.keyValues.set(mark, to: true, expiresIn: .seconds(172_800))
        }
        try await service.send(.post, path + "/send")
    }

    static func message(_ to: [MailAddress], cc: [MailAddress] = [], subject: String, text: String) -> JSON {
        var message: JSONObject = [
            "subject": .string(subject), "body": ["contentType": "text", "content": .string(text)],
            "toRecipients": .array(to.map(GraphPeople.recipient)),
        ]
        if !cc.isEmpty { message["ccRecipients"] = .array(cc.map(GraphPeople.recipient)) }
        return .object(message)
    }

    static func subject(_ subject: String?, _ text: String) -> String {
        if let given = subject?.singleLine(limit: 200).nonEmpty { return given }
        let line = text.split(separator: "\n").first.map { $0.singleLine(limit: 200) } ?? ""
        let sentence = line.prefix { !".!?".contains($0) }
        return String(sentence.isEmpty ? line[...] : sentence).cut(to: 60).capitalizedFirst
    }
}
