import Synchronization
import TandemCore
import TandemJSON
import TandemPluginHost
import TandemStorage

/// What the plugin under test gets from the host: tables in memory by its manifest, keys, timers; of the network, other
/// tools and secrets what a transcript says.
///
/// The rows are those of the real storage, with its rules. Everything of one run belongs to one person.
final class CheckServices: Sendable {
    private struct State {
        var keys: [[UInt8]: Entry] = [:]
        var version: UInt64 = 0
        var timers: JSONObject = [:]
        var events = 0
        var trace: [JSON] = []
        /// Which step of the journal the rows of a call belong to, by the call's number; a call that ended has none.
        var steps: [Int64: Int] = [:]
        var stepCount = 0
    }

    private struct Entry {
        var version: UInt64
        var expires: UInt64
        var value: [UInt8]
    }

    /// Statuses of the ABI (`tandem/base.h`).
    private enum Status {
        static let ok: Int32 = 0
        static let invalid: Int32 = -1
        static let unsupported: Int32 = -2
        static let notFound: Int32 = -8
        static let conflict: Int32 = -9
        static let unavailable: Int32 = -62
        static let notGranted: Int32 = -40
        static let hostNotAllowed: Int32 = -41
        static let failed: Int32 = -99
    }

    private let database: (any Database)?
    private let manifest: PluginManifest
    private let scope: UserScope
    private let canned: CannedAnswers
    /// Every request of an extension fails with this status.
    private let failsWith: Int32?
    private let state = Mutex(State())
    private let work: AsyncStream<Work>
    private let queue: AsyncStream<Work>.Continuation
    private let worker = Mutex<Task<Void, Never>?>(nil)

    /// One event of the worker's, and where its answer goes.
    private struct Work: Sendable {
        var event: JSON
        var pipe: AnswerPipe
    }

    /// - Parameter failsWith: what every request ends with, for plugins that meet a host in trouble.
    init(
        _ manifest: PluginManifest, canned: CannedAnswers = CannedAnswers(nil), failsWith: Int32? = nil
    ) async throws {
        self.manifest = manifest
        self.canned = canned
        self.failsWith = failsWith
        // The clock of the worker's tandem.clock/1, so that what is stored is the same tomorrow.
        let clock = ManualClock(Timestamp(millisecondsSinceEpoch: 1_795_255_200_000))
        let ids = IDGenerator(clock: clock, node: 0)
        (work, queue) = AsyncStream.makeStream()
        scope = UserScope(authenticated: UserID(rawValue: 1))
        if manifest.tables.isEmpty {
            database = nil
        } else {
            let opened = try await SQLiteDatabase.open(
                SQLiteConfiguration(path: nil, readers: 1, isDurable: false), keyring: try Keyring.ephemeral(),
                clock: clock, ids: ids)
            try await opened.register(manifest.tables, owner: manifest.id)
            database = opened
        }
    }

    func close() async {
        queue.finish()
        await worker.withLock { $0 }?.value
        await database?.close()
    }

    /// What was asked, in order, for a trace: extension, function, what it was given, what came back.
    var trace: [JSON] { state.withLock(\.trace) }

    /// Takes an event of the worker's: answers an `ask` later, through its standard input, and takes back what a call that
    /// failed had written, as the host does. One after the other, in the order in which they came.
    func handle(_ event: JSON, answeringThrough pipe: AnswerPipe) {
        guard ["ask", "outcome"].contains(event["e"]?.stringValue) else { return }
        worker.withLock { worker in
            guard worker == nil else { return }
            worker = Task { for await work in self.work { await self.perform(work) } }
        }
        queue.yield(Work(event: event, pipe: pipe))
    }

    private func perform(_ work: Work) async {
        let event = work.event
        if event["e"] == "outcome" {
            await end(event)
            return
        }
        let id = event["id"]?.int64Value ?? 0
        let (status, bytes) = await respond(event)
        work.pipe.send(Array("answer\t\(id)\t\(status)\t\(Hex.text(bytes))\n".utf8))
    }

    /// Nothing stays of what a call wrote that was refused or ended with an error (`tandem/ext/rows.h`).
    private func end(_ event: JSON) async {
        let outcome = WorkerOutcome(event)
        let step = state.withLock { $0.steps.removeValue(forKey: Int64(outcome.number)) }
        guard let database, let step, outcome.isRefused || outcome.isError else { return }
        do {
            try await database.write(scope) { try $0.rollBack(Self.origin(step)) }
        } catch {
            state.withLock { $0.trace.append(["function": "rows.rollBack", "status": .integer(Int64(Status.failed))]) }
        }
    }

    private static func origin(_ step: Int) -> WriteOrigin { WriteOrigin(turn: RecordID(rawValue: 1), step: step) }

