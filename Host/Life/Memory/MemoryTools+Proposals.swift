import TandemCore
import TandemJSON
import TandemMemory

/// What integrations propose to remember: the person looks at it and keeps or declines it.
extension MemoryTools {
    static let proposalEntity = "memory.proposal"

    private static let proposalResult = Shape.result(
        ["id": Shape.string, "text": Shape.string, "proposed_by": Shape.string], required: ["id", "text"])
    private static let proposalReference = SlotDefinition(.reference(entity: proposalEntity), required: true)
    private static let most = 20

    static let proposalDefinitions: [ToolDefinition] = [
        ToolDefinition(
            id: "memory.proposals", title: "Show proposed memories",
            description: "Lists what integrations would like to have remembered about the person.",
            parameters: Shape.object([:]),
            result: Shape.result(["proposals": Shape.array(proposalResult)], required: ["proposals"]), effect: .read,
            utterances: [
                Utterance("(show|list) [me] [the] (proposed|suggested) memories"),
                Utterance("what memories are (proposed|suggested)"), Utterance("(show|list) [me] memory proposals"),
                Utterance("what would [the] integrations like [you] to remember"),
            ]),
        ToolDefinition(
            id: "memory.keep_proposal", title: "Keep a proposed memory",
            description: "Remembers what an integration proposed.",
            parameters: Shape.object(["proposal": Shape.reference("proposal")], required: ["proposal"]),
            result: Shape.result(["memory": memoryResult], required: ["memory"]), effect: .write,
            utterances: [
                Utterance("keep [the] proposal {proposal}"),
                Utterance("keep [the] (proposed|suggested) memory {proposal}"),
                Utterance("accept [the] proposal {proposal}"),
            ],
            slots: ["proposal": proposalReference], actsOn: proposalEntity),
        ToolDefinition(
            id: "memory.decline_proposal", title: "Decline a proposed memory",
            description: "Declines what an integration proposed to remember; it is not proposed again.",
            parameters: Shape.object(["proposal": Shape.reference("proposal")], required: ["proposal"]),
            result: Shape.result(["declined": proposalResult], required: ["declined"]), effect: .write,
            utterances: [
                Utterance("decline [the] proposal {proposal}"), Utterance("reject [the] proposal {proposal}"),
                Utterance("decline [the] (proposed|suggested) memory {proposal}"),
            ],
            slots: ["proposal": proposalReference], actsOn: proposalEntity),
    ]

    func listProposals(_ request: ToolRequest) async throws -> ToolOutcome {
        let all = try await proposals.waiting(limit: MemoryTools.most, in: request.scope)
        guard !all.isEmpty else {
            return .value(["proposals": []], "No integration has proposed anything to remember.")
        }
        return .value(
            ["proposals": .array(all.map(MemoryTools.json))],
            Wording.numbered(
                "Proposed to remember:",
                all.map { Wording.clip($0.content, to: 40) + " (" + Wording.clip($0.proposedBy, to: 20) + ")" }),
            shown: ShownEntities(items: all.map(MemoryTools.item), select: "memory.keep_proposal"))
    }

    func keepProposal(_ request: ToolRequest) async throws -> ToolOutcome {
        let id = try await proposal(request)
        guard let kept = try await proposals.keep(id, in: request.scope, origin: request.call.origin) else {
            throw ToolFailure.notFound("proposal", nil)
        }
        let memory = kept.result.memory
        return .value(
            ["memory": MemoryTools.json(memory)], Wording.line("I'll remember: ", memory.content, "."),
            shown: .touched([MemoryTools.item(memory)]))
    }

    func declineProposal(_ request: ToolRequest) async throws -> ToolOutcome {
        let id = try await proposal(request)
        guard let declined = try await proposals.decline(id, in: request.scope, origin: request.call.origin) else {
            throw ToolFailure.notFound("proposal", nil)
        }
        return .value(
            ["declined": MemoryTools.json(declined)], Wording.line("I won't remember: ", declined.content, "."))
    }

    private func proposal(_ request: ToolRequest) async throws -> RecordID {
        let all = try await proposals.waiting(limit: 200, in: request.scope)
        let items = all.map { Referable(id: $0.id.description, label: $0.content) }
        return all[try request.resolve("proposal", among: items, noun: "proposal")].id
    }

    private static func json(_ proposal: MemoryProposal) -> JSON {
        [
            "id": .string(proposal.id.description), "text": .string(proposal.content),
            "proposed_by": .string(proposal.proposedBy),
        ]
    }

    private static func item(_ proposal: MemoryProposal) -> ShownEntities.Item {
        ShownEntities.Item(
            type: proposalEntity, id: proposal.id.description, label: Wording.clip(proposal.content))
    }
}
