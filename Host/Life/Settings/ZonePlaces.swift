import TandemMemory

/// Which time zone a person means by a place, an IANA name, an abbreviation or a distance from UTC.
enum ZonePlaces {
    enum Answer: Equatable {
        /// An IANA name.
        case zone(String)
        /// Several places fit: IANA names with what to call them, at most nine.
        case ambiguous([Option])
        case unknown
    }

    struct Option: Equatable {
        var zone: String
        var label: String
    }

    /// Reads `Paris`, `New York City`, `I'm in France`, `europe/paris`, `EST`, `UTC+2`. Case, accents and one slip of a
    /// letter do not matter.
    static func find(_ text: String) -> Answer {
        guard text.utf8.count <= 120 else { return .unknown }
        if let exact = zones[text.trimmed.lowercased()] { return .zone(exact) }
        if let fixed = fixedOffset(text) { return fixed }
        var words = TextAnalyzer.words(text)
        while let first = words.first, leads.contains(first) { words.removeFirst() }
        while let last = words.last, trails.contains(last) { words.removeLast() }
        guard !words.isEmpty, words.count <= 8 else { return .unknown }
        // `Paris, France`, `Portland Oregon`: the whole, else the last words name a region that narrows the first ones.
        if let answer = lookUp(words.joined(separator: " ")) { return answer }
        if words.count > 1 {
            for cut in stride(from: words.count - 1, through: 1, by: -1) {
                let place = words[..<cut].joined(separator: " ")
                let region = words[cut...].joined(separator: " ")
                guard let first = lookUp(place) else { continue }
                return narrowed(first, by: lookUp(region))
            }
        }
        return misspelt(words.joined(separator: " "))
    }

    private static func lookUp(_ name: String) -> Answer? {
        if let options = ambiguous[name] { return .ambiguous(options) }
        if let zone = places[name] { return .zone(zone) }
        return nil
    }

    private static func narrowed(_ answer: Answer, by region: Answer?) -> Answer {
        guard case .ambiguous(let options) = answer, let region else { return answer }
        let allowed: Set<String>
        switch region {
        case .zone(let zone): allowed = [zone]
        case .ambiguous(let regions): allowed = Set(regions.map(\.zone))
        case .unknown: return answer
        }
        let left = options.filter { allowed.contains($0.zone) }
        if left.count == 1, let only = left.first { return .zone(only.zone) }
        return answer
    }

    private static func misspelt(_ name: String) -> Answer {
        guard name.utf8.count >= 5 else { return .unknown }
        var found = Set<String>()
        for (place, zone) in places where place.utf8.count >= 5 && EditDistance.isWithinOne(name, place) {
            found.insert(zone)
        }
        guard found.count == 1, let zone = found.first else { return .unknown }
        return .zone(zone)
    }

    /// `UTC+2`, `GMT-5`: whole hours have names in the tz database, with the sign of POSIX (`Etc/GMT-2` is UTC+2).
    private static func fixedOffset(_ text: String) -> Answer? {
        var rest = Substring(text.trimmed.lowercased())
        var isNamed = false
        for prefix in ["utc", "gmt"] where rest.hasPrefix(prefix) {
            rest = rest.dropFirst(3)
            isNamed = true
        }
        rest = rest.drop(while: { $0 == " " })
        if rest.isEmpty { return nil }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return nil }
        let parts = rest.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard isNamed || parts.count == 2, let first = parts.first, (1...2).contains(first.utf8.count),
            let hours = Int(first), parts.count < 3
        else { return nil }
        guard parts.count == 1 || parts[1] == "00" else { return .unknown }
        if hours == 0 { return .zone("Etc/UTC") }
        guard hours <= (sign == "+" ? 14 : 12) else { return .unknown }
        return .zone("Etc/GMT\(sign == "+" ? "-" : "+")\(hours)")
    }

    private static let leads: Set<String> = [
        "i'm", "im", "i", "am", "we", "we're", "are", "in", "to", "from", "living", "live", "now", "moved", "currently",
        "at", "near", "my", "time", "zone", "timezone", "is", "it's", "the", "set", "on",
    ]
    private static let trails: Set<String> = [
        "now", "time", "timezone", "zone", "today", "currently", "please", "city", "standard", "daylight", "area",
    ]

    /// The name for people of a zone: `Europe/Isle_of_Man` → `Isle of Man`.
    static func label(_ zone: String) -> String {
        switch zone {
        case "Etc/UTC", "UTC": return "UTC"
        default: break
        }
        let last = zone.split(separator: "/").last.map(String.init) ?? zone
        if zone.hasPrefix("Etc/GMT"), let sign = last.dropFirst(3).first {
            return "UTC\(sign == "-" ? "+" : "-")\(last.dropFirst(4))"
        }
        return last.replacing("_", with: " ")
    }

    // MARK: - Tables

    /// Lower-case IANA names to their proper form.
    private static let zones: [String: String] = {
        var result = ["utc": "Etc/UTC", "etc/utc": "Etc/UTC", "zulu": "Etc/UTC"]
        for (_, names) in countries { for name in names { result[name.lowercased()] = name } }
        for hour in 1...14 { result["etc/gmt-\(hour)"] = "Etc/GMT-\(hour)" }
        for hour in 1...12 { result["etc/gmt+\(hour)"] = "Etc/GMT+\(hour)" }
        return result
    }()

    private static let countries: [(String, [String])] = ZoneNames.byCountry.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: "|")
        guard parts.count == 2 else { return nil }
        return (String(parts[0]), parts[1].split(separator: " ").map(String.init))
    }

    private static func fold(_ name: some StringProtocol) -> String {
        TextAnalyzer.words(String(name).replacing("_", with: " ").replacing("&", with: "and")).joined(separator: " ")
    }

    /// Folded names of places with one zone.
    private static let places: [String: String] = {
        var result: [String: String] = [:]
        for (country, names) in countries {
            for name in names {
                if let city = name.split(separator: "/").last { result[fold(city)] = name }
            }
            if let first = names.first, result[fold(country)] == nil { result[fold(country)] = first }
        }
        for line in CityNames.byZone.split(separator: "\n") {
            let parts = line.split(separator: "|")
            guard parts.count == 2 else { continue }
            for city in parts[1].split(separator: ",") { result[fold(city)] = String(parts[0]) }
        }
        return result
    }()

    /// Folded names that several zones answer to.
    private static let ambiguous: [String: [Option]] = {
        var result: [String: [Option]] = [:]
        for line in CityNames.ambiguous.split(separator: "\n") {
            let parts = line.split(separator: "|")
            guard parts.count == 2 else { continue }
            let options = parts[1].split(separator: ",").compactMap { part -> Option? in
                let pair = part.split(separator: "=")
                guard pair.count == 2 else { return nil }
                return Option(zone: String(pair[1]).trimmed, label: String(pair[0]).trimmed)
            }
            for name in parts[0].split(separator: ",") { result[fold(name)] = options }
        }
        return result
    }()
}

extension StringProtocol {
    /// Without white space at the ends.
    var trimmed: String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view = view.dropFirst() }
        while let last = view.last, last.isWhitespace { view = view.dropLast() }
        return String(view)
    }
}
