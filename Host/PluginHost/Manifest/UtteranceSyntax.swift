/// The syntax of example sentences: words, `{slot}`, `[optional]`, `(one|of these)`; groups may nest.
enum UtteranceSyntax {
    /// The slots that a template names, in order, or what is wrong with it.
    static func slots(of text: String) -> Result<[String], Fault> {
        var slots: [String] = []
        var open: [UInt8] = []
        var name: [UInt8]?
        var hasContent = false
        // For each open group: whether the current alternative holds anything.
        var isFilled: [Bool] = []
        for byte in text.utf8 {
            if var current = name {
                if byte == UInt8(ascii: "}") {
                    let slot = String(decoding: current, as: UTF8.self)
                    guard TextRule.isName(slot, atMost: 48) || isCamelCase(slot) else {
                        return .failure(Fault("a slot must be a name like {item_name}"))
                    }
                    slots.append(slot)
                    name = nil
                    hasContent = true
                    if !isFilled.isEmpty { isFilled[isFilled.count - 1] = true }
                } else {
                    current.append(byte)
                    name = current
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "{"): name = []
            case UInt8(ascii: "}"): return .failure(Fault("} without {"))
            case UInt8(ascii: "["), UInt8(ascii: "("):
                open.append(byte)
                isFilled.append(false)
                if open.count > 8 { return .failure(Fault("more than 8 groups inside each other")) }
            case UInt8(ascii: "]"), UInt8(ascii: ")"):
                let opening: UInt8 = byte == UInt8(ascii: "]") ? UInt8(ascii: "[") : UInt8(ascii: "(")
                guard open.popLast() == opening else {
                    return .failure(Fault(byte == UInt8(ascii: "]") ? "] without [" : ") without ("))
                }
                guard isFilled.popLast() == true else { return .failure(Fault("an empty group or alternative")) }
                if !isFilled.isEmpty { isFilled[isFilled.count - 1] = true }
            case UInt8(ascii: "|"):
                guard !open.isEmpty else { return .failure(Fault("| outside of a group")) }
                guard isFilled.last == true else { return .failure(Fault("an empty group or alternative")) }
                isFilled[isFilled.count - 1] = false
            case 0x20: break
            case 0x00..<0x20, 0x7F: return .failure(Fault("a control character"))
            default:
                hasContent = true
                if !isFilled.isEmpty { isFilled[isFilled.count - 1] = true }
            }
        }
        if name != nil { return .failure(Fault("{ without }")) }
        if let last = open.last { return .failure(Fault(last == UInt8(ascii: "[") ? "[ without ]" : "( without )")) }
        guard hasContent else { return .failure(Fault("no words")) }
        return .success(slots)
    }

    struct Fault: Error {
        var message: String

        init(_ message: String) { self.message = message }
    }

    private static func isCamelCase(_ text: String) -> Bool {
        guard let first = text.utf8.first, first >= 0x61, first <= 0x7A, text.utf8.count <= 48 else { return false }
        return text.utf8.allSatisfy {
            ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x41 && $0 <= 0x5A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F
        }
    }
}
