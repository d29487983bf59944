import PluginCommon
public import TandemSDK

/// The person's calendar and mail at Microsoft 365 or Outlook.com, by Microsoft Graph v1.0.
public enum Graph: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.graph", namespace: "graph", name: "Outlook", version: "1.0.0",
        summary: "Your calendar and mail at Microsoft: looks, plans, answers.",
        aliases: ["microsoft 365", "microsoft", "outlook calendar", "outlook mail"], license: "Apache-2.0",
        tables: [KeptEvent.self, KeptMail.self, SyncState.self, MailTask.self],
        tools: [
            ShowCalendar.self, SearchEvents.self, FindFreeTime.self, ShowEvent.self,
            AddEvent.self, InviteToEvent.self, ChangeEvent.self, RescheduleEvent.self, DeleteEvent.self,
            CancelEvent.self, RespondToEvent.self, RestoreEvent.self,
            ListMail.self, SearchMail.self, ReadMail.self, ChangeMail.self, MoveMail.self, RestoreMail.self,
            DraftMail.self, SendMail.self, ReplyToMail.self, ForwardMail.self, SendDraft.self,
            TriageMail.self, TaskFromMail.self, MailOfTask.self, FindSent.self,
            ShowProfile.self, SyncAll.self,
        ],
        calls: [.init("tasks.add", reason: "to put a mail on your task list when you ask")],
        hosts: [
            .init(
                "graph.microsoft.com", service: "Microsoft", reason: "to work with your calendar and mail",
                reads: ["POST /v1.0/me/calendar/getSchedule"])
        ], uses: [.keyValues, .timers], handlers: [SyncInBackground.self],
        accounts: [
            .init(
                GraphService.grant, provider: "microsoft", reason: "to work with your calendar and mail",
                scopes: [
                    .init("Calendars.Read", reason: "to show what is planned and when you are free"),
                    .init("Mail.Read", reason: "to show and search what came in"),
                    .init("Calendars.ReadWrite", isForWriting: true, reason: "to plan and move meetings"),
                    .init("Mail.ReadWrite", isForWriting: true, reason: "to draft, move and mark mail"),
                    .init("Mail.Send", isForWriting: true, reason: "to send what you approved"),
                ])
        ],
        metrics: [syncs],
        subscribes: [
            .init(
                HostTopic.ready, SyncInBackground.self, reason: "to begin with your calendar and the list of your mails"
            )
        ], quota: .init(rows: 6000, kvEntries: 500))

    static let syncs = Metric.counter(
        "syncs_total", "Rounds of bringing calendar and mail up to date",
        labels: ["what": ["calendar", "mail"], "outcome": ["changes", "full", "restarted", "failed"]])

    enum Event: Entity { static let entity = "graph.event" }
    public enum Mail: Entity { public static let entity = "graph.mail" }
}

typealias EventReference = ServiceReference<Graph.Event>
public typealias MailReference = ServiceReference<Graph.Mail>
typealias MailReferences = ServiceReferences<Graph.Mail>
