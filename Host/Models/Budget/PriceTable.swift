import Foundation
import TandemCore
import TandemJSON
public import TandemLanguage

/// What models cost, by name: data that the operator may replace, since prices change more often than programs.
///
/// A name also stands for longer names that begin with it and a mark (`gpt-4o` for `gpt-4o-2024-08-06`); the longest wins.
/// A model that is not listed costs nothing: one's own server.
public struct PriceTable: Sendable, Hashable {
    /// Millionths of the currency for a million tokens.
    struct Price: Sendable, Hashable {
        var input: Int64
        var cached: Int64
        var output: Int64
    }

    /// ISO 4217.
    public let currency: String
    private let prices: [String: Price]

    /// The table of the program.
    public static let standard =
        (try? PriceTable(PackageResources.prices_json)) ?? PriceTable(currency: "USD", prices: [:])

    private init(currency: String, prices: [String: Price]) {
        self.currency = currency
        self.prices = prices
    }

    /// - Parameter file: the operator's, in the form of `Host/Models/Budget/prices.json`.
    public init(file: String) throws(PriceError) {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw PriceError(message: "the price table cannot be read")
        }
        try self.init(Array(data))
    }

    init(_ bytes: [UInt8]) throws(PriceError) {
        guard let json = try? JSON(parsing: bytes), let models = json["per_million_tokens"]?.objectValue else {
            throw PriceError(message: "the price table is no JSON object with per_million_tokens")
        }
        let currency = json["currency"]?.stringValue ?? "USD"
        guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (65...90).contains($0) }) else {
            throw PriceError(message: "the price table's currency is no ISO 4217 code")
        }
        var prices: [String: Price] = [:]
        for (name, entry) in models {
            func price(_ key: String) throws(PriceError) -> Int64? {
                guard let value = entry[key] else { return nil }
                guard let number = value.doubleValue, (0...1_000_000).contains(number) else {
                    throw PriceError(message: "the price table has no number for \(name.prefix(80)) \(key)")
                }
                return Int64((number * 1_000_000).rounded())
            }
            guard let input = try price("input"), let output = try price("output") else {
                throw PriceError(message: "the price table lacks input or output for \(name.prefix(80))")
            }
            prices[name] = Price(input: input, cached: try price("cached") ?? input, output: output)
        }
        self.init(currency: currency, prices: prices)
    }

    private func price(of model: String) -> Price? {
        if let price = prices[model] { return price }
        let found = prices.keys.filter { name in
            model.hasPrefix(name)
                && model.utf8.dropFirst(name.utf8.count).first.map { "-:@._".utf8.contains($0) } == true
        }
        return found.max { $0.utf8.count < $1.utf8.count }.flatMap { prices[$0] }
    }

    public func isListed(_ model: String) -> Bool { price(of: model) != nil }

    /// In millionths of the currency, rounded up.
    public func cost(of usage: LanguageUsage, model: String) -> Int64 {
        guard let price = price(of: model) else { return 0 }
        let cached = min(max(usage.cached, 0), max(usage.input, 0))
        let fresh = Double(max(usage.input, 0) - cached) * Double(price.input)
        let sum = fresh + Double(cached) * Double(price.cached) + Double(max(usage.output, 0)) * Double(price.output)
        return Int64((sum / 1_000_000).rounded(.up))
    }
}

/// Why a price table cannot be used.
public struct PriceError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var description: String { message }
}
