import TandemJSON

extension SchemaRun {
    mutating func checkArray(
        _ rules: UnsafeMutablePointer<ArrayRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>, _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        let elements = place.elements
        let count = elements.count
        var passes = true
        if count < rules.pointee.minItems {
            guard reports else { return false }
            fail(node, "minItems", "must have at least \(rules.pointee.minItems) elements")
            passes = false
        }
        if count > rules.pointee.maxItems {
            guard reports else { return false }
            fail(node, "maxItems", "must have at most \(rules.pointee.maxItems) elements")
            passes = false
        }
        if rules.pointee.uniqueItems, !Self.areDistinct(elements) {
            guard reports else { return false }
            fail(node, "uniqueItems", "must not have equal elements")
            passes = false
        }
        guard let base = elements.baseAddress else {
            if rules.pointee.contains >= 0, rules.pointee.minContains > 0 {
                fail(node, "contains", Self.containsMessage(rules.pointee.minContains))
                return false
            }
            return passes
        }
        let prefix = Swift.min(rules.pointee.prefix.count, count)
        for position in 0..<prefix {
            if !checkElement(rules.pointee.prefix[position], base + position, position) {
                guard reports else { return false }
                passes = false
            }
            marks?.pointee.insert(position)
        }
        if rules.pointee.items >= 0 {
            let items = rules.pointee.items
            if !nodes[Int(items)].isTrivial {
                for position in prefix..<count where !checkElement(items, base + position, position) {
                    guard reports else { return false }
                    passes = false
                }
            }
            marks?.pointee.insertAll()
        }
        if rules.pointee.contains >= 0, !checkContains(rules, elements, node, marks) { passes = false }
        return passes
    }

    @inline(__always)
    mutating func checkElement(_ number: NodeIndex, _ value: UnsafePointer<JSON>, _ position: Int) -> Bool {
        guard reports else { return check(number, value) }
        path.append(.position(position))
        defer { path.removeLast() }
        return check(number, value)
    }

    private mutating func checkContains(
        _ rules: UnsafeMutablePointer<ArrayRules>, _ elements: UnsafeBufferPointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>, _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        guard let base = elements.baseAddress else { return true }
        var matches = 0
        for position in 0..<elements.count where quietly(rules.pointee.contains, base + position, nil) {
            matches += 1
            marks?.pointee.insert(position)
        }
        if matches < rules.pointee.minContains {
            fail(
                node, rules.pointee.minContains == 1 ? "contains" : "minContains",
                Self.containsMessage(rules.pointee.minContains))
            return false
        }
        if matches > rules.pointee.maxContains {
            fail(node, "maxContains", "must have at most \(rules.pointee.maxContains) elements of the given kind")
            return false
        }
        return true
    }

    private static func containsMessage(_ count: Int) -> String {
        count == 1
            ? "must have an element of the given kind" : "must have at least \(count) elements of the given kind"
    }

    /// Compares a few elements pairwise and many by hash, whose seed is random per process.
    private static func areDistinct(_ elements: UnsafeBufferPointer<JSON>) -> Bool {
        guard elements.count > 1 else { return true }
        if elements.count <= 8 {
            for left in 0..<(elements.count - 1) {
                for right in (left + 1)..<elements.count where elements[left] == elements[right] { return false }
            }
            return true
        }
        var seen: Set<JSON> = []
        seen.reserveCapacity(elements.count)
        for element in elements where !seen.insert(element).inserted { return false }
        return true
    }
}
