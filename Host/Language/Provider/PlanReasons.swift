import TandemCore
import TandemJSON

/// Why a sentence was or was not taken for a tool: what the planner weighed, for authors of example sentences.
extension EmbeddedPlanner {
    /// One tool as a reading of a whole message.
    public struct Weighed: Sendable {
        public var tool: String
        /// How likely it is what was asked for, all told; at least `needed` for the likeliest tool to be planned.
        public var belief: Double
        public var needed: Double
        /// How well words and form fit one of its example sentences, 0…1.
        public var words: Double
        /// How near one of them is in meaning, about 0…1; nil where nothing could be compared.
        public var meaning: Double?
    }

    /// The tools that came into question for a message as a whole, the likeliest first; none for what is no request at
    /// all. A message of several requests is planned in parts; ask for each part.
    public func weighed(_ text: String, context: PlannerContext) -> [Weighed] {
        let effects = Dictionary(tools.map { ($0.id, $0.effect) }, uniquingKeysWith: { first, _ in first })
        return candidates(text, context: context).map { candidate in
            let bar: Float
            switch effects[candidate.tool] ?? .read {
            case .read: bar = PlanningPass.bars.read
            case .write: bar = PlanningPass.bars.write
            case .delete, .send, .spend: bar = PlanningPass.bars.reach
            }
            let features = candidate.features
            return Weighed(
                tool: candidate.tool, belief: Double(candidate.belief), needed: Double(bar),
                words: features.isEmpty ? 0 : Double(features[0]),
                meaning: features.count > 10 ? Double(features[10]) : nil)
        }
    }
}

extension PlanPipe {
    /// At most this many are told.
    static let mostWeighed = 5

    static func why(_ text: String, planner: EmbeddedPlanner, context: PlannerContext) -> JSON {
        func share(_ value: Double) -> JSON { .number((value * 100).rounded() / 100) }
        return .array(
            planner.weighed(text, context: context).prefix(mostWeighed).map { weighed in
                var json: JSON = [
                    "tool": .string(weighed.tool), "belief": share(weighed.belief), "needed": share(weighed.needed),
                    "words": share(weighed.words),
                ]
                json["meaning"] = weighed.meaning.map(share)
                return json
            })
    }
}
