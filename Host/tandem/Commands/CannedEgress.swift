import TandemCore
import TandemEgress
import TandemPluginCheck

/// The network of a plugin's session in a check: what its transcript says, with every account connected.
struct CannedEgress: PluginEgress {
    let answers: CannedAnswers

    func refusal(of request: EgressRequest, for caller: EgressCaller) -> EgressFailure? { nil }

    func send(_ request: EgressRequest, for caller: EgressCaller) async throws(EgressFailure) -> EgressResponse {
        let headers = Dictionary(
            request.headers.fields.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
        let answer = await answers.answer(
            CannedAnswers.Request(
                method: request.method.rawValue, url: request.url, headers: headers, body: request.body,
                grant: request.grant ?? ""))
        guard let answer else { throw EgressFailure(.unavailable, "unresolved", "nothing is recorded for it") }
        return EgressResponse(
            status: answer.status, headers: ["content-type": answer.type], body: answer.body, url: request.url)
    }

    func open(
        _ request: EgressRequest, for caller: EgressCaller
    ) async throws(EgressFailure) -> (EgressResponse, EgressStream) {
        throw EgressFailure(.unavailable, "unresolved", "nothing is recorded for it")
    }

    func forget(_ scope: UserScope, plugin: String?) {}
}
