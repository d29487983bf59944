public import TandemSDK

/// A unit of amount as people write it on lists: `g`, `l`, `cup`, `pack`.
///
/// Units of one family convert exactly, since each is a whole multiple of the family's smallest one; what belongs to
/// different families never adds up. US customary measures: 1 tbsp = 3 tsp, 1 fl oz = 2 tbsp, 1 cup = 8 fl oz (NIST
/// Handbook 44, Appendix C).
public struct Unit: Sendable, Hashable {
    public enum Family: Sendable, Hashable {
        /// Pieces, with or without a word for them.
        case count
        case metricMass
        case metricVolume
        case spoons
        case pounds
        /// A word of its own, e.g. `bottle`; the stem.
        case other(String)
    }

    /// The short canonical form: `kg`, `tbsp`; empty for bare pieces.
    public let name: String
    public let family: Family
    /// How many of the family's smallest unit it holds.
    public let factor: Int64

    /// Bare pieces: `3 eggs`.
    public static let piece = Unit(name: "", family: .count, factor: 1)

    private init(name: String, family: Family, factor: Int64) {
        self.name = name
        self.family = family
        self.factor = factor
    }

    /// Reads a unit in any spelling. Unknown words are units of their own; empty text is a piece. At most 24 characters
    /// of it count.
    public init(_ text: String) {
        let clean = text.singleLine(limit: 24).lowercased()
        let key = clean.hasSuffix(".") ? String(clean.dropLast()) : clean
        // `T` is a tablespoon and `t` a teaspoon in recipes.
        if text == "T" {
            self = Unit.table["tbsp"] ?? .piece
        } else if let known = Unit.table[key] {
            self = known
        } else if key.isEmpty {
            self = .piece
        } else {
            let stem = Words.key(key)
            self = Unit.table[stem] ?? Unit.byStem[stem] ?? Unit(name: key, family: .other(stem), factor: 1)
        }
    }

    /// Whether the text is one of the units known by name, in any spelling.
    public static func isKnown(_ text: String) -> Bool {
        let key = text.lowercased()
        return table[key] != nil || byStem[Words.stem(key)] != nil
    }

    /// The amount in `unit`, exactly; nil for another family, or when four digits after the point do not hold it.
    public func convert(_ amount: Decimal, to unit: Unit) -> Decimal? {
        guard family == unit.family else { return nil }
        let product = amount * Decimal(factor, places: 0)
        let divisor = Decimal(unit.factor, places: 0)
        let quotient = product.divided(by: divisor, places: 4)
        guard product.isNumber, quotient.isNumber, quotient * divisor == product else { return nil }
        return quotient
    }

    /// How it reads after a number: `2 l`, `2 packs`, `1 pack`.
    public func label(for amount: Decimal) -> String {
        guard amount > 1 else { return name }
        if case .other = family { return plural }
        return ["cup", "pint", "quart", "gallon"].contains(name) ? plural : name
    }

    private var plural: String {
        if name.hasSuffix("s") || name.hasSuffix("%") || name.utf8.contains(where: { $0 >= 128 }) { return name }
        if name.hasSuffix("x") || name.hasSuffix("ch") || name.hasSuffix("sh") { return name + "es" }
        if name == "loaf" { return "loaves" }
        return name + "s"
    }

    private static let table: [String: Unit] = {
        var table: [String: Unit] = [:]
        func add(_ name: String, _ family: Family, _ factor: Int64, _ words: String) {
            let unit = Unit(name: name, family: family, factor: factor)
            table[name] = unit
            for word in words.split(separator: ",") { table[String(word)] = unit }
        }
        add("mg", .metricMass, 1, "milligram,milligrams")
        add("g", .metricMass, 1000, "gr,grs,gs,gm,gms,gram,grams,gramme,grammes")
        add("kg", .metricMass, 1_000_000, "kgs,kilo,kilos,kilogram,kilograms,kilogramme,kilogrammes")
        add("ml", .metricVolume, 1, "mls,milliliter,milliliters,millilitre,millilitres")
        add("cl", .metricVolume, 10, "cls,centiliter,centiliters,centilitre,centilitres")
        add("dl", .metricVolume, 100, "dls,deciliter,deciliters,decilitre,decilitres")
        add("l", .metricVolume, 1000, "lt,ltr,ltrs,liter,liters,litre,litres")
        add("tsp", .spoons, 1, "tsps,t,teaspoon,teaspoons,tea spoon,tea spoons")
        add("tbsp", .spoons, 3, "tbsps,tbs,tbl,tablespoon,tablespoons,table spoon,table spoons")
        add("fl oz", .spoons, 6, "floz,fluid ounce,fluid ounces")
        add("cup", .spoons, 48, "c,cups")
        add("pint", .spoons, 96, "pt,pts,pints")
        add("quart", .spoons, 192, "qt,qts,quarts")
        add("gallon", .spoons, 768, "gal,gals,gallons")
        add("oz", .pounds, 1, "ozs,ounce,ounces")
        add("lb", .pounds, 16, "lbs,pound,pounds")
        add("dozen", .count, 12, "dozens,doz,dz")
        for word in ["piece", "pieces", "pc", "pcs", "x", "unit", "units", "ea", "each"] { table[word] = .piece }
        func own(_ name: String, _ words: String) {
            add(name, .other(Words.stem(name)), 1, words)
        }
        own("pack", "packs,pk,pkt,pkg,packet,packets,package,packages")
        own("can", "cans,tin,tins")
        own("bottle", "bottles,btl")
        own("jar", "jars")
        own("box", "boxes")
        own("bag", "bags")
        own("bunch", "bunches")
        own("carton", "cartons")
        own("tub", "tubs,pot,pots")
        own("loaf", "loaves")
        own("head", "heads")
        own("clove", "cloves")
        own("slice", "slices")
        own("stick", "sticks")
        own("tray", "trays")
        own("roll", "rolls")
        own("bar", "bars")
        own("tube", "tubes")
        own("case", "cases")
        own("crate", "crates")
        own("pinch", "pinches")
        own("handful", "handfuls")
        own("sprig", "sprigs")
        own("punnet", "punnets")
        own("pair", "pairs")
        return table
    }()

    private static let byStem: [String: Unit] = {
        var stems: [String: Unit] = [:]
        for (word, unit) in table where word.utf8.count > 2 { stems[Words.stem(word)] = unit }
        return stems
    }()
}
