/// The members of a JSON object, in insertion order, with distinct names.
///
/// Up to 16 members are found by linear search; larger objects carry a hashed index, so lookups stay constant in time
/// whatever names a sender chooses.
public struct JSONObject: Sendable {
    /// One member, as seen by iteration.
    public typealias Element = (key: String, value: JSON)

    /// One member, as stored: a struct, because tuples go through run-time metadata when arrays copy or destroy them.
    @usableFromInline
    package struct Member: Sendable {
        @usableFromInline package var key: String
        @usableFromInline package var value: JSON

        @inlinable
        package init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }

        /// The place of a member's value, inside the member.
        @inlinable
        @inline(__always)
        package static func value(in place: UnsafePointer<Member>) -> UnsafePointer<JSON> {
            (UnsafeRawPointer(place) + (MemoryLayout<Member>.offset(of: \.value) ?? 16)).assumingMemoryBound(
                to: JSON.self)
        }
    }

    @usableFromInline package var members: ContiguousArray<Member>
    @usableFromInline var index: [UTF8Key: Int]?

    @usableFromInline static var linearLimit: Int { 16 }

    /// An object without members.
    @inlinable
    public init() {
        members = []
        index = nil
    }

    /// An object with the given members; a name given twice keeps its first place and its last value.
    public init(_ pairs: some Sequence<(String, JSON)>) {
        self.init()
        members.reserveCapacity(pairs.underestimatedCount)
        for (key, value) in pairs { self[key] = value }
    }

    /// Takes members whose names are known to be distinct.
    @usableFromInline
    init(distinct members: ContiguousArray<Member>, index: [UTF8Key: Int]?) {
        self.members = members
        self.index = index
    }

    /// The number of members.
    @inlinable public var count: Int { members.count }

    /// Whether there are no members.
    @inlinable public var isEmpty: Bool { members.isEmpty }

    /// The names, in insertion order.
    @inlinable public var keys: [String] { members.map(\.key) }

    /// The values, in insertion order.
    @inlinable public var values: [JSON] { members.map(\.value) }

    /// Makes room for `capacity` members in all.
    @inlinable
    public mutating func reserveCapacity(_ capacity: Int) {
        members.reserveCapacity(capacity)
    }

    /// Appends a member whose name no other one has.
    @inlinable
    package mutating func append(distinct key: String, _ value: JSON) {
        guard index == nil, members.count < JSONObject.linearLimit else { return set(key, value) }
        members.append(Member(key: key, value: value))
    }

    /// The place of a member in insertion order, or nil.
    @inlinable
    public func firstIndex(of key: String) -> Int? {
        if let index { return index[UTF8Key(key)] }
        for position in 0..<members.count where utf8Equal(members[position].key, key) { return position }
        return nil
    }

    /// Whether a member of this name exists.
    @inlinable
    public func contains(_ key: String) -> Bool { firstIndex(of: key) != nil }

    /// The member at a place in insertion order; `position` must be in `0..<count`.
    @inlinable
    public subscript(position position: Int) -> Element {
        let member = members[position]
        return (member.key, member.value)
    }

    /// The value of a member; setting nil removes it, setting an existing name keeps its place.
    @inlinable
    public subscript(key: String) -> JSON? {
        get {
            guard let position = firstIndex(of: key) else { return nil }
            return members[position].value
        }
        set {
            if let newValue {
                set(key, newValue)
            } else {
                removeValue(forKey: key)
            }
        }
        _modify {
            let position = firstIndex(of: key)
            var value: JSON? = nil
            if let position {
                value = members[position].value
                members[position].value = .null
            }
            defer {
                if let value {
                    if let position { members[position].value = value } else { set(key, value) }
                } else if position != nil {
                    removeValue(forKey: key)
                }
            }
            yield &value
        }
    }

    @usableFromInline
    mutating func set(_ key: String, _ value: JSON) {
        if let position = firstIndex(of: key) {
            members[position].value = value
            return
        }
        members.append(Member(key: key, value: value))
        if index != nil {
            index?[UTF8Key(key)] = members.count - 1
        } else if members.count > Self.linearLimit {
            rebuildIndex()
        }
    }

    /// Removes a member and returns its value; linear in the number of members.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSON? {
        guard let position = firstIndex(of: key) else { return nil }
        let removed = members.remove(at: position).value
        rebuildIndex()
        return removed
    }

    private mutating func rebuildIndex() {
        index = nil
        guard members.count > Self.linearLimit else { return }
        var built: [UTF8Key: Int] = [:]
        built.reserveCapacity(members.count)
        for position in members.indices { built[UTF8Key(members[position].key)] = position }
        index = built
    }
}

extension JSONObject: Sequence {
    /// Iterates over the members in insertion order.
    public struct Iterator: IteratorProtocol {
        @usableFromInline let members: ContiguousArray<Member>
        @usableFromInline var position = 0

        @inlinable
        init(_ members: ContiguousArray<Member>) { self.members = members }

        @inlinable
        public mutating func next() -> Element? {
            guard position < members.count else { return nil }
            defer { position += 1 }
            return (members[position].key, members[position].value)
        }
    }

    @inlinable
    public func makeIterator() -> Iterator { Iterator(members) }

    @inlinable public var underestimatedCount: Int { members.count }
}

extension JSONObject: Hashable {
    /// Same names with equal values, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        for position in 0..<left.members.count {
            let key = left.members[position].key
            if utf8Equal(key, right.members[position].key) {
                if left.members[position].value != right.members[position].value { return false }
            } else {
                guard let other = right.firstIndex(of: key) else { return false }
                if left.members[position].value != right.members[other].value { return false }
            }
        }
        return true
    }

    /// Feeds a sum over the members, so that order does not matter.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for (key, value) in self {
            var member = Hasher()
            UTF8Key(key).hash(into: &member)
            value.hash(into: &member)
            sum &+= member.finalize()
        }
        hasher.combine(members.count)
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// A name given twice keeps its first place and its last value.
    public init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
