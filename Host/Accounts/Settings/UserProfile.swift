/// What a person set about themselves; what they did not set has its default.
public struct UserProfile: Sendable, Hashable {
    /// A span of every day on the person's clock, in minutes from midnight; it may pass midnight.
    public struct QuietHours: Sendable, Hashable {
        /// 0…1439.
        public var startMinute: Int
        /// 0…1439, not quiet itself; never the start.
        public var endMinute: Int

        public init?(startMinute: Int, endMinute: Int) {
            guard (0..<1440).contains(startMinute), (0..<1440).contains(endMinute), startMinute != endMinute else {
                return nil
            }
            self.startMinute = startMinute
            self.endMinute = endMinute
        }

        public func contains(minute: Int) -> Bool {
            startMinute < endMinute
                ? (startMinute..<endMinute).contains(minute) : minute >= startMinute || minute < endMinute
        }

        /// `22:00-07:00`.
        public var text: String { "\(QuietHours.clock(startMinute))-\(QuietHours.clock(endMinute))" }

        private static func clock(_ minute: Int) -> String {
            let (hour, rest) = minute.quotientAndRemainder(dividingBy: 60)
            return "\(hour < 10 ? "0" : "")\(hour):\(rest < 10 ? "0" : "")\(rest)"
        }
    }

    public var name: String?
    /// IANA name.
    public var timeZone = "UTC"
    /// ISO 4217.
    public var currency = "EUR"
    /// BCP 47: `en`, `pt-BR`.
    public var language = "en"
    /// When nothing goes out on our own account; nil for never quiet.
    public var quietHours: QuietHours? = QuietHours(startMinute: 21 * 60, endMinute: 8 * 60)
    /// How many SMS segments an answer may take, 1…3.
    public var segments = 1

    public init() {}

    /// The value of a setting as text.
    public func text(_ key: SettingKey) -> String? {
        switch key {
        case .name: name
        case .timeZone: timeZone
        case .currency: currency
        case .language: language
        case .quietHours: quietHours?.text ?? "off"
        case .segments: String(segments)
        }
    }

    /// Sets a setting from its text; nil gives it its default again.
    ///
    /// Throws `invalid_setting` with what to write instead.
    public mutating func set(_ key: SettingKey, _ value: String?) throws {
        let standard = UserProfile()
        guard let value else {
            switch key {
            case .name: name = standard.name
            case .timeZone: timeZone = standard.timeZone
            case .currency: currency = standard.currency
            case .language: language = standard.language
            case .quietHours: quietHours = standard.quietHours
            case .segments: segments = standard.segments
            }
            return
        }
        switch key {
        case .name: name = try SettingText.name(value)
        case .timeZone: timeZone = try SettingText.timeZone(value)
        case .currency: currency = try SettingText.currency(value)
        case .language: language = try SettingText.language(value)
        case .quietHours: quietHours = try SettingText.quietHours(value)
        case .segments: segments = try SettingText.segments(value)
        }
    }
}

/// The settings that a person has, by the name under which they are stored.
public enum SettingKey: String, Sendable, Hashable, CaseIterable {
    case name
    case timeZone = "time_zone"
    case currency
    case language
    case quietHours = "quiet_hours"
    case segments = "sms_segments"

    /// Finds a setting by its stored name. Throws `unknown_setting`, which lists them.
    public init(validating text: String) throws {
        guard let key = SettingKey(rawValue: text) else {
            let names = SettingKey.allCases.map(\.rawValue).joined(separator: ", ")
            throw AccountsError(.unknownSetting, "There is no such setting. There are \(names).")
        }
        self = key
    }
}
