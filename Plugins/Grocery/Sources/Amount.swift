import PluginCommon
import TandemSDK

/// How much of a thing: a number and a unit, or nothing said.
struct Amount: Sendable, Hashable {
    /// Nil when the person said none: `milk`.
    var quantity: Decimal?
    var unit: Unit

    /// No list holds more of anything: twelve digits, so that a sum stays exact in the column that holds it.
    static let limit = Decimal(1_000_000_000_000)

    static let unsaid = Amount(quantity: nil, unit: .piece)

    /// A unit without a number is one of it: `a pack of rice`.
    init(quantity: Decimal?, unit: Unit) {
        if quantity == nil, unit != .piece {
            self.quantity = 1
        } else {
            self.quantity = quantity
        }
        self.unit = unit
    }

    enum Sum: Sendable, Hashable {
        case amount(Amount)
        /// The units do not convert: they stay on rows of their own.
        case differentKinds
        case tooLarge
    }

    /// Both together, exactly. An amount that was not said adds nothing.
    func adding(_ other: Amount) -> Sum {
        guard let mine = quantity else { return .amount(other) }
        guard let theirs = other.quantity else { return .amount(self) }
        guard unit.family == other.unit.family else { return .differentKinds }
        let small = unit.factor <= other.unit.factor ? unit : other.unit
        guard let left = unit.convert(mine, to: small), let right = other.unit.convert(theirs, to: small),
            case let total = left + right, total <= Amount.limit
        else { return .tooLarge }
        return .amount(Amount(quantity: total, unit: small).readable(preferring: unit, other.unit))
    }

    /// This without `other`; nil when nothing is left or the units do not convert.
    func subtracting(_ other: Amount) -> Amount? {
        guard let mine = quantity, let theirs = other.quantity, unit.family == other.unit.family else { return nil }
        let small = unit.factor <= other.unit.factor ? unit : other.unit
        guard let left = unit.convert(mine, to: small), let right = other.unit.convert(theirs, to: small),
            case let rest = left - right, rest.isNumber, rest > .zero
        else { return nil }
        return Amount(quantity: rest, unit: small).readable(preferring: unit, other.unit)
    }

    /// In the larger of the units that were used, or in kilograms or litres from 1000 on, where at most two digits after
    /// the point say it exactly.
    private func readable(preferring first: Unit, _ second: Unit) -> Amount {
        guard let quantity else { return self }
        var candidates = [first.factor >= second.factor ? first : second]
        if quantity >= 1000 {
            if unit.name == "g" { candidates.append(Unit("kg")) }
            if unit.name == "ml" { candidates.append(Unit("l")) }
        }
        for candidate in candidates where candidate != unit {
            guard let converted = unit.convert(quantity, to: candidate), converted >= 1 else { continue }
            let digits = candidate.family == .count ? 0 : 2
            if converted.rounded(places: digits) == converted { return Amount(quantity: converted, unit: candidate) }
        }
        return self
    }

    /// `2 l`, `6`, `2 packs`; nil where nothing was said.
    var text: String? {
        guard let quantity else { return nil }
        let label = unit.label(for: quantity)
        return label.isEmpty ? quantity.description : "\(quantity) \(label)"
    }
}
