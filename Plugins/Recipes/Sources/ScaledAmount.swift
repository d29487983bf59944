import PluginCommon
import TandemSDK

/// An amount for another number of people, kept as an exact fraction; rounded only where it is shown or bought.
struct ScaledAmount: Sendable, Hashable {
    /// Quantity times servings: the numerator.
    let product: Decimal
    /// The servings that the quantity is for: the denominator, at least 1.
    let divisor: Int
    let unit: Unit
    /// For the same number of people as the recipe: then nothing is rounded.
    let isAsWritten: Bool

    /// Nil without a quantity, and where the product has more digits than are kept.
    init?(_ quantity: Decimal?, _ unit: Unit, for servings: Int, of base: Int) {
        guard let quantity, quantity.isNumber, servings > 0, base > 0 else { return nil }
        let product = quantity * Decimal(servings)
        guard product.isNumber else { return nil }
        self.product = product
        divisor = base
        self.unit = unit
        isAsWritten = servings == base
    }

    /// The value with at most four digits after the point, when it is exactly that.
    var exact: Decimal? {
        let value = nearest(4)
        return value.isNumber && value * Decimal(divisor) == product ? value : nil
    }

    /// The value to four digits after the point.
    var value: Decimal { nearest(4) }

    private func nearest(_ places: Int) -> Decimal { product.divided(by: Decimal(divisor), places: places) }

    /// The smallest decimal of so many digits after the point that is enough.
    func atLeast(_ places: Int) -> Decimal {
        let value = nearest(places)
        guard value.isNumber, value * Decimal(divisor) < product else { return value }
        return value + Decimal(1, places: places)
    }

    /// Things that are counted come whole, since there is no half egg; measures stay exact where a decimal says them.
    var forCooking: Decimal {
        if isAsWritten { return value }
        switch unit.family {
        case .count: return atLeast(0)
        case .other: return exact.flatMap { $0.rounded(places: 2) == $0 ? $0 : nil } ?? nearest(1)
        default: return measured
        }
    }

    /// What is bought comes whole, too, when it is a can or a pack.
    var forShopping: Decimal {
        switch unit.family {
        case .count, .other: atLeast(0)
        default: measured
        }
    }

    private var measured: Decimal {
        if let exact { return exact }
        let whole = nearest(0)
        return atLeast(whole >= 100 ? 0 : whole >= 10 ? 1 : 2)
    }

    /// `375 g`, `5`, `1 1/2 tbsp`.
    var text: String {
        let number = unit.family == .spoons ? mixed ?? forCooking.description : forCooking.description
        let label = unit.label(for: forCooking)
        return label.isEmpty ? number : "\(number) \(label)"
    }

    /// `flour 375 g`, `5 eggs`.
    func label(of name: String) -> String { unit == .piece ? "\(text) \(name)" : "\(name) \(text)" }

    /// The way that spoons and cups are read: halves, thirds, quarters and eighths.
    private var mixed: String? {
        for parts in [1, 2, 3, 4, 8] {
            let scaled = product * Decimal(parts)
            let count = scaled.divided(by: Decimal(divisor), places: 0)
            guard count.isNumber, count * Decimal(divisor) == scaled, let pieces = count.intValue else { continue }
            let (whole, rest) = pieces.quotientAndRemainder(dividingBy: parts)
            if rest == 0 { return String(whole) }
            return whole == 0 ? "\(rest)/\(parts)" : "\(whole) \(rest)/\(parts)"
        }
        return nil
    }
}
