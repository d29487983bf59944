public import TandemJSON

/// What a tool gives back: a `Reply`, an `Accepted`, an `Outcome`, or a `String` when there is only something to say.
public protocol ToolOutput: Sendable {
    /// JSON Schema of the value.
    static var resultSchema: JSON { get }

    var outcome: Outcome { get }
}

/// A value and what to say about it.
///
/// The first line of the message must stand alone and fit about 150 GSM-7 characters; further lines are details that
/// the person gets on asking for more. Short, kind, at most one next step.
public struct Reply<Value: JSONRepresentable>: ToolOutput {
    public var message: String
    public var value: Value
    /// What the message shows or the call touched, so that "2" and "that" are understood next.
    public var shown: Shown?
    /// Lower than declared, when what went into this reply is less trusted.
    public var trust: Trust?

    public init(_ message: String, value: Value, shown: Shown? = nil, trust: Trust? = nil) {
        self.message = message
        self.value = value
        self.shown = shown
        self.trust = trust
    }

    public static var resultSchema: JSON { Value.shape.schema }

    public var outcome: Outcome { .value(value.json, message: message, shown: shown, trust: trust) }
}

extension Reply where Value == Nothing {
    public init(_ message: String, shown: Shown? = nil, trust: Trust? = nil) {
        self.init(message, value: Nothing(), shown: shown, trust: trust)
    }
}

extension String: ToolOutput {
    public static var resultSchema: JSON { Nothing.shape.schema }
    public var outcome: Outcome { .value([:], message: self, shown: nil, trust: nil) }
}

/// Long work began; its result comes as a message of its own.
public struct Accepted: ToolOutput {
    public var job: String
    public var message: String

    public init(job: String, _ message: String) {
        self.job = job
        self.message = message
    }

    public static var resultSchema: JSON { true }
    public var outcome: Outcome { .accepted(self) }
}

/// How a call ended, of any kind.
public enum Outcome: Sendable, ToolOutput {
    case value(JSON, message: String, shown: Shown?, trust: Trust?)
    case failure(ToolError)
    case question(Ask)
    case authRequired(AuthRequired)
    case accepted(Accepted)

    public static var resultSchema: JSON { true }
    public var outcome: Outcome { self }
}

/// The things that an answer named, in the order of its numbering.
public struct Shown: Sendable, Hashable {
    public struct Item: Sendable, Hashable {
        /// `grocery.item`.
        public var type: String
        public var id: String
        public var label: String

        public init(type: String, id: String, label: String) {
            self.type = type
            self.id = id
            self.label = label
        }
    }

    public var items: [Item]
    /// The tool that a bare digit calls on the item of that number.
    public var select: String?
    /// Shown with numbers; false when only touched.
    public var isNumbered: Bool

    public init(_ items: [Item], select: String? = nil, numbered: Bool = true) {
        self.items = items
        self.select = select
        self.isNumbered = numbered
    }

    /// Rows with their ids; `label` is the words for each.
    public init<R: Row>(_ rows: [R], label: (R) -> String, select: String? = nil, numbered: Bool = true) {
        self.init(
            rows.map { Item(type: R.entity, id: $0.id.description, label: label($0)) }, select: select,
            numbered: numbered)
    }

    /// One row that the call touched: "that".
    public static func touched<R: Row>(_ row: R, label: String) -> Shown {
        Shown([Item(type: R.entity, id: row.id.description, label: label)], numbered: false)
    }

    var json: JSON {
        var object = JSONObject()
        if let select { object["select"] = .string(select) }
        object["numbered"] = .bool(isNumbered)
        object["items"] = .array(
            items.map { ["type": .string($0.type), "id": .string($0.id), "label": .string($0.label)] })
        return .object(object)
    }
}

/// `1 milk 2 l, 2 eggs, 3 bread`: the way that numbered lists are written.
public func numbered(_ labels: some Sequence<String>) -> String {
    labels.enumerated().map { "\($0.offset + 1) \($0.element)" }.joined(separator: ", ")
}
