import CTandemPlugin
import TandemCore
import TandemJSON

/// `tandem.memory/1`: recall of the person's memories and proposals of new ones, within the granted kinds.
enum MemoryExtension {
    static let table = StaticTable(
        tandem_memory(
            header: tandem_header(size: UInt32(MemoryLayout<tandem_memory>.size), flags: 0), recall: memoryRecall,
            propose: memoryPropose))

    static let maxQueryBytes: UInt64 = 1000
    static let maxTextBytes: UInt64 = 500
    static let maxRequestsPerCall = 32
}

/// What both functions check alike.
private func begin(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id
) -> Result<(ServiceRequest, any PluginMemories, DeclaredMemory), StatusError> {
    switch ServiceRequest.begin(host, id, .memory) {
    case .failure(let error): return .failure(error)
    case .success(let request):
        guard let memories = request.plugin.services.memories, let granted = request.plugin.manifest.memory else {
            request.call.endService()
            return .failure(StatusError(TANDEM_E_NOT_GRANTED))
        }
        guard request.call.count(\.memories, atMost: MemoryExtension.maxRequestsPerCall) else {
            request.call.endService()
            return .failure(StatusError(TANDEM_E_OVER_QUOTA))
        }
        return .success((request, memories, granted))
    }
}

private func memoryRecall(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ query: tandem_slice, _ limit: UInt32,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_memory_done
) -> tandem_status {
    guard let back = BufferDone(context, done), limit <= 20, let bytes = query.bytes else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    guard query.len <= MemoryExtension.maxQueryBytes else { return TANDEM_E_TOO_LARGE }
    guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else { return TANDEM_E_INVALID_ARGUMENT }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, memories, granted)):
        request.run(
            {
                let kinds = Set(granted.recall.filter { !request.instance.isWithheld(.recall, $0) })
                guard !kinds.isEmpty else { throw ServiceFailure(TANDEM_E_NOT_GRANTED) }
                let found = try await memories.recall(
                    text, kinds: kinds, limit: limit == 0 ? 5 : Int(limit), in: request.place)
                let all = found.map { memory -> JSON in
                    [
                        "id": .string(memory.id.description), "kind": .string(memory.kind),
                        "text": .string(memory.text), "since": .string(memory.since.description),
                    ]
                }
                return ["memories": .array(all)] as JSON
            }, deliver: back.deliver)
        return TANDEM_OK
    }
}

private func memoryPropose(
    _ host: UnsafePointer<tandem_host>, _ id: tandem_call_id, _ kind: tandem_slice, _ text: tandem_slice,
    _ context: UnsafeMutableRawPointer?, _ done: tandem_memory_done
) -> tandem_status {
    guard let back = BufferDone(context, done), let kind = kind.name(atMost: 32) else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    guard text.len <= MemoryExtension.maxTextBytes else { return TANDEM_E_TOO_LARGE }
    guard let text = text.name(atMost: Int(MemoryExtension.maxTextBytes)), TextRule.isLine(text, atMost: 500) else {
        return TANDEM_E_INVALID_ARGUMENT
    }
    switch begin(host, id) {
    case .failure(let error): return error.status
    case .success(let (request, memories, granted)):
        request.run(
            {
                guard granted.propose.contains(kind), request.call.scope != PluginHost.nobody,
                    !request.instance.isWithheld(.propose, kind)
                else {
                    throw ServiceFailure(TANDEM_E_NOT_GRANTED)
                }
                let proposal = try await memories.propose(text, kind: kind, in: request.place)
                var answer: JSONObject = [:]
                if let id = proposal.id { answer["proposal"] = .string(id.description) }
                answer["state"] = .string(proposal.state.rawValue)
                return JSON.object(answer)
            }, deliver: back.deliver)
        return TANDEM_OK
    }
}
