public import TandemJSON

/// What a timer or an event of another plugin calls: like a tool, but nobody asks for it, and nobody hears its answer.
///
///     struct Restock: Handler {
///         static let declaration = HandlerDeclaration("restock", "Puts regular purchases back on the list", effect: .write)
///
///         @Argument var item: String
///
///         func run(_ context: Context, _ occasion: Occasion) async throws { … }
///     }
///
/// The arguments are the timer's or the event's data; members that no argument names are let pass. A call that an
/// interruption cut off is made again with the same `context.idempotencyKey`. `ToolError.unavailable`, `.rateLimited` and
/// the like are tried again by the host; other errors end it. There is nobody to ask.
public protocol Handler: TakingArguments {
    static var declaration: HandlerDeclaration { get }

    /// JSON Schema of the data; made of the `@Argument` properties unless a handler says otherwise.
    static var parameters: JSON { get }

    func run(_ context: Context, _ occasion: Occasion) async throws
}

extension Handler {
    public static var parameters: JSON { ToolLayout(Self.self).openParameters }
}

/// What a handler says about itself.
public struct HandlerDeclaration: Sendable {
    /// `restock`: without the namespace, and no tool's name.
    public var name: String
    /// For people, one line.
    public var description: String
    /// `read` or `write`: what sends, spends or deletes needs a person who confirms.
    public var effect: Effect
    public var timeoutMilliseconds: Int
    /// As of `ToolDeclaration`.
    public var startsInline: Bool

    public init(
        _ name: String, _ description: String, effect: Effect, timeoutMilliseconds: Int = 10_000,
        startsInline: Bool = true
    ) {
        self.name = name
        self.description = description
        self.effect = effect
        self.timeoutMilliseconds = timeoutMilliseconds
        self.startsInline = startsInline
    }
}

/// Why a handler is called.
public enum Occasion: Sendable, Hashable {
    /// A timer is due.
    ///
    /// - Parameters:
    ///   - missed: how many earlier times passed while the host or the plugin was off.
    case timer(name: String, dueAt: Instant, missed: Int)
    /// Another plugin published something.
    case event(id: String, topic: String, publishedAt: Instant)

    init?(_ arguments: JSON) {
        func instant(_ member: String) -> Instant? { (arguments[member]?.stringValue).flatMap { Instant($0) } }
        if let name = arguments["timer"]?.stringValue, let dueAt = instant("dueAt") {
            self = .timer(name: name, dueAt: dueAt, missed: Int(arguments["missed"]?.int64Value ?? 0))
        } else if let id = arguments["event"]?.stringValue, let topic = arguments["topic"]?.stringValue,
            let publishedAt = instant("publishedAt")
        {
            self = .event(id: id, topic: topic, publishedAt: publishedAt)
        } else {
            return nil
        }
    }
}
