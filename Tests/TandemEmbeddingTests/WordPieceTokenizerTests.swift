import Foundation
import TandemEmbedding
import TandemJSON
import Testing

/// `Fixtures/tokens.json` holds texts with what Hugging Face's `tokenizers` makes of them with the model's own files.
struct WordPieceTokenizerTests {
    private let tokenizer = WordPieceTokenizer()

    @Test func cutsAsTheReferenceDoes() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/tokens.json")
        let cases = try #require(try JSON(parsing: String(contentsOf: file, encoding: .utf8)).arrayValue)
        #expect(cases.count > 150)
        for entry in cases {
            let text = try #require(entry["text"]?.stringValue)
            let rows = (entry["rows"]?.arrayValue ?? []).compactMap { $0.int64Value.map(Int32.init) }
            // The reference takes the names of special tokens in a text for the tokens; for us they are text.
            if text.contains("[CLS]") { continue }
            #expect(tokenizer.rows(text) == rows, "\(text.debugDescription)")
        }
    }

    @Test func takesNamesOfSpecialTokensForText() {
        let table = EmbeddingTable.linked
        #expect(tokenizer.rows("[CLS]").map(table.token) == ["[", "cl", "##s", "]"])
    }

    @Test func isLinearInOneEndlessWord() {
        #expect(tokenizer.rows(String(repeating: "x", count: 200_000)).map(EmbeddingTable.linked.token) == ["[UNK]"])
    }
}

struct EmbeddingTableTests {
    private let table = EmbeddingTable.linked

    @Test func findsEveryTokenByItsText() {
        #expect(table.rows == 30_522 && table.dimensions == 256 && !table.version.isEmpty)
        let tokenizer = WordPieceTokenizer()
        var missed = 0
        for row in Int32(0)..<Int32(table.rows) {
            let token = table.token(row)
            guard !token.hasPrefix("##"), !token.hasPrefix("["), token.utf8.allSatisfy({ (97...122).contains($0) })
            else {
                continue
            }
            if tokenizer.rows(token) != [row] { missed += 1 }
        }
        #expect(missed == 0)
    }

    @Test func hasNoTokenLongerThanTheTokenizerLooks() {
        let longest = (Int32(0)..<Int32(table.rows)).map { table.token($0).utf8.count }.max() ?? 0
        #expect(longest <= 48)
    }

    @Test func hasNoTextForRowsThatAreNotThere() {
        #expect(table.token(-1) == "" && table.token(.max) == "")
    }
}
