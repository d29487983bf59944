import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

/// Serves each connection on its event loop from the first byte to the last: what a request does without waiting needs no
/// other thread, and no thread has to be woken to hand it over.
///
/// Whatever takes long stays off the loop: the storage and the hashing of passwords have threads of their own, and costly
/// routes go to the shared pool (`APIFront`).
struct LoopChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let channel: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        self.channel.setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            await channel.handle(value: value, logger: logger)
        }
    }
}

/// Runs tasks on an event loop.
private final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
