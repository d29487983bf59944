/// Cuts a text into the tokens of the table's vocabulary, as BERT's uncased tokenizer does.
///
/// Controls are dropped; words end at white space, at punctuation and at Chinese characters, which are words of their own;
/// letters are lower-cased and lose their marks; each word is then spelled with the longest tokens that fit, from its
/// beginning. A word that cannot be spelled so, or has more than a hundred characters, is one unknown token. Linear in the
/// text but for the length of its words. No special tokens are added. Pure and safe from any thread.
///
/// Source: https://github.com/google-research/bert/blob/master/tokenization.py, with the readings of Hugging Face's
/// `tokenizers` (BertNormalizer, BertPreTokenizer, WordPiece), which the tests compare with.
public struct WordPieceTokenizer: Sendable {
    private let table: EmbeddingTable

    /// Words of more scalars are unknown.
    static let longestWord = 100

    public init(table: EmbeddingTable = .linked) { self.table = table }

    /// The rows of the text's tokens, in order.
    public func rows(_ text: some StringProtocol) -> [Int32] {
        var rows: [Int32] = []
        rows.reserveCapacity(text.utf8.count / 4 + 2)
        append(text, to: &rows)
        return rows
    }

    /// Adds the text's tokens to `rows`; at most `limit` in all.
    func append(_ text: some StringProtocol, to rows: inout [Int32], limit: Int = .max) {
        var word = Word()
        for scalar in text.unicodeScalars {
            if rows.count >= limit { return }
            let value = scalar.value
            if value < 0x80 {
                let byte = UInt8(truncatingIfNeeded: value)
                switch byte {
                case 97...122, 48...57: word.append(byte)
                case 65...90: word.append(byte | 0x20)
                case 0x20, 0x09, 0x0A, 0x0D: spell(&word, into: &rows)
                case 0x00...0x1F, 0x7F: break
                default:
                    spell(&word, into: &rows)
                    word.append(byte)
                    spell(&word, into: &rows)
                }
                continue
            }
            take(scalar, &word, &rows)
        }
        spell(&word, into: &rows)
    }

    private func take(_ scalar: Unicode.Scalar, _ word: inout Word, _ rows: inout [Int32]) {
        let value = scalar.value
        // Decomposed into its letters by rule; every other decomposition is in the table.
        if (0xAC00...0xD7A3).contains(value) {
            let index = value - 0xAC00
            word.append(scalar: 0x1100 + index / 588)
            word.append(scalar: 0x1161 + index % 588 / 28)
            if index % 28 != 0 { word.append(scalar: 0x11A7 + index % 28) }
            return
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse: return
        case .spaceSeparator, .lineSeparator, .paragraphSeparator: return spell(&word, into: &rows)
        case .nonspacingMark: return
        default: break
        }
        if value == 0xFFFD { return }
        let stands = WordPieceTokenizer.isIdeograph(value) || WordPieceTokenizer.isPunctuation(scalar)
        if stands { spell(&word, into: &rows) }
        if let folded = table.fold(value) {
            word.append(folded)
        } else {
            word.append(scalar: value)
        }
        if stands { spell(&word, into: &rows) }
    }

    private static func isIdeograph(_ value: UInt32) -> Bool {
        switch value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
            0x2B820...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
            true
        default: false
        }
    }

    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            true
        default: false
        }
    }

    /// A word's bytes as they gather.
    private struct Word {
        var bytes: [UInt8] = []
        var scalars = 0

        mutating func append(_ byte: UInt8) {
            scalars += 1
            if scalars <= WordPieceTokenizer.longestWord { bytes.append(byte) }
        }

        mutating func append(_ folded: UnsafeBufferPointer<UInt8>) {
            for byte in folded where byte & 0xC0 != 0x80 { scalars += 1 }
            if scalars <= WordPieceTokenizer.longestWord { bytes.append(contentsOf: folded) }
        }

        mutating func append(scalar value: UInt32) {
            scalars += 1
            guard scalars <= WordPieceTokenizer.longestWord, let scalar = Unicode.Scalar(value) else { return }
            bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private func spell(_ word: inout Word, into rows: inout [Int32]) {
        guard word.scalars > 0 else { return }
        defer {
            word.bytes.removeAll(keepingCapacity: true)
            word.scalars = 0
        }
        guard word.scalars <= WordPieceTokenizer.longestWord else {
            rows.append(table.unknown)
            return
        }
        let known = rows.count
        word.bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                guard let found = longest(bytes, from: start) else {
                    rows.removeSubrange(known...)
                    rows.append(table.unknown)
                    return
                }
                rows.append(found.row)
                start = found.end
            }
        }
    }

    /// The longest token that the bytes from `start` begin with.
    private func longest(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> (row: Int32, end: Int)? {
        let prefix: StaticString = start == 0 ? "" : "##"
        var hash = EmbeddingTable.emptyHash
        if start > 0 {
            hash = EmbeddingTable.hash(UInt8(ascii: "#"), after: hash)
            hash = EmbeddingTable.hash(UInt8(ascii: "#"), after: hash)
        }
        var best: (row: Int32, end: Int)?
        for end in start..<min(bytes.count, start + WordPieceTokenizer.longestToken) {
            hash = EmbeddingTable.hash(bytes[end], after: hash)
            // Only whole characters.
            if end + 1 < bytes.count, bytes[end + 1] & 0xC0 == 0x80 { continue }
            let part = UnsafeBufferPointer(rebasing: bytes[start...end])
            if let row = table.row(hash: hash, prefix: prefix, bytes: part) { best = (row, end + 1) }
        }
        return best
    }

    /// In bytes; the vocabulary has none that is longer.
    static let longestToken = 48
}
