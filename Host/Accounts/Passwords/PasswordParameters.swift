/// The cost of a password's hash: Argon2id (RFC 9106) with one lane.
///
/// The default is OWASP's first choice of 19 MiB and two passes
/// (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html).
public struct PasswordParameters: Sendable, Hashable {
    /// 1…64.
    public var passes: Int
    /// 8 KiB … 1 GiB.
    public var memoryKiB: Int

    public init(passes: Int = 2, memoryKiB: Int = 19_456) {
        self.passes = min(max(passes, 1), 64)
        self.memoryKiB = min(max(memoryKiB, 8), 1 << 20)
    }

    /// Reads `$argon2id$v=19$m=19456,t=2,p=1$…`; nil for every other form, so also for costs beyond the bounds.
    init?(hash: String) {
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19" else { return nil }
        var values: [Substring: Int] = [:]
        for field in parts[3].split(separator: ",") {
            let pair = field.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, let value = Int(pair[1]), values.updateValue(value, forKey: pair[0]) == nil else {
                return nil
            }
        }
        guard values.count == 3, let memory = values["m"], let passes = values["t"], values["p"] == 1,
            (8...(1 << 20)).contains(memory), (1...64).contains(passes)
        else { return nil }
        self.init(passes: passes, memoryKiB: memory)
    }
}
