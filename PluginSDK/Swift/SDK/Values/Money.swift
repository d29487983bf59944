public import TandemJSON

/// A currency by its ISO 4217 code.
public struct Currency: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// Three capital letters: `EUR`.
    public let code: String

    public static let euro: Currency = "EUR"

    /// Nil unless the text is three ASCII letters; lower case is accepted.
    public init?(_ text: String) {
        guard text.utf8.count == 3, text.utf8.allSatisfy({ ($0 | 0x20) >= 97 && ($0 | 0x20) <= 122 }) else {
            return nil
        }
        code = text.uppercased()
    }

    /// For codes known when writing; a malformed literal is `XXX`, which ISO 4217 reserves for no currency.
    public init(stringLiteral value: String) { self = Currency(value) ?? Currency(checked: "XXX") }

    private init(checked: String) { code = checked }

    /// Digits after the point of an amount (ISO 4217, list one of 2024-06-25: 2 unless listed here).
    public var minorUnits: Int {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
            "XOF", "XPF":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        case "CLF", "UYW": 4
        default: 2
        }
    }

    public var description: String { code }
}

/// An exact amount in a currency; the JSON form is `{"amount":"3.20","currency":"EUR"}`.
///
/// Where a person did not say a currency, the form lacks it and the person's own is filled in. Amounts of different
/// currencies have no sum: it is not a number.
public struct Money: Sendable, Hashable {
    public var amount: Decimal
    public var currency: Currency

    public init(_ amount: Decimal, _ currency: Currency) {
        self.amount = amount
        self.currency = currency
    }

    /// Whether the amount is a whole number of the currency's minor units: 3.20 EUR is, 3.205 EUR is not.
    public var isExact: Bool { amount.isNumber && amount.rounded(places: currency.minorUnits) == amount }

    /// Rounded to the currency's minor units, half away from zero.
    public var rounded: Money { Money(amount.rounded(places: currency.minorUnits), currency) }

    public static func + (left: Money, right: Money) -> Money {
        Money(left.currency == right.currency ? left.amount + right.amount : .notANumber, left.currency)
    }

    public static func - (left: Money, right: Money) -> Money { left + Money(-right.amount, right.currency) }
    public static func * (left: Money, right: Decimal) -> Money { Money(left.amount * right, left.currency) }
    public static func += (left: inout Money, right: Money) { left = left + right }
}

extension Money: CustomStringConvertible {
    /// `3.20 EUR`, with at least the currency's minor units and every digit there is.
    public var description: String {
        amount.text(places: max(currency.minorUnits, Int(amount.scale))) + " " + currency.code
    }
}

extension Money: JSONRepresentable {
    public static var shape: Shape {
        Shape(
            schema: [
                "type": "object",
                "properties": [
                    "amount": Decimal.shape.schema, "currency": ["type": "string", "pattern": "^[A-Z]{3}$"],
                ],
                "required": ["amount"], "additionalProperties": false,
            ], slot: .money, column: .json)
    }

    public init(json: JSON, reader: Reader) throws(ShapeError) {
        guard let amount = json["amount"] else { throw ShapeError("an amount with a currency") }
        do {
            self.amount = try Decimal(json: amount, reader: reader)
        } catch {
            throw error.within("amount")
        }
        switch json["currency"] {
        case .none, .null:
            guard let currency = reader.currency else { throw ShapeError("a currency").within("currency") }
            self.currency = currency
        case .string(let code):
            guard let currency = Currency(code) else {
                throw ShapeError("an ISO 4217 code").within("currency")
            }
            self.currency = currency
        default: throw ShapeError("an ISO 4217 code").within("currency")
        }
    }

    public var json: JSON {
        [
            "amount": .string(amount.text(places: max(currency.minorUnits, Int(amount.scale)))),
            "currency": .string(currency.code),
        ]
    }
}
