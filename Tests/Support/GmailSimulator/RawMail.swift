import Foundation

struct Refused: Error {
    var reason: String
}

/// A mail as it is handed in, read by the rules that a server has to insist on (RFC 5322, RFC 2045, RFC 2047).
struct RawMail {
    var list: [(String, String)]
    /// The first of each name, in lower case.
    var fields: [String: String]
    var text: String

    static func read(_ raw: String) -> Result<RawMail, Refused> {
        func refused(_ reason: String) -> Result<RawMail, Refused> { .failure(Refused(reason: reason)) }
        let standard = raw.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        guard !raw.contains("+"), !raw.contains("/") else { return refused("raw is not of the alphabet for addresses") }
        let padded = standard + String(repeating: "=", count: (4 - standard.count % 4) % 4)
        guard let data = Data(base64Encoded: padded) else { return refused("raw is no base64") }
        let bytes = [UInt8](data)
        for (index, byte) in bytes.enumerated() {
            if byte == 10, index == 0 || bytes[index - 1] != 13 { return refused("a bare line feed") }
            if byte == 13, index + 1 >= bytes.count || bytes[index + 1] != 10 {
                return refused("a bare carriage return")
            }
        }
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { return refused("no end of the head") }
        let head = data[..<end.lowerBound]
        guard head.allSatisfy({ $0 < 0x7F }) else { return refused("the head is not ASCII") }
        var list: [(String, String)] = []
        for line in String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n") {
            guard line.utf8.count <= 998 else { return refused("a line is too long") }
            if line.hasPrefix(" ") || line.hasPrefix("\t") {
                guard !list.isEmpty else { return refused("the head begins folded") }
                list[list.count - 1].1 += line
                continue
            }
            guard let colon = line.firstIndex(of: ":"), line[..<colon].allSatisfy({ $0.isLetter || $0 == "-" }) else {
                return refused("no field: \(line.prefix(40))")
            }
            list.append((String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " })))
        }
        var fields: [String: String] = [:]
        for (name, value) in list {
            // RFC 5322 section 3.6: each of these at most once.
            if fields[name.lowercased()] != nil { return refused("\(name) stands twice") }
            fields[name.lowercased()] = value
        }
        for name in ["from", "date"] where fields[name] == nil { return refused("\(name) is missing") }
        for id in ((fields["in-reply-to"] ?? "") + " " + (fields["references"] ?? "")).split(separator: " ")
        where !(id.hasPrefix("<") && id.hasSuffix(">") && id.contains("@")) {
            return refused("\(id) is no message id")
        }
        let body = Data(data[end.upperBound...])
        let text: String
        switch fields["content-transfer-encoding"]?.lowercased() ?? "7bit" {
        case "7bit":
            guard body.allSatisfy({ $0 < 0x80 }) else { return refused("the body is not 7bit") }
            text = String(decoding: body, as: UTF8.self)
        case "base64":
            guard let decoded = Data(base64Encoded: body, options: .ignoreUnknownCharacters) else {
                return refused("the body is no base64")
            }
            text = String(decoding: decoded, as: UTF8.self)
        default: return refused("an encoding that nobody here sends")
        }
        for index in list.indices where ["subject", "from", "to", "cc"].contains(list[index].0.lowercased()) {
            list[index].1 = decoded(list[index].1)
        }
        return .success(RawMail(list: list, fields: fields, text: text))
    }

    /// Resolves encoded words of UTF-8 in base64, the only ones that are handed in.
    private static func decoded(_ text: String) -> String {
        var output = ""
        var rest = text[...]
        while let start = rest.range(of: "=?UTF-8?B?") {
            let before = rest[..<start.lowerBound]
            if !(output.hasSuffix("\u{1}") && before.allSatisfy { $0 == " " }) { output += before }
            let after = rest[start.upperBound...]
            guard let end = after.range(of: "?="), let data = Data(base64Encoded: String(after[..<end.lowerBound]))
            else {
                return text
            }
            output += String(decoding: data, as: UTF8.self) + "\u{1}"
            rest = after[end.upperBound...]
        }
        return (output + rest).replacingOccurrences(of: "\u{1}", with: "")
    }
}
