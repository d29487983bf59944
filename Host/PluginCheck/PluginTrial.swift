import TandemCore
public import TandemJSON
public import TandemPluginHost

/// Tries tools of a bundle by hand: in a process of its own, on empty tables in memory, with all that it asked the host.
public struct PluginTrial: Sendable {
    /// What happened, in order.
    public enum Step: Sendable, Hashable {
        /// The host called a tool.
        case call(tool: String, arguments: String)
        /// The plugin asked the host: `rows.execute`, what it gave, what came back.
        case asked(function: String, given: [String], status: Int32, answer: String)
        case logged(level: Int, message: String, fields: String)
        case metric(name: String, function: String, value: String)
        /// How a call ended, as transcripts have it.
        case ended(outcome: JSON, microseconds: Int)
        /// Something that `check` would object to.
        case found(Finding)
    }

    public struct Result: Sendable {
        public var steps: [Step]
        /// Every call came to an end, and nothing broke the contract.
        public var isGood: Bool
        /// Every call ended with a value.
        public var isValue: Bool
    }

    /// A status of the ABI by its name: `TANDEM_E_NOT_FOUND`.
    public static func statusName(_ status: Int32) -> String {
        let names: [Int32: String] = [
            0: "OK", -1: "INVALID_ARGUMENT", -2: "UNSUPPORTED", -3: "WRONG_STATE", -4: "STALE", -5: "ALREADY_DONE",
            -6: "WRONG_THREAD", -7: "SIZE_TOO_SMALL", -8: "NOT_FOUND", -9: "CONFLICT", -20: "NO_MEMORY",
            -21: "OVER_QUOTA", -22: "BUSY", -23: "DEADLINE_EXCEEDED", -24: "CANCELLED", -25: "TOO_LARGE",
            -40: "NOT_GRANTED", -41: "HOST_NOT_ALLOWED", -42: "CONFIRMATION_DENIED", -43: "REVOKED",
            -60: "AUTH_REQUIRED", -61: "RATE_LIMITED", -62: "UNAVAILABLE", -63: "REJECTED", -99: "INTERNAL",
        ]
        return names[status] ?? String(status)
    }

    public var worker: String

    public init(worker: String) { self.worker = worker }

    /// How the arguments fail to match the tool's schema; nil when they match. Throws when there is no such tool.
    public static func problem(
        with arguments: JSON, of tool: String, in bundle: BundleExamination
    ) throws(CheckFileProblem) -> String? {
        guard let definition = bundle.manifest.tools.first(where: { $0.id == tool }) else {
            let known = bundle.manifest.tools.map(\.id).joined(separator: ", ")
            throw CheckFileProblem("\(bundle.manifest.name) has no tool \(tool); it has \(known)")
        }
        do throws(JSONSchemaError) {
            let schema = try JSONSchema(compiling: definition.parameters)
            return schema.validate(arguments).first.map { violation in
                violation.instanceLocation.isEmpty
                    ? violation.message : "\(violation.instanceLocation) \(violation.message)"
            }
        } catch {
            return "the schema of \(tool) is invalid: \(error)"
        }
    }

    /// Makes the calls one after the other; each sees what those before it stored.
    ///
    /// - Parameter config: settings that differ from their defaults.
    public func run(
        _ bundle: BundleExamination, calls: [PlannedCall], http: [JSON] = [], config: JSONObject = [:]
    ) async -> Result {
        let checker = PluginChecker(worker: worker, seed: 0)
        let (run, trace) = await CheckSession(checker: checker, bundle: bundle, config: config)
            .trial(calls, canned: CannedAnswers(Transcript(calls: [], http: http)))
        var answers: [Int64: JSON] = [:]
        for entry in trace { answers[entry["id"]?.int64Value ?? 0] = entry }
        var steps: [Step] = []
        var started = 0
        var isGood = run.isComplete
        var isValue = true
        func text(_ event: JSON, _ name: String) -> String {
            String(decoding: Hex.bytes(event[name]?.stringValue), as: UTF8.self)
        }
        for event in run.events {
            switch event["e"]?.stringValue {
            case "stage":
                // `invoke of TOOL` is said once for each call of another tool; outcomes say the rest.
                break
            case "case":
                guard started < calls.count else { break }
                steps.append(
                    .call(
                        tool: calls[started].tool, arguments: String(decoding: calls[started].arguments, as: UTF8.self))
                )
                started += 1
            case "ask":
                let entry = answers[event["id"]?.int64Value ?? 0]
                steps.append(
                    .asked(
                        function: entry?["function"]?.stringValue ?? "?",
                        given: (entry?["given"]?.arrayValue ?? []).compactMap(\.stringValue),
                        status: Int32(truncatingIfNeeded: entry?["status"]?.int64Value ?? -99),
                        answer: entry?["answer"]?.stringValue ?? ""))
            case "log":
                steps.append(
                    .logged(
                        level: Int(event["level"]?.int64Value ?? 0), message: text(event, "message"),
                        fields: text(event, "fields")))
            case "metric":
                steps.append(
                    .metric(
                        name: text(event, "name"), function: event["function"]?.stringValue ?? "",
                        value: event["value"]?.stringValue ?? ""))
            case "outcome":
                let outcome = WorkerOutcome(event)
                isValue = isValue && outcome.isValue
                steps.append(.ended(outcome: outcome.transcript, microseconds: outcome.invokeMicroseconds))
            default: break
            }
        }
        for finding in CheckSession(checker: checker, bundle: bundle).judged(run) {
            if finding.level == .error { isGood = false }
            steps.append(.found(finding))
        }
        return Result(steps: steps, isGood: isGood, isValue: isValue && isGood)
    }
}

extension CheckSession {
    /// The calls in one instance, with what the host was asked.
    func trial(_ calls: [PlannedCall], canned: CannedAnswers) async -> (CheckWorker.Run, [JSON]) {
        do {
            let services = try await CheckServices(manifest, canned: canned)
            let run = await worker.run(
                "fuzz", CheckWorker.Script(settings: settings(), calls: calls), limitSeconds: 60, services: services)
            let trace = services.trace
            await services.close()
            return (run, trace)
        } catch {
            return (CheckWorker.Run(ending: "its tables cannot be made: \(error)"), [])
        }
    }

    func judged(_ run: CheckWorker.Run) -> [Finding] { findings(run, limitSeconds: 60) }
}
