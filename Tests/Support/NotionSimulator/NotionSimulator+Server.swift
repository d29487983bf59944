public import ScriptServer

extension NotionSimulator {
    /// Answers as a server of this machine would.
    public func answer(_ request: ScriptServer.Request) -> ScriptServer.Answer {
        let response = answer(
            Request(
                method: request.method, path: request.path, query: request.query, headers: request.headerValues,
                body: request.body))
        return response.isCut ? .close : .answer(response.status, response.headers, body: response.body)
    }
}
