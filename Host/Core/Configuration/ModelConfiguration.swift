extension Configuration {
    /// Language models: which, in what order, and what they may cost. Without a key or an address there is none, and the
    /// embedded planner does what it can.
    public struct Models: Sendable {
        /// A server of the chat-completions API.
        public struct Chat: Sendable {
            /// `TANDEM_CHAT_URL`; with a key alone, OpenAI's.
            public var address: WebAddress
            /// `TANDEM_CHAT_KEY`; nil where the server wants none.
            public var key: Secret?
            /// `TANDEM_CHAT_MODEL`.
            public var model: String
        }

        /// Whose vectors find texts by meaning, beside the embedder that is built in.
        public struct Embeddings: Sendable, Hashable {
            /// `gemini` or `chat`.
            public var provider: String
            /// `TANDEM_EMBEDDING_MODEL`.
            public var model: String
            /// `TANDEM_EMBEDDING_DIMENSIONS`.
            public var dimensions: Int
        }

        /// `TANDEM_EMBEDDINGS`: `local` (the default), `gemini` or `chat`, with that service's key and address. Nil: the
        /// built-in embedder alone, and no text leaves the machine for it.
        public var embeddings: Embeddings?
        /// `TANDEM_GEMINI_MODEL`, default `gemini-2.5-flash`.
        public var geminiModel: String
        /// Nil while neither `TANDEM_CHAT_URL` nor `TANDEM_CHAT_KEY` is set.
        public var chat: Chat?
        /// Who is asked first: `TANDEM_MODEL_ORDER`, default `gemini,chat`.
        public var order: [String]
        /// The operator's texts: `TANDEM_MODEL_PROMPTS`, a folder.
        public var prompts: String?
        /// The operator's prices: `TANDEM_MODEL_PRICES`, a file.
        public var prices: String?
        /// Seconds for one attempt: `TANDEM_MODEL_TIMEOUT`, default 20.
        public var timeoutSeconds: Int
        /// Times that a model is asked within one turn: `TANDEM_MODEL_STEPS`, default 8.
        public var stepsPerTurn: Int
        /// Tokens of one turn: `TANDEM_MODEL_TURN_TOKENS`, default 60000; nil for no limit.
        public var tokensPerTurn: Int?
        /// A person's requests in a day of UTC: `TANDEM_MODEL_DAY_REQUESTS`, default 400.
        public var requestsPerDay: Int?
        /// A person's tokens in a day: `TANDEM_MODEL_DAY_TOKENS`, default 1000000.
        public var tokensPerDay: Int?
        /// A person's money in a day, in millionths of the price table's currency: `TANDEM_MODEL_DAY_MONEY`, no limit unless
        /// given, as an amount such as `0.50`.
        public var microsPerDay: Int64?
        /// Everybody's money in a day: `TANDEM_MODEL_TOTAL_MONEY`, likewise.
        public var totalMicrosPerDay: Int64?

        init(_ source: inout ConfigurationSource) {
            geminiModel = Models.model("TANDEM_GEMINI_MODEL", &source) ?? "gemini-2.5-flash"
            if geminiModel.hasPrefix("models/") { geminiModel.removeFirst("models/".count) }
            if geminiModel.contains("/") {
                source.refuse("TANDEM_GEMINI_MODEL", "is no model's name", "Write for example gemini-2.5-flash.")
            }
            chat = Models.chat(&source)
            embeddings = Models.embeddings(&source, hasChat: chat != nil)
            order = Models.order(&source)
            prompts = source.text("TANDEM_MODEL_PROMPTS").map(absolutePath)
            prices = source.text("TANDEM_MODEL_PRICES").map(absolutePath)
            timeoutSeconds = Models.count("TANDEM_MODEL_TIMEOUT", 1...600, &source, standard: 20) ?? 20
            stepsPerTurn = Models.count("TANDEM_MODEL_STEPS", 1...50, &source, standard: 8) ?? 8
            let many = 1...1_000_000_000
            tokensPerTurn = Models.limit("TANDEM_MODEL_TURN_TOKENS", many, &source, standard: 60_000)
            requestsPerDay = Models.limit("TANDEM_MODEL_DAY_REQUESTS", 0...1_000_000_000, &source, standard: 400)
            tokensPerDay = Models.limit("TANDEM_MODEL_DAY_TOKENS", 0...1_000_000_000, &source, standard: 1_000_000)
            microsPerDay = Models.money("TANDEM_MODEL_DAY_MONEY", &source)
            totalMicrosPerDay = Models.money("TANDEM_MODEL_TOTAL_MONEY", &source)
        }

        private static func chat(_ source: inout ConfigurationSource) -> Chat? {
            let address = optionalAddress("TANDEM_CHAT_URL", &source)
            let key = source.secret("TANDEM_CHAT_KEY")
            let model = self.model("TANDEM_CHAT_MODEL", &source)
            guard address != nil || key != nil else {
                if model != nil {
                    source.refuse(
                        "TANDEM_CHAT_URL", "is not set, and TANDEM_CHAT_MODEL is",
                        "Write for example http://127.0.0.1:11434/v1, or give TANDEM_CHAT_KEY for OpenAI.")
                }
                return nil
            }
            guard let model else {
                source.refuse("TANDEM_CHAT_MODEL", "is missing", "Say which model of that server to ask.")
                return nil
            }
            let base = address ?? WebAddress(scheme: "https", host: "api.openai.com", port: nil, path: "/v1")
            if base.scheme != "https", !base.isLoopback {
                source.warnings.append("TANDEM_CHAT_URL is not https: keys and messages are sent in the clear.")
            }
            return Chat(address: base, key: key, model: model)
        }

        private static func embeddings(_ source: inout ConfigurationSource, hasChat: Bool) -> Embeddings? {
            let provider = source.text("TANDEM_EMBEDDINGS")?.lowercased() ?? "local"
            let model = self.model("TANDEM_EMBEDDING_MODEL", &source)
            let dimensions = count("TANDEM_EMBEDDING_DIMENSIONS", 16...4096, &source, standard: 256) ?? 256
            switch provider {
            case "local": return nil
            case "gemini":
                return Embeddings(
                    provider: provider, model: model ?? "gemini-embedding-001", dimensions: dimensions)
            case "chat":
                guard hasChat, let model else {
                    source.refuse(
                        "TANDEM_EMBEDDINGS", "is chat, and no server or no model is given",
                        "Give TANDEM_CHAT_URL or TANDEM_CHAT_KEY, and TANDEM_EMBEDDING_MODEL.")
                    return nil
                }
                return Embeddings(provider: provider, model: model, dimensions: dimensions)
            default:
                source.refuse("TANDEM_EMBEDDINGS", "is no embedder", "Use local, gemini or chat.")
                return nil
            }
        }

        private static func model(_ name: String, _ source: inout ConfigurationSource) -> String? {
            guard let text = source.text(name) else { return nil }
            let isName =
                text.utf8.count <= 200 && !text.contains("..")
                && text.utf8.allSatisfy {
                    ($0 &- 48 < 10) || (($0 | 0x20) &- 97 < 26) || "-_.:/@".utf8.contains($0)
                }
            if isName { return text }
            source.refuse(name, "is no model's name", "Use letters, digits and - _ . : / @.")
            return nil
        }

        private static func order(_ source: inout ConfigurationSource) -> [String] {
            let known = ["gemini", "chat"]
            guard let text = source.text("TANDEM_MODEL_ORDER") else { return known }
            let names = text.split(separator: ",").map { String($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
            if !names.isEmpty, names.allSatisfy(known.contains), Set(names).count == names.count { return names }
            source.refuse("TANDEM_MODEL_ORDER", "is no list of gemini and chat", "Write for example chat,gemini.")
            return known
        }

        private static func count(
            _ name: String, _ range: ClosedRange<Int>, _ source: inout ConfigurationSource, standard: Int
        ) -> Int? {
            guard let text = source.text(name) else { return standard }
            if let number = Int(text), range.contains(number) { return number }
            source.refuse(
                name, "is no number from \(range.lowerBound) to \(range.upperBound)", "The default is \(standard).")
            return standard
        }

        private static func limit(
            _ name: String, _ range: ClosedRange<Int>, _ source: inout ConfigurationSource, standard: Int
        ) -> Int? {
            if source.text(name)?.lowercased() == "off" { return nil }
            return count(name, range, &source, standard: standard)
        }

        /// An amount with at most six decimals.
        private static func money(_ name: String, _ source: inout ConfigurationSource) -> Int64? {
            guard let text = source.text(name), text.lowercased() != "off" else { return nil }
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            if parts.count <= 2, let whole = Int64(parts[0]), (0...1_000_000).contains(whole) {
                let decimals = parts.count == 2 ? parts[1] : ""
                if decimals.utf8.count <= 6, decimals.utf8.allSatisfy({ $0 &- 48 < 10 }),
                    parts.count == 1 || !decimals.isEmpty
                {
                    let padded = decimals + String(repeating: "0", count: 6 - decimals.utf8.count)
                    return whole * 1_000_000 + (Int64(padded) ?? 0)
                }
            }
            source.refuse(name, "is no amount", "Write for example 0.50, in the currency of the price table, or off.")
            return nil
        }
    }
}
