internal import CTandemPlugin
internal import TandemJSON

/// Telling the person's other plugins that something happened (`tandem.event/1`), on topics that the definition's
/// `publishes` declares.
///
///     try await context.events.publish(Grocery.bought, Bought(items: ["milk"]), key: context.idempotencyKey)
public struct Events: Sendable {
    let call: Call

    /// Publishes an event: who subscribes and is on for the person gets it at least once, also when this call fails
    /// later. Gives its id.
    ///
    /// - Parameter key: a second event of the same topic and key within seven days is not published again; at most 128
    ///   bytes. Give one where the call may be made again.
    ///
    /// Throws `ToolError`: `over_quota`, `not_granted` (a tool of effect `read`), `not_declared`, and what
    /// `tandem/ext/event.h` lists.
    @discardableResult
    public func publish<Data: Object>(_ topic: Topic<Data>, _ data: Data, key: String? = nil) async throws -> String {
        let access = call.instance.host
        let id = call.id
        let bytes = data.json.serialized()
        let answer: JSONAnswer = await access.request(access.eventTable) { table, context in
            withSlice(topic.name) { topic in
                withSlice(bytes) { data in
                    withSlice(key ?? "") {
                        table.publish(access.host, id, topic, data, $0, context, tandemSDKJSONDone)
                    }
                }
            }
        }
        guard answer.status == TANDEM_OK else { throw ToolError.service(answer.status) }
        return answer.json?["event"]?.stringValue ?? ""
    }
}

extension Context {
    /// Telling the person's other plugins.
    public var events: Events { Events(call: call) }
}
