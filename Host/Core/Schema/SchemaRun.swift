import TandemJSON

/// One validation of one value: walks program and value side by side.
///
/// The same walk serves both purposes. Without `reports` it stops at the first violation and keeps no paths; with it,
/// it goes on and notes every violation until the cap.
struct SchemaRun: ~Copyable {
    let program: SchemaProgram
    let nodes: UnsafeMutablePointer<SchemaNode>
    let knowsSmall = SmallString.isKnown
    /// Whether violations are noted rather than ending the walk.
    var reports: Bool
    var violations: [SchemaViolation] = []
    /// The tokens that lead to the current value; kept only while reporting.
    var path: [PathToken] = []
    var scratch: SchemaPattern.Scratch
    private var depth = 0
    private var stepsLeft: Int
    private var scope: [Int32] = []
    private var isCutShort = false

    /// A bound was reached: whatever the walk returned, the value has to be refused, for under `not` or
    /// `patternProperties` an unfinished check would let it through.
    var isSpent: Bool { isCutShort || scratch.isSpent }

    enum PathToken {
        case name(String)
        case position(Int)
    }

    init(_ program: SchemaProgram, reports: Bool) {
        self.program = program
        nodes = program.nodes
        scratch = SchemaPattern.Scratch(program.limits)
        self.reports = reports
        stepsLeft = program.limits.maxSteps
    }

    /// Applies a subschema to a value; `marks`, if given, gains what was evaluated, and only if the value passes.
    mutating func check(
        _ number: NodeIndex, _ place: UnsafePointer<JSON>, _ marks: UnsafeMutablePointer<SchemaMarks>? = nil
    ) -> Bool {
        let node = nodes + Int(number)
        let type = Self.type(of: place)
        var passes = true
        if !node.pointee.types.contains(type) {
            guard reports else { return false }
            fail(node, "type", "must be " + node.pointee.types.text)
            passes = false
        }
        switch type {
        case .string:
            if let rules = node.pointee.string, !checkString(rules, place, node) { passes = false }
        case .object:
            guard node.pointee.object != nil || node.pointee.general != nil || node.pointee.isFalse else {
                return passes
            }
            return checkDeep(node, place, type, marks) && passes
        case .array:
            guard node.pointee.array != nil || node.pointee.general != nil || node.pointee.isFalse else {
                return passes
            }
            return checkDeep(node, place, type, marks) && passes
        case .integer, .fraction:
            if let rules = node.pointee.number, !checkNumber(rules, place, node) { passes = false }
        default: break
        }
        if !passes, !reports { return false }
        if node.pointee.general != nil || node.pointee.isFalse {
            return checkDeep(node, place, type, marks) && passes
        }
        return passes
    }

    /// What may recurse: bounded in depth and in total.
    private mutating func checkDeep(
        _ node: UnsafeMutablePointer<SchemaNode>, _ place: UnsafePointer<JSON>, _ type: SchemaTypes,
        _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        if node.pointee.isFalse {
            fail(node, nil, "is not allowed")
            return false
        }
        stepsLeft &-= 1
        guard depth < program.limits.maxDepth, stepsLeft > 0 else {
            let isTooDeep = stepsLeft > 0
            isCutShort = true
            fail(node, nil, isTooDeep ? "is nested too deeply to be checked" : "is too costly to be checked")
            return false
        }
        depth &+= 1
        let entersScope = program.tracksScope && scope.last != node.pointee.resource
        if entersScope { scope.append(node.pointee.resource) }
        defer {
            depth &-= 1
            if entersScope { scope.removeLast() }
        }
        guard let general = node.pointee.general else { return checkParts(node, place, type, marks) }
        if general.pointee.isOnlyValues, !general.pointee.tracks {
            let passes = checkValues(general, place, node)
            if !passes, !reports { return false }
            return checkParts(node, place, type, marks) && passes
        }
        guard general.pointee.tracks || marks != nil else {
            var passes = checkParts(node, place, type, nil)
            if !passes, !reports { return false }
            if !checkGeneral(general, place, node, nil) { passes = false }
            return passes
        }
        var own = SchemaMarks()
        var passes = checkParts(node, place, type, &own)
        if !passes, !reports { return false }
        if !checkGeneral(general, place, node, &own) { passes = false }
        if !passes, !reports { return false }
        // Last, because they look at what everything beside them has evaluated.
        if passes, general.pointee.tracks, !checkUnevaluated(node, place, type, &own) { passes = false }
        if passes { marks?.pointee.formUnion(own) }
        return passes
    }

    private mutating func checkParts(
        _ node: UnsafeMutablePointer<SchemaNode>, _ place: UnsafePointer<JSON>, _ type: SchemaTypes,
        _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        switch type {
        case .object:
            guard let rules = node.pointee.object else { return true }
            return checkObject(rules, place, node, marks)
        case .array:
            guard let rules = node.pointee.array else { return true }
            return checkArray(rules, place, node, marks)
        default: return true
        }
    }

