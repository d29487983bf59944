import TandemJSON

/// Turns a schema and what it refers to into a program.
///
/// Subschemas are worked off from a queue rather than recursively, so that a long chain of references costs no stack.
struct SchemaCompiler {
    var index: SchemaIndex
    let limits: SchemaLimits
    let formatAssertion: Bool

    private var nodes: [SchemaNode] = []
    private var sites: [SchemaIndex.Site] = []
    private var nodeAtSite: [SchemaIndex.Site: NodeIndex] = [:]
    /// The subschemas that each node applies to the very same value.
    private var inPlace: [[NodeIndex]] = []
    private var dynamicReferences: [(node: NodeIndex, anchor: String)] = []

    private init(index: SchemaIndex, limits: SchemaLimits, formatAssertion: Bool) {
        self.index = index
        self.limits = limits
        self.formatAssertion = formatAssertion
    }

    /// Compiles a schema; `documents` are those it may refer to, by URI.
    static func program(for schema: JSON, documents: [String: JSON], limits: SchemaLimits, formatAssertion: Bool)
        throws(JSONSchemaError) -> SchemaProgram
    {
        let index = try SchemaIndex(root: schema, available: documents)
        var compiler = SchemaCompiler(index: index, limits: limits, formatAssertion: formatAssertion)
        do throws(JSONSchemaError) {
            return try compiler.run()
        } catch {
            for node in compiler.nodes { node.release() }
            throw error
        }
    }

    private mutating func run() throws(JSONSchemaError) -> SchemaProgram {
        _ = try node(at: SchemaIndex.Site(document: 0, tokens: []))
        var next = 0
        var resolvedDynamic = 0
        while next < sites.count {
            try compile(NodeIndex(next))
            next += 1
            if next == sites.count {
                // New nodes may bring new anchors and new dynamic references; go on until neither does.
                resolvedDynamic = try resolveDynamicReferences(since: resolvedDynamic)
            }
        }
        try refuseCycles()
        var tracksScope = false
        for (node, anchor) in dynamicReferences {
            for (number, resource) in index.resources.enumerated() {
                guard let site = resource.dynamicAnchors[anchor], let target = nodeAtSite[site] else { continue }
                nodes[Int(node)].general?.pointee.dynamicTargets.append((Int32(number), target))
                if target != nodes[Int(node)].general?.pointee.dynamicReference { tracksScope = true }
            }
        }
        return SchemaProgram(nodes, tracksScope: tracksScope, limits: limits)
    }

    private mutating func resolveDynamicReferences(since first: Int) throws(JSONSchemaError) -> Int {
        // Earlier references are looked at again: documents may have been added since.
        for (_, anchor) in dynamicReferences {
            for resource in index.resources {
                if let site = resource.dynamicAnchors[anchor] { _ = try node(at: site) }
            }
        }
        return dynamicReferences.count
    }

    /// The node of a subschema, which is compiled in its turn.
    mutating func node(at site: SchemaIndex.Site) throws(JSONSchemaError) -> NodeIndex {
        if let known = nodeAtSite[site] { return known }
        guard nodes.count < limits.maxNodes else {
            throw JSONSchemaError(
                code: .tooLarge, location: index.location(of: site),
                message: "has more than \(limits.maxNodes) subschemas")
        }
        let number = NodeIndex(nodes.count)
        nodes.append(SchemaNode())
        sites.append(site)
        inPlace.append([])
        nodeAtSite[site] = number
        return number
    }

    private mutating func compile(_ number: NodeIndex) throws(JSONSchemaError) {
        let site = sites[Int(number)]
        var node = SchemaNode()
        node.resource = Int32(index.resource(around: site))
        node.location = SchemaNode.box(index.location(of: site))
        // The boxes belong to the compiler from here on, also when a later keyword turns out to be wrong.
        nodes[Int(number)] = node
        switch index.value(at: site) {
        case .bool(let passes): nodes[Int(number)].isFalse = !passes
        case .object(let object):
            var keywords = SchemaKeywordReader(object: object, site: site, resource: Int(node.resource))
            try read(&keywords, into: number)
        default:
            throw JSONSchemaError(
                code: .invalidKeyword, location: index.location(of: site), message: "must be an object or a boolean")
        }
    }

    /// Stores the rules that a subschema turned out to have.
    mutating func set(_ number: NodeIndex, _ change: (inout SchemaNode) -> Void) {
        change(&nodes[Int(number)])
    }

    /// Notes that a node applies another one to the same value.
    mutating func addInPlace(_ target: NodeIndex, to number: NodeIndex) {
        inPlace[Int(number)].append(target)
    }

    /// Notes a `$dynamicRef` that led to a dynamic anchor.
    mutating func addDynamicReference(_ anchor: String, at number: NodeIndex) {
        dynamicReferences.append((number, anchor))
    }

    /// Refuses subschemas that apply themselves to the same value again: they would never come to an end.
    private func refuseCycles() throws(JSONSchemaError) {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: nodes.count)
        for start in nodes.indices where marks[start] == .new {
            var stack: [(node: Int, next: Int)] = [(start, 0)]
            marks[start] = .open
            while let top = stack.last {
                let edges = inPlace[top.node]
                guard top.next < edges.count else {
                    marks[top.node] = .done
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let target = Int(edges[top.next])
                switch marks[target] {
                case .new:
                    marks[target] = .open
                    stack.append((target, 0))
                case .open:
                    throw JSONSchemaError(
                        code: .circularReference, location: index.location(of: sites[top.node]),
                        message: "refers back to itself without looking at a part of the value")
                case .done: continue
                }
            }
        }
    }
}
