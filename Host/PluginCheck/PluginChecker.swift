import Glibc
import TandemCore
public import TandemJSON
public import TandemPluginHost

/// Checks a bundle as `tandem plugin check` does: each test in a process of its own, with a time limit.
public struct PluginChecker: Sendable {
    /// Compares calls between the host's process and a runner.
    ///
    /// - Parameter script: settings, and what services, other tools and secrets answer.
    /// - Parameter outcomes: what the check's own host got for the calls, for a plugin that cannot run in the host's
    ///   process; nil: the host's process is asked.
    public typealias ModeComparison =
        @Sendable (
            _ bundle: BundleExamination, _ calls: [PlannedCall], _ script: Transcript, _ outcomes: [JSON]?
        ) async -> [Finding]

    /// The executable `tandem-plugin-check-worker`.
    public var worker: String
    /// Of the generated arguments.
    public var seed: UInt64
    /// Generated cases per tool.
    public var cases = 200
    /// Shortens the time that a test may take, 10 to 90 s.
    public var timeLimitSeconds: Int?
    /// Only this case of the generator, for `--reproduce SEED:TOOL:NUMBER`.
    public var onlyCase: (tool: String, number: Int)?
    /// Names of checks to run; empty: all.
    public var only: Set<String> = []
    public var waivers = Waivers()
    /// The recorded calls; nil: none.
    public var transcript: Transcript?
    public var compareModes: ModeComparison?
    /// Called when a check has ended, for progress.
    public var onResult: @Sendable (CheckResult) -> Void = { _ in }

    public init(worker: String, seed: UInt64) {
        self.worker = worker
        self.seed = seed
    }

    /// `tandem-plugin-check-worker` beside this program.
    public static func workerBesideProgram() -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return folder + "/tandem-plugin-check-worker"
    }

    /// Runs the checks in the order of their tiers. What cannot be examined is a report, too.
    public func check(_ folder: String) async -> CheckReport {
        var report = CheckReport(bundle: folder, tools: 0, seed: seed, results: [])
        let bundle: BundleExamination
        do throws(PluginRefusal) {
            bundle = try BundleExamination(folder: folder)
        } catch {
            let result = CheckResult(
                .bronze, "manifest", "the bundle is one that a host accepts",
                [Finding(.error, error.code.rawValue, error.reason)])
            add(result, to: &report)
            return report
        }
        report.id = bundle.manifest.id
        report.name = bundle.manifest.name
        report.version = bundle.manifest.version
        report.tools = bundle.manifest.tools.count
        let session = CheckSession(checker: self, bundle: bundle)
        await session.run(into: &report)
        return report
    }

    func add(_ result: CheckResult, to report: inout CheckReport) {
        guard only.isEmpty || only.contains(result.name) else { return }
        let waived = waivers.apply(to: result)
        report.results.append(waived)
        onResult(waived)
    }

    func wants(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
}

/// What the author excuses: `{"waivers":[{"check":"fuzz","code":"result_mismatch","reason":"…","until":"2027-01-31"}]}`.
public struct Waivers: Sendable {
    private struct Entry: Sendable {
        var check: String
        var code: String?
        var reason: String
    }

    private var entries: [Entry] = []

    public init() {}

    /// Throws a sentence about what is wrong. `today` is a date like `2026-11-21`: a waiver ends after its day.
    public init(_ document: JSON, today: String) throws(CheckFileProblem) {
        guard let list = document["waivers"]?.arrayValue else { throw CheckFileProblem("has no array `waivers`") }
        for (index, item) in list.enumerated() {
            guard let check = item["check"]?.stringValue, let reason = item["reason"]?.stringValue, !reason.isEmpty
            else {
                throw CheckFileProblem("/waivers/\(index) needs `check` and `reason`")
            }
            if let until = item["until"]?.stringValue, until < today { continue }
            entries.append(Entry(check: check, code: item["code"]?.stringValue, reason: reason))
        }
    }

    func apply(to result: CheckResult) -> CheckResult {
        var result = result
        for index in result.findings.indices where result.findings[index].level == .error {
            let finding = result.findings[index]
            guard
                let entry = entries.first(where: {
                    $0.check == result.name && ($0.code ?? finding.code) == finding.code
                })
            else { continue }
            result.findings[index].level = .waived
            result.findings[index].hint = "waived: \(entry.reason)"
        }
        return result
    }
}

/// What is wrong with a file that the author gave.
public struct CheckFileProblem: Error, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
