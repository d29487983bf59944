import TandemCore

/// What a template makes of a part of a message.
struct Alignment {
    struct Fill {
        var slot: Int
        var range: Range<Int>
        /// Read by a typed reader, not taken as words.
        var isTyped: Bool
    }

    var template: Int
    var fills: [Fill] = []
    /// Per token of the segment: 0 unexplained, 1 word of the template, 2 in a slot.
    var roles: [UInt8] = []
    /// Share of the template's required words that were found, 0…1.
    var templateCoverage: Float = 0
    /// Weight of the words found.
    var matchedWeight: Float = 0
    var matchedContent: Float = 0
    /// Share of the message that is explained, 0…1.
    var messageCoverage: Float = 0
    var score: Float = 0
}

/// Aligns a template with a segment of a message by dynamic programming: words match words or are skipped on either side
/// at a price, slots take spans. Cost: elements × tokens.
struct Aligner {
    let message: Message
    let segment: Range<Int>
    private let weights: [Float]
    private let salience: [Float]

    init(message: Message, segment: Range<Int>) {
        self.message = message
        self.segment = segment
        weights = message.weights
        salience = message.salience
    }

    private static let skipElement: Float = 0.6
    private static let skipToken: Float = 0.5

    /// How well a template's word and a message's word agree, 0…1.
    static func quality(
        _ element: TemplateElement, _ word: UnsafePointer<Token>, isQuestion: Bool
    ) -> Float {
        if element.isColon {
            return word.pointee.byte == 58 && word.pointee.kind == .punctuation || word.pointee.kind == .newline ? 1 : 0
        }
        if word.pointee.kind == .number || word.pointee.kind == .clock {
            return element.number != nil && element.number == word.pointee.number ? 1 : 0
        }
        guard word.pointee.kind == .word, !word.pointee.has(.quoted), !word.pointee.has(.absorbed) else { return 0 }
        if word.pointee.feature >= 0 {
            for feature in element.features where feature == word.pointee.feature {
                return tense(element, word, isQuestion) * word.pointee.certainty
            }
        }
        if element.flags.contains(.function), word.pointee.has(.function) {
            if element.flags.contains(.determiner), word.pointee.has(.determiner), !element.flags.contains(.pointer) {
                // "my name" is not "your name".
                return element.flags.contains(.self1) && word.pointee.surface == Aligner.your ? 0.1 : 0.9
            }
            if element.flags.contains(.preposition), word.pointee.has(.preposition) { return 0.6 }
            if element.flags.contains(.self1), word.pointee.has(.self1) { return 0.8 }
            if element.flags.contains(.question), word.pointee.has(.question) {
                return Aligner.things.contains(word.pointee.lemma) && !element.flags.contains(.hypothetical) ? 0.4 : 0
            }
            return 0
        }
        if word.pointee.has(.function), !word.pointee.has(.auxiliary) { return 0 }
        var best: Float = 0
        if element.strong.intersects(word.pointee.strong) {
            best = 0.85
        } else if element.strong.intersects(word.pointee.weak) || element.weak.intersects(word.pointee.strong) {
            best = 0.55
        }
        return best == 0 ? 0 : best * tense(element, word, isQuestion) * word.pointee.certainty
    }

    private static func tense(
        _ element: TemplateElement, _ word: UnsafePointer<Token>, _ isQuestion: Bool
    ) -> Float {
        if isQuestion { return 1 }
        if word.pointee.has(.gerund), !element.flags.contains(.gerund), word.pointee.has(.verb) { return 0.8 }
        // "having": not what somebody has.
        if element.flags.contains(.gerund), !word.pointee.has(.gerund), word.pointee.has(.auxiliary) { return 0.5 }
        let past = element.flags.contains(.past)
        return past == word.pointee.has(.past) || !word.pointee.has(.verb) ? 1 : 0.6
    }

    private func openGain(_ index: Int) -> Float {
        let token = message.tokens[index]
        if token.has(.quoted) { return 0.8 * max(weights[index], 0.3) }
        if token.kind == .newline { return -0.05 }
        if token.kind == .punctuation {
            switch token.byte {
            case 46, 33, 63: return -0.15
            case 58: return -0.3
            default: return 0
            }
        }
        if token.has(.filler) { return -0.03 }
        let gain = weights[index] * (0.8 - 0.75 * salience[index])
        return message.monies[index]?.currency != nil ? gain * 0.4 : gain
    }

