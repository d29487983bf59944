import PluginCommon
public import TandemSDK

public struct ExportExpenses: Tool {
    public static let declaration = ToolDeclaration(
        "expenses.export", "Export expenses as a table", effect: .read,
        """
        Gives the expenses of a period (this month by default) as comma-separated values after RFC 4180, for a \
        spreadsheet: date, amount, currency, category, description, payment method, place, tags, recurring.
        """,
        utterances: [
            "export [my] expenses [{period}]",
            "(export|download) [my] (expenses|spending) as [a] (csv|table|spreadsheet|file) [{period}]",
            "(give|send|show) me [a] (csv|spreadsheet) of [my] expenses [{period}]",
            "export [my] {subject} expenses [{period}]",
        ])

    @Argument("From when to when; this month when left out") var period: Period?
    @Argument("Only a category, or words in the description", schema: ["maxLength": 200]) var subject: String?

    public init() {}

    public struct Export: Object {
        public var csv: String
        public var fileName: String
        public var count: Int
        public var period: Period
    }

    /// What one answer can carry.
    private static let rowLimit = 2500
    private static let byteLimit = 400_000

    public func run(_ context: Context) async throws -> Reply<Export> {
        let ledger = try await Ledger.load(context)
        let span = period?.ordered ?? ledger.today.wholeMonth
        let filter = ExpenseFilter(period: span, on: subject, ledger.categories)
        let rows = try await ledger.rows(filter, limit: ExportExpenses.rowLimit + 1)
        let csv = ExportExpenses.csv(rows.reversed())
        guard rows.count <= ExportExpenses.rowLimit, csv.utf8.count <= ExportExpenses.byteLimit else {
            throw ToolError.invalid("That is too much for one table. A shorter period works.", code: "too_large")
        }
        let when = span.phrase(today: ledger.today)
        let value = Export(
            csv: csv, fileName: "expenses-\(span.from)-\(span.to).csv", count: rows.count, period: span)
        guard !rows.isEmpty else { return Reply("Nothing to export\(filter.phrase) \(when).", value: value) }
        let title = "\(rows.count == 1 ? "1 expense" : "\(rows.count) expenses")\(filter.phrase) \(when) as CSV:"
        return Reply(title + "\n" + csv.replacing("\r\n", with: "\n"), value: value)
    }

    /// A header and one line per expense.
    static func csv(_ rows: some Sequence<Expense>) -> String {
        var text = CSV.line(
            [
                "date", "amount", "currency", "category", "description", "payment_method", "place", "tags", "recurring",
            ].map { .plain($0) })
        for row in rows {
            text += CSV.line([
                .plain(row.expenseDate.description), .plain(Budget.amountText(row.money)), .plain(row.currency),
                .text(row.category), .text(row.description), .plain(row.paymentMethod?.rawValue ?? ""),
                .text(row.location ?? ""), .text(row.tags.joined(separator: "; ")),
                .plain(row.recurring ? "yes" : "no"),
            ])
        }
        return text
    }
}
