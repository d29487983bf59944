import Glibc
public import TandemCore
import TandemEgress
import TandemJSON

/// All services that the program knows, with the operator's own clients.
public struct OAuthProviders: Sendable {
    private let providers: [String: OAuthProvider]

    /// - Parameters:
    ///   - clients: by provider; `google` serves `youtube`, too, where that has none of its own.
    ///   - file: the operator's JSON, merged over what is built in (RFC 7396, docs/oauth.md).
    /// - Throws: `ConfigurationError` with everything that is wrong.
    public init(clients: [String: OAuthProvider.Client], file: [UInt8]? = nil) throws(ConfigurationError) {
        var problems: [ConfigurationError.Problem] = []
        let document = Self.document(file, &problems)
        var providers: [String: OAuthProvider] = [:]
        for (id, value) in document["providers"]?.objectValue ?? JSONObject() {
            guard TokenText.isName(id) else {
                problems.append(
                    Self.problem("/providers", "\"\(Redaction.masked(id))\" is no name", "Use a-z, 0-9, _."))
                continue
            }
            var reader = ProviderReader(id: id, value)
            let read = reader.provider()
            problems += reader.problems
            guard var provider = read else { continue }
            provider.client = provider.client ?? clients[id] ?? (id == "youtube" ? clients["google"] : nil)
            providers[id] = provider
        }
        // What Google's clients are told in the file goes for YouTube as well.
        let googles = providers["google"]?.client
        if providers["youtube"]?.client == nil { providers["youtube"]?.client = googles }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        self.providers = providers
    }

    /// The same with the clients of the configuration.
    public init(_ configuration: Configuration, file: [UInt8]? = nil) throws(ConfigurationError) {
        var clients: [String: OAuthProvider.Client] = [:]
        for (id, client) in [
            ("microsoft", configuration.microsoft), ("google", configuration.google), ("notion", configuration.notion),
        ] {
            if let client { clients[id] = OAuthProvider.Client(id: client.id, secret: client.secret) }
        }
        try self.init(clients: clients, file: file)
    }

    public subscript(id: String) -> OAuthProvider? { providers[id] }

    public var all: [OAuthProvider] { providers.values.sorted { $0.id < $1.id } }

    static func problem(_ pointer: String, _ reason: String, _ advice: String) -> ConfigurationError.Problem {
        ConfigurationError.Problem(variable: "TANDEM_OAUTH", reason: "\(pointer) \(reason)", advice: advice)
    }

    private static func document(_ file: [UInt8]?, _ problems: inout [ConfigurationError.Problem]) -> JSON {
        let builtIn: JSON
        do {
            builtIn = try JSON(parsing: BuiltInProviders.json)
        } catch {
            problems.append(problem("the built-in table", "is no JSON: \(error.message)", "This is a fault of ours."))
            return [:]
        }
        guard let file else { return builtIn }
        do {
            let patch = try JSON(parsing: file)
            guard let object = patch.objectValue, object.keys.allSatisfy({ $0 == "providers" }),
                patch["providers"]?.objectValue != nil
            else {
                problems.append(problem("the file", "is not {\"providers\": {…}}", "See docs/oauth.md."))
                return builtIn
            }
            return merged(builtIn, patch)
        } catch {
            problems.append(problem("the file", "is no JSON: \(error.message)", "Correct it at that place."))
            return builtIn
        }
    }

    /// RFC 7396 §2.
    private static func merged(_ target: JSON, _ patch: JSON) -> JSON {
        guard let changes = patch.objectValue else { return patch }
        var result = target.objectValue ?? JSONObject()
        for (key, value) in changes {
            if value.isNull {
                result.removeValue(forKey: key)
            } else {
                result[key] = merged(result[key] ?? .null, value)
            }
        }
        return .object(result)
    }
}

/// Reads one provider of the document, collecting what is wrong.
private struct ProviderReader {
    let id: String
    private let object: JSONObject
    private(set) var problems: [ConfigurationError.Problem] = []

    init(id: String, _ value: JSON) {
        self.id = id
        object = value.objectValue ?? JSONObject()
        if value.objectValue == nil { refuse("", "is no object", "Write {…}.") }
    }

    private static let members: Set<String> = [
        "name", "tenant", "authorization", "token", "revocation", "hosts", "authentication", "body", "pkce",
        "parameters", "rotation", "accessSeconds", "idleRenewalDays", "management", "scopes", "clientID",
        "clientSecret", "clientSecretFile",
    ]

    mutating func refuse(_ member: String, _ reason: String, _ advice: String) {
        problems.append(OAuthProviders.problem("/providers/\(id)\(member)", reason, advice))
    }

    mutating func provider() -> OAuthProvider? {
        for key in object.keys where !Self.members.contains(key) {
            refuse("/\(Redaction.masked(key))", "is not known", "docs/oauth.md lists the members.")
        }
        let authorization = address("authorization")
        let token = address("token")
        let revocation = revocation()
        let hosts = strings("hosts", object["hosts"]).compactMap { text in
            // A token goes to the service's own hosts, never to the whole web.
            let rule = HostRule(text).flatMap { $0.isEverywhere ? nil : $0 }
            if rule == nil { refuse("/hosts", "holds what is no host", "Write for example api.example.org.") }
            return rule
        }
        let client = client()
        let provider = authorization.flatMap { authorization in
            token.map { token in
                OAuthProvider(
                    id: id, name: text("name") ?? id, authorization: authorization, token: token,
                    revocation: revocation, hosts: hosts, client: client,
                    authentication: word("authentication", .body), body: word("body", .form),
                    usesPKCE: object["pkce"]?.boolValue ?? true, scopes: scopes(),
                    parameters: dictionary("parameters", object["parameters"]), rotation: word("rotation", .replaced),
                    accessLife: number("accessSeconds").map { .seconds($0) },
                    idleRenewal: number("idleRenewalDays").map { .seconds($0 * 86_400) },
                    management: text("management"))
            }
        }
        return problems.isEmpty ? provider : nil
    }

