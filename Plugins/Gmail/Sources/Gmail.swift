import PluginCommon
public import TandemSDK

/// The person's mail at Gmail: looked at, sorted, answered, and kept in an index that works when Gmail does not.
public enum Gmail: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.gmail", namespace: "gmail", name: "Gmail", version: "1.0.0",
        summary: "Reads, sorts and answers your mail at Gmail, and says what needs an answer.",
        aliases: ["google mail", "email"], license: "Apache-2.0",
        tables: [IndexedMail.self, SyncState.self, MailTask.self],
        tools: [
            ListMail.self, SearchMail.self, ReadMail.self, TriageMail.self, ListLabels.self,
            ArchiveMail.self, StarMail.self, MarkMail.self, LabelMail.self, TrashMail.self, CleanMail.self,
            RestoreMail.self,
            SendMail.self, ReplyToMail.self, DraftMail.self, ListDrafts.self, SendDraft.self, DiscardDraft.self,
            TaskFromMail.self, MailOfTask.self, SyncMail.self, FindSent.self,
        ],
        calls: [.init("tasks.add", reason: "to put a mail on your task list when you ask")],
        hosts: [.init("gmail.googleapis.com", reason: "to read and change your mail")],
        uses: [.keyValues, .timers], handlers: [SyncInBackground.self],
        accounts: [
            .init(
                GmailService.grant, provider: "google", reason: "to work with your mail",
                scopes: [
                    .init(
                        "https://www.googleapis.com/auth/gmail.readonly",
                        reason: "to show, search and sort out what came in"),
                    .init(
                        "https://www.googleapis.com/auth/gmail.modify", isForWriting: true,
                        reason: "to archive, label and draft, and to send what you approved"),
                ])
        ],
        metrics: [syncs],
        subscribes: [
            .init(HostTopic.ready, SyncInBackground.self, reason: "to begin with the list of your mails")
        ], quota: .init(rows: 4000, kvEntries: 500))

    static let syncs = Metric.counter(
        "syncs_total", "Rounds of bringing the mail index up to date",
        labels: ["outcome": ["changes", "full", "restarted", "failed"]])

    /// The thing that people refer to.
    public enum Mail: Entity { public static let entity = "gmail.mail" }
    enum Draft: Entity { static let entity = "gmail.draft" }
}

public typealias MailReference = ServiceReference<Gmail.Mail>
typealias MailReferences = ServiceReferences<Gmail.Mail>
