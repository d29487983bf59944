import TandemEmbedding
import Testing

struct StaticEmbedderTests {
    private let embedder = StaticEmbedder()

    @Test(arguments: [
        ("where did I park the car", "the vehicle stands on level three", "my sister plays the violin"),
        ("what food can't I eat", "I am allergic to peanuts", "the train leaves at nine"),
        ("my mother's birthday", "mum was born in May", "buy new tyres"),
        ("remind me to call the dentist", "ring the doctor about my tooth", "the film was boring"),
        ("how much did we pay for lunch", "the meal cost forty dollars", "it rained all weekend"),
    ])
    func putsLikeMeaningsNearer(text: String, like: String, unlike: String) {
        #expect(embedder.similarity(text, like) > embedder.similarity(text, unlike) + 0.05)
    }

    @Test func givesVectorsOfLengthOne() {
        for text in ["a", "hello there", String(repeating: "word ", count: 5000)] {
            let vector = embedder.embed(text)
            #expect(vector.count == embedder.dimensions)
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
        }
    }

    @Test(arguments: ["", " \n", "\u{200B}"])
    func givesZerosForNothing(text: String) {
        #expect(embedder.embed(text).allSatisfy { $0 == 0 })
    }

    @Test func leavesOutRowsThatAreNotThere() {
        #expect(embedder.sum(rows: [-1, .max, .min]).allSatisfy { $0 == 0 })
        #expect(embedder.sum(rows: [2000, -1]) == embedder.sum(rows: [2000]))
    }

    @Test func answersAsTheProtocolSays() async throws {
        let any: any TextEmbedder = embedder
        let vectors = try await any.embed(["one", "two", ""], as: .document)
        #expect(vectors.count == 3 && vectors.allSatisfy { $0.count == any.identity.dimensions })
        #expect(any.identity.description == "tandem-static/\(EmbeddingTable.linked.version)/256")
    }
}

struct VectorStoreTests {
    private func vector(_ seed: Int) -> [Float] {
        var state = UInt64(truncatingIfNeeded: seed &+ 1) &* 0x9E37_79B9_7F4A_7C15
        var vector = (0..<256).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int32(truncatingIfNeeded: state >> 33)) / Float(Int32.max)
        }
        StaticEmbedder.normalise(&vector)
        return vector
    }

    private func dot(_ left: [Float], _ right: [Float]) -> Float { zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } }

    @Test func dotsAreRightToAHundredth() {
        var store = VectorStore(dimensions: 256)
        for seed in 0..<9000 { store.append(vector(seed)) }
        let query = vector(100_005)
        let dots = store.dots(query)
        #expect(dots.count == 9000)
        for seed in stride(from: 0, to: 9000, by: 37) { #expect(abs(dots[seed] - dot(query, vector(seed))) < 0.01) }
        #expect(store.dots(query, from: 5000) == Array(dots[5000...]))
        #expect(store.dots(query, from: 9000).isEmpty)
    }

    @Test func clearsAndKeeps() {
        var store = VectorStore(dimensions: 256)
        for seed in 0..<5000 { store.append(vector(seed)) }
        let query = vector(4500)
        store.clear(7)
        #expect(store.dots(query)[7] == 0)
        store.keep([1, 4500])
        let dots = store.dots(query)
        #expect(dots.count == 2 && dots[1] > 0.99)
    }

    @Test func takesBadVectorsForNothing() {
        var store = VectorStore(dimensions: 4)
        for bad in [[], [1, 2], [.nan, 1, 1, 1], [.infinity, 0, 0, 0], [0, 0, 0, 0]] as [[Float]] { store.append(bad) }
        store.append([0, 2, 0, 0])
        #expect(store.dots([0, 1, 0, 0]).dropLast().allSatisfy { $0 == 0 })
        #expect(abs((store.dots([0, 1, 0, 0]).last ?? 0) - 2) < 0.01)
    }
}
