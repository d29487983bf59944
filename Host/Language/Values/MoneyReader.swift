/// Reads an amount of money: `€3.20`, `12 euros`, `3 euros 20`, `20 quid`, `50 cents`.
struct MoneyReader {
    struct Reading: Sendable, Hashable {
        var amount: Decimal
        /// ISO 4217; nil for a bare number.
        var currency: String?
        var end: Int
        /// A bare number written like a price (`3.20`).
        var looksLikePrice = false
    }

    private static let cents = Set(["cent", "cents", "ct", "cts", "c"].map { wordHash($0.utf8) })
    private static let pence = Set(["p", "pence", "pennies", "penny"].map { wordHash($0.utf8) })
    private static let and = wordHash("and")
    private static let of = wordHash("of")
    private static let dollarLike: Set<String> = ["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD"]
    private static let crowns: Set<String> = ["SEK", "NOK", "DKK", "CZK", "ISK"]

    private let home: String

    init(home: String) { self.home = home }

    private func symbol(_ token: Token) -> String? {
        switch token.first {
        case -1: MoneyReader.dollarLike.contains(home) ? home : "USD"
        case 1: "EUR"
        case 2: "GBP"
        case 3: home == "CNY" ? "CNY" : "JPY"
        case 4: "INR"
        default: home
        }
    }

    private func named(_ token: Token) -> String? {
        guard token.kind == .word, token.has(.currencyWord), token.second >= 0 else { return nil }
        let code = Lexicon.shared.currencyCodes[token.second]
        guard code.utf8.first != 45 else { return nil }
        if code == "USD", MoneyReader.dollarLike.contains(home) { return home }
        if MoneyReader.crowns.contains(code), MoneyReader.crowns.contains(home) { return home }
        return code
    }

    /// - Parameter bare: also reads a number without a currency.
    func read(_ tokens: [Token], at start: Int, bare: Bool = false) -> Reading? {
        guard start < tokens.count else { return nil }
        let token = tokens[start]
        if token.kind == .currency {
            guard let code = symbol(token), let number = NumberReader.read(tokens, at: start + 1) else { return nil }
            return Reading(amount: number.value, currency: code, end: number.end)
        }
        if let code = named(token), start + 1 < tokens.count, tokens[start + 1].kind == .number,
            token.end - token.start == 3
        {
            guard let number = NumberReader.read(tokens, at: start + 1) else { return nil }
            return Reading(amount: number.value, currency: code, end: number.end)
        }
        if token.kind == .word, token.has(.currencyWord), token.second >= 0 {
            let code = Lexicon.shared.currencyCodes[token.second]
            if code.utf8.first == 45, let value = Int(code.dropFirst()) {
                return Reading(amount: Decimal(value), currency: "GBP", end: start + 1)
            }
        }
        guard let number = NumberReader.read(tokens, at: start, allowArticle: false) else { return nil }
        return after(number, tokens, bare: bare)
    }

    private func after(_ number: NumberReader.Reading, _ tokens: [Token], bare: Bool) -> Reading? {
        let end = number.end
        if end < tokens.count {
            let next = tokens[end]
            if next.kind == .currency, let code = symbol(next) {
                return minor(Reading(amount: number.value, currency: code, end: end + 1), tokens)
            }
            if let code = named(next) {
                // `2 pounds of apples` is a weight.
                if next.has(.unit), end + 1 < tokens.count, tokens[end + 1].surface == MoneyReader.of { return nil }
                return minor(Reading(amount: number.value, currency: code, end: end + 1), tokens)
            }
            if next.kind == .word, MoneyReader.cents.contains(next.surface) || MoneyReader.pence.contains(next.surface)
            {
                let isPence = MoneyReader.pence.contains(next.surface)
                guard let amount = number.value.multiplied(by: Decimal(units: 1, scale: 2)) else { return nil }
                if next.end - next.start == 1, next.has(.spaceBefore) { return nil }
                return Reading(amount: amount, currency: isPence ? "GBP" : nil, end: end + 1, looksLikePrice: true)
            }
        }
        let isPrice = tokens[end - 1].kind == .number && tokens[end - 1].second == 2
        guard bare else { return nil }
        return Reading(amount: number.value, currency: nil, end: end, looksLikePrice: isPrice)
    }

    /// `3 euros 20`, `3 euros and 20 cents`.
    private func minor(_ major: Reading, _ tokens: [Token]) -> Reading {
        var index = major.end
        guard index < tokens.count, major.amount.scale == 0 else { return major }
        let hasAnd = tokens[index].surface == MoneyReader.and
        if hasAnd { index += 1 }
        guard index < tokens.count, tokens[index].kind == .number || tokens[index].has(.cardinal),
            let part = NumberReader.read(tokens, at: index), let units = part.value.integer, (1...99).contains(units)
        else { return major }
        let isNamed =
            part.end < tokens.count
            && (MoneyReader.cents.contains(tokens[part.end].surface)
                || MoneyReader.pence.contains(tokens[part.end].surface))
        let isClosed =
            part.end >= tokens.count || tokens[part.end].isBreak || tokens[part.end].has(.preposition)
        guard isNamed || (!hasAnd && isClosed && units >= 5),
            let sum = major.amount.adding(Decimal(units: Int64(units), scale: 2))
        else { return major }
        return Reading(amount: sum, currency: major.currency, end: isNamed ? part.end + 1 : part.end)
    }
}