    private mutating func text(_ member: String) -> String? {
        guard let value = object[member] else { return nil }
        guard let text = value.stringValue, !text.isEmpty, text.utf8.count <= 2048 else {
            refuse("/\(member)", "is no text", "Write a JSON string.")
            return nil
        }
        return text
    }

    private mutating func number(_ member: String) -> Int64? {
        guard let value = object[member] else { return nil }
        guard let number = value.int64Value, (1...315_360_000).contains(number) else {
            refuse("/\(member)", "is no positive number", "Write a JSON integer.")
            return nil
        }
        return number
    }

    private mutating func word<Word: RawRepresentable & CaseIterable>(_ member: String, _ standard: Word) -> Word
    where Word.RawValue == String {
        guard let given = text(member) else { return standard }
        if let word = Word(rawValue: given) { return word }
        refuse("/\(member)", "is not known", "Use \(Word.allCases.map(\.rawValue).joined(separator: " or ")).")
        return standard
    }

    private mutating func address(_ member: String, _ value: JSON? = nil) -> WebAddress? {
        let tenant = object["tenant"]?.stringValue ?? ""
        guard tenant.utf8.allSatisfy({ $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 26 || $0 == 45 || $0 == 46 }) else {
            refuse("/tenant", "is no tenant", "Use common, organizations, consumers, a domain or an id.")
            return nil
        }
        let template = (value ?? object[member])?.stringValue ?? ""
        let parts = template.split(separator: "{tenant}", omittingEmptySubsequences: false)
        guard let address = WebAddress(parts.joined(separator: tenant)) else {
            refuse("/\(member)", "is no web address", "Write for example https://login.example.org/token.")
            return nil
        }
        guard address.scheme == "https" || address.isLoopback else {
            refuse("/\(member)", "is not https", "Tokens do not cross a network in the clear.")
            return nil
        }
        return address
    }

    private mutating func revocation() -> OAuthProvider.Revocation? {
        guard let value = object["revocation"] else { return nil }
        guard let members = value.objectValue,
            members.keys.allSatisfy({ ["address", "token", "authenticated"].contains($0) }),
            let subject = OAuthProvider.Revocation.Subject(rawValue: value["token"]?.stringValue ?? "refresh")
        else {
            refuse("/revocation", "is malformed", "Write {\"address\", \"token\": \"refresh\" or \"access\"}.")
            return nil
        }
        return address("revocation", value["address"]).map {
            OAuthProvider.Revocation(
                address: $0, subject: subject, isAuthenticated: value["authenticated"]?.boolValue ?? false)
        }
    }

    private mutating func strings(_ member: String, _ value: JSON?) -> [String] {
        guard let value else { return [] }
        let texts = value.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == value.arrayValue?.count, texts.count <= 64 else {
            refuse("/\(member)", "is no list of texts", "Write [\"…\"].")
            return []
        }
        return texts
    }

    private mutating func dictionary(_ member: String, _ value: JSON?) -> [String: String] {
        guard let value else { return [:] }
        var result: [String: String] = [:]
        for (key, value) in value.objectValue ?? JSONObject() { result[key] = value.stringValue }
        if result.count != value.objectValue?.count {
            refuse("/\(member)", "is malformed", "Write {\"name\": \"value\"}.")
        }
        return result
    }

    private mutating func scopes() -> OAuthProvider.Scopes? {
        guard let value = object["scopes"] else { return nil }
        let known: Set<String> = ["always", "unlisted", "prefix", "onToken", "implied", "descriptions"]
        guard let members = value.objectValue, members.keys.allSatisfy(known.contains) else {
            refuse("/scopes", "is malformed", "docs/oauth.md lists its members.")
            return nil
        }
        var implied: [String: [String]] = [:]
        for (scope, contained) in value["implied"]?.objectValue ?? JSONObject() {
            implied[scope] = strings("scopes/implied", contained)
        }
        return OAuthProvider.Scopes(
            always: strings("scopes/always", value["always"]), unlisted: strings("scopes/unlisted", value["unlisted"]),
            prefix: value["prefix"]?.stringValue, onToken: value["onToken"]?.boolValue ?? false, implied: implied,
            descriptions: dictionary("scopes/descriptions", value["descriptions"]))
    }

    private mutating func client() -> OAuthProvider.Client? {
        let secret = text("clientSecret")
        let path = text("clientSecretFile")
        guard let id = text("clientID") else {
            if secret != nil || path != nil { refuse("/clientID", "is missing", "It goes with the secret.") }
            return nil
        }
        guard let path else { return OAuthProvider.Client(id: id, secret: secret.map(Secret.init)) }
        guard secret == nil else {
            refuse("/clientSecret", "is given twice", "Keep the secret or its file.")
            return nil
        }
        guard let line = SecretFile.line(path) else {
            refuse("/clientSecretFile", "is no readable file of one line", "Write only the secret into it.")
            return nil
        }
        return OAuthProvider.Client(id: id, secret: Secret(line))
    }
}

/// A secret in a file, as container platforms mount it.
private enum SecretFile {
    /// The one line of a file of at most 4 KiB; nil for anything else.
    static func line(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4097)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0, count < bytes.count else { return nil }
        bytes.removeLast(bytes.count - count)
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
