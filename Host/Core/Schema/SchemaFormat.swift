/// The formats of 2020-12 validation, section 7.3, that can be asserted; each names its own source.
enum SchemaFormat: String, Sendable {
    case dateTime = "date-time"
    case date
    case time
    case duration
    case email
    case idnEmail = "idn-email"
    case hostname
    case idnHostname = "idn-hostname"
    case ipv4
    case ipv6
    case uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    case uuid
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
    case regex

    /// Whether a string has the format.
    func accepts(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            let whole = bytes[...]
            switch self {
            case .dateTime: return FormatDates.isDateTime(whole)
            case .date: return FormatDates.isDate(whole)
            case .time: return FormatDates.isTime(whole)
            case .duration: return FormatDates.isDuration(whole)
            case .email: return FormatHosts.isEmail(whole, isInternational: false)
            case .idnEmail: return FormatHosts.isEmail(whole, isInternational: true)
            case .hostname: return FormatHosts.isHostname(whole)
            case .idnHostname: return FormatHosts.isInternationalHostname(whole)
            case .ipv4: return FormatHosts.isIPv4(whole)
            case .ipv6: return FormatHosts.isIPv6(whole)
            case .uri: return FormatURI.accepts(whole, isInternational: false, needsScheme: true)
            case .uriReference: return FormatURI.accepts(whole, isInternational: false, needsScheme: false)
            case .iri: return FormatURI.accepts(whole, isInternational: true, needsScheme: true)
            case .iriReference: return FormatURI.accepts(whole, isInternational: true, needsScheme: false)
            case .uriTemplate: return FormatURI.isTemplate(whole)
            case .uuid: return Self.isUUID(whole)
            case .jsonPointer: return Self.isJSONPointer(whole)
            case .relativeJSONPointer: return Self.isRelativeJSONPointer(whole)
            case .regex: return (try? ECMAPattern.translated(String(decoding: whole, as: UTF8.self))) != nil
            }
        }
    }

    /// RFC 4122, section 3.
    private static func isUUID(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard text.count == 36 else { return false }
        for (offset, unit) in text.enumerated() {
            switch offset {
            case 8, 13, 18, 23: if unit != 0x2D { return false }
            default: if ASCII.hexValue(unit) == nil { return false }
            }
        }
        return true
    }

    /// RFC 6901, section 3.
    private static func isJSONPointer(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard let first = text.first else { return true }
        guard first == 0x2F else { return false }
        var afterTilde = false
        for unit in text {
            if afterTilde, unit != 0x30, unit != 0x31 { return false }
            afterTilde = unit == 0x7E
        }
        return !afterTilde
    }

    /// draft-bhutton-relative-json-pointer-00, section 3.
    private static func isRelativeJSONPointer(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        let digits = text.prefix(while: ASCII.isDigit)
        guard let first = digits.first, first != 0x30 || digits.count == 1 else { return false }
        var rest = text.dropFirst(digits.count)
        if rest.count == 1, rest.first == 0x23 { return true }
        if let sign = rest.first, sign == 0x2B || sign == 0x2D {
            rest = rest.dropFirst()
            let shift = rest.prefix(while: ASCII.isDigit)
            guard let first = shift.first, first != 0x30 else { return false }
            rest = rest.dropFirst(shift.count)
            if rest.count == 1, rest.first == 0x23 { return true }
        }
        return isJSONPointer(rest)
    }
}

typealias FormatBytes = Slice<UnsafeBufferPointer<UInt8>>