    @inline(__always)
    static func type(of place: UnsafePointer<JSON>) -> SchemaTypes {
        switch place.pointee {
        case .null: .null
        case .bool: .boolean
        case .integer: .integer
        case .number(let value): isIntegral(value) ? .integer : .fraction
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    private static func isIntegral(_ value: Double) -> Bool {
        let magnitude = value.magnitude
        guard magnitude < 0x1p53 else { return magnitude.isFinite }
        return Double(Int64(value)) == value
    }

    // MARK: Values and applicators

    private func checkConstants(_ rules: UnsafeMutablePointer<GeneralRules>, _ place: UnsafePointer<JSON>) -> Bool {
        if knowsSmall, !rules.pointee.smallValues.isEmpty, case .string = place.pointee {
            let words = SmallString.words(ofStringAt: place)
            if SmallString.isSmall(words) {
                for value in rules.pointee.smallValues where value == words { return true }
                return false
            }
        }
        guard let values = rules.pointee.values else { return true }
        for value in values where value == place.pointee { return true }
        return false
    }

    private mutating func checkValues(
        _ rules: UnsafeMutablePointer<GeneralRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>
    ) -> Bool {
        var passes = true
        if rules.pointee.values != nil, !checkConstants(rules, place) {
            guard reports else { return false }
            fail(node, "enum", Self.enumMessage(rules.pointee.values ?? []))
            passes = false
        }
        if let constant = rules.pointee.constant, constant != place.pointee {
            fail(node, "const", "must be the constant that the schema gives")
            passes = false
        }
        return passes
    }

    /// The allowed values come from the schema, so they may be quoted.
    private static func enumMessage(_ values: [JSON]) -> String {
        let texts = values.map(\.text)
        guard texts.count <= 12, texts.reduce(0, { $0 + $1.utf8.count }) <= 200 else {
            return "must be one of the values that the schema lists"
        }
        return "must be one of " + texts.joined(separator: ", ")
    }

    private mutating func checkGeneral(
        _ rules: UnsafeMutablePointer<GeneralRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>, _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        var passes = checkValues(rules, place, node)
        if !passes, !reports { return false }
        if rules.pointee.isOnlyValues { return passes }
        if rules.pointee.reference >= 0, !check(rules.pointee.reference, place, marks) {
            guard reports else { return false }
            passes = false
        }
        if rules.pointee.dynamicReference >= 0, !check(dynamicTarget(rules), place, marks) {
            guard reports else { return false }
            passes = false
        }
        for index in rules.pointee.allOf where !check(index, place, marks) {
            guard reports else { return false }
            passes = false
        }
        if !rules.pointee.anyOf.isEmpty {
            var matches = false
            for index in rules.pointee.anyOf where quietly(index, place, marks) {
                matches = true
                // What else matches only matters for what it evaluates.
                if marks == nil { break }
            }
            if !matches {
                guard reports else { return false }
                explain(rules.pointee.anyOf, "anyOf", "must match at least one of the alternatives", place, node)
                passes = false
            }
        }
        if !rules.pointee.oneOf.isEmpty, !checkOneOf(rules, place, node, marks) {
            guard reports else { return false }
            passes = false
        }
        if rules.pointee.not >= 0, quietly(rules.pointee.not, place, nil) {
            guard reports else { return false }
            fail(node, "not", "must not match what the schema excludes")
            passes = false
        }
        if rules.pointee.condition >= 0 {
            let branch = quietly(rules.pointee.condition, place, marks) ? rules.pointee.then : rules.pointee.otherwise
            if branch >= 0, !check(branch, place, marks) { passes = false }
        }
        return passes
    }

    private mutating func checkOneOf(
        _ rules: UnsafeMutablePointer<GeneralRules>, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>, _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        var matches = 0
        var matched = SchemaMarks()
        for index in rules.pointee.oneOf {
            var own = SchemaMarks()
            let fits = marks == nil ? quietly(index, place, nil) : quietly(index, place, &own)
            guard fits else { continue }
            matches += 1
            matched = own
            if matches > 1, !reports { return false }
        }
        if matches == 1 {
            marks?.pointee.formUnion(matched)
            return true
        }
        if matches == 0 {
            explain(rules.pointee.oneOf, "oneOf", "must match one of the alternatives", place, node)
        } else {
            fail(node, "oneOf", "must match only one of the alternatives, matches \(matches)")
        }
        return false
    }

    private func dynamicTarget(_ rules: UnsafeMutablePointer<GeneralRules>) -> NodeIndex {
        guard program.tracksScope, !rules.pointee.dynamicTargets.isEmpty else { return rules.pointee.dynamicReference }
        for resource in scope {
            for target in rules.pointee.dynamicTargets where target.resource == resource { return target.node }
        }
        return rules.pointee.dynamicReference
    }

    /// Applies a subschema whose failure is no violation by itself.
    mutating func quietly(
        _ number: NodeIndex, _ place: UnsafePointer<JSON>, _ marks: UnsafeMutablePointer<SchemaMarks>?
    ) -> Bool {
        let reported = reports
        reports = false
        defer { reports = reported }
        return check(number, place, marks)
    }

    // MARK: Violations

    /// Reports that no alternative fits; when exactly one is meant for this kind of value, reports what it lacks.
    private mutating func explain(
        _ alternatives: [NodeIndex], _ keyword: String, _ message: String, _ place: UnsafePointer<JSON>,
        _ node: UnsafeMutablePointer<SchemaNode>
    ) {
        fail(node, keyword, message)
        let type = Self.type(of: place)
        let meant = alternatives.filter { index in
            let types = nodes[Int(index)].types
            return types != .any && types.contains(type)
        }
        let others = alternatives.filter { nodes[Int($0)].types == .any }
        if meant.count == 1, others.isEmpty, let index = meant.first { _ = check(index, place) }
    }

    /// Notes a violation of a keyword, or of the subschema itself when the keyword is nil.
    mutating func fail(
        _ node: UnsafeMutablePointer<SchemaNode>, _ keyword: String?, _ message: @autoclosure () -> String
    ) {
        guard reports, violations.count < program.limits.maxViolations else { return }
        var location = node.pointee.location?.pointee ?? ""
        if let keyword { JSONPointer.append(keyword, to: &location) }
        var instance = ""
        for token in path {
            switch token {
            case .name(let name): JSONPointer.append(name, to: &instance)
            case .position(let position): JSONPointer.append(String(position), to: &instance)
            }
        }
        violations.append(
            SchemaViolation(instanceLocation: instance, keywordLocation: location, message: message()))
    }
}
