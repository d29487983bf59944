/// An expression that can be matched in one pass without going back: what most patterns of schemas are.
///
/// `^[0-9]{4}-[0-9]{2}$`, `^-?[0-9]{1,18}(\.[0-9]{1,18})?$`, `^[A-Z]{3}$`: anchored at both ends, ASCII characters and
/// classes with a number of repetitions, at most one optional group and that at the end. Wherever a repetition could go
/// on, the next character says whether it does; so the longest match is the only one.
struct PlainPattern: Sendable {
    private struct Item {
        /// The ASCII characters that it takes, as bits.
        var low: UInt64 = 0
        var high: UInt64 = 0
        var least = 1
        var most = 1

        mutating func insert(_ byte: UInt8) {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
        }

        func takes(_ byte: UInt8) -> Bool {
            byte < 64 ? low >> UInt64(byte) & 1 == 1 : byte < 128 && high >> UInt64(byte - 64) & 1 == 1
        }

        func overlaps(_ other: Item) -> Bool { low & other.low != 0 || high & other.high != 0 }
    }

    private var items: [Item] = []
    /// The items of the optional group.
    private var tail: [Item] = []

    /// Nil for every expression that is not of this kind; it need not be one that is valid.
    init?(_ pattern: String) {
        let bytes = Array(pattern.utf8)
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "^"), bytes.last == UInt8(ascii: "$"), bytes.count < 256
        else { return nil }
        var place = 1
        let end = bytes.count - 1
        guard let items = PlainPattern.items(bytes, &place, end) else { return nil }
        self.items = items
        if place < end {
            guard bytes[place] == UInt8(ascii: "(") else { return nil }
            place += 1
            if place + 1 < end, bytes[place] == UInt8(ascii: "?") {
                guard bytes[place + 1] == UInt8(ascii: ":") else { return nil }
                place += 2
            }
            guard let tail = PlainPattern.items(bytes, &place, end), let first = tail.first, first.least > 0,
                place == end - 2, bytes[place] == UInt8(ascii: ")"), bytes[place + 1] == UInt8(ascii: "?")
            else { return nil }
            self.tail = tail
        }
        guard PlainPattern.isDecided(items + tail) else { return nil }
    }

    /// Whether no repetition could also leave a character to what follows it.
    private static func isDecided(_ items: [Item]) -> Bool {
        for (index, item) in items.enumerated() where item.least < item.most {
            for next in items[(index + 1)...] {
                if item.overlaps(next) { return false }
                if next.least > 0 { break }
            }
        }
        return true
    }

    /// Reads up to a parenthesis or the end.
    private static func items(_ bytes: [UInt8], _ place: inout Int, _ end: Int) -> [Item]? {
        var items: [Item] = []
        while place < end, bytes[place] != UInt8(ascii: "("), bytes[place] != UInt8(ascii: ")") {
            guard var item = atom(bytes, &place, end), repeats(&item, bytes, &place, end) else { return nil }
            items.append(item)
        }
        return items
    }

    private static func atom(_ bytes: [UInt8], _ place: inout Int, _ end: Int) -> Item? {
        var item = Item()
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "["):
            guard place < end, bytes[place] != UInt8(ascii: "^") else { return nil }
            while place < end, bytes[place] != UInt8(ascii: "]") {
                let first = bytes[place]
                guard isPlain(first) || first == UInt8(ascii: "."), first != UInt8(ascii: "-") else { return nil }
                var last = first
                if place + 2 < end, bytes[place + 1] == UInt8(ascii: "-") {
                    last = bytes[place + 2]
                    guard isPlain(last), last >= first else { return nil }
                    place += 2
                }
                for member in first...last { item.insert(member) }
                place += 1
            }
            guard place < end, item.low | item.high != 0 else { return nil }
            place += 1
        case UInt8(ascii: "\\"):
            guard place < end else { return nil }
            switch bytes[place] {
            case UInt8(ascii: "d"): for digit in UInt8(ascii: "0")...UInt8(ascii: "9") { item.insert(digit) }
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "$"):
                item.insert(bytes[place])
            default: return nil
            }
            place += 1
        default:
            guard isPlain(byte) else { return nil }
            item.insert(byte)
        }
        return item
    }

    /// Stands for itself.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "@"),
            UInt8(ascii: ","), UInt8(ascii: "#"), UInt8(ascii: "%"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    private static func repeats(_ item: inout Item, _ bytes: [UInt8], _ place: inout Int, _ end: Int) -> Bool {
        guard place < end else { return true }
        switch bytes[place] {
        case UInt8(ascii: "?"): item.least = 0
        case UInt8(ascii: "*"): (item.least, item.most) = (0, .max)
        case UInt8(ascii: "+"): item.most = .max
        case UInt8(ascii: "{"):
            place += 1
            guard let least = number(bytes, &place, end), place < end else { return false }
            (item.least, item.most) = (least, least)
            if bytes[place] == UInt8(ascii: ",") {
                place += 1
                guard place < end else { return false }
                if bytes[place] == UInt8(ascii: "}") {
                    item.most = .max
                } else {
                    guard let most = number(bytes, &place, end), most >= least, place < end else { return false }
                    item.most = most
                }
            }
            guard bytes[place] == UInt8(ascii: "}") else { return false }
        default: return true
        }
        place += 1
        // Neither a lazy repetition nor a repeated one.
        return place >= end
            || ![UInt8(ascii: "?"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "{")]
                .contains(bytes[place])
    }

    private static func number(_ bytes: [UInt8], _ place: inout Int, _ end: Int) -> Int? {
        var value = 0
        let start = place
        while place < end, bytes[place] &- 48 < 10, place - start < 5 {
            value = value * 10 + Int(bytes[place] - 48)
            place += 1
        }
        return place > start ? value : nil
    }

    /// Whether all of the bytes match.
    func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var place = 0
        guard PlainPattern.pass(items, bytes, &place) else { return false }
        if place == bytes.count { return true }
        return !tail.isEmpty && PlainPattern.pass(tail, bytes, &place) && place == bytes.count
    }

    private static func pass(_ items: [Item], _ bytes: UnsafeBufferPointer<UInt8>, _ place: inout Int) -> Bool {
        for item in items {
            var count = 0
            while count < item.most, place < bytes.count, item.takes(bytes[place]) {
                count += 1
                place += 1
            }
            guard count >= item.least else { return false }
        }
        return true
    }
}
