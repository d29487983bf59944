import Foundation
import ModelSimulators
import TandemCore
import TandemEgress
import TandemJSON
import TandemLanguage

@testable import TandemModels

enum Contract {
    /// The folder of the vendors' contracts, which is no part of the project: tests that need it say so and do without.
    static let folder: String? = {
        let root: String = #filePath.components(separatedBy: "/Tests/")[0]
        var places: [String] = [root + "/../shared/contracts", root + "/../../shared/contracts"]
        if let given = ProcessInfo.processInfo.environment["TANDEM_CONTRACTS"] { places.insert(given, at: 0) }
        return places.first { FileManager.default.fileExists(atPath: $0 + "/gemini") }
    }()

    static var isHere: Bool { folder != nil }

    static let checker: OpenAPIChecker? = folder.flatMap {
        OpenAPIChecker(
            file: $0 + "/gemini/openapi.v1beta.json", bound: ["GenerateContentRequest": ["model"]])
    }

    static func sample(_ name: String) throws -> JSON {
        guard let folder, let data = FileManager.default.contents(atPath: "\(folder)/gemini/samples/\(name).json")
        else {
            throw LanguageError(.unavailable, "no sample \(name)")
        }
        return try JSON(parsing: data)
    }

    static func samples() -> [String] {
        let names =
            folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0 + "/gemini/samples") } ?? []
        return names.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }
}

enum Sample {
    static let http = CurlClient()

    static func tool(_ id: String, _ parameters: JSON, effect: Effect = .read) -> ToolDefinition {
        ToolDefinition(
            id: id, title: id, description: "Does \(id).", parameters: parameters, result: true, effect: effect,
            undo: .rows, trust: .system, utterances: [], slots: [:])
    }

    static let events = tool(
        "calendar.list",
        [
            "type": "object", "additionalProperties": false,
            "properties": [
                "start": ["type": "string", "format": "date-time"], "end": ["type": "string", "format": "date-time"],
                "limit": ["type": ["integer", "null"], "minimum": 1, "maximum": 50],
            ], "required": ["start", "end"],
        ])
    static let search = tool(
        "mail.search",
        [
            "type": "object", "additionalProperties": false, "properties": ["query": ["type": "string"]],
            "required": ["query"],
        ])
    static let add = tool(
        "tasks.add",
        [
            "type": "object", "additionalProperties": false,
            "properties": ["items": ["type": "array", "items": ["$ref": "#/$defs/item"], "minItems": 1]],
            "required": ["items"],
            "$defs": ["item": ["type": "object", "properties": ["name": ["type": "string"]], "required": ["name"]]],
        ], effect: .write)
    static let tools = [search, events, add]

    static let now = Timestamp("2026-11-21T10:00:00Z") ?? Timestamp(millisecondsSinceEpoch: 0)

    static func request(
        _ messages: [LanguageMessage], tools: [ToolDefinition] = Sample.tools,
        use: LanguageRequest.ToolUse = .automatic,
        account: LanguageAccount? = nil
    ) -> LanguageRequest {
        LanguageRequest(
            instructions: "Be brief.", messages: messages, tools: tools,
            context: PlannerContext(now: now, timeZone: "Europe/Paris"), toolUse: use, account: account)
    }

    static func gemini(_ simulator: GeminiSimulator, model: String = "gemini-2.5-flash", key: String = "SAMPLE-KEY")
        throws -> GeminiProvider
    {
        guard let base = WebAddress(simulator.origin) else { throw LanguageError(.unavailable, "address") }
        var options = GeminiProvider.Options(key: Secret(key), base: base, model: model)
        options.timeout = .seconds(20)
        return GeminiProvider(options: options, http: http)
    }

    static func chat(_ simulator: ChatSimulator, key: String? = "SAMPLE-KEY") throws -> ChatCompletionsProvider {
        guard let base = WebAddress(simulator.base) else { throw LanguageError(.unavailable, "address") }
        var options = ChatCompletionsProvider.Options(key: key.map(Secret.init), base: base, model: "small")
        options.timeout = .seconds(20)
        return ChatCompletionsProvider(options: options, http: http)
    }
}

/// All of a stream.
struct Collected {
    var text = ""
    var calls: [LanguageCall] = []
    var restarts = 0
    var finished: [LanguageResponse] = []
    var failure: LanguageError?

    init(_ stream: AsyncThrowingStream<LanguageEvent, any Error>) async {
        do {
            for try await event in stream {
                switch event {
                case .text(let piece): text += piece
                case .call(let call): calls.append(call)
                case .restarted:
                    text = ""
                    restarts += 1
                case .finished(let response): finished.append(response)
                }
            }
        } catch {
            failure = error as? LanguageError ?? LanguageError(.unavailable, "\(type(of: error))")
        }
    }
}
