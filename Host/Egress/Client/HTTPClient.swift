/// Something that sends requests: libcurl, or a layer around it that retries, limits or refuses.
///
/// Safe from any thread. Cancelling the task ends the request; whether the server has seen it is in the error.
public protocol HTTPClient: Sendable {
    /// Sends the request and gives back the whole answer, whatever its status.
    ///
    /// Neither bodies nor headers are logged, by no layer.
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse
}

/// A client that also gives the body of an answer piece by piece.
public protocol StreamingHTTPClient: HTTPClient {
    /// Sends the request and gives back the answer as soon as its headers are there; redirects are not followed.
    ///
    /// The request's timeout counts to the last byte, its size limit for all bytes together.
    func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPStream
}
