import Glibc
public import TandemCore
import TandemJSON

/// The folder of this machine's signing keys: `NAME.key` (mode 0600) and `NAME.pub`, which may be shown to everybody.
public struct KeyFolder: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    /// Why a key cannot be made, found or used; one sentence.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public var description: String

        init(_ description: String) { self.description = description }
    }

    private static let maxFileBytes = 64 << 10

    /// Makes a key and writes its two files. Throws when there is one of that name.
    public func make(_ name: String, at now: Timestamp) throws -> SigningKey {
        guard SigningKey.isName(name) else {
            throw Failure("\"\(name)\" cannot be the name of a key: use small letters, digits, . _ and -, at most 40")
        }
        try makeFolder()
        guard access(keyPath(name), F_OK) != 0 else {
            throw Failure("there is a key \(name) already; `tandem plugin keys rotate \(name)` replaces it")
        }
        let key = SigningKey(name: name, created: now)
        try write(key)
        return key
    }

    /// Replaces a key by one that it signs for. The old one is kept as `NAME.key.ID` for the operator to destroy.
    public func rotate(_ name: String, at now: Timestamp) throws -> (old: SigningKey, new: SigningKey) {
        let old = try key(name)
        guard old.rotations.count < KeyRotation.maxChain else {
            throw Failure("\(name) was rotated \(KeyRotation.maxChain) times: make a new key and have it trusted anew")
        }
        guard let new = old.successor(at: now) else { throw Failure("the system has no randomness") }
        let kept = keyPath(name) + "." + old.id.dropFirst(VerifyingKey.idPrefix.count)
        do throws(FileRefusal) {
            try AtomicFile.write(old.text, to: kept, mode: 0o600)
        } catch {
            throw Failure(error.reason)
        }
        try write(new)
        return (old, new)
    }

    /// The key of this name; without one the only key of the folder.
    public func key(_ name: String?) throws -> SigningKey {
        let all = names()
        guard let name = name ?? (all.count == 1 ? all.first : nil) else {
            throw Failure(
                all.isEmpty
                    ? "there is no key yet; `tandem plugin keys new NAME` makes one"
                    : "say which key: \(all.joined(separator: ", "))")
        }
        guard SigningKey.isName(name), all.contains(name) else {
            throw Failure("there is no key \(name); `tandem plugin keys list` shows what there is")
        }
        do {
            let file = try RegularFile(
                path: keyPath(name), limit: KeyFolder.maxFileBytes, requiresPrivateWriting: true)
            guard file.isPrivate else {
                throw Failure("\(name).key can be read by others; a private key must have mode 0600")
            }
            return try SigningKey(reading: try file.read(), document: "\(name).key")
        } catch let error as FileRefusal {
            throw Failure(error.reason)
        }
    }

    /// The public keys of the folder, sorted by name; files that cannot be used are left out.
    public func publicKeys() -> [PublicKeyFile] { KeyFolder.publicKeys(in: path) }

    static func publicKeys(in folder: String?) -> [PublicKeyFile] {
        guard let folder else { return [] }
        return KeyFolder(path: folder).names().compactMap { name in
            guard
                let file = try? RegularFile(
                    path: "\(folder)/\(name).pub", limit: maxFileBytes, requiresPrivateWriting: true),
                let text = try? file.read(), let key = try? PublicKeyFile(reading: text, document: "\(name).pub"),
                key.name == name
            else { return nil }
            return key
        }
    }

    /// Reads a public key that somebody handed out.
    public static func publicKey(at path: String) throws -> PublicKeyFile {
        do {
            let file = try RegularFile(path: path, limit: maxFileBytes, requiresPrivateWriting: false)
            return try PublicKeyFile(
                reading: try file.read(), document: String(path.split(separator: "/").last ?? "key"))
        } catch let error as FileRefusal {
            throw Failure(error.reason)
        }
    }

    private func keyPath(_ name: String) -> String { "\(path)/\(name).key" }

    /// The names of the private keys.
    private func names() -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".key"), SigningKey.isName(String(name.dropLast(4))) else { continue }
            names.append(String(name.dropLast(4)))
        }
        return names.sorted()
    }

    private func makeFolder() throws {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw Failure("the folder of keys, \(path), cannot be made: \(systemMessage(errno))")
    }

    private func write(_ key: SigningKey) throws {
        do throws(FileRefusal) {
            try AtomicFile.write(key.text, to: keyPath(key.name), mode: 0o600)
            try AtomicFile.write(key.publicText, to: "\(path)/\(key.name).pub", mode: 0o644)
        } catch {
            throw Failure(error.reason)
        }
    }
}
