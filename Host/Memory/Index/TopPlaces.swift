/// The places with the highest totals among those offered: a heap whose root is the lowest that is kept.
///
/// Of equal totals the later place is kept, which is the newer text.
struct TopPlaces {
    private var heap: [(place: Int, total: Float)] = []
    private let count: Int

    init(count: Int) {
        self.count = count
        heap.reserveCapacity(min(count, 4096))
    }

    var places: [Int] { heap.map(\.place) }

    /// Whether it would be kept.
    func takes(_ place: Int, _ total: Float) -> Bool {
        guard heap.count >= count, let root = heap.first else { return true }
        return total > root.total || (total == root.total && place > root.place)
    }

    mutating func offer(_ place: Int, _ total: Float) {
        if heap.count < count {
            heap.append((place, total))
            var child = heap.count - 1
            while child > 0 {
                let parent = (child - 1) / 2
                guard isLower(child, parent) else { break }
                heap.swapAt(child, parent)
                child = parent
            }
            return
        }
        guard let root = heap.first, total > root.total || (total == root.total && place > root.place) else { return }
        heap[0] = (place, total)
        var parent = 0
        while true {
            var lowest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isLower(child, lowest) {
                lowest = child
            }
            guard lowest != parent else { return }
            heap.swapAt(parent, lowest)
            parent = lowest
        }
    }

    private func isLower(_ left: Int, _ right: Int) -> Bool {
        let (a, b) = (heap[left], heap[right])
        return a.total != b.total ? a.total < b.total : a.place < b.place
    }
}
