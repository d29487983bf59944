import CSQLite

/// Registers `tandem_contains(text, needle)`: 1 when the text contains the needle regardless of case in any script.
func registerContains(on handle: OpaquePointer) {
    sqlite3_create_function_v2(
        handle, "tandem_contains", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nil, containsText, nil,
        nil,
        nil)
}

/// Not a closure within an isolated context: SQLite calls it on whatever thread runs the statement.
private func containsText(
    context: OpaquePointer?, count: Int32, values: UnsafeMutablePointer<OpaquePointer?>?
) {
    guard let context, let values, count == 2, let text = textArgument(values[0]), let needle = textArgument(values[1])
    else {
        if let context { sqlite3_result_null(context) }
        return
    }
    sqlite3_result_int(context, containsFolded(text, needle) ? 1 : 0)
}

private func textArgument(_ value: OpaquePointer?) -> String? {
    guard let value, sqlite3_value_type(value) == SQLITE_TEXT, let text = sqlite3_value_text(value) else { return nil }
    return String(decoding: UnsafeBufferPointer(start: text, count: Int(sqlite3_value_bytes(value))), as: UTF8.self)
}

/// Whether the lower-case form of `needle` stands in that of `text`, compared by UTF-8 bytes. The two forms of the small
/// sigma, which share a capital, are one.
func containsFolded(_ text: String, _ needle: String) -> Bool {
    let haystack = folded(text)
    let wanted = folded(needle)
    guard let first = wanted.first else { return true }
    guard haystack.count >= wanted.count else { return false }
    var start = 0
    let last = haystack.count - wanted.count
    while start <= last {
        if haystack[start] == first, haystack[start..<start + wanted.count].elementsEqual(wanted) { return true }
        start += 1
    }
    return false
}

private func folded(_ text: String) -> [UInt8] {
    var bytes = Array(text.lowercased().utf8)
    guard bytes.count > 1 else { return bytes }
    // U+03C2 is CF 82, U+03C3 is CF 83.
    for place in 1..<bytes.count where bytes[place] == 0x82 && bytes[place - 1] == 0xCF { bytes[place] = 0x83 }
    return bytes
}
