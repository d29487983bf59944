import Glibc

/// Whether two words differ by one slip of a finger.
public enum EditDistance {
    /// One byte inserted, left out, replaced, or two neighbours swapped; equal words too. Linear.
    public static func isWithinOne(_ left: String, _ right: String) -> Bool {
        let a = Array(left.utf8)
        let b = Array(right.utf8)
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

/// The natural logarithm.
func logarithm(_ value: Double) -> Double { log(value) }
