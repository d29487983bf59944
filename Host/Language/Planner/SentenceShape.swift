import TandemCore

/// How a part of a message is said: asked, told, wished, denied, reported.
struct SentenceShape {
    var isQuestion = false
    /// Asked of us to be done: "could you add …".
    var isPolite = false
    var isHypothetical = false
    var isNegated = false
    /// Orders that something be left: "don't add …", "no need to …", "you needn't …".
    var isDenied = false
    var isPast = false
    var isReported = false
    /// Begins with the person and is no opening of a request: "I remember …", not "I want to …".
    var isTold = false
    /// Tells of somebody else: "he finished …".
    var isAboutOthers = false
    /// Speaks of us: "your name".
    var isAboutUs = false
    /// Begins with the person: "I bought …".
    var isStatement = false
    /// Says that something is so: "recipes are fun", "you remember everything".
    var isDeclarative = false
    /// Says nothing to be done: "what a day!", "remember when …".
    var isIdle = false
    /// Asks with "what", "how", "when" …, wherever it stands.
    var hasQuestionWord = false
    /// The word that says what is to be done, if any.
    var mainVerb: Int?
    /// First word that is not mere politeness.
    var start: Int

    private enum W {
        static let he = wordHash("he")
        static let she = wordHash("she")
        static let they = wordHash("they")
        static let your = wordHash("your")
        static let you = wordHash("you")
        static let i = wordHash("i")
        static let we = wordHash("we")
        static let to = wordHash("to")
        static let would = wordHash("would")
        static let can = wordHash("can")
        static let could = wordHash("could")
        static let letWord = wordHash("let")
        static let ifWord = wordHash("if")
        static let wonder = wordHash("wondering")
        static let doWord = wordHash("do")
        static let should = wordHash("should")
        static let shall = wordHash("shall")
        static let might = wordHash("might")
        static let not = wordHash("not")
        static let forget = wordHash("forget")
        static let what = wordHash("what")
        static let about = wordHash("about")
        static let how = wordHash("how")
        static let be = wordHash("be")
        static let have = wordHash("have")
        static let did = wordHash("did")
        static let maybe = wordHash("maybe")
        static let perhaps = wordHash("perhaps")
        static let never = wordHash("never")
        static let wish = wordHash("wish")
        static let used = wordHash("used")
        static let imagine = wordHash("imagine")
        static let thinking = wordHash("thinking")
        static let considering = wordHash("considering")
        static let worry = wordHash("worry")
        static let lets = wordHash("let")
        static let whether = wordHash("whether")
        static let probably = wordHash("probably")
        static let only = wordHash("only")
        static let a = wordHash("a")
        static let an = wordHash("an")
        static let when = wordHash("when")
        static let remember = wordHash("remember")
        static let owns = wordHash("'s")
        static let were = wordHash("were")
        static let no = wordHash("no")
        static let need = wordHash("need")
    }

    /// Polite openings by words; the request follows.
    private static let openings: [[UInt64]] =
        [
            "tell me", "let me know", "do you know", "can you tell me", "can you", "could you", "would you", "will you",
            "can u", "could u", "can we", "could we", "can i",
            "could i", "may i", "i would like you to", "i want you to", "i need you to", "i would like to",
            "i would like", "i would love to", "i want to", "i want", "i would want to", "we want to",
            "we would like to",
            "would you mind", "do you mind", "do you think you could", "do you think you can", "is it possible to",
            "is it possible for you to", "would it be possible to", "help me to", "help me", "let us", "let me",
            "go ahead and", "do me a favor and", "do me a favour and", "be so kind and", "be a dear and",
            "it would be great if you could", "it would be nice if you could", "would be great if you could",
            "would be nice if you could", "i was wondering if you could", "i wonder if you could",
            "i was hoping you could", "i wonder if you can", "any chance you could", "any chance you can",
            "make sure to", "be sure to", "make sure you", "i am going to", "i have to", "i have got to", "i got to",
            "i need to", "i must", "we need to", "we have to", "i need", "you can", "you could", "you should",
            "you need to", "can you help me", "can you help me to", "could you help me", "time to", "it is time to",
            "try to", "are you able to", "if you could", "if you can", "would you be able to",
            "could you be so kind to",
            "you mind", "is there a way to", "please can you",
        ].map { $0.split(separator: " ").map { wordHash($0.utf8) } }.sorted { $0.count > $1.count }

    /// Openings that still are content for some tools ("I need to renew …"), so that they stay matchable.
    init(_ tokens: [Token], _ segment: Range<Int>, soft: inout [Bool]) {
        start = segment.lowerBound
        readOpening(tokens, segment, &soft)
        findVerb(tokens, segment)
        readMood(tokens, segment, soft)
    }

