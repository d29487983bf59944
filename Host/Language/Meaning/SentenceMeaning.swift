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

    init(_ definitions: [ToolDefinition]) {
        self.definitions = definitions
        var numbers: [String: Int] = [:]
        spaces = definitions.map { tool in
            let number = numbers[tool.namespace] ?? numbers.count
            numbers[tool.namespace] = number
            return number
        }
        spaceCount = numbers.count
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
    let words: Int
    private let spaces: [Int]
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
        asking = model.asking(vector, bytes)
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
