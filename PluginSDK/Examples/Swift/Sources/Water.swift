public import TandemSDK

/// Counts the glasses of water that a person drinks, and says how far the day's goal is.
public struct Water: Plugin {
    public static let definition = PluginDefinition(
        id: "org.example.water", namespace: "water", name: "Water", version: "1.1.0",
        summary: "Counts the glasses of water you drink.",
        publisher: .init(name: "Tandem examples", contact: "https://example.org"), license: "Apache-2.0",
        tables: [Glass.self], tools: [Drink.self, Today.self, Week.self], configuration: Settings.self)
}

struct Settings: Configuration {
    /// Glasses a day; 0 for no goal.
    var goal = 8
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
        let goal = context.config(Settings.self).goal
        let count = total == 1 ? "One glass today." : "That makes \(total) glasses today."
        // Said once, when it is reached: not with every glass after it.
        let isReached = goal > 0 && total >= goal && total - glasses < goal
        return Reply(isReached ? count + " That is your goal, well done." : count, value: total)
    }
}

struct Today: Tool {
    static let declaration = ToolDeclaration(
        "water.today", "Show today's water", effect: .read,
        "Says how many glasses of water the person drank today, and how many are left to the goal.",
        utterances: ["how much water did I drink [today]", "how many glasses of water today"])

    struct Standing: Object {
        var glasses: Int
        var goal: Int
    }

    func run(_ context: Context) async throws -> Reply<Standing> {
        let rows = context.rows(Glass.self)
        let total = try await rows.sum(\.glasses, where: \.day == context.clock.today).intValue ?? 0
        let goal = context.config(Settings.self).goal
        let count = total == 0 ? "No water yet today." : total == 1 ? "One glass so far." : "\(total) glasses so far."
        let rest = goal - total
        let ending = goal == 0 ? "" : rest <= 0 ? " Goal reached." : " \(rest) to go."
        return Reply(count + ending, value: Standing(glasses: total, goal: goal))
    }
}

struct Week: Tool {
    static let declaration = ToolDeclaration(
        "water.week", "Show the last week's water", effect: .read,
        "Lists the glasses of water of each of the last seven days.",
        utterances: ["show my water [of|for] (this|the last) week", "how much water did I drink this week"])

    struct Count: Object {
        var day: Day
        var glasses: Int
    }

    func run(_ context: Context) async throws -> Reply<[Count]> {
        let today = context.clock.today
        let groups = try await context.rows(Glass.self).sum(\.glasses, by: \.day, where: \.day > today.adding(days: -7))
        var counts: [Count] = []
        for group in groups {
            if let day = group[\.day] { counts.append(Count(day: day, glasses: group.sum.intValue ?? 0)) }
        }
        counts.sort { $0.day < $1.day }
        let total = counts.reduce(0) { $0 + $1.glasses }
        let lines = ["\(total) glasses in the last seven days."] + counts.map { "\($0.day): \($0.glasses)" }
        return Reply(lines.joined(separator: "\n"), value: counts)
    }
}
