public import TandemCore

extension WriteTransaction {
    /// Encrypts a value for a system table, with the key of the scope's person or, in the system's scope, of `user`.
    ///
    /// Without a person it is the program's own key. The person's first value makes their key.
    public func seal(_ bytes: [UInt8], _ seal: SealContext, for user: UserID? = nil) throws -> [UInt8] {
        let owner = try sealOwner(user)
        guard let keys = try context.store.keyring.keys(for: owner, in: context, create: true) else {
            throw StorageError(.keyMissing, "the person has no key", table: seal.table, column: seal.column)
        }
        return try SealedForm.seal(bytes, keys: keys, user: owner, seal)
    }

    /// Gives the person a new key version for what is sealed from now on; older values stay readable.
    public func rotateKey(of user: UserID) throws {
        try context.store.keyring.rotate(try sealOwner(user), in: context)
    }
}

extension ReadTransaction {
    /// Decrypts what `seal` gave, with the same context and person.
    ///
    /// Throws `key_missing` or `seal_broken`.
    public func open(_ bytes: [UInt8], _ seal: SealContext, for user: UserID? = nil) throws -> [UInt8] {
        let owner = try sealOwner(user)
        return try context.open(bytes, of: owner, seal)
    }

    func sealOwner(_ user: UserID?) throws -> Int64 {
        switch scope {
        case .system: return user?.rawValue ?? Keyring.systemUser
        case .user(let scope):
            guard user == nil || user == scope.user else {
                throw StorageError(.notAllowed, "the scope is another person's", operation: "seal or open a value")
            }
            return scope.user.rawValue
        }
    }
}

extension TransactionContext {
    /// Opens a sealed value of a person, also one that another process has just sealed with a new key.
    func open(_ sealed: [UInt8], of user: Int64, _ seal: SealContext) throws -> [UInt8] {
        var keys = try store.keyring.keys(for: user, in: self, create: false)
        if let version = SealedForm.version(sealed), keys?.keys[version] == nil {
            keys = try store.keyring.reload(user, in: self)
        }
        return try SealedForm.open(sealed, keys: keys, user: user, seal)
    }
}
