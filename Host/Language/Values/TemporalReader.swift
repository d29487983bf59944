import TandemCore

/// Reads dates, times and spans of dates from tokens. Calendar arithmetic only; no zone, no clock of its own.
///
/// "Next tuesday" is the first Tuesday after today, but not tomorrow. `3/5` is day/month unless only month/day is
/// possible; a person whose home currency is USD writes month/day. Weeks begin on Monday (ISO 8601).
struct TemporalReader {
    let today: CivilDate
    /// Minutes since midnight, local.
    let nowMinutes: Int
    let monthFirst: Bool

    // Hashes of the words that matter.
    enum W {
        static let today = wordHash("today"), tomorrow = wordHash("tomorrow"), yesterday = wordHash("yesterday")
        static let tonight = wordHash("tonight"), weekend = wordHash("weekend"), weekends = wordHash("weekends")
        static let week = wordHash("week"), weeks = wordHash("weeks"), month = wordHash("month")
        static let months = wordHash("months"), year = wordHash("year"), years = wordHash("years")
        static let day = wordHash("day"), days = wordHash("days"), hour = wordHash("hour"), hours = wordHash("hours")
        static let hr = wordHash("hr"), hrs = wordHash("hrs"), h = wordHash("h"), minute = wordHash("minute")
        static let minutes = wordHash("minutes"), min = wordHash("min"), mins = wordHash("mins"), m = wordHash("m")
        static let fortnight = wordHash("fortnight"), quarter = wordHash("quarter"), night = wordHash("night")
        static let morning = wordHash("morning"), afternoon = wordHash("afternoon"), evening = wordHash("evening")
        static let noon = wordHash("noon"), midnight = wordHash("midnight"), lunchtime = wordHash("lunchtime")
        static let this = wordHash("this"), next = wordHash("next"), last = wordHash("last"), past = wordHash("past")
        static let coming = wordHash("coming"), previous = wordHash("previous"), current = wordHash("current")
        static let following = wordHash("following"), the = wordHash("the"), of = wordHash("of"), a = wordHash("a")
        static let an = wordHash("an"), end = wordHash("end"), start = wordHash("start"), begin = wordHash("beginning")
        static let middle = wordHash("middle"), mid = wordHash("mid"), late = wordHash("late"),
            early = wordHash("early")
        static let ago = wordHash("ago"), from = wordHash("from"), now = wordHash("now"), after = wordHash("after")
        static let before = wordHash("before"), by = wordHash("by"), on = wordHash("on"), at = wordHash("at")
        static let `in` = wordHash("in"), since = wordHash("since"), until = wordHash("until"), till = wordHash("till")
        static let within = wordHash("within"), during = wordHash("during"), to = wordHash("to")
        static let between = wordHash("between"), and = wordHash("and"), half = wordHash("half"),
            over = wordHash("over")
        static let am = wordHash("am"), pm = wordHash("pm"), oclock = wordHash("oclock"), o = wordHash("o")
        static let clock = wordHash("clock"), st = wordHash("st"), nd = wordHash("nd"), rd = wordHash("rd")
        static let th = wordHash("th"), tmrw = wordHash("tmrw"), tmr = wordHash("tmr"), tomoz = wordHash("tomoz")
        static let tonite = wordHash("tonite"), eod = wordHash("eod"), eow = wordHash("eow"), eom = wordHash("eom")
        static let later = wordHash("later"), couple = wordHash("couple"), few = wordHash("few"),
            `for` = wordHash("for")
        static let about = wordHash("about"), around = wordHash("around"), through = wordHash("through")
        static let due = wordHash("due"), p = wordHash("p"), past2 = wordHash("past"), mornings = wordHash("mornings")
        static let every = wordHash("every"), each = wordHash("each"), all = wordHash("all"), whole = wordHash("whole")
        static let one = wordHash("one"), so = wordHash("so"), second = wordHash("second"), and2 = wordHash("&")
        static let than = wordHash("than"), no = wordHash("no"), latest = wordHash("latest"),
            sometime = wordHash("sometime")
        static let tomorrows: Set<UInt64> = [tomorrow, tmrw, tmr, tomoz]
        static let leads: [UInt64: Temporal.Lead] = [
            by: .by, before: .by, until: .until, till: .until, since: .since, on: .on, at: .at, `in`: .on,
            during: .on, within: .within, from: .on, `for`: .on, over: .on, due: .by, around: .on, about: .on,
            sometime: .on,
        ]
    }

