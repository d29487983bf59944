/// Base64 of both alphabets (RFC 4648) and quoted-printable (RFC 2045).
public enum TransferEncoding {
    /// Decodes either alphabet, with padding or without; what belongs to neither is skipped.
    public static func base64(_ text: some Sequence<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text {
            let value: UInt32
            switch byte {
            case 65...90: value = UInt32(byte) - 65
            case 97...122: value = UInt32(byte) - 71
            case 48...57: value = UInt32(byte) + 4
            case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
            default: continue
            }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        return output
    }

    /// - Parameter isURL: the alphabet of RFC 4648 section 5, as services want it for whole messages.
    public static func base64Encoded(_ bytes: [UInt8], isURL: Bool = false) -> String {
        let alphabet = Array(
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + (isURL ? "-_" : "+/")).utf8)
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let first = UInt32(bytes[index]) << 16
            let second = index + 1 < bytes.count ? UInt32(bytes[index + 1]) << 8 : 0
            let third = index + 2 < bytes.count ? UInt32(bytes[index + 2]) : 0
            let bits = first | second | third
            output.append(alphabet[Int(bits >> 18)])
            output.append(alphabet[Int(bits >> 12 & 63)])
            output.append(index + 1 < bytes.count ? alphabet[Int(bits >> 6 & 63)] : UInt8(ascii: "="))
            output.append(index + 2 < bytes.count ? alphabet[Int(bits & 63)] : UInt8(ascii: "="))
            index += 3
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Decodes quoted-printable, of header words where `_` is a space, too.
    public static func quotedPrintable(_ text: some Sequence<UInt8>, isHeader: Bool = false) -> [UInt8] {
        let bytes = Array(text)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "_"), isHeader {
                output.append(0x20)
            } else if byte == UInt8(ascii: "="), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                output.append(high << 4 | low)
                index += 2
            } else if byte == UInt8(ascii: "="), index + 1 < bytes.count, bytes[index + 1] == 10 {
                index += 1
            } else if byte == UInt8(ascii: "="), index + 2 < bytes.count, bytes[index + 1] == 13, bytes[index + 2] == 10
            {
                index += 2
            } else {
                output.append(byte)
            }
            index += 1
        }
        return output
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        if byte &- 48 < 10 { return byte - 48 }
        let letter = (byte | 0x20) &- 97
        return letter < 6 ? letter + 10 : nil
    }
}
