import Synchronization
import TandemCore

/// Recently asked-for profiles, good while nobody's settings change in this process and for two seconds.
final class ProfileCache: Sendable {
    private struct Entry {
        var profile: UserProfile
        var generation: Int
        var until: UInt64
    }

    private static let lifetimeNanoseconds: UInt64 = 2_000_000_000
    private static let maxEntries = 20_000
    private let entries = Mutex<[UserID: Entry]>([:])

    func find(_ user: UserID, generation: Int) -> UserProfile? {
        let now = monotonicNanoseconds()
        return entries.withLock { entries in
            guard let entry = entries[user], entry.generation == generation, entry.until > now else { return nil }
            return entry.profile
        }
    }

    func remember(_ user: UserID, _ profile: UserProfile, generation: Int) {
        let until = monotonicNanoseconds() + ProfileCache.lifetimeNanoseconds
        entries.withLock { entries in
            if entries.count >= ProfileCache.maxEntries { entries.removeAll(keepingCapacity: true) }
            entries[user] = Entry(profile: profile, generation: generation, until: until)
        }
    }
}
