import Synchronization
import TandemCore
import TandemEmbedding

/// The sentences of a planner's tools, made into vectors when the first message comes.
final class ToolMeanings: Sendable {
    private let definitions: [ToolDefinition]
    private let made = Mutex<[PhraseVectors]?>(nil)
    /// By tool: the number of its namespace.
    let spaces: [Int]
    let spaceCount: Int
    /// By namespace: the trades of the model that are its own, as bits; 0 when it was not learned.
    let trades: [UInt16]

    init(_ definitions: [ToolDefinition]) {
        self.definitions = definitions
        var numbers: [String: Int] = [:]
        spaces = definitions.map { tool in
            let number = numbers[tool.namespace] ?? numbers.count
            numbers[tool.namespace] = number
            return number
        }
        spaceCount = numbers.count
        var trades = [UInt16](repeating: 0, count: numbers.count)
        for (trade, names) in (PlannerModel.linked?.trades ?? []).enumerated() {
            for name in names { if let space = numbers[name] { trades[space] |= 1 << UInt16(trade) } }
        }
        self.trades = trades
    }

    var phrases: [PhraseVectors] {
        made.withLock { made in
            if let made { return made }
            let all = definitions.map { PhraseVectors.of($0) }
            made = all
            return all
        }
    }
}

/// What a part of a message means, against all tools and against what no tool serves.
struct SentenceMeaning {
    private static let embedder = StaticEmbedder()

    /// By tool: how near its nearest sentence is, the mean of its nearest three, and which utterance the nearest one is.
    private(set) var near: [Float]
    private(set) var few: [Float]
    private(set) var template: [Int32]
    /// The nearest sentence of each namespace.
    private(set) var space: [Float]
    let idle: (best: Float, few: Float)
    /// How much it sounds like asking for something.
    let asking: Float
    /// How likely it is each trade's.
    let trades: SIMD16<Float>
    let words: Int
    private let spaces: [Int]
    private let tradesOfSpace: [UInt16]
    private let vector: [Float]
    private var first = (space: -1, near: Float(-1))
    private var second: Float = -1

    init(_ bytes: ArraySlice<UInt8>, words: Int, tools: ToolMeanings, model: PlannerModel) {
        let vector = SentenceMeaning.embedder.embed(String(decoding: bytes, as: UTF8.self))
        self.vector = vector
        let query = QuantisedRows.Query(vector)
        let phrases = tools.phrases
        self.words = words
        spaces = tools.spaces
        tradesOfSpace = tools.trades
        near = [Float](repeating: 0, count: phrases.count)
        few = near
        template = [Int32](repeating: -1, count: phrases.count)
        space = [Float](repeating: -1, count: tools.spaceCount)
        for (index, tool) in phrases.enumerated() {
            let found = tool.rows.nearest(to: query)
            near[index] = found.best
            few[index] = found.few
            if found.row >= 0 { template[index] = tool.templates[found.row] }
            space[spaces[index]] = max(space[spaces[index]], found.best)
        }
        for (index, value) in space.enumerated() {
            if value > first.near {
                second = first.near
                first = (index, value)
            } else if value > second {
                second = value
            }
        }
        idle = model.idle(query)
        let grams = PlannerModel.grams(bytes)
        asking = model.asking(vector, grams)
        trades = model.trades(vector, grams)
    }

    /// How likely the part is of the tool's trade, of the likeliest other one, and of none; nil for a tool whose namespace the
    /// model has not learned.
    func trade(_ tool: Int) -> (own: Float, other: Float, none: Float)? { trade(ofSpace: spaces[tool]) }

    private func trade(ofSpace space: Int) -> (own: Float, other: Float, none: Float)? {
        let mine = tradesOfSpace[space]
        guard mine != 0 else { return nil }
        var (own, other): (Float, Float) = (0, 0)
        for trade in 1..<PlannerModel.tradeCount {
            if mine >> UInt16(trade) & 1 == 1 { own += trades[trade] } else { other = max(other, trades[trade]) }
        }
        return (own, other, trades[0])
    }

    /// Of two namespaces that were learned as one trade, such as mail at two services.
    func sharesTrade(_ left: Int, _ right: Int) -> Bool {
        spaces[left] != spaces[right] && tradesOfSpace[spaces[left]] & tradesOfSpace[spaces[right]] != 0
    }

    /// The nearest tools of each namespace whose trade the part is likely of.
    func ofTrade(_ count: Int, above least: Float) -> [Int] {
        tradesOfSpace.indices.flatMap { space -> [Int] in
            guard let trade = trade(ofSpace: space), trade.own >= least else { return [] }
            return Array(spaces.indices.filter { spaces[$0] == space }.sorted { near[$0] > near[$1] }.prefix(count))
        }
    }

    /// How near another text is in meaning, 0…1 about.
    func likeness(to text: String) -> Float {
        let other = SentenceMeaning.embedder.embed(text)
        var dot: Float = 0
        for index in vector.indices { dot += vector[index] * other[index] }
        return dot
    }

    /// The nearest sentence of any other namespace than the tool's.
    func otherNear(_ tool: Int) -> Float { spaces[tool] == first.space ? second : first.near }

    func isSameSpace(_ left: Int, _ right: Int) -> Bool { spaces[left] == spaces[right] }

    func spaceNear(_ tool: Int) -> Float { space[spaces[tool]] }

    /// The tools that mean most what the part means, nearest first.
    func nearest(_ count: Int, above least: Float) -> [Int] {
        var best: [Int] = []
        for tool in near.indices where near[tool] >= least {
            var place = best.count
            while place > 0, near[best[place - 1]] < near[tool] { place -= 1 }
            guard place < count else { continue }
            best.insert(tool, at: place)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}
