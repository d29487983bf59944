import PluginCommon
public import TandemSDK

/// A plugin with a mailbox: what its tools need of the service, and how they are called.
public protocol MailboxPlugin: MailTaskOwner {
    associatedtype Mail: Entity

    static var makingATask: ToolDeclaration { get }
    static var findingTheMail: ToolDeclaration { get }
    static var triage: ToolDeclaration { get }
    /// The tool that reads a mail: `gmail.read`.
    static var reading: String { get }
    /// What to do with noise; empty: nothing is said.
    static var adviceAboutNoise: String { get }

    /// The mail that the person means, and where it is seen at the service.
    static func find(
        _ mail: ServiceReference<Mail>, _ context: Context
    ) async throws -> (head: MailHead, link: String)
    static func read(_ id: String, _ context: Context) async throws -> Reply<MailText>
    /// The last weeks' mails of inbox and sent mail, also from the copy when the service does not answer.
    static func recent(_ context: Context) async throws -> RecentMail
    /// Those of the threads that seem to wait for somebody where nobody answered meanwhile.
    static func stillWaiting(
        _ verdicts: [MailTriage.Verdict], _ context: Context
    ) async throws -> [MailTriage.Verdict]
}

extension MailboxPlugin {
    public static func stillWaiting(
        _ verdicts: [MailTriage.Verdict], _ context: Context
    ) async throws -> [MailTriage.Verdict] { verdicts }
}

/// What is sorted.
public struct RecentMail: Sendable {
    public var mails: [MailHead]
    /// The person's addresses, in lower case.
    public var own: Set<String>
    /// How old it is, when the service did not answer.
    public var note: String?

    public init(_ mails: [MailHead], own: Set<String>, note: String?) {
        self.mails = mails
        self.own = own
        self.note = note
    }
}

public struct TaskFromMail<Owner: MailboxPlugin>: Tool {
    public static var declaration: ToolDeclaration { Owner.makingATask }

    @Argument("Which mail: #id as shown, or who or what it is about") var mail: ServiceReference<Owner.Mail>
    @Argument("By when") var due: When?
    @Argument("What to do; made of sender and subject unless given", planned: false, schema: ["maxLength": 200])
    var title: String?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailTaskMade> {
        let (head, link) = try await Owner.find(mail, context)
        return try await MailTask<Owner>.make(of: head, link: link, title: title, due: due, context)
    }
}

public struct MailOfTask<Owner: MailboxPlugin>: Tool {
    public static var declaration: ToolDeclaration { Owner.findingTheMail }

    @Argument("Which task") var task: ServiceReference<TaskEntity>

    public init() {}

    public func run(_ context: Context) async throws -> Reply<MailText> {
        try await Owner.read(try await MailTask<Owner>.message(of: task, context), context)
    }
}

public struct TriageMail<Owner: MailboxPlugin>: Tool {
    public static var declaration: ToolDeclaration { Owner.triage }

    @Argument("Only this kind") var kind: MailTriage.Kind?

    public init() {}

    public func run(_ context: Context) async throws -> Reply<SortedMail> {
        let memory = context.cache(TriageMemory.self)
        let key = context.idempotencyKey
        let found: TriageMemory.Found
        if let known = memory.take(of: key) { found = known } else { found = try await sorted(context) }
        var verdicts = found.verdicts
        let undecided = kind == .waiting ? [] : MailTriage.undecided(verdicts)
        if !undecided.isEmpty {
            guard let kinds = context.kinds(MailTriage.field, of: undecided.count) else {
                memory.keep(found, of: key)
                throw MailTriage.question(about: undecided)
            }
            verdicts = MailTriage.settled(verdicts, undecided, kinds)
        }
        return SortedMail.reply(
            verdicts, waiting: found.waiting, only: kind, note: found.note, type: Owner.Mail.entity,
            select: Owner.reading, advice: Owner.adviceAboutNoise)
    }

    private func sorted(_ context: Context) async throws -> TriageMemory.Found {
        let recent = try await Owner.recent(context)
        let verdicts = MailTriage.judge(recent.mails, own: recent.own, now: context.clock.now)
        var waiting = verdicts.filter { $0.kind == .waiting }
        // An answer may have been archived; a copy knows nothing of it.
        if recent.note == nil { waiting = try await Owner.stillWaiting(waiting, context) }
        return TriageMemory.Found(verdicts: verdicts, waiting: waiting, note: recent.note)
    }
}
