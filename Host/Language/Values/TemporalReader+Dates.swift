import TandemCore

extension TemporalReader {
    /// A date or a span of dates without its preposition.
    func date(_ tokens: [Token], _ start: Int, leadWord: UInt64) -> Temporal? {
        guard start < tokens.count else { return nil }
        var index = start
        let hasArticle = tokens[index].surface == W.the
        if hasArticle {
            index += 1
            guard index < tokens.count else { return nil }
        }
        let token = tokens[index]
        if token.kind == .date { return written(token, index) }
        if token.kind == .number { return numbered(tokens, index, hasArticle: hasArticle, leadWord: leadWord) }
        guard token.kind == .word, token.has(.known) else { return nil }
        switch token.surface {
        case W.today: return Temporal(start, index + 1, Temporal.Range(today))
        case W.tonight, W.tonite:
            var result = Temporal(start, index + 1, Temporal.Range(today))
            result.minutes = 1200
            if index + 1 < tokens.count, let time = time(tokens, index + 1, bare: false) {
                result.minutes = time.isSure ? time.minutes : time.minutes % 720 + 720
                result.end = time.end
            }
            return result
        case W.yesterday: return Temporal(start, index + 1, Temporal.Range(today.adding(days: -1)))
        case W.eod: return Temporal(start, index + 1, Temporal.Range(today))
        case W.eow: return Temporal(start, index + 1, Temporal.Range(sunday(today)))
        case W.eom: return Temporal(start, index + 1, Temporal.Range(month(today).to))
        case W.weekend, W.weekends:
            guard hasArticle || leadWord != 0 else { return nil }
            return weekend(start, index + 1, 0)
        default: break
        }
        if isTomorrow(token) { return Temporal(start, index + 1, Temporal.Range(today.adding(days: 1))) }
        if token.surface == W.day, index + 2 < tokens.count {
            if tokens[index + 1].surface == W.after, isTomorrow(tokens[index + 2]) {
                return Temporal(start, index + 3, Temporal.Range(today.adding(days: 2)))
            }
            if tokens[index + 1].surface == W.before, tokens[index + 2].surface == W.yesterday {
                return Temporal(start, index + 3, Temporal.Range(today.adding(days: -2)))
            }
        }
        if let edge = edge(tokens, start, index) { return edge }
        if let modified = modified(tokens, start, index) { return modified }
        if token.has(.weekday) { return weekday(tokens, start, index, modifier: 0) }
        if let exact = monthDay(tokens, index) {
            var result = exact
            result.start = start
            return result
        }
        // "may" and "march" are other words, too.
        if token.has(.month), leadWord != 0 || ![3, 5].contains(token.number.units) {
            return monthAlone(tokens, start, index, leadWord: leadWord)
        }
        if token.has(.ordinal), hasArticle, token.number.units > 0, token.number.units <= 30 {
            return ordinalDay(tokens, start, index, Int(token.number.units), end: index + 1, leadWord: leadWord)
        }
        if let (day, offset, end) = ago(tokens, index) {
            return Temporal(start, end, Temporal.Range(day), offset: offset)
        }
        return nil
    }

    private func isTomorrow(_ token: Token) -> Bool {
        W.tomorrows.contains(token.surface) || W.tomorrows.contains(token.lemma)
    }

    // MARK: Numbers

    /// `2026-12-01`, `3/5`, `1.12.2026`.
    private func written(_ token: Token, _ index: Int) -> Temporal? {
        if token.first > 31 {
            guard let date = CivilDate(year: token.first, month: token.second, day: token.third) else { return nil }
            return Temporal(index, index + 1, Temporal.Range(date))
        }
        var (day, month) = (token.first, token.second)
        if token.byte == 47, monthFirst && day <= 12 || month > 12 { swap(&day, &month) }
        if token.third > 0 {
            let year = token.third < 100 ? 2000 + token.third : token.third
            guard let date = CivilDate(year: year, month: month, day: day) else { return nil }
            return Temporal(index, index + 1, Temporal.Range(date))
        }
        return yearly(index, index + 1, month: month, day: day)
    }

