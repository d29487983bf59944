public import TandemSDK

/// What was spent, on what, against which budget.
public enum Expenses: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.expenses", namespace: "expenses", name: "Expenses", version: "1.0.0",
        summary: "Notes what you spend, keeps an eye on budgets and answers where the money went.",
        aliases: ["expense", "spending", "budget", "money"], license: "Apache-2.0",
        tables: [Expense.self, ExpenseCategory.self, RecurringExpense.self],
        tools: [
            RecordExpense.self, ListExpenses.self, TotalSpent.self, SpendingBreakdown.self, SpendingTrend.self,
            SetBudget.self, ShowBudgets.self, RemoveBudget.self, AddRecurring.self, ListRecurring.self,
            ChangeRecurring.self, EndRecurring.self, UpdateExpense.self, DeleteExpenses.self, AddCategory.self,
            RenameCategory.self, DeactivateCategory.self, ListCategories.self, ExportExpenses.self,
        ], configuration: ExpenseSettings.self)
}
