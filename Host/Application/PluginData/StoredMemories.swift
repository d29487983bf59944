import TandemCore
import TandemMemory
import TandemPluginHost

/// `tandem.memory/1` on the person's long-term memory.
struct StoredMemories: PluginMemories {
    let memory: LongTermMemory
    let proposals: MemoryProposals
    let clock: any WallClock
    /// The name of a plugin, for the person.
    let name: @Sendable (String) -> String

    func recall(_ query: String, kinds: Set<String>, limit: Int, in place: PluginPlace) async throws -> [SharedMemory] {
        // More are asked for than are given: what is of another kind, or not the person's own words, is left out.
        let found = try await memory.recall(query, limit: max(limit * 4, 40), now: clock.now, in: place.scope)
            .map(\.memory).filter { $0.trust == .owner && kinds.contains($0.type) }.prefix(limit)
        try await memory.noteAccess(found.map(\.id), in: place.scope)
        return found.map { memory in
            SharedMemory(id: memory.id, kind: memory.type, text: memory.content, since: memory.validFrom)
        }
    }

    func propose(
        _ text: String, kind: String, in place: PluginPlace
    ) async throws -> (id: RecordID?, state: ProposalState) {
        let result = try await proposals.propose(
            text, type: kind, plugin: place.plugin, name: name(place.plugin), in: place.scope)
        switch result {
        case .waiting(let id): return (id, .waiting)
        case .known: return (nil, .known)
        case .declined: return (nil, .declined)
        case .tooMany: throw ServiceFailure(Status.overQuota)
        }
    }
}
