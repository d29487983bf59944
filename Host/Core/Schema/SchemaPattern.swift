import CPCRE2

/// A compiled regular expression: PCRE2 with its just-in-time compiler and bounded matching.
///
/// Searches are unanchored, as JSON Schema asks. A search that exceeds the match limit counts as no match, so a
/// hostile pattern costs a bounded time. Any number of threads may search at once, each with its own `Scratch`.
final class SchemaPattern: @unchecked Sendable {
    // The compiled code and the match context are not changed after init (pcre2api(3), "Multithreading").

    /// What one search at a time needs; not shared between threads.
    struct Scratch: ~Copyable {
        fileprivate let matchData: OpaquePointer?

        init() { matchData = pcre2_match_data_create_8(1, nil) }

        deinit { pcre2_match_data_free_8(matchData) }
    }

    /// Why a pattern does not compile.
    struct Fault: Error {
        let message: String
    }

    private let code: OpaquePointer
    private let context: OpaquePointer

    init(_ pattern: String, matchLimit: UInt32) throws(Fault) {
        let translated: String
        do {
            translated = try ECMAPattern.translated(pattern)
        } catch {
            throw Fault(message: "\(error.message) at character \(error.offset + 1)")
        }
        let options =
            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF
            | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK
        var errorCode: Int32 = 0
        var errorOffset = 0
        let units = Array(translated.utf8)
        guard
            let code = units.withUnsafeBufferPointer({
                pcre2_compile_8($0.baseAddress, $0.count, UInt32(options), &errorCode, &errorOffset, nil)
            })
        else { throw Fault(message: Self.message(for: errorCode)) }
        guard let context = pcre2_match_context_create_8(nil) else {
            pcre2_code_free_8(code)
            throw Fault(message: "cannot be prepared for lack of memory")
        }
        pcre2_set_match_limit_8(context, matchLimit)
        pcre2_set_depth_limit_8(context, Swift.min(matchLimit, 10_000))
        pcre2_set_heap_limit_8(context, 8192)
        // Without it, matching is slower but the same.
        _ = pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
        self.code = code
        self.context = context
    }

    deinit {
        pcre2_code_free_8(code)
        pcre2_match_context_free_8(context)
    }

    /// Whether the expression is found anywhere in the bytes, which must be UTF-8.
    func isFound(in bytes: UnsafeBufferPointer<UInt8>, _ scratch: borrowing Scratch) -> Bool {
        var empty: UInt8 = 0
        return withUnsafePointer(to: &empty) { none in
            let start = bytes.baseAddress ?? none
            var result = pcre2_match_8(
                code, start, bytes.count, 0, UInt32(PCRE2_NO_UTF_CHECK), scratch.matchData, context)
            if result == PCRE2_ERROR_JIT_STACKLIMIT {
                result = pcre2_match_8(
                    code, start, bytes.count, 0, UInt32(PCRE2_NO_UTF_CHECK) | PCRE2_NO_JIT, scratch.matchData, context)
            }
            return result >= 0
        }
    }

    /// Whether the expression is found anywhere in the text.
    func isFound(in text: String, _ scratch: borrowing Scratch) -> Bool {
        var text = text
        return text.withUTF8 { isFound(in: $0, scratch) }
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
