import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Cuts connections that take too long or send too much, so that slow clients cannot hold what others need.
///
/// The first request's head must arrive within `headerTime` of the connection, a body within `bodyTime` of its head, the
/// next request within `keepAliveTime` of the answer; a client that is not ready for the rest of an answer must be within
/// `stallTime`. One timer per connection looks twice a second; nothing is scheduled per request.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    struct Limits: Sendable {
        var headerTime: TimeAmount
        var bodyTime: TimeAmount
        var keepAliveTime: TimeAmount
        var stallTime: TimeAmount
        /// Of one request, whatever its route takes.
        var maxBodyBytes: Int
    }

    private let limits: Limits
    private var deadline = NIODeadline.distantFuture
    /// While more waits for the client than is good.
    private var stallDeadline = NIODeadline.distantFuture
    private var bodyBytes = 0
    private var timer: RepeatedTask?

    init(_ limits: Limits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = .now() + limits.headerTime
        let interval = TimeAmount.nanoseconds(
            max(
                5_000_000,
                min(limits.headerTime, limits.bodyTime, limits.keepAliveTime, limits.stallTime).nanoseconds / 8))
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(
            initialDelay: min(interval, .milliseconds(500)), delay: min(interval, .milliseconds(500))
        ) { _ in
            let (handler, context) = bound.value
            if NIODeadline.now() >= min(handler.deadline, handler.stallDeadline) { handler.cut(context) }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            bodyBytes = 0
            deadline = .now() + limits.bodyTime
        case .body(let part):
            bodyBytes += part.readableBytes
            if bodyBytes > limits.maxBodyBytes {
                cut(context)
                return
            }
        // From here on the time is ours.
        case .end: deadline = .distantFuture
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), deadline == .distantFuture {
            deadline = .now() + limits.keepAliveTime
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stallDeadline = context.channel.isWritable ? .distantFuture : .now() + limits.stallTime
        context.fireChannelWritabilityChanged()
    }

    private func cut(_ context: ChannelHandlerContext) {
        end()
        context.close(promise: nil)
    }

    private func end() {
        timer?.cancel()
        timer = nil
        deadline = .distantFuture
        stallDeadline = .distantFuture
    }
}
