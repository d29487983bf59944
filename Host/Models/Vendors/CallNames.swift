import TandemLanguage

/// Ids for calls: unique within the conversation, the service's own where that is so already.
struct CallNames {
    private var taken: Set<String> = []
    private var next = 1

    init(_ messages: [LanguageMessage]) {
        for message in messages {
            if case .assistant(_, let calls) = message { taken.formUnion(calls.map(\.id)) }
        }
    }

    mutating func name(_ wanted: String?) -> String {
        if let wanted, !wanted.isEmpty, wanted.utf8.count <= 128, taken.insert(wanted).inserted { return wanted }
        while true {
            let name = "call-\(next)"
            next += 1
            if taken.insert(name).inserted { return name }
        }
    }
}