    private mutating func readOpening(_ tokens: [Token], _ segment: Range<Int>, _ soft: inout [Bool]) {
        var index = segment.lowerBound
        var rounds = 0
        outer: while index < segment.upperBound, rounds < 8 {
            rounds += 1
            let token = tokens[index]
            if token.isBreak || token.has(.filler) {
                index += 1
                continue
            }
            for opening in SentenceShape.openings {
                guard index + opening.count < segment.upperBound else { continue }
                var at = index
                var matches = true
                for word in opening {
                    while at < segment.upperBound, at > index, tokens[at].has(.filler), tokens[at].surface != word {
                        at += 1
                    }
                    guard at < segment.upperBound, tokens[at].kind == .word, tokens[at].surface == word else {
                        matches = false
                        break
                    }
                    at += 1
                }
                guard matches else { continue }
                if opening.contains(W.we), opening.first == W.can || opening.first == W.could { isPolite = true }
                if opening.contains(W.you), opening.first != W.you || opening.count > 1 { isPolite = true }
                for position in index..<at { soft[position] = true }
                index = at
                continue outer
            }
            break
        }
        start = index
    }

    private static let others = Set(["he", "she", "they", "his", "her", "their"].map { wordHash($0.utf8) })
    private static let kin = Set(
        [
            "mom", "mum", "mother", "dad", "father", "sister", "brother", "wife", "husband", "friend", "neighbour",
            "neighbor", "boss", "colleague", "son", "daughter", "aunt", "uncle", "grandma", "grandpa", "roommate",
            "flatmate", "partner", "girlfriend", "boyfriend", "landlord", "cousin", "teacher",
        ].map { wordHash($0.utf8) })

    /// `my mother bought …`, `my neighbour's rent …`: somebody near, who did or has something.
    private func isKinToldOf(_ tokens: [Token], _ content: [Int]) -> Bool {
        guard let head = content.first else { return false }
        let isOwned = tokens[head].has(.determiner) || tokens[head].has(.self1)
        let at = isOwned ? 1 : 0
        guard content.count > at + 1 else { return false }
        let noun = tokens[content[at]]
        guard SentenceShape.kin.contains(noun.surface) || SentenceShape.kin.contains(noun.lemma) else { return false }
        let verb = tokens[content[at + 1]]
        if verb.surface == W.owns {
            return content.dropFirst(at + 2).prefix(3).contains { index in
                tokens[index].has(.auxiliary) || tokens[index].strong.intersects(SentenceShape.costs)
            }
        }
        return SentenceShape.isFinite(verb) || verb.has(.auxiliary)
            || isOwned && noun.end - noun.start > 4 && noun.surface != noun.lemma
    }

    /// `Tom paid for lunch`: a name, and what its bearer did.
    private func isNamedToldOf(_ tokens: [Token], _ content: [Int]) -> Bool {
        guard content.count > 2 else { return false }
        let name = tokens[content[0]]
        let verb = tokens[content[1]]
        return name.kind == .word && name.has(.capitalised) && !name.has(.known) && name.feature < 0
            && SentenceShape.isFinite(verb) && !verb.strong.intersects(SentenceShape.costs)
    }

    /// `the dog ate my shoe`: a noun and what it did or does, with more to follow.
    private func tellsOf(_ tokens: [Token], _ content: [Int]) -> Bool {
        guard content.count > 3, tokens[content[0]].has(.determiner) else { return false }
        for position in 2...min(3, content.count - 2) {
            let token = tokens[content[position]]
            if token.has(.function) || tokens[content[position - 1]].has(.determiner) { return false }
            if SentenceShape.isFinite(token) { return !token.strong.intersects(SentenceShape.costs) }
        }
        return false
    }

    /// `the note on the fridge was old`, `notes from school are helpful`: something, described at length, and what it is or has.
    private func describes(_ tokens: [Token], _ content: [Int]) -> Bool {
        guard let first = content.first, tokens[first].kind == .word else { return false }
        let head = tokens[first]
        // An order begins with what is to be done.
        guard !head.has(.question), !head.has(.pronoun) || head.has(.determiner), !head.has(.preposition),
            !head.has(.auxiliary), head.has(.determiner) || !head.has(.verb) || head.surface != head.lemma
        else { return false }
        var before = first
        for index in content.prefix(SentenceShape.longestSubject + 1).dropFirst() {
            let token = tokens[index]
            if tokens[before..<index].contains(where: \.isBreak) || SentenceShape.relatives.contains(token.surface)
                || token.has(.question)
            {
                return false
            }
            if token.has(.auxiliary), token.lemma == W.be || token.lemma == W.have {
                // `the tasks I have`: what somebody has, still to be said of.
                return !tokens[before].has(.pronoun) || before == first
            }
            before = index
        }
        return false
    }

