/// The syntax of example sentences: words, `{slot}`, `[optional]`, `(one|of these)`; groups may nest eight deep.
enum UtteranceTemplate {
    struct Fault: Error {
        let text: String
    }

    /// The slots that a sentence names, in order, or what is wrong with it.
    static func slots(of text: String) -> Result<[String], Fault> {
        var slots: [String] = []
        var name: [UInt8]?
        // Open groups: their bracket and whether the current alternative holds anything.
        var open: [(bracket: UInt8, isFilled: Bool)] = []
        var hasContent = false
        func fault(_ text: String) -> Result<[String], Fault> { .failure(Fault(text: text)) }
        func fill() {
            hasContent = true
            if !open.isEmpty { open[open.count - 1].isFilled = true }
        }
        for byte in text.utf8 {
            if let current = name {
                guard byte == UInt8(ascii: "}") else {
                    name = current + [byte]
                    continue
                }
                let slot = String(decoding: current, as: UTF8.self)
                guard Names.isName(slot, 48) else { return fault("a slot must be an argument's name like {item_name}") }
                slots.append(slot)
                name = nil
                fill()
                continue
            }
            switch byte {
            case UInt8(ascii: "{"): name = []
            case UInt8(ascii: "}"): return fault("} without {")
            case UInt8(ascii: "["), UInt8(ascii: "("):
                open.append((byte, false))
                if open.count > 8 { return fault("more than 8 groups inside each other") }
            case UInt8(ascii: "]"), UInt8(ascii: ")"):
                let opening = byte == UInt8(ascii: "]") ? UInt8(ascii: "[") : UInt8(ascii: "(")
                guard let group = open.popLast(), group.bracket == opening else {
                    return fault(byte == UInt8(ascii: "]") ? "] without [" : ") without (")
                }
                guard group.isFilled else { return fault("an empty group or alternative") }
                fill()
            case UInt8(ascii: "|"):
                guard let group = open.last else { return fault("| outside of a group") }
                guard group.isFilled else { return fault("an empty group or alternative") }
                open[open.count - 1].isFilled = false
            case 0x20: break
            case 0x00..<0x20, 0x7F: return fault("a control character")
            default: fill()
            }
        }
        if name != nil { return fault("{ without }") }
        if let group = open.last { return fault(group.bracket == UInt8(ascii: "[") ? "[ without ]" : "( without )") }
        return hasContent ? .success(slots) : fault("no words")
    }
}
