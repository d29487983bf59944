import Foundation
import Synchronization
import TandemAgent
import TandemApplication
import TandemCore
import TandemStorage

/// The program that is killed: `tandem serve` as it is, over a database that ends the process at a chosen transaction.
public enum CrashServer {
    /// `FaultPoint.text`.
    public static let pointVariable = "CRASH_POINT"
    static let modelVariable = "CRASH_MODEL"
    static let answerVariable = "CRASH_ANSWER"
    /// The folder with `tandem`, and `plugins` beside it.
    public static let folderVariable = "CRASH_INSTALLATION"

    /// Serves until the process ends.
    public static func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        let configuration = try Configuration(environment: environment)
        Application.startLogging(configuration)
        var options = Application.Options()
        options.executableFolder = environment[folderVariable]
        if environment[modelVariable] != nil { options.language = CrashModel() }
        if let time = environment[answerVariable].flatMap(Int.init) { options.limits.answerTime = .milliseconds(time) }
        let fault = Mutex<FaultDatabase?>(nil)
        if let point = environment[pointVariable].flatMap(FaultPoint.init) {
            options.wrapDatabase = { database in
                let made = FaultDatabase(database, point: point)
                fault.withLock { $0 = made }
                return made
            }
        }
        let application = try await Application.open(configuration, options: options)
        let database = fault.withLock { $0 }
        try await application.serve { _ in database?.arm() }
    }
}
