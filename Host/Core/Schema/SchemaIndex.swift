import TandemJSON

/// The documents that a schema may refer to, with every identifier and anchor in them (2020-12 core, sections 8 and 9).
struct SchemaIndex {
    /// A subschema's place.
    struct Site: Hashable {
        /// Index into `documents`.
        var document: Int
        /// Unescaped tokens from the document's root.
        var tokens: [String]
    }

    /// The keywords that apply to a resource, as its `$schema` says.
    struct Dialect: Hashable {
        var validation = true
        var applicator = true
        var unevaluated = true
        var formatAssertion = false
        /// Drafts 6, 7 and 2019-09: `items` may be a list, continued by `additionalItems`.
        var isLegacy = false
        /// Drafts 6 and 7: `$ref` hides its siblings.
        var refHidesSiblings = false
    }

    /// A document or an embedded part of one that has its own identifier.
    struct Resource {
        var uri: String
        var site: Site
        var dialect: Dialect
        var anchors: [String: Site] = [:]
        var dynamicAnchors: [String: Site] = [:]
    }

    private(set) var documents: [(uri: String, root: JSON)] = []
    private(set) var resources: [Resource] = []
    private var byURI: [String: Int] = [:]
    private var resourceAtSite: [Site: Int] = [:]
    private let available: [String: JSON]

    /// The base of documents that name none.
    static let defaultBase = "tandem:///schema"

    init(root: JSON, available: [String: JSON]) throws(JSONSchemaError) {
        self.available = available
        try add(root, uri: Self.defaultBase)
    }

    // MARK: Look-ups

    func value(at site: Site) -> JSON? {
        documents[site.document].root[pointer: JSONPointer(tokens: site.tokens)]
    }

    /// The location for messages: a pointer, after the URI for any document but the first.
    func location(of site: Site, _ keywords: String...) -> String {
        var text = site.document == 0 ? "" : documents[site.document].uri + "#"
        for token in site.tokens { JSONPointer.append(token, to: &text) }
        for token in keywords { JSONPointer.append(token, to: &text) }
        return text
    }

    /// The innermost resource around a subschema.
    func resource(around site: Site) -> Int {
        var site = site
        while true {
            if let found = resourceAtSite[site] { return found }
            if site.tokens.isEmpty { return 0 }
            site.tokens.removeLast()
        }
    }

    /// Finds what a reference in a resource leads to; the name is that of a dynamic anchor if it led to one.
    mutating func resolve(_ reference: String, from resource: Int, at location: String)
        throws(JSONSchemaError) -> (site: Site, dynamicAnchor: String?)
    {
        let target = URIReference(reference).resolved(against: URIReference(resources[resource].uri))
        let uri = target.withoutFragment
        let found = try self.resource(named: uri, at: location)
        guard let fragment = target.decodedFragment else {
            throw JSONSchemaError(
                code: .unresolvedReference, location: location, message: "has a malformed fragment")
        }
        if fragment.isEmpty { return (resources[found].site, nil) }
        if fragment.utf8.first == 0x2F {
            guard let pointer = JSONPointer(fragment) else {
                throw JSONSchemaError(
                    code: .unresolvedReference, location: location, message: "has a malformed JSON Pointer")
            }
            var site = resources[found].site
            site.tokens += pointer.tokens
            guard value(at: site) != nil else {
                throw JSONSchemaError(
                    code: .unresolvedReference, location: location, message: "refers to a place that does not exist")
            }
            return (site, nil)
        }
        if let site = resources[found].dynamicAnchors[fragment] { return (site, fragment) }
        if let site = resources[found].anchors[fragment] { return (site, nil) }
        throw JSONSchemaError(
            code: .unresolvedReference, location: location, message: "refers to an anchor that does not exist")
    }

    private mutating func resource(named uri: String, at location: String) throws(JSONSchemaError) -> Int {
        if let found = byURI[uri] { return found }
        if let document = available[uri] ?? SchemaMetaschema.documents[uri] {
            try add(document, uri: uri)
            if let found = byURI[uri] { return found }
        }
        throw JSONSchemaError(
            code: .remoteReference, location: location,
            message: "refers to a document that was not given; references to other documents are not followed")
    }

    // MARK: Scanning

    private mutating func add(_ root: JSON, uri: String) throws(JSONSchemaError) {
        let document = documents.count
        documents.append((uri, root))
        let site = Site(document: document, tokens: [])
        var resource = resources.count
        resources.append(Resource(uri: uri, site: site, dialect: Dialect()))
        byURI[uri] = resource
        resourceAtSite[site] = resource
        resources[resource].dialect = try dialect(of: root, default: Dialect(), site)
        if let id = try identifier(of: root, site) {
            let absolute = URIReference(id).resolved(against: URIReference(uri)).withoutFragment
            if absolute != uri {
                // A document is known by its own identifier as well as by the address it was given under.
                if byURI[absolute] == nil { byURI[absolute] = resource }
                resources[resource].uri = absolute
            }
        }
        resource = resourceAtSite[site] ?? resource
        try scan(root, site, resource: resource, isRoot: true)
    }

    private func identifier(of value: JSON, _ site: Site) throws(JSONSchemaError) -> String? {
        guard let id = value["$id"] else { return nil }
        guard let text = id.stringValue else {
            throw JSONSchemaError(
                code: .invalidKeyword, location: location(of: site, "$id"), message: "must be a string")
        }
        if let fragment = URIReference(text).fragment, !fragment.isEmpty {
            throw JSONSchemaError(
                code: .invalidKeyword, location: location(of: site, "$id"), message: "must not have a fragment")
        }
        return text
    }

