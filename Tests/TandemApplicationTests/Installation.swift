import Foundation
import Synchronization
import TandemCore
import TandemJSON
import TandemPluginHost
import Testing

/// The program and its plugins as built, laid out in a folder of this test run.
struct Installation: Sendable {
    /// The executable's folder: `tandem` and `plugins`.
    let folder: String

    /// The bundled plugins, by the name of their product.
    static let plugins = ["Grocery", "Recipes", "Expenses"]

    /// Those that work with services elsewhere.
    static let services = ["DuckDuckGo", "Notion", "YouTube", "Gmail", "Graph"]

    /// Packed once per run. Fails where something was not built: nothing here is skipped.
    static func shared() throws -> Installation { try made.get() }

    private static let made: Result<Installation, any Error> = Result {
        let build = try buildFolder()
        let folder = try TestFolder("install", isKept: true)
        let tandem = build + "/tandem"
        guard access(tandem, X_OK) == 0 else { throw Missing("\(tandem) was not built") }
        // The same file where it can be: a debug build is large.
        if link(tandem, folder.path + "/tandem") != 0 {
            try FileManager.default.copyItem(atPath: tandem, toPath: folder.path + "/tandem")
        }
        for name in plugins + services {
            let library = build + "/lib\(name)Plugin.so"
            guard access(library, R_OK) == 0 else { throw Missing("\(library) was not built") }
            _ = try BundlePacker.pack(library: library, into: folder.path + "/plugins/" + name.lowercased())
        }
        // Uses a person's account elsewhere.
        _ = try BundlePacker.pack(library: build + "/libOfficeFixture.so", into: folder.path + "/plugins/office")
        // Has effects elsewhere.
        _ = try BundlePacker.pack(library: build + "/libCourierFixture.so", into: folder.path + "/plugins/courier")
        return Installation(folder: folder.path)
    }

    /// Where the running test bundle lies, with the products beside it.
    static func buildFolder() throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { throw Missing("the test bundle cannot be found") }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    }

    struct Missing: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) { self.description = description }
    }

    /// A registry of the bundled plugins.
    static func registry(_ names: [String] = plugins, edit: (inout JSONObject) -> Void = { _ in }) -> String {
        let entries = names.map { name -> JSON in
            var entry: JSONObject = [
                "id": .string("tandem.\(name.lowercased())"), "namespace": .string(name.lowercased()),
                "bundle": .string(name.lowercased()), "trust": "first-party", "isolation": "in-process",
                "default": "offered",
            ]
            edit(&entry)
            return .object(entry)
        }
        return JSON.object(["version": 1, "plugins": .array(entries)]).pretty()
    }
}

/// A folder of one test's own, removed with it, or with the process.
final class TestFolder: Sendable {
    let path: String
    private let isKept: Bool

    init(_ name: String = "app", isKept: Bool = false) throws {
        var template = Array((NSTemporaryDirectory() + "tandem-\(name)-XXXXXX").utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
        self.isKept = isKept
        if isKept {
            KeptFolders.add(path)
        }
    }

    deinit { if !isKept { try? FileManager.default.removeItem(atPath: path) } }

    /// Replaces a file as an editor does: whole, under its name.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name), options: .atomic)
    }
}

/// Removes folders when the process ends.
private enum KeptFolders {
    private static let paths = Mutex<[String]>([])
    private static let hook: Void = {
        atexit {
            for path in KeptFolders.paths.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
        }
    }()

    static func add(_ path: String) {
        paths.withLock { $0.append(path) }
        _ = hook
    }
}
