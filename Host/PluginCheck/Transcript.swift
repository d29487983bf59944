import TandemCore
public import TandemJSON
import TandemPluginHost

/// Calls and their outcomes as they were once, kept with the plugin's source: `transcript.json`.
public struct Transcript: Sendable {
    public struct Call: Sendable {
        public var tool: String
        public var arguments: JSON
        /// What the person answers to the question that was asked last; the call is made again with it.
        public var answers: JSON?
        public var outcome: JSON

        public init(tool: String, arguments: JSON, answers: JSON? = nil, outcome: JSON = .null) {
            self.tool = tool
            self.arguments = arguments
            self.answers = answers
            self.outcome = outcome
        }

        var planned: PlannedCall { PlannedCall(tool: tool, arguments: arguments, answers: answers) }
        /// It ended with an error, or was refused.
        public var hasFailed: Bool { outcome["outcome"] == "error" || outcome["refused"] != nil }
    }

    public var calls: [Call]
    /// Answers of the network: `{"method","url","status","type","body"}`.
    public var http: [JSON]
    /// Answers of other plugins' tools: `{"tool","value"}`.
    public var tools: [JSON]
    /// Values of the plugin's secrets, by name.
    public var secrets: JSONObject
    /// Settings that differ from their defaults.
    public var config: JSONObject

    public init(
        calls: [Call], http: [JSON] = [], config: JSONObject = [:], tools: [JSON] = [], secrets: JSONObject = [:]
    ) {
        self.calls = calls
        self.http = http
        self.tools = tools
        self.secrets = secrets
        self.config = config
    }

    /// Throws a sentence about what is wrong, with its place; members that are not known are wrong, too.
    public init(_ document: JSON) throws(CheckFileProblem) {
        try Self.known(document, ["calls", "http", "config", "tools", "secrets"], at: "/")
        guard let list = document["calls"]?.arrayValue else { throw CheckFileProblem("has no array `calls`") }
        calls = []
        for (index, item) in list.enumerated() {
            try Self.known(item, ["tool", "arguments", "answers", "outcome"], at: "/calls/\(index)")
            guard let tool = item["tool"]?.stringValue, let arguments = item["arguments"], arguments.objectValue != nil
            else {
                throw CheckFileProblem("/calls/\(index) needs `tool` and `arguments`")
            }
            if let answers = item["answers"], answers.objectValue == nil {
                throw CheckFileProblem("/calls/\(index)/answers is no object: {\"which\":\"…\"}")
            }
            calls.append(
                Call(tool: tool, arguments: arguments, answers: item["answers"], outcome: item["outcome"] ?? .null))
        }
        http = document["http"]?.arrayValue ?? []
        for (index, item) in http.enumerated() {
            try Self.known(item, ["method", "url", "status", "type", "body"], at: "/http/\(index)")
            guard item["url"]?.stringValue != nil else { throw CheckFileProblem("/http/\(index) needs `url`") }
        }
        tools = document["tools"]?.arrayValue ?? []
        for (index, item) in tools.enumerated() {
            try Self.known(item, ["tool", "value"], at: "/tools/\(index)")
            guard item["tool"]?.stringValue != nil else { throw CheckFileProblem("/tools/\(index) needs `tool`") }
        }
        secrets = document["secrets"]?.objectValue ?? [:]
        if let settings = document["config"] {
            guard let object = settings.objectValue else { throw CheckFileProblem("/config is no object") }
            config = object
        } else {
            config = [:]
        }
    }

    private static func known(_ item: JSON, _ names: Set<String>, at place: String) throws(CheckFileProblem) {
        guard let object = item.objectValue else { throw CheckFileProblem("\(place) is no object") }
        if let stranger = object.keys.first(where: { !names.contains($0) }) {
            throw CheckFileProblem(
                "\(place) has a member `\(stranger)`, which means nothing; it may have \(names.sorted().joined(separator: ", "))"
            )
        }
    }

    public var json: JSON {
        var object: JSONObject = [
            "calls": .array(
                calls.map { call in
                    var item: JSONObject = ["tool": .string(call.tool), "arguments": call.arguments]
                    if let answers = call.answers { item["answers"] = answers }
                    item["outcome"] = call.outcome
                    return .object(item)
                })
        ]
        if !http.isEmpty { object["http"] = .array(http) }
        if !tools.isEmpty { object["tools"] = .array(tools) }
        if !secrets.isEmpty { object["secrets"] = .object(secrets) }
        if !config.isEmpty { object["config"] = .object(config) }
        return .object(object)
    }

    /// Why a host would never make the first call that it would not make; nil when it would make them all.
    func problem(in bundle: BundleExamination) throws(CheckFileProblem) -> (index: Int, text: String)? {
        for (index, call) in calls.enumerated() {
            if let problem = try PluginTrial.problem(with: call.arguments, of: call.tool, in: bundle) {
                return (index, "/calls/\(index): the arguments of \(call.tool) do not match its schema: \(problem)")
            }
        }
        return nil
    }
}
