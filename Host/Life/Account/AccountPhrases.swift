public import TandemJSON

/// What a person says when they want a copy of everything that is kept of them, or their account gone: `send me my data`,
/// `delete my account`.
///
/// Read by rule before any planner: a sentence counts only as a whole. What concerns an account must never hang on likeness,
/// and must never be taken for a row of some table.
public enum AccountPhrases {
    /// The tool of `account.` that a message asks for; nil for everything else.
    public static func call(for text: String) -> (tool: String, arguments: JSON)? {
        guard text.utf8.count <= 160 else { return nil }
        var words = PhraseWords.split(text)
        PhraseWords.dropPoliteness(&words)
        guard (2...24).contains(words.count) else { return nil }
        if erasing.matches(words) { return ("account.erase", [:]) }
        if exporting.matches(words) { return ("account.export", [:]) }
        return nil
    }

    private static let forms: [String: PhrasePattern] = {
        var forms: [String: PhrasePattern] = [:]
        for (name, text) in [
            (
                "asking",
                """
                how (do|can|could|would|may) i|how to|(can|could|may) i|where (do|can) i|is it possible to|is there a way to|
                i (need|have|wish|decided|am going|would like) to|i (just|really) want to|id love to|im going to|
                i want you to|id like you to|i need you to|go ahead and|help me [to]|just|simply|lets|let us|
                what do i do to|i want to use my right to
                """
            ),
            ("has", "you [all] (have|hold|store|stored|keep|kept|saved|collect|collected|got|process|retain)"),
            (
                "have",
                "(<has>|youve (saved|stored|kept|collected|got|gathered)|you have (saved|stored|kept|collected|got)"
                    + "|(is|was|has been) (saved|stored|kept|held|collected))"
            ),
            ("ofme", "(about|on|of|from|for|regarding|concerning) me"),
            ("data", "(data|information|info|datas)"),
            ("own", "[own|personal|private|stored|saved|complete|entire|whole|full]*"),
            (
                "place",
                """
                [from|on|in|at|with] (here|tandem|you|your (system|systems|server|servers|database|databases|records|side|end|
                service|memory)|the (system|server|servers|database|service|app|assistant)|this (assistant|app|service))
                """
            ),
            (
                "finally",
                """
                [now|right now|right|right away|today|immediately|at once|completely|entirely|permanently|fully|totally|forever|
                for ever|for good|altogether|irrevocably|for real|already|too|as well|<place>]*
                """
            ),
        ] { forms[name] = PhrasePattern(text, forms: forms) }
        return forms
    }()

    // MARK: Erasure

    private static let erasing: PhrasePattern = {
        var forms = AccountPhrases.forms
        for (name, text) in [
            (
                "erase",
                """
                [permanently|completely|fully|entirely|totally|irrevocably|now|also]* (delete|erase|remove|close|cancel|
                terminate|destroy|wipe|purge|deactivate|eradicate|expunge|get rid of|shut down|close down|wipe out)
                """
            ),
            (
                "account",
                "([my|this] [own|whole|entire|tandem|user|personal|assistant]* (account|user account|profile and account)"
                    + " [(with|at|on) (tandem|you)])"
            ),
            (
                "everything",
                """
                ([all [of]] my <own> <data>|(all|any|all of) [the|that] <data> [that|which] <have> <ofme>|
                all [of] [the] my <own> <data>|(everything|anything|whatever|all) [that|which] <have> <ofme>|
                (everything|all [traces]|every trace|any trace|all trace) (about|of|on) me|all of (me|my stuff here)|
                everything you (know|remember) <ofme>|all that you (know|remember) <ofme>|
                all <data> (about|on|of) me|all my (stuff|things) (here|with you|at tandem))
                """
            ),
            (
                "both",
                """
                (<account>|<everything>|<account> (and|with|including|along with|plus|together with|as well as)
                (<everything>|everything|everything in it|all its <data>|its <data>|all [the|of its] <data> [in it])|
                <everything> (and|including|along with|plus|as well as) <account>)
                """
            ),
        ] { forms[name] = PhrasePattern(text, forms: forms) }
        return PhrasePattern(
            """
            [<asking>]* (account (deletion|erasure|removal)|(delete|erase|close) account) <finally>|
            [<asking>]* (shut|close) <account> down <finally>|[<asking>]* wipe <both> out <finally>|
            [<asking>]* <erase> <both> <finally>|
            [<asking>]* (delete|erase|remove|forget|wipe) me <finally>|
            [<asking>]* (erase|wipe|remove|delete) [all|every|any] (trace|traces) of me <finally>|
            [<asking>]* forget [that] i ever existed|
            (i want|i would like|id like|i need|i wish|have|get|please have|i want to have|i would like to have|id like to have)
            <both> [to be] [completely|permanently|fully]
            (deleted|erased|removed|closed|terminated|destroyed|wiped|gone|cancelled|canceled|purged) <finally>|
            (i want|i would like|id like|i wish) to be (forgotten|deleted|erased|removed) <finally>|
            (be|to be) (forgotten|erased|deleted) <finally>|
            [<asking>]* [i] (use|exercise|invoke|claim|make use of|assert) my right (to be forgotten|to erasure|of erasure|
            to deletion|to be erased) <finally>|
            [my|the] right to be forgotten|[a] gdpr (erasure|deletion) [request]|
            [a] (data|account) (erasure|deletion) request
            """, forms: forms)
    }()

