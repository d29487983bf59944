internal import CTandemPlugin
internal import TandemJSON

/// What the assistant knows about the person, as far as they agreed (`tandem.memory/1`) and the definition's `memory` asks.
///
///     let diet = try await context.memories.recall("what does the person not eat")
///     try await context.memories.propose("I am allergic to nuts", as: .fact)
public struct Memories: Sendable {
    let call: Call

    /// Memories of the granted kinds that match a question in plain words, best first; at most `limit` (1–20). That they
    /// were read is noted for the person. Throws `ToolError`.
    public func recall(_ question: String, limit: Int = 5) async throws -> [Memory] {
        let json = try await request { host, table, id, context in
            withSlice(question) { table.recall(host, id, $0, UInt32(clamping: limit), context, tandemSDKJSONDone) }
        }
        return (json["memories"]?.arrayValue ?? []).compactMap { Memory($0) }
    }

    /// Proposes to remember a line in the person's voice; it waits until the person keeps or declines it. Throws
    /// `ToolError`: `over_quota`, `not_granted` (the kind), `invalid_request` (not one line of at most 500 bytes).
    @discardableResult
    public func propose(_ text: String, as kind: MemoryKind) async throws -> ProposalState {
        let json = try await request { host, table, id, context in
            withSlice(kind.rawValue) { kind in
                withSlice(text) { table.propose(host, id, kind, $0, context, tandemSDKJSONDone) }
            }
        }
        return ProposalState(rawValue: json["state"]?.stringValue ?? "") ?? .waiting
    }

    private func request(
        _ submit: (UnsafePointer<tandem_host>, tandem_memory, UInt64, UnsafeMutableRawPointer) -> Int32
    ) async throws -> JSON {
        let access = call.instance.host
        let id = call.id
        let answer: JSONAnswer = await access.request(access.memoryTable) { submit(access.host, $0, id, $1) }
        guard answer.status == TANDEM_OK else { throw ToolError.service(answer.status) }
        return answer.json ?? .null
    }
}

/// What a memory is about.
public enum MemoryKind: String, Sendable, Hashable, CaseIterable {
    case fact, preference, event, identity
}

/// Something that the assistant remembers about the person.
public struct Memory: Sendable, Hashable {
    public var id: String
    public var kind: MemoryKind
    public var text: String
    public var since: Instant

    fileprivate init?(_ json: JSON) {
        guard let id = json["id"]?.stringValue, let kind = MemoryKind(rawValue: json["kind"]?.stringValue ?? ""),
            let text = json["text"]?.stringValue, let since = (json["since"]?.stringValue).flatMap({ Instant($0) })
        else { return nil }
        self.id = id
        self.kind = kind
        self.text = text
        self.since = since
    }
}

/// What became of a proposal.
public enum ProposalState: String, Sendable, Hashable {
    /// The person has not said yet.
    case waiting
    /// There is such a memory already.
    case known
    /// The person has declined the same words before.
    case declined
}

extension Context {
    /// What the assistant knows about the person.
    public var memories: Memories { Memories(call: call) }
}