    /// The day of this or the next year, and of this or the last.
    func yearly(_ start: Int, _ end: Int, month: Int, day: Int) -> Temporal? {
        guard day >= 1, day <= 31, (1...12).contains(month) else { return nil }
        var next: CivilDate?
        var previous: CivilDate?
        for offset in 0...4 {
            if next == nil, let date = CivilDate(year: today.year + offset, month: month, day: day), date >= today {
                next = date
            }
            if previous == nil, let date = CivilDate(year: today.year - offset, month: month, day: day), date <= today {
                previous = date
            }
        }
        guard let next, let previous else { return nil }
        return Temporal(start, end, future: Temporal.Range(next), past: Temporal.Range(previous))
    }

    private func isOrdinalSuffix(_ token: Token) -> Bool {
        token.kind == .word && !token.has(.spaceBefore)
            && (token.surface == W.th || token.surface == W.st || token.surface == W.nd || token.surface == W.rd)
    }

    private func numbered(_ tokens: [Token], _ index: Int, hasArticle: Bool, leadWord: UInt64) -> Temporal? {
        let token = tokens[index]
        guard let value = token.number.integer else { return nil }
        if let exact = monthDay(tokens, index) { return exact }
        if let (day, offset, end) = ago(tokens, index) {
            return Temporal(index, end, Temporal.Range(day), offset: offset)
        }
        if token.first == 4, (1990...2100).contains(value),
            leadWord == W.in || leadWord == W.during || leadWord == W.since || leadWord == W.for || leadWord == W.from,
            let from = CivilDate(year: value, month: 1, day: 1), let to = CivilDate(year: value, month: 12, day: 31)
        {
            return Temporal(index, index + 1, Temporal.Range(from, to), isDay: false)
        }
        if index + 1 < tokens.count, isOrdinalSuffix(tokens[index + 1]), (1...31).contains(value) {
            return ordinalDay(tokens, index, index, value, end: index + 2, leadWord: leadWord)
        }
        return nil
    }

    /// `the 5th`: of this month, or of the next one when it is over.
    private func ordinalDay(
        _ tokens: [Token], _ start: Int, _ index: Int, _ day: Int, end: Int, leadWord: UInt64
    ) -> Temporal? {
        // `the first one`, `5th avenue`: only at the end of its phrase.
        if end < tokens.count, !tokens[end].isBreak {
            let next = tokens[end]
            if next.surface == W.of, end + 2 < tokens.count {
                if let scoped = modified(tokens, end + 1, end + 1), !scoped.isDay {
                    let range = scoped.future
                    guard let date = CivilDate(year: range.from.year, month: range.from.month, day: day) else {
                        return nil
                    }
                    return Temporal(start, scoped.end, Temporal.Range(date))
                }
                if tokens[end + 1].surface == W.the, tokens[end + 2].surface == W.month {
                    return monthly(start, end + 3, day)
                }
                return nil
            }
            guard next.has(.function) || next.has(.filler) || next.kind == .clock || next.kind == .number else {
                return nil
            }
            if next.has(.pointer) { return nil }
        }
        guard leadWord != 0 || tokens[start].kind == .number || end >= tokens.count || tokens[end].isBreak else {
            return nil
        }
        if tokens[index].kind == .word, leadWord == 0 { return nil }
        return monthly(start, end, day)
    }

    private func monthly(_ start: Int, _ end: Int, _ day: Int) -> Temporal? {
        var next: CivilDate?
        var previous: CivilDate?
        let first = month(today).from
        for offset in 0...3 {
            let later = addMonths(first, offset)
            if next == nil, let date = CivilDate(year: later.year, month: later.month, day: day), date >= today {
                next = date
            }
            let earlier = addMonths(first, -offset)
            if previous == nil, let date = CivilDate(year: earlier.year, month: earlier.month, day: day),
                date <= today
            {
                previous = date
            }
        }
        guard let next, let previous else { return nil }
        return Temporal(start, end, future: Temporal.Range(next), past: Temporal.Range(previous))
    }

    /// `3 days ago`, `a week ago`, `3 days from now`.
    private func ago(_ tokens: [Token], _ index: Int) -> (day: CivilDate, offset: Int?, end: Int)? {
        guard let (value, unit, end) = amount(tokens, index), end < tokens.count else { return nil }
        if tokens[end].surface == W.ago, let (day, offset) = shifted(value, unit, -1) { return (day, offset, end + 1) }
        if tokens[end].surface == W.from, end + 1 < tokens.count,
            tokens[end + 1].surface == W.now || tokens[end + 1].surface == W.today,
            let (day, offset) = shifted(value, unit, 1)
        {
            return (day, offset, end + 2)
        }
        return nil
    }

