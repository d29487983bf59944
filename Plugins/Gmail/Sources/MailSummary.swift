import MailCommon
import TandemSDK

enum MailPhrase {
    static func reply(
        _ lead: String, nothing: String, _ heads: [MailHead], more: Bool, note: String?, _ context: Context
    ) -> Reply<MailList> {
        MailList.reply(
            lead, nothing: nothing, heads, more: more, note: note, type: Gmail.Mail.entity, select: "gmail.read",
            context.clock)
    }
}
