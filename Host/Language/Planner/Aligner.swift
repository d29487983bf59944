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

    private static let skipElement: Float = 0.6
    private static let skipToken: Float = 0.5

    /// How well a template's word and a message's word agree, 0…1.
    static func quality(_ element: TemplateElement, _ token: Token, isQuestion: Bool) -> Float {
        if token.kind == .number || token.kind == .clock {
            return element.number != nil && element.number == token.number ? 1 : 0
        }
        guard token.kind == .word, !token.has(.quoted), !token.has(.absorbed) else { return 0 }
        if token.feature >= 0 {
            for feature in element.features where feature == token.feature {
                return tense(element, token, isQuestion) * token.certainty
            }
        }
        if element.flags.contains(.function), token.has(.function) {
            if element.flags.contains(.determiner), token.has(.determiner), !element.flags.contains(.pointer) {
                return 0.9
            }
            if element.flags.contains(.preposition), token.has(.preposition) { return 0.6 }
            if element.flags.contains(.self1), token.has(.self1) { return 0.8 }
            if element.flags.contains(.question), token.has(.question) { return 0.4 }
            return 0
        }
        if token.has(.function), !token.has(.auxiliary) { return 0 }
        var best: Float = 0
        if element.strong.intersects(token.strong) {
            best = 0.85
        } else if element.strong.intersects(token.weak) || element.weak.intersects(token.strong) {
            best = 0.55
        }
        return best == 0 ? 0 : best * tense(element, token, isQuestion) * token.certainty
    }

    private static func tense(_ element: TemplateElement, _ token: Token, _ isQuestion: Bool) -> Float {
        if isQuestion { return 1 }
        let past = element.flags.contains(.past)
        return past == token.has(.past) || !token.has(.verb) ? 1 : 0.6
    }

    private func openGain(_ index: Int) -> Float {
        let token = message.tokens[index]
        if token.has(.quoted) { return 0.8 * max(message.weights[index], 0.3) }
        if token.kind == .newline { return -0.05 }
        if token.kind == .punctuation { return token.byte == 46 || token.byte == 33 || token.byte == 63 ? -0.15 : 0 }
        if token.has(.filler) { return -0.03 }
        return message.weights[index] * (0.8 - 0.75 * message.salience[index])
    }

    /// The end of a typed expression for the slot at the token, or 0.
    func typedEnd(_ slot: CompiledSlot, _ index: Int) -> Int {
        guard !message.tokens[index].has(.absorbed) else { return 0 }
        let end: Int
        switch slot.kind {
        case .number:
            guard let number = message.numbers[index] else { return 0 }
            end = withHint(slot, number.end)
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
        case .choice: end = choice(slot, index)?.end ?? 0
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
                    fill(template, tool, n, m, scores, moves, lengths)
                    alignment.score = scores[n * width + m]
                    trace(template, n, m, scores, moves, lengths, &alignment)
                }
            }
        }
        measure(template, tool, &alignment)
        return alignment
    }

    private func fill(
        _ template: CompiledTemplate, _ tool: CompiledTool, _ n: Int, _ m: Int,
        _ scores: UnsafeMutableBufferPointer<Float>, _ moves: UnsafeMutableBufferPointer<UInt8>,
        _ lengths: UnsafeMutableBufferPointer<Int32>
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
        for i in 0...n {
            let element = i < n ? template.elements[i] : nil
            let isOpen = element.map { $0.slot >= 0 && tool.slots[$0.slot].isOpen } ?? false
            for j in 0...m {
                let cell = i * width + j
                let score = scores[cell]
                if j < m, score > -.infinity {
                    let token = segment.lowerBound + j
                    relax(cell + 1, score - Aligner.skipToken * message.weights[token], Move.skipToken)
                }
                guard let element else { continue }
                if element.slot < 0 {
                    if score > -.infinity {
                        relax(
                            cell + width, score - (element.isOptional ? 0 : Aligner.skipElement * element.weight),
                            Move.skipElement)
                        if j < m {
                            let token = segment.lowerBound + j
                            let quality = Aligner.quality(
                                element, message.tokens[token], isQuestion: template.isQuestion)
                            if quality > 0 {
                                relax(
                                    cell + width + 1,
                                    score + quality * (element.weight + message.weights[token]), Move.match)
                            }
                        }
                    }
                    continue
                }
                let slot = tool.slots[element.slot]
                if score > -.infinity {
                    let price: Float = element.isOptional ? 0 : slot.isRequired ? 0.5 : 0.15
                    relax(cell + width, score - price, Move.skipElement)
                    if j < m {
                        let token = segment.lowerBound + j
                        let end = typedEnd(slot, token)
                        if end > token {
                            var gain: Float = 0.35
                            for index in token..<end { gain += message.weights[index] }
                            relax(
                                cell + width + end - token, score + gain, Move.typed, end - token)
                        }
                        if isOpen, message.tokens[token].kind != .newline,
                            message.tokens[token].kind != .punctuation || message.tokens[token].byte == 34
                        {
                            relax(opened + cell + 1, score + openGain(token) + 0.05, Move.openStart)
                        }
                    }
                }
                let inside = scores[opened + cell]
                if isOpen, inside > -.infinity {
                    relax(cell + width, inside, Move.close)
                    if j < m {
                        relax(opened + cell + 1, inside + openGain(segment.lowerBound + j), Move.openExtend)
                    }
                }
            }
        }
    }

    private func trace(
        _ template: CompiledTemplate, _ n: Int, _ m: Int, _ scores: UnsafeMutableBufferPointer<Float>,
        _ moves: UnsafeMutableBufferPointer<UInt8>, _ lengths: UnsafeMutableBufferPointer<Int32>,
        _ alignment: inout Alignment
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
                let token = message.tokens[segment.lowerBound + j - 1]
                let quality = Aligner.quality(element, token, isQuestion: template.isQuestion)
                alignment.matchedWeight += quality * element.weight
                if element.weight >= 0.4 { alignment.matchedContent += quality * element.weight }
                if !element.isOptional { alignment.templateCoverage += quality * element.weight }
                alignment.roles[j - 1] = quality >= 0.75 ? 1 : 3
                i -= 1
                j -= 1
            case Move.skipElement: i -= 1
            case Move.typed:
                let length = Int(lengths[i * width + j])
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