    /// Words before the verb.
    private static let longestSubject = 8
    private static let relatives = Set(["that", "which", "who", "whose", "where", "what"].map { wordHash($0.utf8) })

    /// `… if you were me`, `… if I had one`: supposed, not asked for. `if you can` is manners.
    private mutating func readCondition(_ tokens: [Token], _ content: [Int]) {
        for (position, index) in content.enumerated().dropFirst()
        where tokens[index].surface == W.ifWord && !tokens[index].has(.quoted) && position + 2 < content.count {
            guard tokens[content[position + 1]].has(.pronoun) else { continue }
            let verb = tokens[content[position + 2]]
            if verb.surface == W.were || verb.has(.past) && !verb.has(.function) { isHypothetical = true }
        }
    }

    private static let reminds = Lexicon.shared.cluster("remind")
    private static let costs = Lexicon.shared.cluster("cost").union(Lexicon.shared.cluster("spend"))

    /// A form that only says what somebody does or did: "cooks", "bought".
    private static func isFinite(_ token: Token) -> Bool {
        guard token.kind == .word, token.has(.verb), !token.has(.function), !token.has(.gerund), !token.has(.ware)
        else {
            return false
        }
        return token.has(.past) || token.surface != token.lemma
    }

    private mutating func readMood(_ tokens: [Token], _ segment: Range<Int>, _ soft: [Bool]) {
        let content = segment.filter { !tokens[$0].isBreak && !tokens[$0].has(.filler) }
        guard let first = content.first else { return }
        let last = tokens[segment.upperBound - 1]
        let second = content.count > 1 ? tokens[content[1]] : nil
        let head = tokens[first]
        if last.kind == .punctuation, last.byte == 63 { isQuestion = true }
        if head.has(.question) || head.surface == W.how || head.surface == W.what { isQuestion = true }
        hasQuestionWord = content.contains { tokens[$0].has(.question) || tokens[$0].surface == W.how }
        if head.surface == W.what, let second, second.surface == W.a || second.surface == W.an { isIdle = true }
        // "remember when we …", "I remember how …": no order.
        for (position, index) in content.enumerated().prefix(4) where tokens[index].lemma == W.remember {
            guard position + 2 < content.count else { break }
            let next = tokens[content[position + 1]].surface
            if next == W.when || next == W.how, tokens[content[position + 2]].has(.pronoun) { isIdle = true }
        }
        // "remind Anna to …" is for Anna.
        if let verb = mainVerb, tokens[verb].strong.intersects(SentenceShape.reminds), verb + 2 < segment.upperBound {
            let whom = tokens[verb + 1]
            if whom.kind == .word, whom.has(.capitalised), !whom.has(.known), tokens[verb + 2].surface == W.to {
                isAboutOthers = true
            }
        }
        if head.has(.auxiliary), let second, second.has(.pronoun) || second.has(.determiner), head.surface != W.letWord
        {
            // "do that" is an order, "did I" is not.
            if second.has(.self1) || head.surface != W.doWord && head.surface != W.have { isQuestion = true }
        }
        if isPolite { isQuestion = false }
        if !isQuestion, !isPolite, !head.has(.verb) || head.has(.ware) || head.has(.pronoun) {
            for index in content.prefix(5).dropFirst() {
                let token = tokens[index]
                if token.has(.auxiliary), token.lemma == W.be || token.lemma == W.have || token.surface == W.can {
                    isDeclarative = true
                }
                if !token.has(.function), token.has(.verb) { break }
            }
            if head.has(.pronoun), !head.has(.self1), let second, second.has(.verb) { isDeclarative = true }
        }
        if !isQuestion, !isPolite, tellsOf(tokens, content) || describes(tokens, content) { isDeclarative = true }
        readCondition(tokens, content)
        isTold = head.has(.self1) && (head.surface == W.i || head.surface == W.we) && !soft[first]
        isAboutOthers =
            isAboutOthers || SentenceShape.others.contains(head.surface) || isKinToldOf(tokens, content)
            || !isQuestion && isNamedToldOf(tokens, content)
        isAboutUs = content.contains { tokens[$0].surface == W.your && !tokens[$0].has(.quoted) }
        isStatement = head.has(.self1) && (head.surface == W.i || head.surface == W.we)
        if head.surface == W.should || head.surface == W.shall, second?.has(.self1) == true { isHypothetical = true }
        if head.surface == W.what || head.surface == W.how, let second,
            second.surface == W.ifWord || second.surface == W.about
        {
            isHypothetical = true
        }
        for (position, index) in content.enumerated() where !soft[index] && !tokens[index].has(.quoted) {
            let token = tokens[index]
            // After the action comes what it is done to: "note that I might be late".
            guard position < 6, index <= mainVerb ?? .max else { break }
            switch token.surface {
            case W.might, W.maybe, W.perhaps, W.wish, W.imagine, W.thinking, W.considering, W.probably, W.whether,
                W.wonder:
                isHypothetical = true
            case W.ifWord where position == 0: isHypothetical = true
            case W.should where position <= 2 && !head.has(.question): isHypothetical = true
            case W.used where position <= 1 && index + 1 < segment.upperBound && tokens[index + 1].surface == W.to:
                isHypothetical = true
            case W.could where position == 1 && isStatement, W.would where position == 1 && isStatement:
                isHypothetical = true
            default: break
            }
        }
        for (position, index) in content.enumerated() where !tokens[index].has(.quoted) {
            let token = tokens[index]
            if token.has(.past), !token.has(.function) || token.surface == W.did { isPast = true }
            guard token.surface == W.not || token.surface == W.never, position < 7, index < mainVerb ?? .max else {
                continue
            }
            // "don't forget to", "why don't you", "don't let me forget"
            let next = index + 1 < segment.upperBound ? tokens[index + 1] : nil
            if let next, next.lemma == W.forget || next.surface == W.forget || next.lemma == W.lets { continue }
            if let next, next.surface == W.you, isQuestion { continue }
            if let next, next.surface == W.only || next.surface == W.worry { continue }
            // "it was 14, not 15": the value that was wrong.
            if position > 1, let next, next.kind == .number || next.kind == .currency || next.has(.weekday) { continue }
            isNegated = true
            let before = content.prefix(position).map { tokens[$0].surface }
            // "don't need onions any more" tells of something, "don't buy any" orders.
            if before.isEmpty || before == [W.doWord] && next?.surface != W.need || before == [W.you, W.doWord]
                || before == [W.you, W.need]
            {
                isDenied = true
            }
        }
        if content.count > 2, head.surface == W.no || head.surface == W.not, second?.surface == W.need,
            tokens[content[2]].surface == W.to
        {
            isDenied = true
        }
        readReport(tokens, content)
    }

