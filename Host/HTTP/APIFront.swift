import HTTPTypes
import Hummingbird
import NIOCore
import TandemAPI

/// Hands requests of `/api/v1` to the interface, and its answers to the connection.
struct APIFront: Sendable {
    let service: APIService
    let proxies: ProxyList

    /// Nil: the path is none of the interface's.
    func answer(to request: Request, _ context: FrontContext, route: inout String) async throws -> Response? {
        let target = request.head.path ?? ""
        guard let place = service.target(request.method, target) else { return nil }
        route = place.name
        var body: [UInt8] = []
        var isTooLarge = false
        func whole() -> APIRequest {
            APIRequest(
                method: request.method, target: target, headers: request.headers, body: body,
                address: proxies.client(peer: context.peerAddress, forwarded: request.headers[ProxyList.headerName]),
                requestID: context.requestID)
        }
        if place.takesBody, await service.mayCarry(place, whole()) {
            if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > place.maxBodyBytes {
                isTooLarge = true
            } else {
                do {
                    let buffer = try await request.body.collect(upTo: place.maxBodyBytes)
                    body = Array(buffer.readableBytesView)
                } catch is NIOTooManyBytesError {
                    isTooLarge = true
                }
            }
        }
        let (asked, wasTooLarge) = (whole(), isTooLarge)
        // The connection's event loop serves others, too.
        let reply =
            place.isCostly
            ? await withTaskExecutorPreference(globalConcurrentExecutor) {
                await service.respond(to: asked, place, isTooLarge: wasTooLarge)
            } : await service.respond(to: asked, place, isTooLarge: wasTooLarge)
        return APIFront.response(reply, isHead: request.method == .head)
    }

    private static func response(_ reply: APIReply, isHead: Bool) -> Response {
        let status = HTTPTypes.HTTPResponse.Status(code: reply.status)
        switch reply.body {
        case .none: return Response(status: status, headers: reply.headers)
        case .bytes(let bytes):
            guard !isHead else {
                var headers = reply.headers
                headers[.contentLength] = String(bytes.count)
                return Response(status: status, headers: headers)
            }
            return Response(
                status: status, headers: reply.headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let parts):
            guard !isHead else { return Response(status: status, headers: reply.headers) }
            return Response(
                status: status, headers: reply.headers,
                body: ResponseBody { writer in
                    // When the server goes down, the stream ends by itself (`MessageFeed.end`). Not by merging it with the news of
                    // that: on an event loop as executor that holds a lock which a cancelled task waits for.
                    for await part in parts {
                        try await writer.write(ByteBuffer(bytes: part))
                    }
                    try await writer.finish(nil)
                })
        }
    }
}
