import TandemEgress
import TandemJSON

/// Reads what a manifest and a registry say about the network.
enum HostReading {
    static let requirement =
        "must be a host like api.example.org, *.example.org, api.example.org:8443 or http://printer.local"

    /// `hosts` of a manifest: `[{"host","reason","reads"}]`.
    static func hosts(in reader: ObjectReader) -> [DeclaredHost] {
        var seen: Set<HostRule> = []
        return reader.array("hosts", atMost: 32).compactMap { pointer, value in
            guard let host = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { host.finish() }
            let rule = HostRule(host.string("host", requirement) { HostRule($0) != nil })
            if let rule, !seen.insert(rule).inserted { host.problem("host", "stands here twice") }
            let reason = PluginManifest.line("reason", atMost: 160, in: host)
            let reads = host.strings("reads", atMost: 32).compactMap { pointer, text in
                let request = ReadingRequest(text)
                if request == nil { reader.problems.add(pointer, "must look like POST /v1/items/*/query") }
                return request
            }
            return rule.map { DeclaredHost($0, reason: reason, reads: reads) }
        }
    }

    /// `hosts` of a ceiling; nil when it says nothing.
    static func ceiling(in reader: ObjectReader) -> [HostRule]? {
        let isGiven = reader.has("hosts")
        let rules = rules(reader.strings("hosts", atMost: 64), reader)
        return isGiven ? rules : nil
    }

    private static func rules(_ texts: [(pointer: String, value: String)], _ reader: ObjectReader) -> [HostRule] {
        texts.compactMap { pointer, text in
            let rule = HostRule(text)
            if rule == nil { reader.problems.add(pointer, requirement) }
            return rule
        }
    }
}

extension RegistryEntry {
    /// What a manifest declares, without the whole web (`*`) unless the plugin is the program's own or the operator's ceiling
    /// lists that very rule.
    func reachable(_ hosts: [DeclaredHost]) -> [DeclaredHost] {
        guard trust != .firstParty, ceiling.hosts?.contains(where: \.isEverywhere) != true else { return hosts }
        return hosts.filter { !$0.rule.isEverywhere }
    }
}

extension RegistryEntry.Network {
    /// `{"addresses":["192.168.1.0/24"],"limits":[{"host","perSecond","burst","totalPerSecond","totalBurst",
    /// "concurrent"}]}`
    init(reading reader: ObjectReader) {
        self.init()
        defer { reader.finish() }
        addresses = reader.strings("addresses", atMost: 64).compactMap { pointer, text in
            let network = IPNetwork(text)
            if network == nil { reader.problems.add(pointer, "must be a network like 192.168.1.0/24 or fd00::/8") }
            return network
        }
        limits = reader.array("limits", atMost: 64).compactMap { pointer, value in
            guard let limit = ObjectReader(value, at: pointer, problems: reader.problems) else { return nil }
            defer { limit.finish() }
            let rule = HostRule(limit.string("host", HostReading.requirement) { HostRule($0) != nil })
            let perUser = Self.rate("perSecond", "burst", in: limit)
            let total = Self.rate("totalPerSecond", "totalBurst", in: limit)
            let concurrent = Int(
                limit.integer("concurrent", in: 1...1000) ?? Int64(ProviderLimit.standardConcurrent))
            return rule.map { ProviderLimit(host: $0, perUser: perUser, total: total, concurrent: concurrent) }
        }
    }

    private static func rate(_ rateName: String, _ burstName: String, in reader: ObjectReader) -> Rate {
        let isTotal = rateName == "totalPerSecond"
        let standard = isTotal ? ProviderLimit.standardTotal : ProviderLimit.standardPerUser
        var rate = standard
        if let value = reader.value(rateName) {
            if let number = value.doubleValue, number.isFinite, number >= 0.001, number <= 100_000 {
                rate = Rate(perSecond: number, burst: max(1, number.rounded(.up)))
            } else {
                reader.problem(rateName, "must be a number of requests between 0.001 and 100000")
            }
        }
        if let burst = reader.integer(burstName, in: 1...1_000_000) { rate.burst = Double(burst) }
        return rate
    }
}
