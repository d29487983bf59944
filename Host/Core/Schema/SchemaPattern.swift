import CPCRE2

/// A compiled regular expression: PCRE2 with its just-in-time compiler and bounded searches.
///
/// Searches are unanchored, as JSON Schema asks. Compiled code runs only where pattern and length together promise a
/// short search, because PCRE2's match limit does not see all of its loops; the interpreter does the others, where
/// the limit bounds the backtracking from one starting point, and a time bounds all searches of one validation
/// together, looked at between windows of starting points. Any number of threads may search at once, each with its own `Scratch`.
final class SchemaPattern: @unchecked Sendable {
    // The compiled code is not changed after init (pcre2api(3), "Multithreading").

    /// What the searches of one validation share; not shared between threads.
    struct Scratch: ~Copyable {
        private let limits: SchemaLimits
        fileprivate var matchData: OpaquePointer?
        fileprivate var context: OpaquePointer?
        private var deadline: ContinuousClock.Instant?
        private var searches = 0
        /// A search was given up, so nothing can be said about the value.
        fileprivate(set) var isSpent = false

        init(_ limits: SchemaLimits) { self.limits = limits }

        deinit {
            pcre2_match_data_free_8(matchData)
            pcre2_match_context_free_8(context)
        }

        /// Gets ready for a search; false when the time is up.
        fileprivate mutating func begin(_ count: Int, isLong: Bool) -> Bool {
            if matchData == nil {
                matchData = pcre2_match_data_create_8(1, nil)
                context = pcre2_match_context_create_8(nil)
                pcre2_set_depth_limit_8(context, Swift.min(limits.matchLimit, 10_000))
                pcre2_set_heap_limit_8(context, 8192)
            }
            // One step of the limit may look at every byte.
            let share = UInt32(Swift.max(1000, 50_000_000 / Swift.max(count, 1)))
            pcre2_set_match_limit_8(context, Swift.min(limits.matchLimit, share))
            searches &+= 1
            if isLong || searches & 15 == 0 { _ = isInTime() }
            return !isSpent && matchData != nil && context != nil
        }

        /// Looks at the clock, which starts to run when it is first looked at.
        fileprivate mutating func isInTime() -> Bool {
            let now = ContinuousClock.now
            guard let deadline else {
                deadline = now + limits.patternTime
                return true
            }
            if now > deadline { isSpent = true }
            return !isSpent
        }
    }

    /// Why a pattern does not compile.
    struct Fault: Error {
        let message: String
    }

    private let code: OpaquePointer
    private let cost: ECMAPattern.Cost
    /// The same for an expression that needs no search.
    private let plain: PlainPattern?

    init(_ pattern: String) throws(Fault) {
        let translated: String
        do {
            (translated, cost) = try ECMAPattern.translated(pattern)
        } catch {
            throw Fault(message: "\(error.message) at character \(error.offset + 1)")
        }
        let options =
            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF
            | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK | PCRE2_USE_OFFSET_LIMIT
        var errorCode: Int32 = 0
        var errorOffset = 0
        let units = Array(translated.utf8)
        guard
            let code = units.withUnsafeBufferPointer({
                pcre2_compile_8($0.baseAddress, $0.count, UInt32(options), &errorCode, &errorOffset, nil)
            })
        else { throw Fault(message: Self.message(for: errorCode)) }
        // Without it, matching is slower but the same.
        _ = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        self.code = code
        plain = PlainPattern(pattern)
    }

    deinit {
        pcre2_code_free_8(code)
    }

    /// Whether the expression is found anywhere in the bytes, which must be UTF-8.
    ///
    /// False also when the search was given up; then `scratch.isSpent` is set.
    func isFound(in bytes: UnsafeBufferPointer<UInt8>, _ scratch: inout Scratch) -> Bool {
        if let plain { return plain.matches(bytes) }
        let isLong = !cost.isSmall(for: bytes.count)
        guard scratch.begin(bytes.count, isLong: isLong) else {
            scratch.isSpent = true
            return false
        }
        guard let start = bytes.baseAddress else { return isFoundInNothing(&scratch) }
        guard isLong else {
            return found(search(start, bytes.count, from: 0, compiled: true, scratch), &scratch)
        }
        var from = 0
        var window = 32
        while true {
            let last = Swift.min(from + window, bytes.count)
            pcre2_set_offset_limit_8(scratch.context, last)
            let began = ContinuousClock.now
            let result = search(start, bytes.count, from: from, compiled: false, scratch)
            pcre2_set_offset_limit_8(scratch.context, Self.noOffsetLimit)
            if result != PCRE2_ERROR_NOMATCH { return found(result, &scratch) }
            guard last < bytes.count, scratch.isInTime() else { return false }
            window = ContinuousClock.now - began < .microseconds(200) ? window * 2 : Swift.max(window / 2, 1)
            from = last + 1
            // A search may only begin where a character does.
            while from < bytes.count, bytes[from] & 0xC0 == 0x80 { from += 1 }
        }
    }

    /// PCRE2_UNSET, a macro that Swift does not import.
    private static let noOffsetLimit = Int(bitPattern: UInt.max)

    private func isFoundInNothing(_ scratch: inout Scratch) -> Bool {
        var nothing: UInt8 = 0
        return withUnsafePointer(to: &nothing) { place in
            found(search(place, 0, from: 0, compiled: true, scratch), &scratch)
        }
    }

    private func found(_ result: Int32, _ scratch: inout Scratch) -> Bool {
        if result < 0, result != PCRE2_ERROR_NOMATCH { scratch.isSpent = true }
        return result >= 0
    }

    private func search(
        _ start: UnsafePointer<UInt8>, _ count: Int, from offset: Int, compiled: Bool, _ scratch: borrowing Scratch
    ) -> Int32 {
        let options = UInt32(PCRE2_NO_UTF_CHECK)
        if compiled {
            let result = pcre2_match_8(code, start, count, offset, options, scratch.matchData, scratch.context)
            if result != PCRE2_ERROR_JIT_STACKLIMIT { return result }
        }
        return pcre2_match_8(
            code, start, count, offset, options | PCRE2_NO_JIT, scratch.matchData, scratch.context)
    }

    /// Whether the expression is found anywhere in the text.
    func isFound(in text: String, _ scratch: inout Scratch) -> Bool {
        var text = text
        return text.withUTF8 { isFound(in: $0, &scratch) }
    }

    private static func message(for code: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 160)
        let length = buffer.withUnsafeMutableBufferPointer {
            pcre2_get_error_message_8(code, $0.baseAddress, $0.count)
        }
        guard length > 0 else { return "is not a regular expression" }
        return "is not a regular expression: " + String(decoding: buffer.prefix(Int(length)), as: UTF8.self)
    }
}