    // MARK: Months

    /// `3 May`, `May 3rd 2027`, `3rd of May`, `march 2027` is not one.
    func monthDay(_ tokens: [Token], _ start: Int) -> Temporal? {
        var index = start
        let token = tokens[index]
        var day = 0
        var month = 0
        if token.kind == .number, let value = token.number.integer, (1...31).contains(value) {
            day = value
            index += 1
            if index < tokens.count, isOrdinalSuffix(tokens[index]) { index += 1 }
            if index < tokens.count, tokens[index].kind == .punctuation, tokens[index].byte == 46,
                !tokens[index].has(.spaceBefore)
            {
                index += 1
            }
            if index < tokens.count, tokens[index].surface == W.of { index += 1 }
            guard index < tokens.count, tokens[index].has(.month), tokens[index].kind == .word else { return nil }
            month = Int(tokens[index].number.units)
            index += 1
        } else if token.has(.ordinal), token.number.units > 0, index + 2 < tokens.count,
            tokens[index + 1].surface == W.of, tokens[index + 2].has(.month)
        {
            day = Int(token.number.units)
            month = Int(tokens[index + 2].number.units)
            index += 3
        } else if token.kind == .word, token.has(.month) {
            month = Int(token.number.units)
            index += 1
            if index < tokens.count, tokens[index].surface == W.the { index += 1 }
            guard index < tokens.count else { return nil }
            if tokens[index].kind == .number, let value = tokens[index].number.integer, (1...31).contains(value),
                tokens[index].first <= 2
            {
                day = value
                index += 1
                if index < tokens.count, isOrdinalSuffix(tokens[index]) {
                    index += 1
                } else if index < tokens.count,
                    tokens[index].has(.unit) || tokens[index].has(.currencyWord)
                        || tokens[index].kind == .currency
                {
                    return nil
                }
            } else if tokens[index].has(.ordinal), tokens[index].number.units > 0 {
                day = Int(tokens[index].number.units)
                index += 1
            } else {
                return nil
            }
        } else {
            return nil
        }
        var next = index
        if next < tokens.count, tokens[next].kind == .punctuation, tokens[next].byte == 44 { next += 1 }
        if next < tokens.count, tokens[next].kind == .number, tokens[next].first == 4,
            let year = tokens[next].number.integer, (1900...2200).contains(year),
            let date = CivilDate(year: year, month: month, day: day)
        {
            return Temporal(start, next + 1, Temporal.Range(date))
        }
        return yearly(start, index, month: month, day: day)
    }

    func month(_ date: CivilDate) -> Temporal.Range {
        let last = CivilDate.daysInMonth(date.month, of: date.year)
        return Temporal.Range(
            CivilDate(year: date.year, month: date.month, day: 1) ?? date,
            CivilDate(year: date.year, month: date.month, day: last) ?? date)
    }

    /// `in October`, `since march 2025`, `for may`.
    func monthAlone(_ tokens: [Token], _ start: Int, _ index: Int, leadWord: UInt64) -> Temporal? {
        let number = Int(tokens[index].number.units)
        guard (1...12).contains(number) else { return nil }
        // "march" and "may" are also verbs.
        if leadWord == W.to || leadWord == W.about { return nil }
        let end = index + 1
        if end < tokens.count, tokens[end].kind == .number, tokens[end].first == 4,
            let year = tokens[end].number.integer, (1900...2200).contains(year),
            let first = CivilDate(year: year, month: number, day: 1)
        {
            return Temporal(start, end + 1, month(first), isDay: false)
        }
        let ahead = number >= today.month ? today.year : today.year + 1
        let behind = number <= today.month ? today.year : today.year - 1
        guard let next = CivilDate(year: ahead, month: number, day: 1),
            let previous = CivilDate(year: behind, month: number, day: 1)
        else { return nil }
        return Temporal(start, end, future: month(next), past: month(previous), isDay: false)
    }

    // MARK: Weeks

    private func monday(_ date: CivilDate) -> CivilDate { date.adding(days: 1 - date.isoWeekday) }
    private func sunday(_ date: CivilDate) -> CivilDate { date.adding(days: 7 - date.isoWeekday) }

