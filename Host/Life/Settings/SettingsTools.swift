import TandemAccounts
import TandemCore
import TandemJSON

/// Settings by text: name, time zone, quiet hours, currency. They are rows of the person's, so that undo is the host's.
struct SettingsTools: Toolbox {
    let accounts: Accounts

    private static let limit = 80
    private static let result = Shape.result(
        ["setting": Shape.string, "value": Shape.nullableString, "previous": Shape.nullableString],
        required: ["setting", "value"])

    static let definitions: [ToolDefinition] = [
        ToolDefinition(
            id: "settings.show", title: "Show my settings",
            description: "Shows name, time zone, quiet hours, currency and language.", parameters: Shape.object([:]),
            result: Shape.result([
                "name": Shape.nullableString, "time_zone": Shape.string, "quiet_hours": Shape.nullableString,
                "currency": Shape.string, "language": Shape.string,
            ]),
            effect: .read,
            utterances: [
                Utterance("(show|what are) [me] [my] settings"), Utterance("my settings"),
                Utterance("show my (profile|preferences)"),
                Utterance("what's my time zone"), Utterance("what are my quiet hours"), Utterance("what's my currency"),
                Utterance("what's my name"), Utterance("what time is it [for me]"),
                Utterance("which time zone am I in"),
            ]),
        ToolDefinition(
            id: "settings.name", title: "Set my name", description: "Sets what the person is called.",
            parameters: Shape.object(["name": Shape.text("The name.", upTo: limit)], required: ["name"]),
            result: result,
            effect: .write,
            utterances: [
                Utterance("my name is {name}"), Utterance("call me {name}"),
                Utterance("(set|change) my name to {name}"),
                Utterance("I'm called {name}"), Utterance("you can call me {name}"),
            ],
            slots: ["name": SlotDefinition(.text, required: true, hints: ["name", "call"])]),
        ToolDefinition(
            id: "settings.time_zone", title: "Set my time zone",
            description: "Sets the time zone by a city, country, abbreviation or IANA name.",
            parameters: Shape.object(
                [
                    "place": Shape.text(
                        "A city, country, abbreviation or IANA name: Paris, EST, Europe/Paris.", upTo: limit)
                ],
                required: ["place"]),
            result: result, effect: .write,
            utterances: [
                Utterance("I'm in {place}"), Utterance("I am in {place} [now]"),
                Utterance("I (live|moved) (in|to) {place}"),
                Utterance("(set|change) my time zone to {place}"), Utterance("my (time zone|timezone) is {place}"),
                Utterance("I'm on {place} time"), Utterance("use {place} time"), Utterance("I just landed in {place}"),
            ],
            slots: ["place": SlotDefinition(.text, required: true, hints: ["time zone", "timezone", "city"])]),
        ToolDefinition(
            id: "settings.quiet_hours", title: "Set quiet hours",
            description:
                "Sets from when until when the person gets no messages that they did not ask for; or switches that off.",
            parameters: Shape.object([
                "from": Shape.text("Start: 22:00, 10 pm.", upTo: 40), "to": Shape.text("End: 7, 07:30.", upTo: 40),
                "off": Shape.flag("No quiet hours."),
            ]),
            result: result, effect: .write,
            utterances: [
                Utterance("don't (text|message|write|bother|disturb) me between {from} and {to}"),
                Utterance("don't (text|message|bother|disturb) me from {from} (to|until|till) {to}"),
                Utterance("don't (text|message|bother|disturb) me after {from}"),
                Utterance("don't (text|message|bother|disturb) me before {to}"),
                Utterance("no (texts|messages) (between|from) {from} (and|to|until) {to}"),
                Utterance("no (texts|messages) after {from}"),
                Utterance("quiet hours [from] {from} (to|until|till) {to}"),
                Utterance("set [my] quiet hours (to|from) {from} (to|until) {to}"),
                Utterance("(turn|switch) off quiet hours", arguments: ["off": true]),
                Utterance("no quiet hours", arguments: ["off": true]),
                Utterance("you can text me any time", arguments: ["off": true]),
            ],
            slots: [
                "from": SlotDefinition(.text, hints: ["from", "after", "between"]),
                "to": SlotDefinition(.text, hints: ["to", "until", "before"]),
            ]),
        ToolDefinition(
            id: "settings.currency", title: "Set my currency",
            description: "Sets the currency that amounts without one are in.",
            parameters: Shape.object(
                ["currency": Shape.text("A code, name or sign: EUR, pounds, $.", upTo: limit)], required: ["currency"]),
            result: result, effect: .write,
            utterances: [
                Utterance("my currency is {currency}"), Utterance("(set|change) [my] currency to {currency}"),
                Utterance("I (pay|count) in {currency}"), Utterance("use {currency} as my currency"),
                Utterance("amounts are in {currency}"), Utterance("use {currency} from now on"),
                Utterance("switch to {currency} [from now on]"),
            ],
            slots: ["currency": SlotDefinition(.text, required: true, hints: ["currency"])]),
    ]

    func run(_ request: ToolRequest) async throws -> ToolOutcome {
        switch request.call.tool {
        case "settings.show": return try await show(request)
        case "settings.name": return try await setName(request)
        case "settings.time_zone": return try await setZone(request)
        case "settings.quiet_hours": return try await setQuietHours(request)
        case "settings.currency": return try await setCurrency(request)
        default: throw ToolFailure(status: -2, code: "unknown_tool", message: "I do not know how to do that.")
        }
    }

