import PluginCommon
import TandemSDK

/// What is said in a video, piece by piece.
struct Transcript: Sendable, Hashable {
    struct Line: Sendable, Hashable {
        /// From the beginning of the video.
        var milliseconds: Int64
        var text: String

        var second: Int { Int(milliseconds / 1000) }
    }

    var lines: [Line]
    var language: String
    /// Written by a machine.
    var isAutomatic: Bool

    var text: String { lines.map(\.text).joined(separator: " ") }

    // MARK: Forms

    /// Reads `timedtext` in its plain form (`<text start dur>`, escaped twice) and as `srv3` (`<p t d>`, with words in `<s>`).
    init?(xml: [UInt8], language: String, isAutomatic: Bool) {
        var lines: [Line] = []
        var start: Int64?
        var text = ""
        var isPlain = false
        for token in Markup(xml) {
            switch token {
            case .open("text", let attributes):
                start = attributes["start"].flatMap { Transcript.milliseconds(seconds: $0) }
                text = ""
                isPlain = true
            case .open("p", let attributes):
                start = attributes["t"].flatMap { Int64($0) }
                text = ""
                isPlain = false
            case .text(let piece) where start != nil: text += piece
            case .close("text"), .close("p"):
                // The plain form holds HTML as text.
                if let start {
                    let said = (isPlain ? Markup.plain(text) : text).singleLine(limit: 1000)
                    if !said.isEmpty { lines.append(Line(milliseconds: max(0, start), text: said)) }
                }
                start = nil
            default: break
            }
        }
        guard !lines.isEmpty else { return nil }
        self.init(lines: lines, language: language, isAutomatic: isAutomatic)
    }

    /// Reads SubRip, as `captions.download` gives it.
    init?(srt: String, language: String, isAutomatic: Bool) {
        var lines: [Line] = []
        var start: Int64?
        var text = ""
        func end() {
            if let start, let said = Markup.plain(text).singleLine(limit: 1000).nonEmpty {
                lines.append(Line(milliseconds: start, text: said))
            }
        }
        for line in srt.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if let arrow = line.firstRange(of: "-->") {
                // The number of this piece was taken for text of the last one.
                text = String(text.reversed().drop { $0.isNumber || $0 == " " }.reversed())
                end()
                start = Transcript.milliseconds(srt: line[..<arrow.lowerBound])
                text = ""
            } else {
                text += (text.isEmpty ? "" : " ") + line
            }
        }
        end()
        guard !lines.isEmpty else { return nil }
        self.init(lines: lines, language: language, isAutomatic: isAutomatic)
    }

    init(lines: [Line], language: String, isAutomatic: Bool) {
        self.lines = lines
        self.language = language
        self.isAutomatic = isAutomatic
    }

    private static func milliseconds(seconds text: String) -> Int64? {
        guard let value = Double(text), value.isFinite, (0...10_000_000).contains(value) else { return nil }
        return Int64((value * 1000).rounded())
    }

    /// `00:01:02,500`
    private static func milliseconds(srt text: Substring) -> Int64? {
        let parts = text.filter { $0 != " " }.split(whereSeparator: { $0 == "," || $0 == "." })
        guard let clock = parts.first, let seconds = VideoLength.seconds(clock: clock) else { return nil }
        return Int64(seconds) * 1000 + (parts.count > 1 ? Int64(parts[1].prefix(3)) ?? 0 : 0)
    }

    // MARK: Keeping

    var json: JSON {
        [
            "language": .string(language), "automatic": .bool(isAutomatic),
            "lines": .array(lines.map { [.integer($0.milliseconds), .string($0.text)] }),
        ]
    }

    init?(json: JSON) {
        guard let language = json["language"]?.stringValue, let lines = json["lines"]?.arrayValue else { return nil }
        self.init(
            lines: lines.compactMap { line in
                guard let at = line[0]?.int64Value, let text = line[1]?.stringValue else { return nil }
                return Line(milliseconds: at, text: text)
            }, language: language, isAutomatic: json["automatic"] == true)
    }

    // MARK: Parts

    /// A stretch of the video: enough lines for a thought.
    struct Passage: Sendable, Hashable {
        var second: Int
        var text: String
        var stems: Set<String>
    }

    /// Stretches of about half a minute, each of at most `limit` characters.
    func passages(limit: Int = 320) -> [Passage] {
        var passages: [Passage] = []
        var text = ""
        var start = 0
        func end() {
            guard !text.isEmpty else { return }
            passages.append(Passage(second: start, text: text, stems: Set(Words(text).stems)))
            text = ""
        }
        for line in lines {
            if !text.isEmpty, text.count + line.text.count > limit || line.second - start >= 40 { end() }
            if text.isEmpty { start = line.second }
            text += (text.isEmpty ? "" : " ") + line.text
        }
        end()
        return passages
    }

    /// Words that say nothing about what a question is about.
    private static let fillers = Set(
        """
        a an and are about at be by can could did do does explain explained for from has have how i in into is it its me \
        mention mentioned my of on or said say says she speaker talk talks tell that the their them there they thing \
        think this to video was we were what when where which who why will with would you your he
        """.split(separator: " ").flatMap { Words(String($0)).stems })

    /// Where the question's words are said, best first; rare words count most. Empty: nowhere.
    func passages(about question: String, limit: Int = 3) -> [Passage] {
        let asked = Set(Words(question).stems).subtracting(Self.fillers)
        guard !asked.isEmpty else { return [] }
        let passages = passages()
        let count = Double(passages.count)
        var weights: [String: Double] = [:]
        for stem in asked {
            let holding = passages.count { $0.stems.contains(stem) }
            if holding > 0 { weights[stem] = 1 + (count / Double(holding)) / (1 + count / Double(holding)) * 3 }
        }
        guard !weights.isEmpty else { return [] }
        let scored = passages.enumerated().map { index, passage in
            (index, passage.stems.reduce(0.0) { $0 + (weights[$1] ?? 0) })
        }
        let best = scored.map(\.1).max() ?? 0
        // Half as good as the best is good enough; earlier goes first among equals.
        return scored.filter { $0.1 > 0 && $0.1 >= best * 0.5 }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(limit)
            .map { passages[$0.0] }
    }

    /// The passages that say most of what the video keeps coming back to, in their order.
    func keyPassages(_ limit: Int) -> [Passage] {
        let passages = passages()
        guard passages.count > limit else { return passages }
        var counts: [String: Int] = [:]
        for passage in passages { for stem in passage.stems { counts[stem, default: 0] += 1 } }
        func weight(_ stem: String) -> Double {
            let count = counts[stem] ?? 0
            // Neither what is said once nor what is said all the time.
            guard count > 1, count * 2 < passages.count + 2, !Self.fillers.contains(stem), stem.utf8.count > 3 else {
                return 0
            }
            return Double(count)
        }
        let scores = passages.map { passage in
            passage.stems.reduce(0.0) { $0 + weight($1) } / Double(max(8, passage.stems.count))
        }
        // One from each stretch, so that the end of the video is heard as well.
        return (0..<limit).map { part in
            let from = part * passages.count / limit
            let to = max(from + 1, (part + 1) * passages.count / limit)
            let best = (from..<to).max { scores[$0] < scores[$1] } ?? from
            return passages[best]
        }
    }
}
