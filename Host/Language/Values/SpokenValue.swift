public import TandemCore
public import TandemJSON

/// What somebody says in answer to a question for one number.
public enum SpokenValue {
    /// Reads a text that is one value and nothing else: `3`, `three`, `a dozen`, `12.50`, `12,50`, `20 euros`, `half an hour`.
    ///
    /// - Parameter kind: `number`, `money` or `duration`, where a bare number is minutes; others are not read.
    /// - Returns: The JSON that the planner writes for the kind; nil when the text is anything else.
    public static func read(_ text: String, as kind: SlotKind, context: PlannerContext) -> JSON? {
        guard text.utf8.count <= 64 else { return nil }
        let source = Array(text.utf8)
        var tokens = Tokenizer.tokens(of: source, limit: source.count)
        Vocabulary().annotate(&tokens, source: source)
        while let first = tokens.first, first.has(.filler) || first.kind == .newline { tokens.removeFirst() }
        func isWhole(_ end: Int) -> Bool {
            tokens[end...].allSatisfy { token in
                token.has(.filler) || token.kind == .newline
                    || token.kind == .punctuation
                        && (token.byte == UInt8(ascii: ".") || token.byte == UInt8(ascii: "!"))
            }
        }
        let number = NumberReader.read(tokens, at: 0).flatMap { isWhole($0.end) && !$0.isOrdinal ? $0.value : nil }
        switch kind {
        case .number: return number.map(json)
        case .money:
            let money = MoneyReader(home: context.currency).read(tokens, at: 0, bare: true)
            return money.flatMap { isWhole($0.end) ? json($0) : nil }
        case .duration:
            let (today, minutes) = LocalZone(identifier: context.timeZone).local(context.now)
            let reader = TemporalReader(today: today, nowMinutes: minutes, monthFirst: context.currency == "USD")
            if let span = reader.duration(tokens, at: 0), isWhole(span.end) { return .integer(Int64(span.minutes)) }
            return number?.integer.map { .integer(Int64($0)) }
        default: return nil
        }
    }

    private static func json(_ value: Decimal) -> JSON {
        value.scale == 0 ? .integer(value.units) : .number(value.double)
    }

    private static func json(_ reading: MoneyReader.Reading) -> JSON {
        var object = JSONObject()
        object["amount"] = .string(reading.amount.text(minimumScale: reading.amount.scale > 0 ? 2 : 0))
        if let currency = reading.currency { object["currency"] = .string(currency) }
        return .object(object)
    }
}
