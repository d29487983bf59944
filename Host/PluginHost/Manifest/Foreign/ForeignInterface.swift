import TandemJSON

/// The `foreign` section of a manifest: how the host's adapter calls a plain C library (docs/plugins/manifest.md).
///
/// A plugin with it has no code of its own. A signature that does not fit its function corrupts memory, so that it runs
/// in the isolated runner only.
public struct ForeignInterface: Sendable, Hashable {
    public enum Library: Sendable, Hashable {
        /// A library of the system by its soname, which the registry entry has to allow.
        case system(String)
        /// A file of the bundle.
        case file(String)
    }

    public var library: Library
    /// Several threads may call the library at the same time.
    public var isConcurrent: Bool
    /// Every function of the library that is called, without duplicates, in the order of the document.
    public var symbols: [String]
    /// Files of the bundle that functions get as a path.
    public var files: Set<String>
    /// By tool id: what the signature says about arguments and results.
    var shapes: [String: ForeignShape] = [:]

    /// The file of the bundle that is mapped; nil when it is the system's.
    public var libraryFile: String? {
        if case .file(let name) = library { return name }
        return nil
    }

    static let maxFunctions = 64
    static let maxParameters = 16
    static let maxObjects = 8
    static let maxBytes: Int64 = 1 << 20
    static let argumentBytes: Int64 = 4096
    static let resultBytes: Int64 = 16384
    static let maxListElements = 1024
}

/// The arguments and the result of a tool, as its function's signature has them.
struct ForeignShape: Sendable, Hashable {
    var arguments = ForeignObjectShape()
    var results = ForeignObjectShape()
}

/// Members of a JSON object, each a value or again an object.
struct ForeignObjectShape: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        var name: String
        var isRequired: Bool
        var node: Node
    }

    indirect enum Node: Sendable, Hashable {
        /// A derived schema.
        case value(JSONObject)
        case object(ForeignObjectShape)
    }

    var members: [Member] = []

    /// Adds a value at a place; false when something else is there.
    mutating func insert(_ schema: JSONObject, at place: ArraySlice<String>, isRequired: Bool) -> Bool {
        guard let name = place.first else { return false }
        let rest = place.dropFirst()
        let index = members.firstIndex { $0.name == name }
        if rest.isEmpty {
            guard index == nil else { return false }
            members.append(Member(name: name, isRequired: isRequired, node: .value(schema)))
            return true
        }
        var inner = ForeignObjectShape()
        if let index {
            guard case .object(let existing) = members[index].node else { return false }
            inner = existing
        }
        guard inner.insert(schema, at: rest, isRequired: isRequired) else { return false }
        if let index {
            members[index].node = .object(inner)
            if isRequired { members[index].isRequired = true }
        } else {
            members.append(Member(name: name, isRequired: isRequired, node: .object(inner)))
        }
        return true
    }
}

/// The C types that a signature may name.
enum ForeignType: String, CaseIterable {
    case int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool, float, double
    case string, bytes, strings, file, object, pointer

    /// The values that fit, as far as JSON integers reach.
    var integerRange: ClosedRange<Int64>? {
        switch self {
        case .int8: Int64(Int8.min)...Int64(Int8.max)
        case .int16: Int64(Int16.min)...Int64(Int16.max)
        case .int32: Int64(Int32.min)...Int64(Int32.max)
        case .int64: Int64.min...Int64.max
        case .uint8: 0...Int64(UInt8.max)
        case .uint16: 0...Int64(UInt16.max)
        case .uint32: 0...Int64(UInt32.max)
        case .uint64: 0...Int64.max
        default: nil
        }
    }

    var isInteger: Bool { integerRange != nil }
    var isReal: Bool { self == .float || self == .double }
    var isScalar: Bool { isInteger || isReal || self == .bool }
    /// What a pointer leads to.
    var isMemory: Bool { self == .string || self == .bytes || self == .strings }
}

enum ForeignDirection: String, CaseIterable { case `in`, out, `inout` }

/// One parameter of a function, or what it returns.
struct ForeignValue {
    enum Role: Hashable {
        case argument
        case constant
        case length(of: String)
        case capacity(of: String)
        case file(String)
        case object(String)
        /// Comes out only.
        case output
    }

    var pointer: String
    var name: String?
    var type: ForeignType
    var direction: ForeignDirection
    var role: Role
    var isReturn: Bool
    var argument: [String]?
    var result: [String]?
    var defaultValue: JSON?
    /// What a default or a constant is written as, for its problem's place.
    var choices: [(word: String, value: Int64)]?
    var schema: JSONObject = [:]
    /// The function gets a buffer of the adapter.
    var capacity: Int64?
    var isFixed = false
    var isNullable = false
    var hasRelease = false
    var releaseNeedsLength = false
}
