import TandemMemory

/// Which currency a person means: ISO 4217 code, name, sign, or country's adjective.
enum CurrencyNames {
    enum Answer: Equatable {
        case code(String)
        /// Codes with what to call them.
        case ambiguous([(code: String, label: String)])
        case unknown

        static func == (left: Answer, right: Answer) -> Bool {
            switch (left, right) {
            case (.code(let a), .code(let b)): a == b
            case (.ambiguous(let a), .ambiguous(let b)): a.map(\.code) == b.map(\.code)
            case (.unknown, .unknown): true
            default: false
            }
        }
    }

    static func find(_ text: String) -> Answer {
        let trimmed = text.trimmed
        guard !trimmed.isEmpty, trimmed.utf8.count <= 60 else { return .unknown }
        let upper = trimmed.uppercased()
        if codes.contains(upper) { return .code(upper) }
        if let sign = signs[trimmed] { return .code(sign) }
        if trimmed == "$" { return .ambiguous(dollars) }
        var words = TextAnalyzer.words(trimmed).map(EnglishStemmer.stem)
        words.removeAll { ["in", "to", "my", "use", "the", "currenc", "is", "are", "with", "as"].contains($0) }
        let name = words.joined(separator: " ")
        if name == "dollar" || name == "buck" { return .ambiguous(dollars) }
        if name == "krone" || name == "krona" || name == "crown" || name == "kroner" { return .ambiguous(crowns) }
        if name == "peso" { return .ambiguous(pesos) }
        if let code = names[name] { return .code(code) }
        if words.count == 1, let word = words.first, codes.contains(word.uppercased()) {
            return .code(word.uppercased())
        }
        return .unknown
    }

    private static let dollars = [
        (code: "USD", label: "US"), (code: "CAD", label: "Canadian"), (code: "AUD", label: "Australian"),
        (code: "NZD", label: "New Zealand"), (code: "SGD", label: "Singapore"), (code: "HKD", label: "Hong Kong"),
    ]
    private static let crowns = [
        (code: "SEK", label: "Swedish"), (code: "NOK", label: "Norwegian"), (code: "DKK", label: "Danish"),
        (code: "CZK", label: "Czech"), (code: "ISK", label: "Icelandic"),
    ]
    private static let pesos = [
        (code: "MXN", label: "Mexican"), (code: "ARS", label: "Argentine"), (code: "CLP", label: "Chilean"),
        (code: "COP", label: "Colombian"), (code: "PHP", label: "Philippine"),
    ]

    private static let signs: [String: String] = [
        "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₪": "ILS", "₴": "UAH", "₺": "TRY", "₫": "VND",
        "₦": "NGN", "฿": "THB", "zł": "PLN", "US$": "USD", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD",
        "NZ$": "NZD", "S$": "SGD", "HK$": "HKD", "R$": "BRL",
    ]

    /// Stems of names.
    private static let names: [String: String] = {
        let plain: [String: String] = [
            "euro": "EUR", "euros": "EUR", "pound": "GBP", "pounds": "GBP", "pound sterling": "GBP",
            "pounds sterling": "GBP", "sterling": "GBP", "quid": "GBP", "british pounds": "GBP", "us dollars": "USD",
            "american dollars": "USD", "usd dollars": "USD", "canadian dollars": "CAD", "australian dollars": "AUD",
            "new zealand dollars": "NZD", "singapore dollars": "SGD", "hong kong dollars": "HKD",
            "swiss francs": "CHF", "francs": "CHF", "yen": "JPY", "japanese yen": "JPY", "yuan": "CNY",
            "chinese yuan": "CNY", "renminbi": "CNY", "rupees": "INR", "indian rupees": "INR",
            "swedish crowns": "SEK", "swedish krona": "SEK", "norwegian krone": "NOK", "norwegian kroner": "NOK",
            "danish krone": "DKK", "danish kroner": "DKK", "czech crowns": "CZK", "czech koruna": "CZK",
            "zloty": "PLN", "polish zloty": "PLN", "forint": "HUF", "hungarian forint": "HUF", "lei": "RON",
            "leu": "RON", "romanian leu": "RON", "lira": "TRY", "turkish lira": "TRY", "shekels": "ILS",
            "hryvnia": "UAH", "rubles": "RUB", "roubles": "RUB", "reais": "BRL", "real": "BRL",
            "brazilian real": "BRL", "mexican pesos": "MXN", "argentine pesos": "ARS", "chilean pesos": "CLP",
            "colombian pesos": "COP", "philippine pesos": "PHP", "rand": "ZAR", "south african rand": "ZAR",
            "naira": "NGN", "won": "KRW", "korean won": "KRW", "baht": "THB", "thai baht": "THB", "dong": "VND",
            "ringgit": "MYR", "rupiah": "IDR", "dirhams": "AED", "riyals": "SAR", "dinars": "KWD",
            "egyptian pounds": "EGP", "kenyan shillings": "KES", "bulgarian lev": "BGN",
        ]
        var result: [String: String] = [:]
        for (name, code) in plain {
            result[TextAnalyzer.words(name).map(EnglishStemmer.stem).joined(separator: " ")] = code
        }
        return result
    }()

    /// Active codes of ISO 4217 (list one, 2024), without funds and metals.
    static let codes: Set<String> = Set(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF \
        CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG \
        HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA \
        MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD \
        RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
        USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
        """.split(separator: " ").map(String.init))
}
