public import TandemCore
import TandemJSON
public import TandemStorage

extension Accounts {
    /// A person's settings, from memory when nothing changed.
    public func profile(of scope: UserScope) async throws -> UserProfile {
        let generation = database.store.tables.changeCount(of: "user_settings")
        if let known = profiles.find(scope.user, generation: generation) { return known }
        let profile = try await database.read(scope) { try Accounts.profile(in: $0) }
        profiles.remember(scope.user, profile, generation: generation)
        return profile
    }

    /// The settings of the scope's person as the transaction sees them.
    public static func profile(in transaction: any ReadTransaction) throws -> UserProfile {
        var profile = UserProfile()
        for row in try transaction.list("user_settings", limit: 1000) {
            guard let key = row.string("setting_key").flatMap(SettingKey.init(rawValue:)),
                let value = row.string("setting_value")
            else { continue }
            // What was valid once may be no longer: a zone that a system update removed.
            try? profile.set(key, value)
        }
        return profile
    }

    /// Changes one setting; nil gives it its default again. Returns the profile with the change.
    ///
    /// Throws `invalid_setting` with what to write instead.
    @discardableResult
    public func set(
        _ key: SettingKey, to value: String?, of scope: UserScope, origin: WriteOrigin? = nil
    ) async throws -> UserProfile {
        try await database.write(scope) { try Accounts.set(key, to: value, in: $0, origin: origin) }
    }

    /// Changes one setting within a transaction.
    @discardableResult
    public static func set(
        _ key: SettingKey, to value: String?, in transaction: any WriteTransaction, origin: WriteOrigin? = nil
    ) throws -> UserProfile {
        var profile = try profile(in: transaction)
        try profile.set(key, value)
        let condition = RowCondition("setting_key", .equal, .string(key.rawValue))
        // `off` is a value, the default is the absence of one.
        guard value != nil, let text = profile.text(key) else {
            try transaction.delete("user_settings", where: [condition], origin: origin)
            return profile
        }
        let changed = try transaction.update(
            "user_settings", where: [condition], set: ["setting_value": .string(text)], origin: origin)
        if changed == 0 {
            try transaction.insert(
                "user_settings", ["setting_key": .string(key.rawValue), "setting_value": .string(text)], origin: origin)
        }
        return profile
    }

    /// Stores whatever differs between a profile and what is set, as one change.
    @discardableResult
    public func update(_ profile: UserProfile, of scope: UserScope, origin: WriteOrigin? = nil) async throws
        -> UserProfile
    {
        try await database.write(scope) { transaction in
            var current = try Accounts.profile(in: transaction)
            for key in SettingKey.allCases where current.text(key) != profile.text(key) {
                current = try Accounts.set(key, to: profile.text(key), in: transaction, origin: origin)
            }
            return current
        }
    }
}
