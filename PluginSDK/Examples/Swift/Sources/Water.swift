public import TandemSDK

/// Counts the glasses of water that a person drinks.
public struct Water: Plugin {
    public static let definition = PluginDefinition(
        id: "org.example.water", namespace: "water", name: "Water", version: "1.0.0",
        summary: "Counts the glasses of water you drink.", tables: [Glass.self], tools: [Drink.self])
}

struct Glass: Row {
    static let table = Table<Glass>("water_glasses", "glasses of water that you drank", .index(\.day))
    var id = RowID()
    var day: Day
    var glasses: Int
}

struct Drink: Tool {
    static let declaration = ToolDeclaration(
        "water.drink", "Count a glass of water", effect: .write,
        "Counts glasses of water drunk today. Use it when the person says that they drank water.",
        utterances: ["I drank [{glasses}] (glass|glasses) of water", "had [some|a glass of] water"])

    @Argument("How many glasses", schema: ["minimum": 1, "maximum": 30]) var glasses = 1

    func run(_ context: Context) async throws -> Reply<Int> {
        let rows = context.rows(Glass.self)
        let today = context.clock.today
        try await rows.insert(Glass(day: today, glasses: glasses))
        let total = try await rows.sum(\.glasses, where: \.day == today).intValue ?? 0
        return Reply(total == 1 ? "One glass today." : "That makes \(total) glasses today.", value: total)
    }
}
