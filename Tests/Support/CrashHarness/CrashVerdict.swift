import TandemCore
public import TandemJSON
import TandemStorage
import TwilioSimulator

/// What a run came to.
public struct CrashVerdict: Sendable {
    /// Kills by where they struck.
    public var kills: [String: Int] = [:]
    public var messages = 0
    public var effects = 0
    /// Answers that came as a second message, since their turn took long or waited.
    public var laterAnswers = 0
    public var lostMessages = 0
    public var doubledAnswers = 0
    public var lostEffects = 0
    public var doubledEffects = 0
    public var confirmationsUsedTwice = 0
    public var seconds = 0.0
    /// What was wrong, in words.
    public var faults: [String] = []

    public var killCount: Int { kills.values.reduce(0, +) }
    public var isClean: Bool {
        lostMessages + doubledAnswers + lostEffects + doubledEffects + confirmationsUsedTwice == 0 && faults.isEmpty
    }

    /// Another one follows: what is asked for goes on, or waits.
    static func isFirst(_ text: String) -> Bool {
        text.contains("That takes a while.") || text.contains("it goes out in")
    }

    /// Two lines of a table, with a heading for the first.
    public func table(_ engine: String) -> String {
        let columns: [(String, String)] = [
            ("engine", engine), ("kills", "\(killCount)"), ("messages", "\(messages)"),
            ("later answers", "\(laterAnswers)"), ("effects", "\(effects)"),
            ("lost messages", "\(lostMessages)"), ("doubled answers", "\(doubledAnswers)"),
            ("lost effects", "\(lostEffects)"), ("doubled effects", "\(doubledEffects)"),
            ("confirmations used twice", "\(confirmationsUsedTwice)"), ("seconds", "\(Int(seconds))"),
        ]
        func line(_ words: [String]) -> String {
            "| "
                + zip(words, columns).map { word, column in
                    word + String(repeating: " ", count: max(0, max(column.0.count, column.1.count) - word.count))
                }.joined(separator: " | ") + " |"
        }
        let places = kills.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return line(columns.map(\.0)) + "\n" + line(columns.map(\.1)) + "\nkilled at: \(places)"
            + faults.prefix(40).map { "\n  \($0)" }.joined()
    }

    public func document(_ engine: String) -> JSON {
        [
            "engine": .string(engine), "kills": .integer(Int64(killCount)),
            "killedAt": .object(
                JSONObject(kills.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) })),
            "messages": .integer(Int64(messages)), "laterAnswers": .integer(Int64(laterAnswers)),
            "effects": .integer(Int64(effects)), "lostMessages": .integer(Int64(lostMessages)),
            "doubledAnswers": .integer(Int64(doubledAnswers)), "lostEffects": .integer(Int64(lostEffects)),
            "doubledEffects": .integer(Int64(doubledEffects)),
            "confirmationsUsedTwice": .integer(Int64(confirmationsUsedTwice)), "seconds": .integer(Int64(seconds)),
            "faults": .array(faults.map { .string($0) }),
        ]
    }

    /// Holds what is in the database, at the carrier and at the service against what each person asked for.
    mutating func judge(
        _ person: Correspondent, export: JSON, simulator: TwilioSimulator, parcels: [String: Int]
    ) {
        func rows(_ table: String) -> [JSON] {
            export["tables"]?.arrayValue?.first { $0["name"]?.stringValue == table }?["rows"]?.arrayValue ?? []
        }
        let before = faults.count
        messages += person.sent.count
        let texts = rows("messages")
        let taken = texts.count { $0["direction"]?.stringValue == "in" }
        let answers = texts.filter { $0["direction"]?.stringValue == "out" }.compactMap { $0["text"]?.stringValue }
        let delivered = simulator.messages.filter { $0.to == person.phone }.map(\.body)
        lostMessages += max(0, person.sent.count - taken)
        if taken > person.sent.count { faults.append("\(person.phone): \(taken) messages of \(person.sent.count)") }
        let later = answers.count(where: CrashVerdict.isFirst)
        laterAnswers += later
        for (what, expected, found) in [
            ("answers of", person.sent.count + later, answers.count),
            ("texts to", answers.count, delivered.count),
        ] {
            let (lost, doubled) = count("\(what) \(person.index)", expected: expected, found: found)
            lostMessages += lost
            doubledAnswers += doubled
        }
        if answers.sorted() != delivered.sorted() { faults.append("\(person.index): texts differ from the answers") }

        var amounts: [Int] = []
        var items: [String] = []
        var confirmed: Set<String> = []
        for wish in person.sent {
            switch wish {
            case .expense(let cents): amounts.append(cents)
            case .item(let name): items.append(name)
            case .both(let name, let cents):
                items.append(name)
                amounts.append(cents)
            case .word(let parcel): confirmed.insert(parcel)
            case .parcel, .again: break
            }
        }
        let spent = rows("expenses").compactMap { $0["amount"]?.stringValue.flatMap { Double($0) } }
            .map { Int(($0 * 100).rounded()) }
        compare("expenses of \(person.index)", amounts, spent)
        compare("items of \(person.index)", items, rows("grocery_items").compactMap { $0["item_name"]?.stringValue })
        for wish in person.sent {
            guard case .parcel(let parcel) = wish else { continue }
            effects += confirmed.contains(parcel) ? 1 : 0
            let (lost, doubled) = count(
                "parcel \(parcel)", expected: confirmed.contains(parcel) ? 1 : 0, found: parcels[parcel] ?? 0)
            lostEffects += lost
            doubledEffects += doubled
        }
        // A confirmation that was used is on record with the one turn that carried it out.
        var carriedOut: [String: Int] = [:]
        for turn in rows("turns") {
            for step in turn["steps"]?.arrayValue ?? []
            where step["tool"]?.stringValue == "courier.send" && step["outcome"]?.stringValue == "value" {
                carriedOut[step["arguments"]?["parcel"]?.stringValue ?? "", default: 0] += 1
            }
        }
        if faults.count > before {
            faults.append("\(person.index) was told: \(answers)")
            faults.append("its turns: \(rows("turns").map(\.text))")
        }
        confirmationsUsedTwice += carriedOut.values.reduce(0) { $0 + max(0, $1 - 1) }
    }

    private mutating func compare<Value: Hashable & Comparable>(_ what: String, _ expected: [Value], _ found: [Value]) {
        effects += expected.count
        var open: [Value: Int] = [:]
        for value in expected { open[value, default: 0] += 1 }
        for value in found { open[value, default: 0] -= 1 }
        for (value, difference) in open where difference != 0 {
            if difference > 0 { lostEffects += difference } else { doubledEffects -= difference }
            faults.append("\(what): \(value) \(difference > 0 ? "lost" : "doubled")")
        }
    }

    private mutating func count(_ what: String, expected: Int, found: Int) -> (lost: Int, doubled: Int) {
        if expected != found { faults.append("\(what): \(found) instead of \(expected)") }
        return (max(0, expected - found), max(0, found - expected))
    }
}
