import TandemCore

extension Policy {
    private static let others: Set<TrustLabel> = [.contact, .untrusted]
    private static let owners: Set<TrustLabel> = [.owner, .system]

    /// The owner's own words may read and write freely, since every write can be undone; what deletes, reaches others or
    /// costs money is confirmed. What others say fills the places that the owner's words left open and causes nothing
    /// more: no step of its own that changes anything, no address, no payment, no deletion, no belief unasked.
    public static let standard = Policy(rules: [
        PolicyRule(
            "permissions are decided by the owner's words alone", labels: others.union([.system]),
            isOwnersAlone: true, .refuse),
        PolicyRule("what was read adds no step", effects: [.write, .delete, .send, .spend], isPlanned: false, .refuse),
        PolicyRule("what was read names no new address to go to", labels: others, hosts: [.new], .refuse),
        PolicyRule("what was read adds no address", isPlanned: false, hosts: [.new], .refuse),
        PolicyRule("reading changes nothing", effects: [.read], .allow),
        PolicyRule(
            "others name no price and no payee", labels: others, effects: [.spend], amounts: [.none, .foreign],
            .refuse),
        PolicyRule("others name no payee", labels: others, effects: [.spend], recipients: [.new], .refuse),
        PolicyRule("others delete nothing", labels: others, effects: [.delete], .refuse),
        PolicyRule(
            "what deletes, reaches others or costs money is confirmed", effects: [.delete, .send, .spend],
            .confirm),
        PolicyRule(
            "others are believed when the owner says so", labels: others, effects: [.write], isMemory: true,
            .confirm),
        PolicyRule("others let nobody in", labels: others, effects: [.write], recipients: [.new], .confirm),
        PolicyRule("what cannot be undone is confirmed", effects: [.write], isUndoable: false, .confirm),
        PolicyRule("the owner wants to be asked", effects: [.write], asksFirst: true, .confirm),
        PolicyRule("a planned change can be undone", effects: [.write], isPlanned: true, .allow),
    ])
}
