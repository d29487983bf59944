import TandemCore

/// Finds where one request of a message may end and the next begin.
struct RequestSplitter {
    let message: Message
    let spokenVerbs: ClusterSet

    struct Cut {
        /// End of the part before.
        var before: Int
        /// Start of the part after.
        var after: Int
        /// A line or sentence end: the parts need not both be requests.
        var isHard: Bool
    }

    private enum W {
        static let and = wordHash("and")
        static let then = wordHash("then")
        static let also = wordHash("also")
        static let but = wordHash("but")
        static let plus = wordHash("plus")
    }

    func cuts(_ segment: Range<Int>) -> [Cut] {
        let tokens = message.tokens
        var cuts: [Cut] = []
        var index = segment.lowerBound + 1
        var afterColon = false
        while index < segment.upperBound - 1, cuts.count < 16 {
            let token = tokens[index]
            defer { index += 1 }
            if token.has(.quoted) { continue }
            if token.kind == .newline {
                afterColon = false
                let next = skipBreaks(index, segment)
                if next < segment.upperBound, startsRequest(next, segment) {
                    cuts.append(Cut(before: index, after: next, isHard: true))
                    index = next
                }
                continue
            }
            if token.kind == .punctuation {
                switch token.byte {
                case 58: afterColon = true
                case 46, 33, 63:
                    guard index + 1 < segment.upperBound else { continue }
                    let next = skipBreaks(index, segment)
                    guard next < segment.upperBound, tokens[next].has(.spaceBefore) || next > index + 1 else {
                        continue
                    }
                    if afterColon, !startsRequest(next, segment) { continue }
                    afterColon = false
                    cuts.append(Cut(before: index + (token.byte == 63 ? 1 : 0), after: next, isHard: true))
                    index = next
                case 59, 44, 45:
                    if token.byte == 45, !token.has(.spaceBefore) { continue }
                    let next = skipLinks(index + 1, segment)
                    // `34 euros, paid cash` goes on with the same.
                    if !afterColon, next < segment.upperBound, startsRequest(next, segment), !tokens[next].has(.past) {
                        cuts.append(Cut(before: index, after: next, isHard: false))
                        index = next
                    }
                default: break
                }
                continue
            }
            guard token.kind == .word, !afterColon else { continue }
            if token.surface == W.and || token.surface == W.then || token.surface == W.also || token.surface == W.plus
                || token.surface == W.but
            {
                let next = skipLinks(index, segment)
                if next < segment.upperBound, startsRequest(next, segment) {
                    cuts.append(Cut(before: index, after: next, isHard: false))
                    index = next
                }
            }
        }
        return cuts
    }

    private func skipBreaks(_ start: Int, _ segment: Range<Int>) -> Int {
        var index = start
        while index < segment.upperBound, message.tokens[index].isBreak { index += 1 }
        return index
    }

    private func skipLinks(_ start: Int, _ segment: Range<Int>) -> Int {
        var index = start
        while index < segment.upperBound {
            let token = message.tokens[index]
            guard
                token.isBreak || token.surface == W.and || token.surface == W.then || token.surface == W.also
                    || token.surface == W.plus || token.surface == W.but || token.has(.filler)
            else { break }
            index += 1
        }
        return index
    }

    /// Begins like a request of its own: with what to do, with a question, or with the person.
    private func startsRequest(_ index: Int, _ segment: Range<Int>) -> Bool {
        var index = index
        let tokens = message.tokens
        while index < segment.upperBound, tokens[index].has(.filler) || tokens[index].isBreak { index += 1 }
        guard index + 1 < segment.upperBound else {
            return index < segment.upperBound && tokens[index].has(.verb) && tokens[index].feature >= 0
        }
        let token = tokens[index]
        if token.has(.quoted) { return false }
        if token.has(.question) { return true }
        if token.has(.self1), tokens[index + 1].has(.verb) || tokens[index + 1].has(.auxiliary) { return true }
        if token.has(.auxiliary), tokens[index + 1].has(.pronoun) { return true }
        guard token.kind == .word, token.has(.verb), !token.has(.gerund) else { return false }
        if token.has(.ware), !tokens[index + 1].has(.determiner) { return false }
        return token.strong.intersects(spokenVerbs) || token.feature >= 0 || token.has(.deed)
    }
}