    /// The end of a typed expression for the slot at the token, or 0.
    func typedEnd(_ slot: CompiledSlot, _ index: Int) -> Int {
        guard !message.tokens[index].has(.absorbed) else { return 0 }
        let end: Int
        switch slot.kind {
        case .number:
            guard let number = message.numbers[index] else { return 0 }
            end = withHint(slot, number.end)
            if end == number.end, end < segment.upperBound {
                let next = message.tokens[end]
                if next.kind == .currency || next.kind == .word && (next.has(.unit) || next.has(.currencyWord)) {
                    return 0
                }
            }
        case .money:
            guard let money = message.monies[index] else { return 0 }
            end = money.end
        case .date, .dateTime:
            guard let temporal = message.temporals[index] else { return 0 }
            if case .date = slot.kind, temporal.isTimeOnly || temporal.offset != nil { return 0 }
            end = temporal.end
        case .period:
            guard let temporal = message.temporals[index], !temporal.isTimeOnly else { return 0 }
            end = temporal.end
        case .duration:
            guard let duration = message.durations[index] else { return 0 }
            end = duration.end
        case .choice: end = choices(slot, index)?.end ?? 0
        case .reference, .quantity: end = message.pointers[index]
        case .text, .items, .list: return 0
        }
        return end <= segment.upperBound ? end : 0
    }

    private func withHint(_ slot: CompiledSlot, _ end: Int) -> Int {
        guard end < segment.upperBound else { return end }
        let lemma = message.tokens[end].lemma
        return message.tokens[end].kind == .word && slot.hints.contains(lemma) ? end + 1 : end
    }

    private static let and = wordHash("and")
    private static let your = wordHash("your")
    private static let things = Set(["what", "which", "how"].map { wordHash($0.utf8) })

    /// The values of an enumeration: `recipes and notion`.
    func choices(_ slot: CompiledSlot, _ index: Int) -> (values: [String], end: Int)? {
        guard let first = choice(slot, index) else { return nil }
        var result = (values: [first.value], end: first.end)
        while result.end + 1 < segment.upperBound {
            var next = result.end
            while next < segment.upperBound,
                message.tokens[next].byte == 44 || message.tokens[next].surface == Aligner.and
                    || message.tokens[next].has(.determiner)
            { next += 1 }
            guard next > result.end, next < segment.upperBound, let more = choice(slot, next) else { break }
            if !result.values.contains(more.value) { result.values.append(more.value) }
            result.end = more.end
        }
        return result
    }

    func choice(_ slot: CompiledSlot, _ index: Int) -> (value: String, end: Int)? {
        for choice in slot.choices {
            guard index + choice.words.count <= segment.upperBound else { continue }
            var matches = true
            for (offset, word) in choice.words.enumerated() {
                let token = message.tokens[index + offset]
                guard token.lemma == word || token.surface == word else {
                    matches = false
                    break
                }
            }
            if matches { return (choice.value, index + choice.words.count) }
        }
        return nil
    }

    // Moves, for the way back.
    private enum Move {
        static let none: UInt8 = 0, skipToken: UInt8 = 1, match: UInt8 = 2, skipElement: UInt8 = 3
        static let typed: UInt8 = 4, close: UInt8 = 5, openStart: UInt8 = 6, openExtend: UInt8 = 7
    }

