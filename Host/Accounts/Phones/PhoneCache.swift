import Synchronization
import TandemCore

/// Whose recently asked-for numbers are, by keyed hash.
final class PhoneCache: Sendable {
    private struct Entry {
        var answer: PhoneRecognition
        var until: UInt64
    }

    private struct State {
        var entries: [[UInt8]: Entry] = [:]
        var generation = 0
    }

    /// Another process may change a number's owner.
    private static let lifetimeNanoseconds: UInt64 = 2_000_000_000
    private static let maxEntries = 20_000
    private let state = Mutex(State())
    private let news: (any AccountNews)?

    init(news: (any AccountNews)? = nil) { self.news = news }

    /// The known answer, if any, and the state of the cache before a look-up.
    func find(_ hash: [UInt8]) -> (answer: PhoneRecognition?, generation: Int) {
        let now = monotonicNanoseconds()
        let isDeaf = news.map { !$0.isListening } ?? false
        return state.withLock { state in
            guard !isDeaf, let entry = state.entries[hash], entry.until > now else { return (nil, state.generation) }
            return (entry.answer, state.generation)
        }
    }

    /// Keeps an answer that was looked up after `find`, unless something changed meanwhile.
    func remember(_ hash: [UInt8], _ answer: PhoneRecognition, generation: Int) {
        let until = monotonicNanoseconds() + PhoneCache.lifetimeNanoseconds
        state.withLock { state in
            guard state.generation == generation else { return }
            // Strangers can ask with any number of numbers.
            if state.entries.count >= PhoneCache.maxEntries { state.entries.removeAll(keepingCapacity: true) }
            state.entries[hash] = Entry(answer: answer, until: until)
        }
    }

    func invalidate() {
        drop()
        news?.tell(.phones)
    }

    /// Another process told.
    func drop() {
        state.withLock { state in
            state.entries.removeAll()
            state.generation += 1
        }
    }
}
