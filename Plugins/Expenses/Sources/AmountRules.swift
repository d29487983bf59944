import PluginCommon
import TandemSDK

/// The rules for amounts of money that people say.
enum AmountRules {
    /// The amount as it is recorded; throws what to tell the person when it is none.
    static func spent(_ money: Money, isRefund: Bool) throws(ToolError) -> Money {
        guard money.amount.isNumber, !money.amount.isZero else {
            throw .invalid("How much was it? An amount above 0 works, like 12.50.", code: "invalid_amount")
        }
        if money.amount.isNegative, !isRefund {
            throw .invalid(
                "Was that money back? Then say: refund of \(Money(money.amount.magnitude, money.currency)).",
                code: "negative_amount")
        }
        let amount = Money(money.amount.magnitude, money.currency)
        try check(amount)
        return isRefund ? Money(-amount.amount, amount.currency) : amount
    }

    /// A limit or a regular amount: above 0.
    static func positive(_ money: Money, _ what: String) throws(ToolError) -> Money {
        guard money.amount.isNumber, money.amount > .zero else {
            throw .invalid("How much is the \(what)? An amount above 0 works.", code: "invalid_amount")
        }
        try check(money)
        return money
    }

    private static func check(_ money: Money) throws(ToolError) {
        guard money.currency.isInUse else {
            throw .invalid(
                "I do not know the currency \(money.currency.code). EUR or USD work.", code: "unknown_currency")
        }
        guard money.amount <= ExpenseLimits.amount else {
            throw .invalid("That is more than I can keep track of. A smaller amount works.", code: "too_large")
        }
        guard money.isExact else {
            let digits = money.currency.minorUnits
            let rule = digits == 0 ? "no digits after the point" : "\(digits) digits after the point at most"
            throw .invalid("\(money.currency.code) has \(rule). What was it exactly?", code: "too_precise")
        }
    }
}
