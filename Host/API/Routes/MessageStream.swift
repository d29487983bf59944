import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// A person's messages as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
///
/// The id of an event is the message's: who comes back with it as `Last-Event-ID` gets what followed. Parts are made when
/// the connection takes them: a client that reads slowly, or not at all, holds nothing but its place.
struct MessageStream: Sendable {
    /// How often other processes' messages are looked for, and whether the caller may still read.
    static let beat: Duration = .seconds(2)
    private static let page = 100
    /// Beats without a word after which a comment keeps proxies from closing the connection.
    private static let silence = 7
    /// For how long another process' message may become visible after a later one.
    private static let lateness: Duration = .seconds(10)

    let call: APICall
    let scope: UserScope

    /// - Parameter isLive: Goes on until somebody ends it; else ends after what there is.
    func reply(after last: RecordID?, isLive: Bool) async throws -> APIReply {
        let start: RecordID
        if let last {
            start = last
        } else {
            start = try await newest()
        }
        var headers: HTTPFields = [.contentType: "text/event-stream"]
        headers[.cacheControl] = "no-store"
        let head = Array("retry: 3000\n: tandem\n\n".utf8)
        guard isLive else {
            var bytes = head
            for row in try await rows(after: start) { bytes += MessageStream.event(row, isLate: false) }
            return APIReply(200, headers: headers, body: .bytes(bytes))
        }
        guard let watch = call.services.feed.watch(scope.user) else {
            throw APIProblem(.tooManyRequests, "There are too many open streams.")
        }
        let reader = Reader(
            stream: self, watch: watch, head: head, place: Place(after: start, known: try await known(before: start)))
        return APIReply(200, headers: headers, body: .stream(AsyncStream(unfolding: { await reader.next() })))
    }

    /// What was sent.
    private struct Place {
        /// The highest id.
        var last: RecordID
        /// What was sent, or was there before, of the last few seconds.
        private var recent: Set<RecordID>

        init(after start: RecordID, known: Set<RecordID>) {
            last = start
            recent = known
        }

        /// From where on something new may be.
        var floor: RecordID { MessageStream.floor(of: last) }

        func contains(_ id: RecordID) -> Bool { recent.contains(id) }

        mutating func add(_ id: RecordID) {
            recent.insert(id)
            if id > last { last = id }
        }

        mutating func forgetOld() {
            let floor = floor
            recent = recent.filter { $0 > floor }
        }
    }

    /// Makes the next part when it is asked for one.
    private actor Reader {
        private let stream: MessageStream
        private let watch: AsyncStream<Void>
        private var head: [UInt8]?
        private var place: Place
        private var beats = 0

        init(stream: MessageStream, watch: AsyncStream<Void>, head: [UInt8], place: Place) {
            self.stream = stream
            self.watch = watch
            self.head = head
            self.place = place
        }

        /// Nil when the caller may read no more, or has gone.
        func next() async -> [UInt8]? {
            if let head {
                self.head = nil
                return head
            }
            do {
                // What came between the answer's making and the watch is found by the first look.
                while !Task.isCancelled {
                    do {
                        // Asked after the reading: what was written after the end of a session is never given to it.
                        let events = try await events()
                        guard try await stream.isAllowed else { return nil }
                        if let events {
                            beats = 0
                            return events
                        }
                    } catch let error as StorageError where error.isPassing {
                        // Browsers do not come back after a 503: the stream waits for the database instead.
                    }
                    guard await isWoken() else { return nil }
                    beats += 1
                    if beats >= MessageStream.silence {
                        beats = 0
                        return Array(": still here\n\n".utf8)
                    }
                }
            } catch {
                // The client comes back by itself, and is told then what is wrong.
            }
            return nil
        }

        private func isWoken() async -> Bool {
            for await _ in watch { return true }
            return false
        }

        /// At most a page of what was not sent yet.
        private func events() async throws -> [UInt8]? {
            var floor = place.floor
            while true {
                let rows = try await stream.rows(after: floor)
                let new = rows.filter { !place.contains($0.id) }
                if !new.isEmpty {
                    var bytes: [UInt8] = []
                    for row in new {
                        bytes += MessageStream.event(row, isLate: row.id < place.last)
                        place.add(row.id)
                    }
                    place.forgetOld()
                    return bytes
                }
                guard rows.count == MessageStream.page, let newest = rows.last else { return nil }
                floor = newest.id
            }
        }
    }

    /// The session may have ended, or the token.
    private var isAllowed: Bool {
        get async throws {
            guard let text = call.headers[.authorization], let bearer = text.split(separator: " ").last else {
                return false
            }
            return try await call.accounts.authenticate(String(bearer)).may(.conversation)
        }
    }

    private func rows(after last: RecordID) async throws -> [UserRow] {
        try await call.database.read(scope) { transaction in
            try transaction.list(
                MessageRoutes.table, where: [RowCondition("id", .greater, .id(last))], order: [RowOrder("id")],
                limit: MessageStream.page)
        }
    }

    /// A little before an id: those of other hosts' messages may have been made before and become visible after.
    private static func floor(of id: RecordID) -> RecordID {
        RecordID(rawValue: max(1, id.rawValue - RecordID.distance(lateness)))
    }

    /// What is there already of the time in which something late may come.
    private func known(before start: RecordID) async throws -> Set<RecordID> {
        let floor = MessageStream.floor(of: start)
        let rows = try await call.database.read(scope) { transaction in
            try transaction.list(
                MessageRoutes.table,
                where: [RowCondition("id", .greater, .id(floor)), RowCondition("id", .lessOrEqual, .id(start))],
                order: [RowOrder("id", descending: true)], limit: RowQuery.maxLimit)
        }
        return Set(rows.map(\.id))
    }

    private func newest() async throws -> RecordID {
        try await call.database.read(scope) { transaction in
            try transaction.list(MessageRoutes.table, order: [RowOrder("id", descending: true)], limit: 1).first?.id
        } ?? RecordID(rawValue: 1)
    }

    /// - Parameter isLate: One with a higher id was sent before. Without an id of its own it leaves the client at that one.
    private static func event(_ row: UserRow, isLate: Bool) -> [UInt8] {
        Array("\(isLate ? "" : "id: \(row.id)\n")event: message\ndata: ".utf8)
            + MessageRoutes.json(row).serialized() + [10, 10]
    }
}
