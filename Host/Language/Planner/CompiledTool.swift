import TandemCore
import TandemJSON

/// One element of a template as the aligner walks it.
struct TemplateElement: Sendable {
    /// Index of the slot, or -1 for words.
    var slot = -1
    var isOptional = false
    /// Vocabulary indices of the words that match exactly.
    var features: [Int32] = []
    var strong = ClusterSet()
    var weak = ClusterSet()
    var flags: WordFlags = []
    var weight: Float = 0
    /// What a slot that is not optional counts for in the coverage of its template.
    static let slotWeight: Float = 0.4

    /// A colon: matches a colon or a line end.
    var isColon = false
    /// A number written in the template.
    var number: Decimal?

    func isPresent(in words: [Bool]) -> Bool {
        for feature in features where words[Int(feature)] { return true }
        return false
    }
}

final class CompiledTemplate: @unchecked Sendable {
    // Changed only while `ToolCompiler` builds it, before anything else sees it.
    var elements: [TemplateElement] = []
    /// Arguments that the wording implies.
    var implied: JSONObject
    /// Weight of the words that are not optional.
    var requiredWeight: Float = 0
    var contentWeight: Float = 0
    var isQuestion = false
    /// Tells of what has happened: "I bought".
    var isPast = false
    /// Has an "is": what is planned is not past.
    var hasCopula = false
    /// Begins with "what", "how" …
    var asksWithWord = false
    /// Says what has happened or is wanted: "I bought", "we need".
    var isStatement = false
    var isNegative = false
    /// Says that something is so: "{task} is done".
    var isDeclarative = false
    var slots: [Int] = []
    var isHypothetical = false
    /// Which of the tool's utterances it is of.
    var utterance = 0
    /// Speaks of us.
    var isAboutUs = false
    /// Has a "me" that changes what its verb means: "call me {name}".
    var needsSelf = false
    /// Says what is done, not only where.
    var hasVerb = false
    /// The part of `requiredWeight` that stands for slots.
    var slotWeight: Float { Float(elements.count { $0.slot >= 0 && !$0.isOptional }) * TemplateElement.slotWeight }

    init(implied: JSONObject) { self.implied = implied }
}

struct CompiledSlot: Sendable {
    var name: String
    var kind: SlotKind
    var isRequired: Bool
    /// Lemmas of the hints and of the slot's name.
    var hints: [UInt64]
    /// For choices: value index by lemma sequences.
    var choices: [(words: [UInt64], value: String)] = []
    /// For references: the word for such a thing, of `recipes.recipe` its "recipe".
    var entityNoun: UInt64 = 0
    var entityClusters = ClusterSet()
    /// The argument may be an array: several references are one call instead of one each.
    var takesSeveral = false

    /// Takes words as they come, so that its end must be found.
    var isOpen: Bool {
        switch kind {
        case .text, .items, .list, .quantity, .reference: true
        default: false
        }
    }
}

final class CompiledTool: @unchecked Sendable {
    // Changed only while `ToolCompiler` builds it, before anything else sees it.
    var id: String
    var effect: Effect
    var templates: [CompiledTemplate] = []
    var slots: [CompiledSlot] = []
    /// Required parameters, also those without a slot.
    var required: [String] = []
    var actsOn: String?
    /// What the tool does and to what, over all its templates: groups of verbs and of nouns.
    var verbs = ClusterSet()
    var weakVerbs = ClusterSet()
    var nouns = ClusterSet()
    var verbFeatures: Set<Int32> = []
    var nounFeatures: Set<Int32> = []
    /// Words of the title and the namespace.
    var topicFeatures: Set<Int32> = []
    var topics = ClusterSet()
    var hasQuestion = false
    var hasStatement = false
    var hasDeclarative = false
    /// Its topic is food and household goods.
    var isAboutWares = false
    /// Weight by vocabulary index, for evidence.
    var primaryOpenSlot: Int?
    /// Slots of a few known words that most of the tool's wordings name: what tells it from others.
    var tellingChoices: [Int] = []
    /// Takes something new: adds, notes, remembers.
    var takesNew = false
    /// Removes, clears or forgets.
    var isRemover = false
    /// Tells of what has been: a weekday in a question for it is the last one.
    var looksBack = false

    init(id: String, effect: Effect) {
        self.id = id
        self.effect = effect
    }

    func slot(named name: String) -> Int? { slots.firstIndex { $0.name == name } }
}