    /// The expression that begins at the token, with its preposition; nil when there is none.
    func read(_ tokens: [Token], at start: Int) -> Temporal? {
        let token = tokens[start]
        switch token.kind {
        case .punctuation, .newline, .currency: return nil
        default: break
        }
        if token.kind == .word {
            guard token.has(.known), !token.has(.quoted) else { return nil }
            if token.surface == W.every || token.surface == W.each { return nil }
        }
        var index = start
        var lead = Temporal.Lead.none
        var leadWord: UInt64 = 0
        if token.kind == .word, let found = W.leads[token.surface] {
            lead = found
            leadWord = token.surface
            index += 1
            if index < tokens.count, token.surface == W.due, let second = W.leads[tokens[index].surface] {
                lead = second == .on ? .by : second
                index += 1
            } else if index < tokens.count, token.surface == W.from || token.surface == W.by,
                tokens[index].surface == W.around || tokens[index].surface == W.about
            {
                index += 1
            }
            if leadWord == W.from, let range = range(tokens, start, index, joint: W.to) { return range }
        } else if token.surface == W.between {
            return range(tokens, start, start + 1, joint: W.and)
        }
        guard index < tokens.count else { return nil }
        if leadWord == W.in || leadWord == W.within, let relative = inAmount(tokens, start, index) { return relative }
        guard var found = dateAndTime(tokens, start, index, lead: lead, leadWord: leadWord) else { return nil }
        found.start = start
        found.lead = lead
        if lead == .since {
            let from = found.isFixed ? found.future.from : found.past.from
            let range = Temporal.Range(min(from, today), today)
            (found.future, found.past, found.isFixed, found.isDay) = (range, range, true, false)
        }
        // `for`, `over`, `about` only before a span or a day, not before a bare time.
        if leadWord == W.about || leadWord == W.over, found.isTimeOnly { return nil }
        return found
    }

    private func range(_ tokens: [Token], _ start: Int, _ index: Int, joint: UInt64) -> Temporal? {
        guard index < tokens.count, let first = dateAndTime(tokens, start, index, lead: .on, leadWord: W.from),
            !first.isTimeOnly, first.end + 1 < tokens.count,
            tokens[first.end].surface == joint || tokens[first.end].surface == W.until
                || tokens[first.end].surface == W.through || tokens[first.end].surface == W.till,
            let second = dateAndTime(tokens, start, first.end + 1, lead: .on, leadWord: W.to), !second.isTimeOnly
        else { return nil }
        var result = Temporal(
            start, second.end,
            future: Temporal.Range(first.future.from, second.future.to),
            past: Temporal.Range(first.past.from, second.past.to), isDay: false)
        result.isFixed = first.isFixed && second.isFixed
        return result
    }

    // MARK: Relative amounts

    enum Unit { case minute, hour, day, week, month, year }

    private func unit(_ token: Token) -> Unit? {
        guard token.kind == .word else { return nil }
        switch token.surface {
        case W.minute, W.minutes, W.min, W.mins: return .minute
        case W.hour, W.hours, W.hr, W.hrs: return .hour
        case W.h, W.m: return token.has(.spaceBefore) ? nil : token.surface == W.h ? .hour : .minute
        case W.day, W.days: return .day
        case W.week, W.weeks: return .week
        case W.fortnight: return .week
        case W.month, W.months: return .month
        case W.year, W.years: return .year
        default: return nil
        }
    }

