import CRunner
import Glibc

/// Frames on their way to a runner: bytes, and the descriptors that belong to some of them. Not safe for threads.
struct FrameQueue: ~Copyable, @unchecked Sendable {
    // The memory is its own: one owner at a time.
    private var bytes: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var end = 0
    private(set) var start = 0
    /// Where a frame begins with which a descriptor travels, in order.
    private var files: [(at: Int, descriptor: Int32)] = []

    init(capacity: Int = 64 << 10) {
        self.capacity = capacity
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        for file in files { close(file.descriptor) }
        release()
    }

    /// Some frames hold secrets: nothing of them is left in memory that is used for something else.
    private func release() {
        explicit_bzero(bytes, end)
        bytes.deallocate()
    }

    var isEmpty: Bool { start == end }
    var count: Int { end - start }

    /// Room for so many bytes, at the end.
    private mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        if end + count > capacity {
            var larger = capacity * 2
            while larger < end + count { larger *= 2 }
            let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            grown.copyMemory(from: bytes, byteCount: end)
            release()
            bytes = grown
            capacity = larger
        }
        defer { end += count }
        return bytes + end
    }

    /// - Parameters:
    ///   - file: goes along with the frame, and belongs to the queue.
    ///   - fill: writes `frame.length` bytes.
    mutating func append(_ frame: tandem_frame, file: Int32? = nil, _ fill: (UnsafeMutableRawPointer) -> Void) {
        if let file { files.append((end, file)) }
        let length = Int(frame.length)
        let padded = (length + 7) & ~7
        var place = reserve(MemoryLayout<tandem_frame>.size + padded)
        place.storeBytes(of: frame, as: tandem_frame.self)
        place += MemoryLayout<tandem_frame>.size
        fill(place)
        if padded > length { memset(place + length, 0, padded - length) }
    }

    /// Gives bytes to the socket until it takes no more. 0, or the `errno`: EAGAIN when the rest has to wait.
    mutating func send(to socket: Int32) -> Int32 {
        while start < end {
            var stop = end
            var descriptor: Int32 = -1
            if let file = files.first {
                if file.at == start {
                    descriptor = file.descriptor
                    if files.count > 1 { stop = files[1].at }
                } else {
                    stop = file.at
                }
            }
            let amount = tandem_send(socket, bytes + start, stop - start, descriptor)
            if amount < 0 {
                if errno == EINTR { continue }
                return errno == EWOULDBLOCK ? EAGAIN : errno
            }
            if descriptor >= 0 {
                close(descriptor)
                files.removeFirst()
            }
            start += amount
        }
        explicit_bzero(bytes, end)
        start = 0
        end = 0
        if capacity > 1 << 20 {
            bytes.deallocate()
            capacity = 64 << 10
            bytes = .allocate(byteCount: capacity, alignment: 16)
        }
        return 0
    }
}

/// Constants of the frames in Swift's types.
enum RunnerFrame {
    static let maxLength = Int(8 << 20)
    /// Frames that nobody waits for, without metrics and cancelled requests: `tandem-plugin-runner` sends fewer at once …
    static let idleBurst = 5000
    /// … and in a tenth of a second, whatever its plugin does.
    static let idleTenth = 300
}
