import TandemJSON

/// Tables as RFC 4180 has them, for spreadsheets.
///
/// A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection); plain numbers
/// stay. The JSON beside it has every value as it is.
enum CSV {
    static func text(columns: [String], rows: [JSONObject]) -> [UInt8] {
        var bytes: [UInt8] = []
        append(columns, to: &bytes)
        for row in rows { append(columns.map { cell(row[$0] ?? .null) }, to: &bytes) }
        return bytes
    }

    private static func append(_ cells: [String], to bytes: inout [UInt8]) {
        for (place, cell) in cells.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            let text = isFormula(cell) ? "'" + cell : cell
            if text.utf8.contains(where: { $0 == 34 || $0 == 44 || $0 == 10 || $0 == 13 }) || text.hasPrefix(" ")
                || text.hasSuffix(" ")
            {
                bytes.append(UInt8(ascii: "\""))
                for byte in text.utf8 {
                    if byte == 34 { bytes.append(34) }
                    bytes.append(byte)
                }
                bytes.append(UInt8(ascii: "\""))
            } else {
                bytes.append(contentsOf: text.utf8)
            }
        }
        bytes.append(contentsOf: [13, 10])
    }

    private static func cell(_ value: JSON) -> String {
        switch value {
        case .null: ""
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        default: value.text
        }
    }

    static func isFormula(_ text: String) -> Bool {
        guard let first = text.utf8.first, "=+-@\t\r\n".utf8.contains(first) else { return false }
        // A sign before digits, with one point at most, is a number.
        let rest = text.utf8.dropFirst()
        let isNumber =
            (first == UInt8(ascii: "-") || first == UInt8(ascii: "+")) && !rest.isEmpty
            && rest.allSatisfy({ ($0 &- 48 < 10) || $0 == UInt8(ascii: ".") })
            && rest.count(where: { $0 == UInt8(ascii: ".") }) <= 1
        return !isNumber
    }
}