    private func show(_ request: ToolRequest) async throws -> ToolOutcome {
        let profile = try await accounts.profile(of: request.scope)
        let quiet = profile.quietHours?.text
        let now = ClockTime(minuteOfDay: request.time.minuteOfDay(of: request.time.now))
        let name = profile.name.map { "Name: \(Wording.clip($0, to: 30)). " } ?? ""
        return .value(
            [
                "name": profile.name.map { .string($0) } ?? .null, "time_zone": .string(profile.timeZone),
                "quiet_hours": quiet.map { .string($0) } ?? .null, "currency": .string(profile.currency),
                "language": .string(profile.language),
            ],
            name
                + "Time zone: \(profile.timeZone) (now \(now)). Quiet: \(quiet ?? "off"). Currency: \(profile.currency).\n"
                + "Language: English.")
    }

    private func setName(_ request: ToolRequest) async throws -> ToolOutcome {
        var name = Substring(request.line("name") ?? "")
        while let last = name.last, ".,;!\" ".contains(last) { name = name.dropLast() }
        while let first = name.first, "\" ".contains(first) { name = name.dropFirst() }
        guard name.contains(where: \.isLetter) else { throw ToolFailure.empty("What should I call you?") }
        return try await set(.name, to: String(name), request) {
            Wording.line("Nice to meet you, ", $0.name ?? "", ".")
        }
    }

    private func setZone(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let place = request.line("place") else { throw ToolFailure.empty("Which city are you in?") }
        let zone: String
        if place.hasPrefix("#") {
            zone = String(place.dropFirst())
        } else {
            switch ZonePlaces.find(place) {
            case .zone(let found): zone = found
            case .ambiguous(let options):
                throw request.asking(
                    Wording.numbered("Which one?", options.map(\.label)), field: "place",
                    options: options.map { ("#" + $0.zone, $0.label) })
            case .unknown:
                throw ToolFailure(
                    status: -8, code: "not_found",
                    message: Wording.line("I don't know the time zone of \"", place, "\". A bigger city nearby?"))
            }
        }
        return try await set(.timeZone, to: zone, request) { profile in
            let zone = profile.timeZone
            let time = PersonTime(now: request.time.now, offset: { ZoneOffsets.seconds(zone, at: $0) })
            return "Time zone: \(zone). It is \(ClockTime(minuteOfDay: time.minuteOfDay(of: time.now))) for you."
        }
    }

    private func setQuietHours(_ request: ToolRequest) async throws -> ToolOutcome {
        if request.flag("off") { return try await set(.quietHours, to: "off", request) { _ in "Quiet hours are off." } }
        let from = try SettingsTools.read(request.line("from"))
        let to = try SettingsTools.read(request.line("to"))
        guard from != nil || to != nil else {
            throw request.asking("From when should it be quiet? Like 22:00.", field: "from")
        }
        let before = try await accounts.profile(of: request.scope).quietHours
        let start = SettingsTools.start(from, to: to) ?? ClockTime(minuteOfDay: before?.startMinute ?? 22 * 60)
        let end = to?.time ?? ClockTime(minuteOfDay: before?.endMinute ?? 7 * 60)
        guard start != end else {
            throw ToolFailure(status: -1, code: "invalid", message: "Those are the same time. From when until when?")
        }
        return try await set(.quietHours, to: "\(start)-\(end)", request) { _ in
            "Quiet from \(start) to \(end). I won't text you first then."
        }
    }

    /// Quiet hours are a night: `10` as their start means the evening, unless they end in the evening themselves.
    private static func start(_ from: ClockTime.Reading?, to: ClockTime.Reading?) -> ClockTime? {
        guard let from else { return nil }
        guard from.isHalfDayOpen, from.time.minuteOfDay >= 5 * 60 else { return from.time }
        if let to, !to.isHalfDayOpen, to.time.minuteOfDay >= 12 * 60 { return from.time }
        return ClockTime(minuteOfDay: from.time.minuteOfDay + 12 * 60)
    }

    private static func read(_ text: String?) throws -> ClockTime.Reading? {
        guard let text else { return nil }
        guard let reading = ClockTime.read(text) else {
            throw ToolFailure(
                status: -1, code: "invalid_time", message: "I did not get that time. Say it like 22:00 or 7 am.")
        }
        return reading
    }

    private func setCurrency(_ request: ToolRequest) async throws -> ToolOutcome {
        guard let text = request.line("currency") else {
            throw ToolFailure.empty("Which currency? Like EUR or pounds.")
        }
        let code: String
        if text.hasPrefix("#"), CurrencyNames.codes.contains(String(text.dropFirst())) {
            code = String(text.dropFirst())
        } else {
            switch CurrencyNames.find(text) {
            case .code(let found): code = found
            case .ambiguous(let options):
                throw request.asking(
                    Wording.numbered("Which one?", options.map(\.label)), field: "currency",
                    options: options.map { ("#" + $0.code, $0.label) })
            case .unknown:
                throw ToolFailure(
                    status: -8, code: "not_found",
                    message: Wording.line(
                        "I don't know the currency \"", text, "\". Its code has three letters, like EUR."))
            }
        }
        return try await set(.currency, to: code, request) { "Currency: \($0.currency)." }
    }

    // MARK: - Shared

    private func set(
        _ key: SettingKey, to value: String, _ request: ToolRequest, message: (UserProfile) -> String
    ) async throws -> ToolOutcome {
        let previous = try await accounts.profile(of: request.scope).text(key)
        do {
            let profile = try await accounts.set(key, to: value, of: request.scope, origin: request.call.origin)
            return .value(
                [
                    "setting": .string(key.rawValue), "value": profile.text(key).map { .string($0) } ?? .null,
                    "previous": previous.map { .string($0) } ?? .null,
                ], message(profile))
        } catch let error as AccountsError {
            throw ToolFailure(status: -1, code: "invalid_setting", message: error.message)
        }
    }
}