    private func weekend(_ start: Int, _ end: Int, _ offset: Int) -> Temporal {
        let saturday = monday(today).adding(days: 5 + 7 * offset)
        let range = Temporal.Range(saturday, saturday.adding(days: 1))
        guard offset == 0 else { return Temporal(start, end, range, isDay: false) }
        let gone =
            saturday <= today ? range : Temporal.Range(saturday.adding(days: -7), saturday.adding(days: -6))
        return Temporal(start, end, future: range, past: gone, isDay: false)
    }

    /// - Parameter modifier: -1 last, 0 none, 1 this, 2 next.
    private func weekday(_ tokens: [Token], _ start: Int, _ index: Int, modifier: Int) -> Temporal? {
        let number = Int(tokens[index].number.units)
        guard (1...7).contains(number) else { return nil }
        let ahead = (number - today.isoWeekday + 7) % 7
        let behind = (today.isoWeekday - number + 7) % 7
        var end = index + 1
        let next = today.adding(days: ahead == 0 ? 7 : ahead)
        let previous = today.adding(days: behind == 0 ? -7 : -behind)
        switch modifier {
        case -1: return Temporal(start, end, Temporal.Range(previous))
        case 1: return Temporal(start, end, Temporal.Range(today.adding(days: ahead)))
        case 2: return Temporal(start, end, Temporal.Range(ahead == 1 ? next.adding(days: 7) : next))
        default:
            // `monday next week`
            if end + 1 < tokens.count, tokens[end].surface == W.next, tokens[end + 1].surface == W.week {
                end += 2
                return Temporal(start, end, Temporal.Range(monday(today).adding(days: 6 + number)))
            }
            if end + 1 < tokens.count, tokens[end].surface == W.last, tokens[end + 1].surface == W.week {
                return Temporal(start, end + 2, Temporal.Range(monday(today).adding(days: number - 8)))
            }
            return Temporal(start, end, future: Temporal.Range(next), past: Temporal.Range(previous))
        }
    }

    // MARK: this, next, last

    func modified(_ tokens: [Token], _ start: Int, _ first: Int) -> Temporal? {
        var index = first
        if tokens[index].surface == W.all || tokens[index].surface == W.whole, index + 1 < tokens.count { index += 1 }
        if tokens[index].surface == W.the, index + 1 < tokens.count { index += 1 }
        var shift: Int
        switch tokens[index].surface {
        case W.this, W.current: shift = 0
        case W.next, W.coming, W.following: shift = 1
        case W.last, W.past, W.previous: shift = -1
        default: return nil
        }
        var at = index + 1
        if shift == 0, at < tokens.count, tokens[at].surface == W.coming || tokens[at].surface == W.past {
            shift = tokens[at].surface == W.past ? -1 : 0
            at += 1
        }
        guard at < tokens.count else { return nil }
        let token = tokens[at]
        let end = at + 1
        switch token.surface {
        case W.week:
            let from = monday(today).adding(days: 7 * shift)
            return Temporal(start, end, Temporal.Range(from, from.adding(days: 6)), isDay: false)
        case W.weekend: return weekend(start, end, shift)
        case W.month:
            return Temporal(start, end, month(addMonths(month(today).from, shift)), isDay: false)
        case W.quarter:
            let begin = addMonths(month(today).from, -((today.month - 1) % 3) + 3 * shift)
            return Temporal(
                start, end, Temporal.Range(begin, month(addMonths(begin, 2)).to), isDay: false)
        case W.year:
            let year = today.year + shift
            guard let from = CivilDate(year: year, month: 1, day: 1), let to = CivilDate(year: year, month: 12, day: 31)
            else { return nil }
            return Temporal(start, end, Temporal.Range(from, to), isDay: false)
        case W.morning, W.afternoon, W.evening, W.night:
            let minutes: Int
            switch token.surface {
            case W.morning: minutes = 540
            case W.afternoon: minutes = 900
            case W.evening: minutes = 1140
            default: minutes = 1260
            }
            var result = Temporal(start, end, Temporal.Range(today.adding(days: shift)))
            result.minutes = minutes
            if end < tokens.count, let time = time(tokens, end, bare: false) {
                result.minutes = time.isSure ? time.minutes : time.minutes % 720 + (minutes < 720 ? 0 : 720)
                result.end = time.end
            }
            return result
        default: break
        }
        if token.kind == .word, token.has(.weekday) {
            return weekday(tokens, start, at, modifier: shift == 0 ? 1 : shift == 1 ? 2 : -1)
        }
        if token.kind == .word, token.has(.month), let found = monthAlone(tokens, start, at, leadWord: W.in) {
            var result = found
            if shift == 1 { result.past = result.future }
            if shift == -1 {
                if result.past.to >= today { result.past = month(addMonths(result.past.from, -12)) }
                result.future = result.past
            }
            if shift == 0, let begin = CivilDate(year: today.year, month: result.future.from.month, day: 1) {
                (result.future, result.past) = (month(begin), month(begin))
            }
            result.isFixed = true
            return result
        }
        // `last 30 days`, `next two weeks`
        if shift != 0, let (value, unit, end) = amount(tokens, at), unit != .minute, unit != .hour {
            guard let whole = value.integer, whole <= 4000 else { return nil }
            let far: CivilDate
            switch unit {
            case .day, .minute, .hour: far = today.adding(days: (whole - 1) * shift)
            case .week: far = today.adding(days: (whole * 7 - 1) * shift)
            case .month: far = addMonths(today, whole * shift).adding(days: -shift)
            case .year: far = addMonths(today, whole * 12 * shift).adding(days: -shift)
            }
            return Temporal(start, end, Temporal.Range(min(far, today), max(far, today)), isDay: false)
        }
        return nil
    }

