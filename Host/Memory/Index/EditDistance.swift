import Glibc

/// Whether two words differ by one slip of a finger.
public enum EditDistance {
    /// One byte inserted, left out, replaced, or two neighbours swapped; equal words too. Linear.
    public static func isWithinOne(_ left: String, _ right: String) -> Bool {
        var (left, right) = (left, right)
        return left.withUTF8 { a in right.withUTF8 { b in isWithinOne(a, b) } }
    }

    static func isWithinOne(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        if abs(a.count - b.count) > 1 { return false }
        var start = 0
        while start < a.count, start < b.count, a[start] == b[start] { start += 1 }
        var endA = a.count
        var endB = b.count
        while endA > start, endB > start, a[endA - 1] == b[endB - 1] {
            endA -= 1
            endB -= 1
        }
        let restA = endA - start
        let restB = endB - start
        if restA <= 1, restB <= 1 { return true }
        return restA == 2 && restB == 2 && a[start] == b[start + 1] && a[start + 1] == b[start]
    }
}

/// Words by length, one after the other, so that those that differ from one by a slip are found in a single pass.
struct SpelledWords: Sendable {
    private struct Row {
        var bytes: [UInt8] = []
        var ids: [Int32] = []
    }

    /// By the words' length in bytes.
    private var rows: [Row] = []

    var size: Int { rows.reduce(0) { $0 + $1.bytes.capacity + $1.ids.capacity * 4 } }

    mutating func insert(_ word: String, _ id: Int32) {
        let length = word.utf8.count
        while rows.count <= length { rows.append(Row()) }
        rows[length].bytes.append(contentsOf: word.utf8)
        rows[length].ids.append(id)
    }

    /// The ids of the words that are within one slip of `word`, in no order.
    func near(_ word: String) -> [Int32] {
        var word = word
        var found: [Int32] = []
        word.withUTF8 { word in
            for length in max(1, word.count - 1)...(word.count + 1) where length < rows.count {
                rows[length].bytes.withUnsafeBufferPointer { bytes in
                    for (place, id) in rows[length].ids.enumerated() {
                        let other = UnsafeBufferPointer(rebasing: bytes[place * length..<(place + 1) * length])
                        if EditDistance.isWithinOne(word, other) { found.append(id) }
                    }
                }
            }
        }
        return found
    }
}

/// The natural logarithm.
func logarithm(_ value: Double) -> Double { log(value) }

/// e to the power of a value.
func exponential(_ value: Double) -> Double { exp(value) }