    /// The journal's step of a call that is running.
    private func step(ofCall number: Int64) -> Int {
        state.withLock { state in
            if let step = state.steps[number] { return step }
            state.stepCount += 1
            state.steps[number] = state.stepCount
            return state.stepCount
        }
    }

    private func respond(_ event: JSON) async -> (Int32, [UInt8]) {
        let function = (event["extension"]?.stringValue ?? "") + "." + (event["function"]?.stringValue ?? "")
        let slices = (event["slices"]?.arrayValue ?? []).map { Hex.bytes($0.stringValue) }
        let numbers = (event["numbers"]?.arrayValue ?? []).map { UInt64($0.stringValue ?? "") ?? 0 }
        let answer: (Int32, [UInt8])
        if let failsWith {
            answer = (failsWith, [])
        } else if function == "rows.execute" {
            let tool = event["tool"]?.stringValue ?? ""
            let effect = manifest.tools.first { $0.id == tool }?.effect
            let origin = Self.origin(step(ofCall: event["n"]?.int64Value ?? 0))
            answer = await rows(slices.first ?? [], mayWrite: effect != .read, origin)
        } else if function == "http.send" {
            answer = await network(slices)
        } else {
            answer = other(function, slices, numbers)
        }
        // What stands before the bytes that the plugin gets.
        let head = function.hasPrefix("kv.") ? 16 : function == "http.send" ? 6 : 0
        state.withLock { state in
            guard state.trace.count < 10_000 else { return }
            state.trace.append([
                "id": event["id"] ?? .null, "function": .string(function),
                "given": .array(slices.map { .string(String(decoding: $0, as: UTF8.self)) }),
                "status": .integer(Int64(answer.0)),
                "answer": .string(String(decoding: answer.1.dropFirst(head), as: UTF8.self)),
            ])
        }
        return answer
    }