    /// `3 weeks`, `half an hour`, `a couple of days`, `an hour and a half`.
    func amount(_ tokens: [Token], _ index: Int) -> (value: Decimal, unit: Unit, end: Int)? {
        guard index < tokens.count else { return nil }
        var value = Decimal(1)
        var at = index
        let first = tokens[index]
        if first.surface == W.a || first.surface == W.an || first.surface == W.one, index + 1 < tokens.count {
            if let unit = unit(tokens[index + 1]) {
                at = index + 2
                if tokens[index + 1].surface == W.fortnight { value = Decimal(2) }
                if at + 2 < tokens.count, tokens[at].surface == W.and, tokens[at + 1].surface == W.a,
                    tokens[at + 2].surface == W.half
                {
                    return (Decimal(units: 15, scale: 1), unit, at + 3)
                }
                return (value, unit, at)
            }
            if tokens[index + 1].surface == W.few { (value, at) = (Decimal(3), index + 2) }
        } else if first.surface == W.few {
            (value, at) = (Decimal(3), index + 1)
        }
        if at == index {
            guard let number = NumberReader.read(tokens, at: index) else { return nil }
            (value, at) = (number.value, number.end)
        }
        guard at < tokens.count, let unit = unit(tokens[at]) else { return nil }
        if tokens[at].surface == W.fortnight { value = value.multiplied(by: Decimal(2)) ?? value }
        at += 1
        if unit == .hour, at < tokens.count {
            // `1 hour 30`, `1h30m`, `an hour and 20 minutes`
            var next = at
            if tokens[next].surface == W.and { next += 1 }
            if let more = NumberReader.read(tokens, at: next), more.end <= tokens.count,
                let extra = more.value.integer, extra < 60, more.end < tokens.count,
                self.unit(tokens[more.end]) == .minute,
                let hours = value.multiplied(by: Decimal(60)), let sum = hours.adding(Decimal(extra))
            {
                return (sum, .minute, more.end + 1)
            }
        }
        return (value, unit, at)
    }

    /// Whole minutes of a span like `45 minutes` or `two hours`; nil beyond ten years.
    func duration(_ tokens: [Token], at index: Int) -> (minutes: Int, end: Int)? {
        guard let (value, unit, end) = amount(tokens, index) else { return nil }
        let factor: Double =
            switch unit {
            case .minute: 1
            case .hour: 60
            case .day: 1440
            case .week: 10_080
            case .month: 43_200
            case .year: 525_600
            }
        let minutes = (value.double * factor).rounded()
        guard minutes >= 1, minutes <= 5_256_000 else { return nil }
        return (Int(minutes), end)
    }

    func shifted(_ value: Decimal, _ unit: Unit, _ sign: Int) -> (day: CivilDate, offset: Int?)? {
        guard value.double <= 40_000 else { return nil }
        switch unit {
        case .minute: return (today, Int((value.double).rounded()) * sign)
        case .hour: return (today, Int((value.double * 60).rounded()) * sign)
        case .day: return (today.adding(days: Int(value.double.rounded()) * sign), nil)
        case .week: return (today.adding(days: Int((value.double * 7).rounded()) * sign), nil)
        case .month:
            if let whole = value.integer { return (addMonths(today, whole * sign), nil) }
            return (today.adding(days: Int((value.double * 30).rounded()) * sign), nil)
        case .year:
            return (addMonths(today, Int((value.double * 12).rounded()) * sign), nil)
        }
    }

    func addMonths(_ date: CivilDate, _ months: Int) -> CivilDate {
        let total = date.year * 12 + date.month - 1 + months
        let year = min(max(total / 12, 1), 9999)
        let month = total - (total / 12) * 12 + 1
        return CivilDate(year: year, month: month, day: min(date.day, CivilDate.daysInMonth(month, of: year))) ?? date
    }

    private func inAmount(_ tokens: [Token], _ start: Int, _ index: Int) -> Temporal? {
        var at = index
        if tokens[at].surface == W.about || tokens[at].surface == W.around || tokens[at].surface == W.the {
            at += 1
        }
        let isPlan = tokens[index].surface != W.the
        guard isPlan, let (value, unit, end) = amount(tokens, at), let (day, offset) = shifted(value, unit, 1) else {
            return nil
        }
        var result = Temporal(start, end, Temporal.Range(day))
        result.offset = offset
        result.lead = .within
        if end < tokens.count, let time = time(tokens, end, bare: false) {
            result.minutes = time.minutes
            result.end = time.end
            result.offset = nil
        }
        return result
    }

