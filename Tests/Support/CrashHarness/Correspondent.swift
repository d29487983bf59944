import TandemCore
import TwilioSimulator

/// One person of a run: what they write, in order, and what should have come of it.
///
/// Everything that they ask for is told apart from everything else of the run, so that what is lost or doubled shows.
struct Correspondent: Sendable {
    enum Wish: Sendable, Hashable {
        case expense(cents: Int)
        case item(String)
        /// Two things in one message.
        case both(String, cents: Int)
        /// Wants the person's word.
        case parcel(String)
        /// The code of the parcel's question.
        case word(parcel: String)
        /// The same code once more.
        case again(parcel: String)
    }

    var phone: String
    var scope: UserScope
    var index: Int
    let usesModel: Bool
    /// Acknowledged so far.
    private(set) var sent: [Wish] = []
    /// On its way; repeated as it is until it is acknowledged, as Twilio does.
    private(set) var pending: (wish: Wish, request: TwilioSimulator.WebhookRequest)?
    private(set) var codes: [String: String] = [:]

    init(phone: String, scope: UserScope, index: Int, usesModel: Bool) {
        self.usesModel = usesModel
        self.phone = phone
        self.scope = scope
        self.index = index
    }

    /// The message that is next, or the one that was not acknowledged yet; nil while the person waits for an answer.
    mutating func next(_ simulator: TwilioSimulator, url: String) -> TwilioSimulator.WebhookRequest? {
        if let pending { return pending.request }
        guard let wish = nextWish(simulator) else { return nil }
        let request = simulator.inbound(from: phone, body: text(of: wish), url: url)
        pending = (wish, request)
        return request
    }

    mutating func acknowledge() {
        guard let pending else { return }
        sent.append(pending.wish)
        self.pending = nil
    }

    /// The next message is the code of something that has effects elsewhere.
    var hasCode: Bool {
        if case .word? = pending?.wish { return true }
        guard pending == nil, case .parcel(let parcel)? = sent.last else { return false }
        return codes[parcel] != nil
    }

    var isWaiting: Bool { pending != nil }

    private func nextWish(_ simulator: TwilioSimulator) -> Wish? {
        let number = sent.count
        let name = Correspondent.word(index * 1000 + number)
        switch number % 6 {
        case 0: return .expense(cents: 1000 + number)
        case 1: return .item(name)
        case 2: return .parcel(name)
        case 3:
            guard case .parcel(let parcel)? = sent.last, code(of: parcel, simulator) != nil else { return nil }
            return .word(parcel: parcel)
        case 4:
            guard case .word(let parcel)? = sent.last else { return nil }
            return .again(parcel: parcel)
        default: return .both(name, cents: 1000 + number)
        }
    }

    private func text(of wish: Wish) -> String {
        func amount(_ cents: Int) -> String { "\(cents / 100).\(cents % 100 / 10)\(cents % 10)" }
        switch wish {
        case .expense(let cents): return "I spent \(amount(cents)) euros on lunch"
        case .item(let name): return "add \(name) to my grocery list"
        case .both(let name, let cents):
            if usesModel { return "arrange \(name) for \(amount(cents))" }
            return "add \(name) to my grocery list and I spent \(amount(cents)) euros on lunch"
        case .parcel(let name): return "courier \(name) to anna"
        case .word(let parcel), .again(let parcel): return codes[parcel] ?? ""
        }
    }

    /// `Send a parcel: parcel NAME …? Text 1234 to do it, within 10 min.`
    private func code(of parcel: String, _ simulator: TwilioSimulator) -> String? {
        for message in simulator.messages where message.to == phone && message.body.contains(parcel) {
            guard let place = message.body.firstRange(of: "? Text ") else { continue }
            return String(message.body[place.upperBound...].prefix { $0.isNumber })
        }
        return nil
    }

    /// Keeps the code that an answer brought.
    mutating func read(_ simulator: TwilioSimulator) {
        guard case .parcel(let parcel)? = sent.last, codes[parcel] == nil else { return }
        codes[parcel] = code(of: parcel, simulator)
    }

    /// A made-up word for a number, of letters alone: nothing in it means an amount.
    static func word(_ number: Int) -> String {
        let consonants = Array("bdfgklmnprtvz")
        let vowels = Array("aeiou")
        var rest = number
        var word = "x"
        for _ in 0..<4 {
            word.append(vowels[rest % 5])
            rest /= 5
            word.append(consonants[rest % 13])
            rest /= 13
        }
        return word
    }
}