    private func rows(_ text: [UInt8], mayWrite: Bool, _ origin: WriteOrigin) async -> (Int32, [UInt8]) {
        guard let database else { return (Status.notFound, []) }
        do {
            let operations = try RowOperation.parse(try JSON(parsing: text))
            let access = TableAccess.owner(manifest.id, allowsWrites: mayWrite)
            let results = try await database.write(scope) { transaction in
                try transaction.run(
                    operations, tables: access, origin: origin, quota: RowQuota(rows: 1_000_000, bytes: 1 << 30))
            }
            return (Status.ok, JSON.array(results.map(\.json)).serialized())
        } catch let error as StorageError {
            let failure = RowFailure(
                status: error.abiStatus, code: error.code.rawValue, operation: error.index, column: error.column,
                message: error.message)
            return (failure.status, failure.json.serialized())
        } catch is JSONError {
            return (Status.invalid, Array(#"{"code":"invalid_json","message":"the request is not JSON"}"#.utf8))
        } catch {
            return (Status.failed, [])
        }
    }

    /// Method, address, body, and lines: the grant, then the headers. The answer begins with status and the length of its type.
    private func network(_ slices: [[UInt8]]) async -> (Int32, [UInt8]) {
        func text(_ index: Int) -> String {
            index < slices.count ? String(decoding: slices[index], as: UTF8.self) : ""
        }
        var headers: [String: String] = [:]
        let lines = text(3).split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1]) }
        }
        let method = text(0)
        let request = CannedAnswers.Request(
            method: method.isEmpty ? "GET" : method, url: text(1), headers: headers,
            body: slices.count > 2 ? slices[2] : [], grant: lines.first.map(String.init) ?? "")
        guard let answer = await canned.answer(request) else { return (Status.unavailable, []) }
        let type = Array(answer.type.utf8.prefix(200))
        return (
            Status.ok,
            withUnsafeBytes(of: UInt32(clamping: answer.status).littleEndian, Array.init)
                + withUnsafeBytes(of: UInt16(type.count).littleEndian, Array.init) + type + answer.body
        )
    }

    private func other(_ function: String, _ slices: [[UInt8]], _ numbers: [UInt64]) -> (Int32, [UInt8]) {
        func text(_ index: Int) -> String {
            index < slices.count ? String(decoding: slices[index], as: UTF8.self) : ""
        }
        let declared = manifest.document
        switch function {
        case "kv.get", "kv.set", "kv.remove", "kv.list", "kv.usage": return keys(function, slices, numbers)
        case "secret.get":
            let names = (declared["secrets"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
            guard names.contains(text(0)) else { return (Status.unsupported, []) }
            guard let value = canned.secret(text(0)) else { return (Status.notFound, []) }
            return (Status.ok, Array(value.utf8))
        case "secret.entered":
            var entered: JSONObject = [:]
            for secret in declared["secrets"]?.arrayValue ?? [] {
                let name = secret["name"]?.stringValue ?? ""
                entered[name] = .bool(canned.secret(name) != nil)
            }
            return (Status.ok, JSON.object(entered).serialized())
        case "timer.set":
            let name = text(0)
            let due = Timestamp(millisecondsSinceEpoch: Int64(bitPattern: numbers.first ?? 0)).description
            state.withLock { state in
                state.timers[name] = [
                    "name": .string(name), "handler": .string(text(1)), "dueAt": .string(due), "repeat": .null,
                    "data": (slices.count > 2 ? try? JSON(parsing: slices[2]) : nil) ?? [:],
                ]
            }
            return (Status.ok, (["dueAt": .string(due)] as JSON).serialized())
        case "timer.cancel":
            let wasThere = state.withLock { $0.timers.removeValue(forKey: text(0)) != nil }
            return (wasThere ? Status.ok : Status.notFound, [])
        case "timer.list":
            let timers = state.withLock { $0.timers.values }
            return (Status.ok, (["timers": .array(timers)] as JSON).serialized())
        case "event.publish":
            let number = state.withLock { state -> Int in
                state.events += 1
                return state.events
            }
            return (Status.ok, (["event": .string(String(number))] as JSON).serialized())
        case "memory.recall": return (Status.ok, Array(#"{"memories":[]}"#.utf8))
        case "memory.propose": return (Status.ok, Array(#"{"proposal":"1","state":"waiting"}"#.utf8))
        case "tools.call":
            guard manifest.calls.contains(where: { $0.tool == text(0) }) else { return (Status.notGranted, []) }
            guard let value = canned.value(ofTool: text(0)) else { return (Status.unavailable, []) }
            return (Status.ok, value.serialized())
        default: return (Status.unsupported, [])
        }
    }

    /// The first 16 bytes of an answer are version and expiry.
    private func keys(_ function: String, _ slices: [[UInt8]], _ numbers: [UInt64]) -> (Int32, [UInt8]) {
        func head(_ version: UInt64, _ expires: UInt64, _ value: [UInt8] = []) -> [UInt8] {
            withUnsafeBytes(of: version.littleEndian, Array.init)
                + withUnsafeBytes(of: expires.littleEndian, Array.init)
                + value
        }
        let key = slices.first ?? []
        return state.withLock { state in
            switch function {
            case "kv.get":
                guard let entry = state.keys[key] else { return (Status.notFound, head(0, 0)) }
                return (Status.ok, head(entry.version, entry.expires, entry.value))
            case "kv.set":
                let expected = numbers.first ?? .max
                let current = state.keys[key]?.version ?? 0
                guard expected == .max || expected == current else { return (Status.conflict, head(current, 0)) }
                state.version += 1
                let lasting = numbers.count > 1 ? numbers[1] : 0
                let expires = lasting == 0 ? 0 : 1_795_255_200_000 &+ lasting
                state.keys[key] = Entry(version: state.version, expires: expires, value: slices.last ?? [])
                return (Status.ok, head(state.version, expires))
            case "kv.remove":
                let expected = numbers.first ?? .max
                guard let entry = state.keys[key] else { return (Status.notFound, head(0, 0)) }
                guard expected == .max || expected == entry.version else {
                    return (Status.conflict, head(entry.version, 0))
                }
                state.keys[key] = nil
                return (Status.ok, head(0, 0))
            case "kv.list":
                let after = slices.count > 1 ? slices[1] : []
                let limit = Int(clamping: numbers.first == 0 ? 100 : numbers.first ?? 100)
                let matching = state.keys.filter { entry in
                    entry.key.starts(with: key) && (after.isEmpty || after.lexicographicallyPrecedes(entry.key))
                }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
                let entries: [JSON] = matching.prefix(limit).map { entry in
                    [
                        "key": .string(String(decoding: entry.key, as: UTF8.self)),
                        "version": .string(String(entry.value.version)),
                        "bytes": .integer(Int64(entry.value.value.count)), "expiresAt": .null,
                    ]
                }
                let answer: JSON = ["entries": .array(entries), "more": .bool(matching.count > limit)]
                return (Status.ok, head(0, 0, answer.serialized()))
            default:
                let bytes = state.keys.reduce(0) { $0 + $1.key.count + $1.value.value.count }
                let answer: JSON = [
                    "entries": .integer(Int64(state.keys.count)), "bytes": .integer(Int64(bytes)),
                    "quota": ["entries": 1000, "bytes": 1_048_576],
                ]
                return (Status.ok, head(0, 0, answer.serialized()))
            }
        }
    }
}
