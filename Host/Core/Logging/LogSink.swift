import Glibc
import Synchronization

/// Where finished log lines go.
public protocol LogSink: Sendable {
    /// Takes one line with its newline. Called from any thread; must not log.
    func write(_ line: [UInt8])
}

/// Writes each line whole to a file descriptor, standard error by default.
///
/// Lines of several threads never mix. When the reader of a pipe stops reading, a line is given up after 100 ms rather
/// than holding the process up; `droppedLines` counts them.
public final class DescriptorLogSink: LogSink {
    private let descriptor: Int32
    private let dropped = Mutex(0)

    /// The descriptor is borrowed: it is neither closed nor changed.
    public init(descriptor: Int32 = 2) { self.descriptor = descriptor }

    public var droppedLines: Int { dropped.withLock { $0 } }

    public func write(_ line: [UInt8]) {
        dropped.withLock { dropped in
            line.withUnsafeBytes { bytes in
                var offset = 0
                while offset < bytes.count {
                    let written = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
                    if written > 0 {
                        offset += written
                    } else if written < 0, errno == EINTR {
                        continue
                    } else if written < 0, errno == EAGAIN {
                        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        if poll(&request, 1, 100) <= 0 {
                            dropped += 1
                            return
                        }
                    } else {
                        dropped += 1
                        return
                    }
                }
            }
        }
    }
}

/// Keeps lines in memory, for tests.
public final class MemoryLogSink: LogSink {
    private let stored = Mutex<[String]>([])

    public init() {}

    public func write(_ line: [UInt8]) {
        stored.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }

    /// The lines so far, each with its newline.
    public var lines: [String] { stored.withLock { $0 } }
}
