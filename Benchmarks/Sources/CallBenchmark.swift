import Foundation
import TandemCore
import TandemJSON
import TandemPluginHost

/// A plugin call in process with grants and both validations, 1 KB of JSON each way: a C and a Swift plugin.
enum CallBenchmark {
    static func run(_ place: Place) async throws -> [Figure] {
        let folder = try place.fresh("call")
        let bundles = folder + "/plugins"
        let library = folder + "/libcecho.so"
        try place.compile(
            "Benchmarks/echo.c", to: library,
            ["-std=c11", "-fPIC", "-shared", "-fvisibility=hidden", "-I\(place.root)/PluginSDK/C/include"])
        // Two libraries cannot be asked for their manifests by a host that also loads them: pack elsewhere.
        let tandem = place.buildFolder + "/tandem"
        try Child.check(tandem, ["plugin", "pack", library, "--into", bundles])
        try Child.check(tandem, ["plugin", "pack", place.buildFolder + "/libEchoBench.so", "--into", bundles])
        let registry: JSON = [
            "version": 1,
            "plugins": .array(
                [("tandem.bench-cecho", "libcecho"), ("tandem.bench-echo", "libechobench")].map { id, bundle in
                    [
                        "id": .string(id), "bundle": .string(bundle), "trust": "first-party",
                        "isolation": "in-process", "default": "enabled",
                    ]
                }),
        ]
        // The packer names the folder after the library.
        for (index, name) in ["cecho", "echobench"].enumerated() {
            let from = bundles + "/" + name
            let to = bundles + "/" + ["libcecho", "libechobench"][index]
            if FileManager.default.fileExists(atPath: from) {
                try FileManager.default.moveItem(atPath: from, toPath: to)
            }
        }
        try Data(registry.pretty().utf8).write(to: URL(fileURLWithPath: folder + "/registry.json"))
        let host = PluginHost(
            configuration: PluginHostConfiguration(
                registryPath: folder + "/registry.json", searchPaths: [bundles], buildFolder: bundles),
            services: HostServices(rows: NoRows()), grants: MemoryGrantStore())
        await host.start()
        for status in host.statuses() {
            if let refusal = status.refusal { throw Child.Failure(description: "\(status.id): \(refusal.reason)") }
        }
        let scope = UserScope(authenticated: UserID(rawValue: 1))
        _ = try await host.switchOn("tandem.bench-cecho", in: scope)
        _ = try await host.switchOn("tandem.bench-echo", in: scope)
        let arguments = things()
        var figures: [Figure] = []
        for (name, tool) in [("C plugin", "cbench.give"), ("Swift plugin", "bench.give")] {
            var medians: [Double] = []
            for run in 0..<6 {
                let median = try await median(of: host, tool: tool, arguments: arguments, scope: scope)
                if run > 0 { medians.append(median) }
            }
            figures.append(
                Figure(name: "call in process, \(name), 1 KB", unit: "us", values: medians, goal: "<= 5"))
        }
        host.shutDown()
        return figures
    }

    /// The median of 40,000 calls, in microseconds.
    private static func median(
        of host: PluginHost, tool: String, arguments: JSON, scope: UserScope
    ) async throws -> Double {
        let call = ToolCall(
            tool: tool, arguments: arguments, origin: WriteOrigin(turn: RecordID(rawValue: 1), step: 0),
            deadlineNanoseconds: .max, idempotencyKey: "bench", allowedEffect: .read)
        var times: [UInt64] = []
        times.reserveCapacity(40_000)
        for _ in 0..<40_000 {
            let start = monotonicNanoseconds()
            let outcome = await host.call(call, in: scope)
            times.append(monotonicNanoseconds() - start)
            guard case .value = outcome else { throw Child.Failure(description: "\(tool) answered \(outcome)") }
        }
        times.sort()
        return Double(times[times.count / 2]) / 1000
    }

    /// About 1 KB of JSON: a shopping list.
    static func things() -> JSON {
        let names = [
            "semi-skimmed milk", "free range eggs", "wholemeal bread", "unsalted butter", "ripe bananas",
            "ground coffee", "basmati rice", "tinned tomatoes", "olive oil", "greek yoghurt", "spring onions",
            "cheddar cheese", "chicken thighs", "dark chocolate", "orange juice", "sparkling water",
        ]
        return [
            "items": .array(
                names.enumerated().map { index, name in
                    ["name": .string(name), "quantity": .string(String(index * 25 + 5)), "unit": "g"]
                })
        ]
    }
}

/// The echoes keep nothing.
struct NoRows: RowExecutor {
    func prepare(tables: [TableDefinition], owner: String) async throws {}

    func execute(
        operations: JSON, owner: String, scope: UserScope, origin: WriteOrigin, mayWrite: Bool,
        copies: Set<String>, quota: PluginQuota
    ) async -> Result<JSON, RowFailure> { .success([]) }
}