    /// `Anna said add milk`: somebody else's words.
    private mutating func readReport(_ tokens: [Token], _ content: [Int]) {
        for (position, index) in content.enumerated().prefix(5) where position > 0 {
            let token = tokens[index]
            guard token.has(.speech), Lexicon.shared.words[token.surface]?.flags.contains(.speech) == true else {
                continue
            }
            let subject = tokens[content[position - 1]]
            if subject.surface == W.i || subject.surface == W.we || subject.surface == W.you { continue }
            if subject.has(.preposition) || subject.has(.determiner) || subject.has(.auxiliary) { continue }
            if tokens[content[0]].has(.verb), !tokens[content[0]].has(.function) { continue }
            if tokens[content[0]].has(.question) { continue }
            isReported = true
        }
    }

    private mutating func findVerb(_ tokens: [Token], _ segment: Range<Int>) {
        var index = start
        var seen = 0
        while index < segment.upperBound, seen < 4 {
            let token = tokens[index]
            defer { index += 1 }
            if token.isBreak || token.has(.filler) || token.has(.absorbed) { continue }
            if token.has(.verb), !token.has(.function), !token.has(.quoted), token.kind == .word {
                // `the shopping list …`: a noun in spite of its form.
                if index > segment.lowerBound,
                    tokens[index - 1].has(.determiner) || tokens[index - 1].has(.preposition),
                    tokens[index - 1].surface != W.to
                {
                    break
                }
                mainVerb = index
                return
            }
            if token.has(.function) || token.has(.self1) { continue }
            seen += 1
            if token.has(.determiner) || !token.has(.question) { break }
        }
        // `on my list put …`: the verb after its place.
        guard let head = segment.first(where: { !tokens[$0].isBreak && !tokens[$0].has(.filler) }),
            tokens[head].has(.preposition) || tokens[head].has(.determiner)
        else { return }
        for index in segment where tokens[index].kind == .word && !tokens[index].has(.quoted) {
            let token = tokens[index]
            guard token.has(.verb), !token.has(.function), !token.has(.ware), !token.has(.past), !token.has(.gerund),
                token.strong.intersects(Lexicon.shared.verbClusters), index > segment.lowerBound,
                !tokens[index - 1].has(.determiner), !tokens[index - 1].has(.preposition),
                !tokens[index - 1].has(.pronoun)
                    || tokens[index - 1].surface == W.i
            else { continue }
            if token.strong.intersects(Lexicon.shared.nounClusters) { continue }
            mainVerb = index
            return
        }
    }
}