    // MARK: Date with time

    private func dateAndTime(
        _ tokens: [Token], _ start: Int, _ index: Int, lead: Temporal.Lead, leadWord: UInt64
    ) -> Temporal? {
        if var found = date(tokens, index, leadWord: leadWord) {
            found.start = start
            // `friday 3 may`: the weekday says nothing more.
            if found.isDay, !found.isFixed, found.end < tokens.count, tokens[index].has(.weekday) {
                var next = found.end
                if tokens[next].byte == 44, tokens[next].kind == .punctuation { next += 1 }
                if next < tokens.count, tokens[next].surface == W.the { next += 1 }
                if next < tokens.count, let exact = monthDay(tokens, next) { found = exact }
            }
            found.start = start
            var next = found.end
            if next < tokens.count, found.isDay, found.minutes == nil {
                if tokens[next].kind == .punctuation, tokens[next].byte == 44 { next += 1 }
                if next < tokens.count, let time = time(tokens, next, bare: false) {
                    found.minutes = time.minutes
                    found.end = time.end
                } else if next < tokens.count, let part = partOfDay(tokens, next) {
                    found.minutes = part.minutes
                    found.end = part.end
                    if found.end < tokens.count, let time = time(tokens, found.end, bare: false) {
                        found.minutes = adjusted(time.minutes, near: part.minutes, isSure: time.isSure)
                        found.end = time.end
                    }
                }
            }
            return found
        }
        guard let time = time(tokens, index, bare: lead == .at || lead == .by || lead == .until),
            lead != .since || time.isSure
        else { return nil }
        // `5pm tomorrow`, `at noon on friday`
        var next = time.end
        if next < tokens.count, tokens[next].surface == W.on || tokens[next].surface == W.of { next += 1 }
        if next < tokens.count, let day = date(tokens, next, leadWord: 0), day.isDay, day.minutes == nil {
            var found = day
            found.start = start
            found.minutes = time.minutes
            if found.end < tokens.count, let part = partOfDay(tokens, found.end) {
                found.minutes = adjusted(time.minutes, near: part.minutes, isSure: time.isSure)
                found.end = part.end
            }
            return found
        }
        if next < tokens.count, let day = date(tokens, next, leadWord: 0), let part = day.minutes, day.isDay {
            var found = day
            found.start = start
            found.minutes = adjusted(time.minutes, near: part, isSure: time.isSure)
            return found
        }
        var minutes = time.minutes
        if !time.isSure, minutes <= nowMinutes, minutes < 720, minutes + 720 > nowMinutes { minutes += 720 }
        let upcoming = minutes > nowMinutes ? today : today.adding(days: 1)
        let gone = time.minutes <= nowMinutes ? today : today.adding(days: -1)
        var result = Temporal(start, time.end, future: Temporal.Range(upcoming), past: Temporal.Range(gone))
        result.minutes = minutes
        result.isTimeOnly = true
        return result
    }

    private func adjusted(_ minutes: Int, near part: Int, isSure: Bool) -> Int {
        if isSure { return minutes }
        let hour = minutes % 720
        return part < 720 ? hour : hour + 720
    }

    /// Morning, afternoon, evening, night: a time to act on, not an exact one.
    private func partOfDay(_ tokens: [Token], _ index: Int) -> (minutes: Int, end: Int)? {
        var at = index
        if tokens[at].surface == W.in || tokens[at].surface == W.at, at + 1 < tokens.count {
            at += 1
            if tokens[at].surface == W.the, at + 1 < tokens.count { at += 1 }
        }
        switch tokens[at].surface {
        case W.morning: return (540, at + 1)
        case W.afternoon: return (900, at + 1)
        case W.evening: return (1140, at + 1)
        case W.night: return (1260, at + 1)
        case W.lunchtime: return (720, at + 1)
        default: return nil
        }
    }