    // MARK: end of, start of

    private func edge(_ tokens: [Token], _ start: Int, _ first: Int) -> Temporal? {
        var kind = 0
        switch tokens[first].surface {
        case W.end: kind = 1
        case W.start, W.begin: kind = -1
        case W.middle, W.mid: kind = 0
        case W.late: kind = 1
        case W.early: kind = -1
        default: return nil
        }
        var index = first + 1
        let hasOf = index < tokens.count && tokens[index].surface == W.of
        if hasOf { index += 1 }
        guard index < tokens.count,
            hasOf || tokens[first].surface == W.mid || tokens[first].surface == W.late
                || tokens[first].surface == W.early
                || tokens[index].surface == W.this || tokens[index].surface == W.next
        else { return nil }
        var isThe = false
        if tokens[index].surface == W.the, index + 1 < tokens.count {
            isThe = true
            index += 1
        }
        var found: Temporal?
        if tokens[index].has(.month) {
            found = monthAlone(tokens, start, index, leadWord: W.of)
        } else if let modified = modified(tokens, start, index), !modified.isDay {
            found = modified
        } else if isThe || hasOf {
            switch tokens[index].surface {
            case W.day: return Temporal(start, index + 1, Temporal.Range(today))
            case W.week: found = Temporal(start, index + 1, Temporal.Range(monday(today), sunday(today)))
            case W.month: found = Temporal(start, index + 1, month(today))
            case W.weekend: found = weekend(start, index + 1, 0)
            case W.year:
                if let from = CivilDate(year: today.year, month: 1, day: 1),
                    let to = CivilDate(year: today.year, month: 12, day: 31)
                {
                    found = Temporal(start, index + 1, Temporal.Range(from, to))
                }
            default:
                if tokens[index].surface == W.today { return Temporal(start, index + 1, Temporal.Range(today)) }
                if isTomorrow(tokens[index]) {
                    return Temporal(start, index + 1, Temporal.Range(today.adding(days: 1)))
                }
                return nil
            }
        }
        guard var result = found else { return nil }
        func point(_ range: Temporal.Range) -> Temporal.Range {
            switch kind {
            case 1: return Temporal.Range(range.to)
            case -1: return Temporal.Range(range.from)
            default:
                let half = (range.to.daysSinceEpoch - range.from.daysSinceEpoch) / 2
                return Temporal.Range(range.from.adding(days: half))
            }
        }
        result.future = point(result.future)
        result.past = point(result.past)
        result.isDay = true
        result.start = start
        return result
    }
}

extension Temporal {
    init(_ start: Int, _ end: Int, _ range: Range, offset: Int?) {
        self.init(start, end, range)
        self.offset = offset
    }
}
