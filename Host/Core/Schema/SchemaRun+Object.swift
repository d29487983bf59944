import TandemJSON

extension SchemaRun {
    mutating func checkObject(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>, _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        let members = place.members
        var passes = true
        if members.count < rules.pointee.minProperties {
            guard reports else { return false }
            fail(node, "minProperties", "must have at least \(rules.pointee.minProperties) members")
            passes = false
        }
        if members.count > rules.pointee.maxProperties {
            guard reports else { return false }
            fail(node, "maxProperties", "must have at most \(rules.pointee.maxProperties) members")
            passes = false
        }
        var seen: UInt64 = 0
        if rules.pointee.visitsMembers, let base = members.baseAddress {
            for position in 0..<members.count where !checkMember(rules, base + position, position, marks, &seen) {
                guard reports else { return false }
                passes = false
            }
        }
        if seen != rules.pointee.requiredMask || !rules.pointee.furtherRequired.isEmpty {
            if !checkRequired(rules, seen, place, node) {
                guard reports else { return false }
                passes = false
            }
        }
        if !rules.pointee.dependentRequired.isEmpty || !rules.pointee.dependentSchemas.isEmpty {
            if !checkDependencies(rules, place, node, marks) { passes = false }
        }
        return passes
    }

    @inline(__always)
    private mutating func checkMember(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ member: UnsafePointer<JSONObject.Member>, _ position: Int,
        _ marks: UnsafeMutablePointer<SchemaMarks>?, _ seen: inout UInt64
    ) -> Bool {
        let value = JSONObject.Member.value(in: member)
        var passes = true
        var isEvaluated = false
        if let entry = entry(rules, member) {
            let entry = entry
            seen |= entry.required
            if entry.node >= 0 {
                isEvaluated = true
                if !checkChild(entry.node, member, value) {
                    guard reports else { return false }
                    passes = false
                }
            }
        }
        if !rules.pointee.patterns.isEmpty {
            for index in 0..<rules.pointee.patterns.count {
                let pattern = rules.pointee.patterns[index].pattern
                guard pattern.isFound(in: member.pointee.key, &scratch) else { continue }
                isEvaluated = true
                if !checkChild(rules.pointee.patterns[index].node, member, value) {
                    guard reports else { return false }
                    passes = false
                }
            }
        }
        if !isEvaluated, rules.pointee.additional >= 0 {
            isEvaluated = true
            if !checkChild(rules.pointee.additional, member, value) {
                guard reports else { return false }
                passes = false
            }
        }
        if rules.pointee.propertyNames >= 0 {
            let name = JSON.string(member.pointee.key)
            if !withUnsafePointer(to: name, { checkChild(rules.pointee.propertyNames, member, $0) }) {
                guard reports else { return false }
                passes = false
            }
        }
        if isEvaluated { marks?.pointee.insert(position) }
        return passes
    }

    /// What the schema says by name about a member.
    @inline(__always)
    private func entry(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ member: UnsafePointer<JSONObject.Member>
    ) -> (node: NodeIndex, required: UInt64)? {
        let words = UnsafeRawPointer(member).loadUnaligned(as: SmallString.Words.self)
        let found =
            knowsSmall && SmallString.isSmall(words)
            ? rules.pointee.entry(words) : rules.pointee.entry(named: member.pointee.key)
        guard let found else { return nil }
        return (rules.pointee.entries[found].node, rules.pointee.entries[found].required)
    }

    @inline(__always)
    private mutating func checkChild(
        _ number: NodeIndex, _ member: UnsafePointer<JSONObject.Member>, _ value: UnsafePointer<JSON>
    ) -> Bool {
        guard reports else { return check(number, value) }
        path.append(.name(member.pointee.key))
        defer { path.removeLast() }
        return check(number, value)
    }

    private mutating func checkRequired(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ seen: UInt64, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>
    ) -> Bool {
        var passes = true
        for entry in rules.pointee.entries where entry.required & ~seen != 0 {
            guard reports else { return false }
            fail(node, "required", "must have the member \(JSON.string(entry.name).text)")
            passes = false
        }
        if !rules.pointee.furtherRequired.isEmpty, case .object(let object) = place.pointee {
            for name in rules.pointee.furtherRequired where !object.contains(name) {
                guard reports else { return false }
                fail(node, "required", "must have the member \(JSON.string(name).text)")
                passes = false
            }
        }
        return passes
    }

    private mutating func checkDependencies(
        _ rules: UnsafeMutablePointer<ObjectRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>, _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        guard case .object(let object) = place.pointee else { return true }
        var passes = true
        for (name, required) in rules.pointee.dependentRequired where object.contains(name) {
            for other in required where !object.contains(other) {
                guard reports else { return false }
                fail(
                    node, "dependentRequired",
                    "must have the member \(JSON.string(other).text) when it has \(JSON.string(name).text)")
                passes = false
            }
        }
        for (name, target) in rules.pointee.dependentSchemas where object.contains(name) {
            if !check(target, place, marks) {
                guard reports else { return false }
                passes = false
            }
        }
        return passes
    }

    // MARK: Unevaluated

    mutating func checkUnevaluated(
        _ node: UnsafeMutablePointer<SchemaNode>, _ place: UnsafePointer<JSON>, _ type: SchemaTypes,
        _ marks: inout SchemaMarks
    ) -> Bool {
        var passes = true
        if type == .object, let rules = node.pointee.object, rules.pointee.unevaluated >= 0,
            let base = place.members.baseAddress
        {
            for position in 0..<place.members.count where !marks.contains(position) {
                let value = JSONObject.Member.value(in: base + position)
                if !checkChild(rules.pointee.unevaluated, base + position, value) {
                    guard reports else { return false }
                    passes = false
                }
            }
            marks.insertAll()
        }
        if type == .array, let rules = node.pointee.array, rules.pointee.unevaluated >= 0,
            let base = place.elements.baseAddress
        {
            for position in 0..<place.elements.count where !marks.contains(position) {
                if !checkElement(rules.pointee.unevaluated, base + position, position) {
                    guard reports else { return false }
                    passes = false
                }
            }
            marks.insertAll()
        }
        return passes
    }
}
