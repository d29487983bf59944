/// Which members or elements of one value have been evaluated, for `unevaluatedProperties` and `unevaluatedItems`.
struct SchemaMarks {
    private var low: UInt64 = 0
    private var high: [UInt64] = []
    private(set) var isComplete = false

    mutating func insert(_ position: Int) {
        if position < 64 {
            low |= 1 << UInt64(position)
            return
        }
        let word = position / 64 - 1
        while high.count <= word { high.append(0) }
        high[word] |= 1 << UInt64(position % 64)
    }

    mutating func insertAll() { isComplete = true }

    func contains(_ position: Int) -> Bool {
        if isComplete { return true }
        if position < 64 { return low & 1 << UInt64(position) != 0 }
        let word = position / 64 - 1
        return word < high.count && high[word] & 1 << UInt64(position % 64) != 0
    }

    mutating func formUnion(_ other: SchemaMarks) {
        isComplete = isComplete || other.isComplete
        low |= other.low
        for (word, bits) in other.high.enumerated() {
            if word < high.count { high[word] |= bits } else { high.append(bits) }
        }
    }
}
