import Foundation
import TandemApplication
import TandemCore

/// From starting the process to its first answer, and what it takes of memory when it has nothing to do.
enum StartBenchmark {
    static func run(_ place: Place) async throws -> [Figure] {
        let data = try place.fresh("start")
        let environment = ["TANDEM_DATA": data]
        let tandem = place.buildFolder + "/tandem"
        try Child.check(tandem, ["demo"], environment: environment)
        var answers: [Double] = []
        for _ in 0..<7 {
            let start = monotonicNanoseconds()
            try Child.check(
                tandem, ["chat", "--as", "demo@tandem.local", "--say", "what's on my grocery list?"],
                environment: environment)
            answers.append(Double(monotonicNanoseconds() - start) / 1e6)
        }
        var ready: [Double] = []
        var memory: [Double] = []
        for _ in 0..<3 {
            let server = try await Server(place: place, data: data, environment: environment, people: 0)
            ready.append(server.millisecondsToReady)
            memory.append(server.residentMegabytes)
            server.stop()
        }
        return [
            Figure(name: "start of the process to the first answer", unit: "ms", values: answers, goal: "< 300"),
            Figure(name: "start of the server to ready", unit: "ms", values: ready, goal: "< 300"),
            Figure(name: "resident memory, idle, all plugins", unit: "MB", values: memory, goal: "< 60"),
        ]
    }
}
