/// How long a video is, and where in it something is.
enum VideoLength {
    /// Whole seconds of an ISO 8601 duration: `PT1H2M3S`, `P1DT2H`, `PT0S`, `P1W`; nil for anything else. Fractions of the
    /// smallest unit are cut off; years and months have no length in seconds.
    static func seconds(_ text: some StringProtocol) -> Int? {
        var bytes = ArraySlice(text.utf8)
        guard bytes.popFirst() == UInt8(ascii: "P"), !bytes.isEmpty else { return nil }
        var total = 0
        var isTime = false
        var last = -1
        var hasPart = false
        while let first = bytes.first {
            if first == UInt8(ascii: "T") {
                guard !isTime else { return nil }
                isTime = true
                hasPart = false
                bytes.removeFirst()
                continue
            }
            let digits = bytes.prefix { $0 &- 48 < 10 }
            guard !digits.isEmpty, digits.count <= 9, let number = Int(String(decoding: digits, as: UTF8.self)) else {
                return nil
            }
            bytes.removeFirst(digits.count)
            var isCut = false
            if let point = bytes.first, point == UInt8(ascii: ".") || point == UInt8(ascii: ",") {
                bytes.removeFirst()
                let fraction = bytes.prefix { $0 &- 48 < 10 }
                guard !fraction.isEmpty else { return nil }
                bytes.removeFirst(fraction.count)
                isCut = true
            }
            guard let unit = bytes.popFirst() else { return nil }
            let units: [(UInt8, Bool, Int, Int)] = [
                (UInt8(ascii: "W"), false, 0, 604_800), (UInt8(ascii: "D"), false, 1, 86_400),
                (UInt8(ascii: "H"), true, 2, 3600), (UInt8(ascii: "M"), true, 3, 60), (UInt8(ascii: "S"), true, 4, 1),
            ]
            guard let (_, _, place, length) = units.first(where: { $0.0 == unit && $0.1 == isTime }), place > last
            else {
                return nil
            }
            guard !isCut || bytes.isEmpty else { return nil }
            last = place
            hasPart = true
            total += number * length
        }
        return hasPart ? total : nil
    }

    /// `1:02:03`, `4:05`.
    static func clock(_ seconds: Int) -> String {
        let seconds = max(0, seconds)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }

    /// Seconds of `1:02:03` or `4:05`; nil for anything else.
    static func seconds(clock text: some StringProtocol) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count) else { return nil }
        var total = 0
        for (index, part) in parts.enumerated() {
            guard (1...(index == 0 ? 3 : 2)).contains(part.utf8.count), part.utf8.allSatisfy({ $0 &- 48 < 10 }),
                let number = Int(part), index == 0 || (number < 60 && part.utf8.count == 2)
            else { return nil }
            total = total * 60 + number
        }
        return total
    }
}