    private mutating func scan(_ value: JSON, _ site: Site, resource: Int, isRoot: Bool = false)
        throws(JSONSchemaError)
    {
        guard case .object(let object) = value else { return }
        var resource = resource
        let hidesSiblings = resources[resource].dialect.refHidesSiblings && object.contains("$ref")
        if !isRoot, !hidesSiblings, let id = try identifier(of: value, site) {
            let base = URIReference(resources[resource].uri)
            let uri = URIReference(id).resolved(against: base).withoutFragment
            let dialect = try dialect(of: value, default: resources[resource].dialect, site)
            if let other = byURI[uri], resources[other].site != site {
                throw JSONSchemaError(
                    code: .duplicateIdentifier, location: location(of: site, "$id"),
                    message: "is the identifier of another schema too")
            }
            resource = resources.count
            resources.append(Resource(uri: uri, site: site, dialect: dialect))
            byURI[uri] = resource
            resourceAtSite[site] = resource
        }
        if let anchor = object["$anchor"] {
            resources[resource].anchors[try anchorName(anchor, site, "$anchor")] = site
        }
        if let anchor = object["$dynamicAnchor"] {
            resources[resource].dynamicAnchors[try anchorName(anchor, site, "$dynamicAnchor")] = site
        }
        for (key, member) in object {
            guard let shape = SchemaKeywords.applicators[key] else { continue }
            switch (shape, member) {
            case (.schema, .object), (.schemaOrList, .object):
                try scan(member, site.appending(key), resource: resource)
            case (.list, .array(let elements)), (.schemaOrList, .array(let elements)):
                for (position, element) in elements.enumerated() {
                    try scan(element, site.appending(key, String(position)), resource: resource)
                }
            case (.map, .object(let members)):
                for (name, element) in members { try scan(element, site.appending(key, name), resource: resource) }
            default: continue
            }
        }
    }

    private func anchorName(_ value: JSON, _ site: Site, _ keyword: String) throws(JSONSchemaError) -> String {
        // The pattern of the core metaschema: ^[A-Za-z_][-A-Za-z0-9._]*$
        if let name = value.stringValue, let first = name.utf8.first, ASCII.isLetter(first) || first == 0x5F,
            name.utf8.allSatisfy({ ASCII.isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E })
        {
            return name
        }
        throw JSONSchemaError(
            code: .invalidKeyword, location: location(of: site, keyword), message: "must be a plain name")
    }

    // MARK: Dialects

    private func dialect(of value: JSON, default fallback: Dialect, _ site: Site) throws(JSONSchemaError) -> Dialect {
        guard let keyword = value["$schema"] else { return fallback }
        let place = location(of: site, "$schema")
        guard let text = keyword.stringValue else {
            throw JSONSchemaError(code: .invalidKeyword, location: place, message: "must be a string")
        }
        let uri = URIReference(text).withoutFragment
        switch uri {
        case SchemaMetaschema.uri: return Dialect()
        case "https://json-schema.org/draft/2019-09/schema": return Dialect(isLegacy: true)
        case "http://json-schema.org/draft-07/schema", "http://json-schema.org/draft-06/schema",
            "https://json-schema.org/draft-07/schema", "https://json-schema.org/draft-06/schema":
            return Dialect(isLegacy: true, refHidesSiblings: true)
        default: break
        }
        if uri.hasPrefix("http://json-schema.org/") || uri.hasPrefix("https://json-schema.org/draft-0") {
            throw JSONSchemaError(
                code: .unsupportedDialect, location: place, message: "names a draft that is not supported")
        }
        // A metaschema that is not known leaves the choice to the implementation (2020-12 core, section 8.1.2).
        guard let metaschema = available[uri], case .object(let vocabulary)? = metaschema["$vocabulary"] else {
            return Dialect()
        }
        var dialect = Dialect(validation: false, applicator: false, unevaluated: false)
        for (name, isRequired) in vocabulary {
            let prefix = "https://json-schema.org/draft/2020-12/vocab/"
            guard name.hasPrefix(prefix), SchemaMetaschema.vocabularies.contains(String(name.dropFirst(prefix.count)))
            else {
                if isRequired == true {
                    throw JSONSchemaError(
                        code: .unsupportedDialect, location: place, message: "requires a vocabulary that is not known")
                }
                continue
            }
            switch name.dropFirst(prefix.count) {
            case "validation": dialect.validation = true
            case "applicator": dialect.applicator = true
            case "unevaluated": dialect.unevaluated = true
            case "format-assertion": dialect.formatAssertion = true
            default: break
            }
        }
        return dialect
    }
}

extension SchemaIndex.Site {
    func appending(_ tokens: String...) -> SchemaIndex.Site {
        SchemaIndex.Site(document: document, tokens: self.tokens + tokens)
    }
}

/// The keywords that hold subschemas.
enum SchemaKeywords {
    enum Shape { case schema, list, map, schemaOrList }

    static let applicators: [String: Shape] = [
        "additionalProperties": .schema, "contains": .schema, "contentSchema": .schema, "else": .schema,
        "if": .schema, "not": .schema, "propertyNames": .schema, "then": .schema, "unevaluatedItems": .schema,
        "unevaluatedProperties": .schema, "additionalItems": .schema, "items": .schemaOrList, "allOf": .list,
        "anyOf": .list, "oneOf": .list, "prefixItems": .list, "$defs": .map, "definitions": .map,
        "dependentSchemas": .map, "patternProperties": .map, "properties": .map, "dependencies": .map,
    ]
}
