/// Word lists of the lexical search: what carries no meaning of its own, irregular forms, and a few words for one thing.
public enum EnglishWords {
    /// Words that are in too many texts to tell one from another; also filler of questions.
    public static let stopWords: Set<String> = [
        "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been",
        "being", "but", "by", "can", "could", "did", "do", "does", "doing", "don't", "dont", "for", "from", "had",
        "has", "have", "having", "he", "her", "hers", "him", "his", "how", "i", "i'm", "im", "if", "in", "into", "is",
        "isn't", "it", "it's", "its", "just", "me", "mine", "my", "of", "on", "or", "our", "ours", "please", "she",
        "should", "so", "some", "than", "that", "that's", "the", "their", "theirs", "them", "then", "there", "these",
        "they", "this", "those", "to", "too", "up", "us", "was", "we", "were", "what", "what's", "when", "where",
        "which", "while", "who", "whose", "why", "will", "with", "would", "you", "your", "yours", "ve", "ll", "re",
        "d", "m", "s", "t", "remember", "told", "tell", "know", "said", "got",
    ]

    /// Irregular forms and what they are forms of.
    public static let irregular: [String: String] = [
        "ate": "eat", "eaten": "eat", "became": "become", "began": "begin", "begun": "begin", "bought": "buy",
        "brought": "bring", "broke": "break", "broken": "break", "built": "build", "came": "come", "caught": "catch",
        "chose": "choose", "chosen": "choose", "drank": "drink", "drunk": "drink", "drew": "draw", "drawn": "draw",
        "drove": "drive", "driven": "drive", "fell": "fall", "fallen": "fall", "felt": "feel", "fed": "feed",
        "fought": "fight", "found": "find", "flew": "fly", "flown": "fly", "forgot": "forget", "forgotten": "forget",
        "gave": "give", "given": "give", "went": "go", "gone": "go", "goes": "go", "grew": "grow", "grown": "grow",
        "held": "hold", "hid": "hide", "hidden": "hide", "kept": "keep", "knew": "know", "known": "know",
        "laid": "lay", "led": "lead", "lent": "lend", "lost": "lose", "made": "make", "meant": "mean", "met": "meet",
        "paid": "pay", "ran": "run", "rode": "ride", "ridden": "ride", "sang": "sing", "sung": "sing", "sat": "sit",
        "saw": "see", "seen": "see", "sent": "send", "slept": "sleep", "sold": "sell", "spent": "spend",
        "spoke": "speak", "spoken": "speak", "stood": "stand", "stole": "steal", "stolen": "steal", "swam": "swim",
        "taken": "take", "took": "take", "taught": "teach", "thought": "think", "threw": "throw",
        "thrown": "throw", "won": "win", "wore": "wear", "worn": "wear", "woke": "wake", "wrote": "write",
        "written": "write", "left": "leave", "moved": "move", "died": "die", "dies": "die", "began'": "begin",
        "children": "child", "kids": "kid", "men": "man", "women": "woman", "people": "person", "mice": "mouse",
        "feet": "foot", "teeth": "tooth", "geese": "goose", "wives": "wife", "lives": "live", "knives": "knife",
        "leaves": "leave", "shelves": "shelf", "keys": "key", "better": "good", "best": "good", "worse": "bad",
        "worst": "bad", "swimming": "swim", "running": "run", "favourite": "favorite", "colour": "color",
        "colours": "color", "licence": "license", "grey": "gray", "theatre": "theater", "programme": "program",
        "mums": "mum", "moms": "mom",
    ]

    /// Groups of words for one thing; a question with one of them finds texts with another at a lower weight. Stems.
    static let synonyms: [String: [String]] = {
        let groups: [[String]] = [
            ["doctor", "physician", "gp"], ["car", "auto", "vehicle"], ["mum", "mom", "mother"], ["dad", "father"],
            ["kid", "child", "son", "daughter"], ["wifi", "wireless", "internet"],
            ["password", "passcode", "pin", "code", "combination"], ["birthday", "born", "birth"],
            ["job", "work", "occupation", "career", "profession"], ["home", "house", "apartment", "flat"],
            ["phone", "mobile", "cell", "telephone"], ["movie", "film"], ["trip", "travel", "vacation", "holiday"],
            ["buy", "purchase"], ["like", "love", "enjoy", "favorite", "prefer"], ["wife", "husband", "spouse"],
            ["medicine", "medication", "pill", "drug", "meds"], ["allergy", "allergic"], ["fridge", "refrigerator"],
            ["sick", "ill", "illness"], ["store", "shop", "supermarket"], ["begin", "start"], ["end", "finish"],
            ["big", "large"], ["small", "little"], ["photo", "picture", "image"], ["gift", "present"],
            ["meeting", "appointment"], ["garbage", "trash", "rubbish", "bin"], ["couch", "sofa"],
            ["bike", "bicycle"], ["dinner", "supper"], ["exam", "test"], ["university", "college"],
            ["school", "class"], ["lawyer", "attorney"], ["pet", "dog", "cat"], ["size", "measure"],
            ["money", "cash"], ["number", "code"], ["party", "celebration"], ["scared", "afraid", "fear"],
            ["happy", "glad"], ["angry", "mad"], ["tv", "television"], ["exercise", "workout", "gym"],
            ["run", "jog"], ["hike", "trek"], ["paint", "artwork", "drawing"], ["song", "music"],
            ["marry", "wedding", "marriage", "married"], ["live", "reside", "address"], ["city", "town"],
        ]
        var result: [String: [String]] = [:]
        for group in groups {
            let stems = group.map(EnglishStemmer.stem)
            for stem in stems {
                for other in stems where other != stem && !(result[stem]?.contains(other) ?? false) {
                    result[stem, default: []].append(other)
                }
            }
        }
        return result
    }()

    /// Words that make a text say the opposite: two texts that differ in them are never the same.
    static let negations: Set<String> = [
        "not", "no", "never", "nothing", "without", "none", "isn't", "don't", "doesn't", "didn't", "can't", "cannot",
        "won't", "wasn't", "aren't", "haven't", "hasn't", "stopped", "quit", "isnt", "dont", "doesnt", "didnt", "cant",
        "wont",
    ]
}
