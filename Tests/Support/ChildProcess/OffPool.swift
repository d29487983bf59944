import Foundation

/// Runs what blocks on a thread of its own: all tests of a process share as many threads as the machine has processors, and
/// one that waits there for a server to start holds up tests which have nothing to do with it.
public func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
