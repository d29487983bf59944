import Foundation
import TandemJSON
import Testing

/// Random documents from a fixed seed: the same ones in every run.
@Suite struct JSONFuzzTests {
    struct Random: RandomNumberGenerator {
        var state: UInt64

        /// SplitMix64 (Steele, Lea and Flood, 2014).
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    static func text(_ random: inout Random) -> String {
        let alphabets: [[Unicode.Scalar]] = [
            Array("abcdefgh \"\\/".unicodeScalars), Array("\u{0}\u{1f}\n\t\r".unicodeScalars),
            Array("\u{e9}\u{20ac}\u{1F600}\u{301}\u{7f}\u{fffd}".unicodeScalars),
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...24, using: &random) {
            let alphabet = alphabets[[0, 0, 0, 1, 2].randomElement(using: &random) ?? 0]
            if let scalar = alphabet.randomElement(using: &random) { text.append(scalar) }
        }
        return String(text)
    }

    static func value(_ random: inout Random, depth: Int = 0) -> JSON {
        switch Int.random(in: 0...(depth < 4 ? 8 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(Int64(bitPattern: random.next() >> UInt64.random(in: 0...63, using: &random)))
        case 3:
            let double = Double(bitPattern: random.next())
            return .number(double.isFinite ? double : 0.5)
        case 4: return .number(Double(Int.random(in: -99_999...99_999, using: &random)) / 100)
        case 5: return .string(text(&random))
        case 6: return .array((0..<Int.random(in: 0...6, using: &random)).map { _ in value(&random, depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                object[text(&random)] = value(&random, depth: depth + 1)
            }
            return .object(object)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func readsBackWhatItWrote(seed: UInt64) throws {
        var random = Random(state: seed)
        for _ in 0..<300 {
            let value = Self.value(&random)
            let parsed = try JSON(parsing: value.serialized())
            #expect(parsed == value)
            #expect(parsed.hashValue == value.hashValue)
            #expect(parsed.serialized() == value.serialized())
            #expect(try JSON(parsing: value.pretty()) == value)
            #expect(try JSON(parsing: parsed.canonical()).canonical() == value.canonical())
        }
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func agreesWithFoundationOnDamagedDocuments(seed: UInt64) {
        var random = Random(state: seed)
        let pieces = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e5", "E+", "\\u00e9", "\\ud800", "null", "tru",
            " ",
            "\n", "\u{1}", "\u{e9}", "01", "1e400", "//", "'",
        ].map { Array($0.utf8) }
        var accepted = 0
        for _ in 0..<1500 {
            var bytes = Self.value(&random).serialized()
            for _ in 0..<Int.random(in: 0...2, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            let ours = Result { try JSON(parsing: bytes) }
            let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            switch ours {
            case .success:
                accepted += 1
                #expect(theirs != nil, "accepted what Foundation refuses: \(String(decoding: bytes, as: UTF8.self))")
            case .failure(let error):
                // Where we are stricter on purpose, Foundation may accept.
                let stricter: Set<JSONError.Code> = [
                    .duplicateKey, .byteOrderMark, .invalidUTF8, .loneSurrogate, .numberOutOfRange,
                ]
                guard let code = (error as? JSONError)?.code, !stricter.contains(code), !bytes.contains(0) else {
                    continue
                }
                #expect(
                    theirs == nil,
                    "refused what Foundation accepts (\(code)): \(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(accepted > 300)
    }

    @Test func readsDoublesAsTheStandardLibraryDoes() throws {
        var random = Random(state: 99)
        for _ in 0..<3000 {
            let digits = (0..<Int.random(in: 1...25, using: &random)).map { _ in
                String(Int.random(in: 0...9, using: &random))
            }.joined()
            let point = Int.random(in: 1...digits.count, using: &random)
            var text = "1" + digits.prefix(point) + "." + digits.dropFirst(point) + "0"
            if Bool.random(using: &random) { text += "e\(Int.random(in: -330...280, using: &random))" }
            #expect(try JSON(parsing: text).doubleValue == Double(text))
        }
    }
}
