/// Something that sends requests: libcurl, or a layer around it that retries, limits or refuses.
///
/// Safe from any thread. Cancelling the task ends the request; whether the server has seen it is in the error.
public protocol HTTPClient: Sendable {
    /// Sends the request and gives back the whole answer, whatever its status.
    ///
    /// Neither bodies nor headers are logged, by no layer.
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse
}
