import HTTPTypes
import TandemAccounts
import TandemCore
import TandemJSON
import TandemStorage

/// A person's messages as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
///
/// The id of an event is the message's: who comes back with it as `Last-Event-ID` gets what followed.
struct MessageStream: Sendable {
    /// How often other processes' messages are looked for, and whether the caller may still read.
    static let beat: Duration = .seconds(2)
    private static let page = 100
    /// Beats without a word after which a comment keeps proxies from closing the connection.
    private static let silence = 7

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
            for row in try await rows(after: start) { bytes += MessageStream.event(row) }
            return APIReply(200, headers: headers, body: .bytes(bytes))
        }
        guard let watch = call.services.feed.watch(scope.user) else {
            throw APIProblem(.tooManyRequests, "There are too many open streams.")
        }
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        continuation.yield(head)
        let work = Task { await run(from: start, watch, continuation) }
        continuation.onTermination = { _ in work.cancel() }
        return APIReply(200, headers: headers, body: .stream(stream))
    }

    private func run(
        from start: RecordID, _ watch: AsyncStream<Void>, _ continuation: AsyncStream<[UInt8]>.Continuation
    ) async {
        var last = start
        var beats = 0
        do {
            // What came between the answer's making and the watch is found by the first look.
            last = try await send(after: last, continuation)
            for await _ in watch {
                // The session may have ended, or the token: then this ends, too.
                guard let text = call.headers[.authorization], let bearer = text.split(separator: " ").last,
                    try await call.accounts.authenticate(String(bearer)).may(.conversation)
                else { break }
                let before = last
                last = try await send(after: last, continuation)
                beats = last == before ? beats + 1 : 0
                if beats >= MessageStream.silence {
                    continuation.yield(Array(": still here\n\n".utf8))
                    beats = 0
                }
            }
        } catch {
            // The client comes back by itself, and is told then what is wrong.
        }
        continuation.finish()
    }

    private func send(
        after last: RecordID, _ continuation: AsyncStream<[UInt8]>.Continuation
    ) async throws -> RecordID {
        var last = last
        while !Task.isCancelled {
            let rows = try await rows(after: last)
            for row in rows { continuation.yield(MessageStream.event(row)) }
            guard let newest = rows.last else { return last }
            last = newest.id
            if rows.count < MessageStream.page { return last }
        }
        return last
    }

    private func rows(after last: RecordID) async throws -> [UserRow] {
        try await call.database.read(scope) { transaction in
            try transaction.list(
                MessageRoutes.table, where: [RowCondition("id", .greater, .id(last))], order: [RowOrder("id")],
                limit: MessageStream.page)
        }
    }

    private func newest() async throws -> RecordID {
        try await call.database.read(scope) { transaction in
            try transaction.list(MessageRoutes.table, order: [RowOrder("id", descending: true)], limit: 1).first?.id
        } ?? RecordID(rawValue: 0)
    }

    private static func event(_ row: UserRow) -> [UInt8] {
        Array("id: \(row.id)\nevent: message\ndata: ".utf8) + MessageRoutes.json(row).serialized() + [10, 10]
    }
}
