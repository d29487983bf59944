public import TandemSDK

/// A Swift plugin whose tool takes a list of things and gives it back: what the benchmark of a call measures.
public struct Echo: Plugin {
    public static let definition = PluginDefinition(
        id: "tandem.bench-echo", namespace: "bench", name: "Echo", version: "1.0.0",
        summary: "Gives back what it gets.", tools: [Give.self])
}

struct Give: Tool {
    static let declaration = ToolDeclaration(
        "bench.give", "Give back", effect: .read, "Gives back the things that it gets.")

    @Argument("The things") var items: [Quantity]

    struct Given: Object {
        var items: [Quantity]
    }

    func run(_ context: Context) async throws -> Reply<Given> { Reply("Given.", value: Given(items: items)) }
}