    /// - Parameter bare: a number alone is an hour ("at 5").
    func time(_ tokens: [Token], _ start: Int, bare: Bool) -> (minutes: Int, end: Int, isSure: Bool)? {
        var index = start
        var allowBare = bare
        if tokens[index].surface == W.at || tokens[index].surface == W.by || tokens[index].surface == W.around {
            index += 1
            allowBare = true
            guard index < tokens.count else { return nil }
        }
        let token = tokens[index]
        switch token.surface {
        case W.noon where token.kind == .word: return (720, index + 1, true)
        case W.midnight where token.kind == .word: return (0, index + 1, true)
        case W.lunchtime where token.kind == .word: return (720, index + 1, true)
        case W.half where token.kind == .word, W.quarter where token.kind == .word:
            guard index + 2 < tokens.count else { return nil }
            let link = tokens[index + 1].surface
            guard link == W.past || link == W.to, let hour = hour(tokens[index + 2]) else { return nil }
            let part = token.surface == W.half ? 30 : 15
            let base = clockHour(hour) * 60
            return (link == W.past ? base + part : base - part, index + 3, false)
        default: break
        }
        if token.kind == .clock {
            let minutes = Int(token.number.units)
            if let half = meridiem(tokens, index + 1) {
                return (minutes % 720 + (half.isAfternoon ? 720 : 0), half.end, true)
            }
            return (minutes, index + 1, minutes >= 780 || minutes < 60)
        }
        guard let hour = hour(token) else { return nil }
        if let half = meridiem(tokens, index + 1), hour >= 1, hour <= 12 {
            return ((hour % 12 + (half.isAfternoon ? 12 : 0)) * 60, half.end, true)
        }
        if index + 1 < tokens.count, tokens[index + 1].surface == W.oclock {
            return (clockHour(hour) * 60, index + 2, false)
        }
        if index + 2 < tokens.count, tokens[index + 1].surface == W.o, tokens[index + 2].surface == W.clock {
            return (clockHour(hour) * 60, index + 3, false)
        }
        if index + 1 < tokens.count, let part = partOfDay(tokens, index + 1), tokens[index + 1].surface == W.in {
            return (adjusted(hour * 60, near: part.minutes, isSure: hour > 12), part.end, true)
        }
        guard allowBare, hour <= 23, isBareHour(tokens, index + 1) else { return nil }
        return (clockHour(hour) * 60, index + 1, hour > 12)
    }

    /// Nothing that would make the number an amount follows.
    private func isBareHour(_ tokens: [Token], _ next: Int) -> Bool {
        guard next < tokens.count else { return true }
        let token = tokens[next]
        if token.isBreak { return true }
        if token.kind != .word || token.has(.unit) || token.has(.currencyWord) { return false }
        return token.has(.function) || token.has(.filler) || W.tomorrows.contains(token.surface)
            || token.surface == W.today || token.has(.weekday) || token.surface == W.tonight || token.surface == W.next
    }

    private func hour(_ token: Token) -> Int? {
        if token.kind == .number, let value = token.number.integer, token.first <= 2, value <= 24 { return value % 24 }
        if token.kind == .word, token.has(.cardinal), (1...12).contains(token.number.units) {
            return Int(token.number.units)
        }
        return nil
    }

    /// Hours people say without am or pm: 1 to 7 are in the afternoon.
    private func clockHour(_ hour: Int) -> Int { (1...7).contains(hour) ? hour + 12 : hour }

    private func meridiem(_ tokens: [Token], _ index: Int) -> (isAfternoon: Bool, end: Int)? {
        guard index < tokens.count, tokens[index].kind == .word else { return nil }
        switch tokens[index].surface {
        case W.am: return (false, index + 1)
        case W.pm: return (true, index + 1)
        case wordHash("a"), W.p:
            var at = index + 1
            if at < tokens.count, tokens[at].byte == 46, tokens[at].kind == .punctuation { at += 1 }
            guard at < tokens.count, tokens[at].surface == W.m, at > index + 1 || !tokens[index].has(.spaceBefore)
            else { return nil }
            let isAfternoon = tokens[index].surface == W.p
            if at + 1 < tokens.count, tokens[at + 1].byte == 46, tokens[at + 1].kind == .punctuation { at += 1 }
            return (isAfternoon, at + 1)
        default: return nil
        }
    }
}
