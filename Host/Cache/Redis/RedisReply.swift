import CHiredis

/// An answer in RESP2 (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).
enum RedisReply: Sendable, Hashable {
    case status(String)
    case bytes([UInt8])
    case integer(Int64)
    case array([RedisReply])
    case null
    /// Its first word says what kind of error it is.
    case failure(String)

    init(_ reply: redisReply) {
        switch reply.type {
        case REDIS_REPLY_STATUS: self = .status(RedisReply.text(reply))
        case REDIS_REPLY_ERROR: self = .failure(RedisReply.text(reply))
        case REDIS_REPLY_INTEGER: self = .integer(reply.integer)
        case REDIS_REPLY_STRING:
            guard let start = reply.str else {
                self = .bytes([])
                return
            }
            self = start.withMemoryRebound(to: UInt8.self, capacity: reply.len) {
                .bytes(Array(UnsafeBufferPointer(start: $0, count: reply.len)))
            }
        case REDIS_REPLY_ARRAY:
            var elements: [RedisReply] = []
            elements.reserveCapacity(reply.elements)
            for index in 0..<reply.elements {
                elements.append(reply.element[index].map { RedisReply($0.pointee) } ?? .null)
            }
            self = .array(elements)
        default: self = .null
        }
    }

    private static func text(_ reply: redisReply) -> String {
        guard let start = reply.str else { return "" }
        return start.withMemoryRebound(to: UInt8.self, capacity: reply.len) {
            String(decoding: UnsafeBufferPointer(start: $0, count: reply.len), as: UTF8.self)
        }
    }

    var integer: Int64? {
        if case .integer(let value) = self { return value }
        return nil
    }

    var bytes: [UInt8]? {
        if case .bytes(let value) = self { return value }
        return nil
    }

    var array: [RedisReply]? {
        if case .array(let value) = self { return value }
        return nil
    }

    /// The reply, unless it is an error: of those, which one it is, without the server's further words, which may quote.
    func checked() throws(CacheError) -> RedisReply {
        guard case .failure(let text) = self else { return self }
        throw RedisReply.error(text)
    }

    static func error(_ text: String) -> CacheError {
        let word = String(text.prefix { $0 != " " }.prefix(32))
        return switch word {
        case "LOADING": CacheError(.unavailable, "the server is still loading its data (LOADING)")
        case "READONLY": CacheError(.unavailable, "the server is a replica that takes no writes (READONLY)")
        case "MASTERDOWN": CacheError(.unavailable, "the server has lost its primary (MASTERDOWN)")
        case "BUSY": CacheError(.unavailable, "the server is busy with a script (BUSY)")
        case "MISCONF": CacheError(.unavailable, "the server cannot save its data and takes no writes (MISCONF)")
        case "OOM": CacheError(.unavailable, "the server's memory is full (OOM)")
        case "NOAUTH": CacheError(.unavailable, "the server wants a password (NOAUTH)")
        case "WRONGPASS": CacheError(.unavailable, "the server refuses the user or password (WRONGPASS)")
        case "NOPERM": CacheError(.refused, "the server's user may not do that (NOPERM)")
        case "MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT":
            CacheError(.refused, "the server is part of a cluster, which is not supported (\(word))")
        case "ERR" where text.hasPrefix("ERR max number of clients"):
            CacheError(.unavailable, "the server has as many clients as it takes")
        case "ERR" where text.hasPrefix("ERR invalid password"), "ERR" where text.hasPrefix("ERR Client sent AUTH"):
            CacheError(.unavailable, "the server refuses the password")
        case "ERR" where text.hasPrefix("ERR DB index"):
            CacheError(.refused, "the server does not have that database")
        default: CacheError(.refused, "the server answered \(word)")
        }
    }
}

/// Reads replies out of the bytes of a connection. Belongs to one thread.
struct RedisReader: ~Copyable {
    private let reader: UnsafeMutablePointer<redisReader>

    init?() {
        guard let reader = redisReaderCreate() else { return nil }
        self.reader = reader
    }

    deinit { redisReaderFree(reader) }

    /// False when the bytes are not of the protocol: the connection is of no more use.
    func feed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.bindMemory(to: CChar.self).baseAddress else { return true }
        return redisReaderFeed(reader, start, bytes.count) == REDIS_OK
    }

    enum Outcome {
        case reply(RedisReply)
        case incomplete
        case broken
    }

    func next() -> Outcome {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { return .broken }
        guard let object else { return .incomplete }
        defer { freeReplyObject(object) }
        return .reply(RedisReply(object.assumingMemoryBound(to: redisReply.self).pointee))
    }
}

/// A command as it is sent: an array of strings.
struct RedisCommand: Sendable {
    private(set) var bytes: [UInt8]

    init(_ name: String, count: Int) {
        bytes = []
        bytes.reserveCapacity(32 + count * 24)
        bytes.append(UInt8(ascii: "*"))
        appendNumber(Int64(count + 1))
        bytes.append(13)
        bytes.append(10)
        append(name)
    }

    init(_ name: String, _ arguments: String...) {
        self.init(name, count: arguments.count)
        for argument in arguments { append(argument) }
    }

    mutating func append(_ argument: String) {
        header(argument.utf8.count)
        bytes.append(contentsOf: argument.utf8)
        end()
    }

    mutating func append(_ argument: some Collection<UInt8>) {
        header(argument.count)
        bytes.append(contentsOf: argument)
        end()
    }

    mutating func append(_ first: [UInt8], _ second: [UInt8]) {
        header(first.count + second.count)
        bytes.append(contentsOf: first)
        bytes.append(contentsOf: second)
        end()
    }

    mutating func append(_ number: Int64) {
        let digits = RedisCommand.digits(number)
        header(digits.count)
        bytes.append(contentsOf: digits)
        end()
    }

    private mutating func header(_ count: Int) {
        bytes.append(UInt8(ascii: "$"))
        appendNumber(Int64(count))
        end()
    }

    private mutating func end() {
        bytes.append(13)
        bytes.append(10)
    }

    private mutating func appendNumber(_ number: Int64) {
        if (0...9).contains(number) {
            bytes.append(48 + UInt8(number))
        } else {
            bytes.append(contentsOf: RedisCommand.digits(number))
        }
    }

    private static func digits(_ number: Int64) -> String.UTF8View { String(number).utf8 }
}
