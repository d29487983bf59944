import PluginCommon
import TandemSDK

/// The rules for amounts that people say they paid.
enum Price {
    /// Throws what to tell the person when it is no price: negative, finer than the currency, of no currency.
    static func check(_ price: Money) throws(ToolError) {
        guard price.currency.isInUse else {
            throw .invalid("I do not know the currency \(price.currency.code).", code: "unknown_currency")
        }
        guard price.amount.isNumber, price.amount > .zero, price.amount <= GroceryLimits.price else {
            throw .invalid("What did it cost? A price above 0 works, like 3.20.", code: "invalid_price")
        }
        guard price.isExact else {
            let digits = price.currency.minorUnits
            let example = digits == 0 ? "whole \(price.currency.code)" : "\(digits) digits after the point"
            throw .invalid("\(price.currency.code) has \(example). What was it exactly?", code: "too_precise")
        }
    }
}