    func align(_ template: CompiledTemplate, of tool: CompiledTool, index templateIndex: Int) -> Alignment {
        let n = template.elements.count
        let m = segment.count
        let width = m + 1
        let cells = (n + 1) * width
        var alignment = Alignment(template: templateIndex)
        alignment.roles = [UInt8](repeating: 0, count: m)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: cells * 2) { scores in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: cells * 2) { moves in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: cells) { lengths in
                    scores.initialize(repeating: -.infinity)
                    moves.initialize(repeating: 0)
                    scores[0] = 0
                    message.tokens.withUnsafeBufferPointer { tokens in
                        guard let first = tokens.baseAddress else { return }
                        fill(template, tool, n, m, scores, moves, lengths, first)
                        alignment.score = scores[n * width + m]
                        trace(template, n, m, scores, moves, lengths, first, &alignment)
                    }
                }
            }
        }
        measure(template, tool, &alignment)
        return alignment
    }

    private func fill(
        _ template: CompiledTemplate, _ tool: CompiledTool, _ n: Int, _ m: Int,
        _ scores: UnsafeMutableBufferPointer<Float>, _ moves: UnsafeMutableBufferPointer<UInt8>,
        _ lengths: UnsafeMutableBufferPointer<Int32>, _ tokens: UnsafePointer<Token>
    ) {
        let width = m + 1
        let opened = (n + 1) * width
        func relax(_ cell: Int, _ value: Float, _ move: UInt8, _ length: Int = 0) {
            if value > scores[cell] {
                scores[cell] = value
                moves[cell] = move
                if cell < opened { lengths[cell] = Int32(length) }
            }
        }
        let first = segment.lowerBound
        for i in 0...n {
            let row = i * width
            guard i < n else {
                for j in 0..<m where scores[row + j] > -.infinity {
                    relax(row + j + 1, scores[row + j] - Aligner.skipToken * weights[first + j], Move.skipToken)
                }
                return
            }
            let element = template.elements[i]
            if element.slot < 0 {
                let price = element.isOptional ? 0 : Aligner.skipElement * element.weight
                let own: Float =
                    element.isColon ? 0.5 : element.isOptional ? 0.25 * element.weight : element.weight
                for j in 0...m {
                    let cell = row + j
                    let score = scores[cell]
                    guard score > -.infinity else { continue }
                    relax(cell + width, score - price, Move.skipElement)
                    guard j < m else { continue }
                    let weight = weights[first + j]
                    relax(cell + 1, score - Aligner.skipToken * weight, Move.skipToken)
                    let quality = Aligner.quality(element, tokens + first + j, isQuestion: template.isQuestion)
                    if quality > 0 { relax(cell + width + 1, score + quality * (own + weight), Move.match) }
                }
                continue
            }
            let slot = tool.slots[element.slot]
            let isOpen = slot.isOpen
            let price: Float = element.isOptional ? 0 : slot.isRequired ? 1.2 : 0.6
            var wantsLink = false
            if isOpen, element.isOptional, i > 0, template.elements[i - 1].isOptional {
                wantsLink = template.elements[i - 1].flags.contains(.preposition)
            }
            if case .number = slot.kind { wantsLink = i > 0 && template.elements[i - 1].flags.contains(.preposition) }
            for j in 0...m {
                let cell = row + j
                let score = scores[cell]
                let token = first + j
                if score > -.infinity {
                    relax(cell + width, score - price, Move.skipElement)
                    if j < m {
                        relax(cell + 1, score - Aligner.skipToken * weights[token], Move.skipToken)
                        // `for {servings}` without its "for" is some other number.
                        let end = wantsLink && moves[cell] == Move.skipElement ? 0 : typedEnd(slot, token)
                        if end > token {
                            var gain: Float = 0.35
                            for index in token..<end { gain += weights[index] }
                            relax(cell + width + end - token, score + gain, Move.typed, end - token)
                        }
                        // `[at {store}]`: no store without its "at".
                        let isLinked = !wantsLink || moves[cell] != Move.skipElement
                        // `make {item} {amount}`: an amount begins with its number.
                        let bonus: Float =
                            i > 0 && template.elements[i - 1].slot >= 0 && tokens[token].kind == .number ? 0.1 : 0
                        if isOpen, isLinked, tokens[token].kind != .newline,
                            tokens[token].kind != .punctuation || tokens[token].byte == 34
                        {
                            relax(opened + cell + 1, score + openGain(token) + 0.05 + bonus, Move.openStart)
                        }
                    }
                }
                guard isOpen else { continue }
                let inside = scores[opened + cell]
                if inside > -.infinity {
                    relax(cell + width, inside, Move.close)
                    if j < m { relax(opened + cell + 1, inside + openGain(token), Move.openExtend) }
                }
            }
        }
    }

    private func trace(
        _ template: CompiledTemplate, _ n: Int, _ m: Int, _ scores: UnsafeMutableBufferPointer<Float>,
        _ moves: UnsafeMutableBufferPointer<UInt8>, _ lengths: UnsafeMutableBufferPointer<Int32>,
        _ tokens: UnsafePointer<Token>, _ alignment: inout Alignment
    ) {
        let width = m + 1
        let opened = (n + 1) * width
        var i = n
        var j = m
        var slotEnd = -1
        while i > 0 || j > 0 || slotEnd >= 0 {
            if slotEnd >= 0 {
                let move = moves[opened + i * width + j]
                alignment.roles[j - 1] = 2
                j -= 1
                if move == Move.openStart {
                    if !template.elements[i].isOptional { alignment.templateCoverage += TemplateElement.slotWeight }
                    alignment.fills.append(
                        Alignment.Fill(
                            slot: template.elements[i].slot,
                            range: (segment.lowerBound + j)..<(segment.lowerBound + slotEnd), isTyped: false))
                    slotEnd = -1
                }
                continue
            }
            switch moves[i * width + j] {
            case Move.skipToken: j -= 1
            case Move.match:
                let element = template.elements[i - 1]
                let quality = Aligner.quality(
                    element, tokens + segment.lowerBound + j - 1, isQuestion: template.isQuestion)
                alignment.matchedWeight += quality * element.weight
                if element.weight >= 0.4 { alignment.matchedContent += quality * element.weight }
                if !element.isOptional { alignment.templateCoverage += quality * element.weight }
                alignment.roles[j - 1] = quality >= 0.75 ? 1 : 3
                i -= 1
                j -= 1
            case Move.skipElement: i -= 1
            case Move.typed:
                let length = Int(lengths[i * width + j])
                if !template.elements[i - 1].isOptional { alignment.templateCoverage += TemplateElement.slotWeight }
                for index in (j - length)..<j { alignment.roles[index] = 2 }
                alignment.fills.append(
                    Alignment.Fill(
                        slot: template.elements[i - 1].slot,
                        range: (segment.lowerBound + j - length)..<(segment.lowerBound + j), isTyped: true))
                i -= 1
                j -= length
            case Move.close:
                slotEnd = j
                i -= 1
            default: return
            }
        }
    }

    private func measure(_ template: CompiledTemplate, _ tool: CompiledTool, _ alignment: inout Alignment) {
        alignment.templateCoverage =
            template.requiredWeight > 0 ? alignment.templateCoverage / template.requiredWeight : 0
    }
}