    // MARK: Export

    private static let exporting: PhrasePattern = {
        var forms = AccountPhrases.forms
        for (name, text) in [
            (
                "give",
                """
                (send|give|get|export|download|provide|mail|email|e mail|hand|hand over|fetch|return|extract|prepare|make|create|
                generate|text|request|take out|back up|backup|pull|let me have|let me get|let me download|i want|i need|id like|
                i would like|i request|(can|could|may) i (have|get|see|download)|have|receive|obtain|show|take|order|ask for)
                [me|us] [with|for]
                """
            ),
            (
                "mine",
                """
                ([all [of]|everything of] my <own> (<data>|<data> back|account data|account|account <data>|profile|stuff here)|
                (all|any|all of) [the|that|of the] <own> <data> [that|which] <have> <ofme>|the <own> <data> [that|which]
                <have> <ofme>|(everything|whatever|anything|all) [that|which] <have> <ofme>|
                all <data> (about|on|of) me|my (whole|complete|entire) (history|account) with you|
                everything [(in|of|from) my account|of mine|thats mine|that is mine])
                """
            ),
            (
                "copy",
                """
                ([a|an|the|my] <own> [zip|gdpr|recent|current|new|personal]* (copy|export|archive|dump|backup|download|extract|
                zip|takeout|transcript) [file])
                """
            ),
            (
                "how",
                """
                [(as|in) (a|an|one|the|my) (zip|file|archive|zip file|zip archive|csv|json|download|zip folder)|
                as (zip|csv|json|files)|(to|by|via|per|over|at) (me|mail|email|e mail|text|sms|my (mail|email|inbox|e mail
                [address]|address|email address|phone))|now|today|right now|back|here|as well|too|at once|right away|
                <place>]*
                """
            ),
        ] { forms[name] = PhrasePattern(text, forms: forms) }
        return PhrasePattern(
            """
            [<asking>]* (send|give|get|download|provide|mail|email|e mail|hand over|fetch|return|extract|request|take out|back up|
            backup|pull|let me have|let me get|let me download|let me see|i want|i need|i want to (see|have|get|download)|
            id like|i would like|i request|have|receive|obtain|show|take|order|ask for|(can|could|may) i (have|get|see|download))
            [me] [with|for|to see] ([all [of]] my <own> (<data>|account <data>|account data) |
            (all|all of|any) [the|that|of the] <own> <data> [that|which] <have> <ofme>|the <own> <data> [that|which] <have>
            <ofme>|(everything|whatever|anything|all) [that|which] <have> <ofme>|all <data> (about|on|of) me) <how>|
            [<asking>]* (export|download|back up|backup|take out|extract) <mine> <how>|
            [<asking>]* (export|download) (everything|it all|all [of it]|all my stuff|all my things) <how>|
            [<asking>]* [do an|make an|run an|start an] export of <mine> <how>|
            [<asking>]* <give> <copy> (of|with|from) (<mine>|everything) <how>|
            [<asking>]* <give> [a|an|the|my] <own> <data> (export|archive|dump|takeout|copy|backup|download) <how>|
            [a|my|the] [full] (data|gdpr|account) (export|takeout|dump|archive|access request|portability request|portability)
            [request|please]|[a] (subject|data) access request|
            what <data> (do you (have|hold|store|keep|collect|process|save)|have you (stored|saved|collected|kept|got)|
            is (stored|saved|kept)) <ofme>|
            [<asking>]* take <mine> with me|
            [<asking>]* [i] (use|exercise|invoke|claim|make use of) my right (of access|to access|to data portability|
            to portability)
            """, forms: forms)
    }()
}
