public import TandemSDK

/// A plugin with an effect that nobody can take back, at a service that honours idempotency keys: for tests that kill.
public struct Courier: Plugin {
    public static let definition = PluginDefinition(
        id: "test.courier", namespace: "courier", name: "Courier", version: "1.0.0", summary: "Sends parcels.",
        tools: [SendParcel.self], hosts: [.init("gmail.googleapis.com", reason: "to hand parcels over")])
}

struct SendParcel: Tool {
    static let declaration = ToolDeclaration(
        "courier.send", "Send a parcel", effect: .send, "Hands a parcel over to the courier.", undo: .none,
        utterances: ["courier {parcel} to {recipient}", "courier the parcel {parcel} to {recipient}"])

    @Argument("What is in it") var parcel: String
    @Argument("Who gets it") var recipient: String

    func run(_ context: Context) async throws -> Reply<Int> {
        let answer = try await context.http.send(
            HTTPRequest(
                .post, "https://gmail.googleapis.com/parcels", body: .json(["parcel": .string(parcel)]),
                idempotencyKey: context.idempotencyKey))
        guard answer.status == 200 else { throw ToolError.unavailable() }
        return Reply("The parcel with \(parcel) is on its way.", value: answer.status)
    }
}
