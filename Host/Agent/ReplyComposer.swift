import TandemCore

/// Makes one answer of a turn's parts and cuts it to one SMS segment; what does not fit waits for `more`.
struct ReplyComposer {
    /// First lines that stand alone, in the order of the requests.
    private var headlines: [String] = []
    private var details: [String] = []

    mutating func add(_ message: String) {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        guard let first = lines.first else { return }
        if !headlines.contains(first) { headlines.append(first) }
        details.append(contentsOf: lines.dropFirst())
    }

    var isEmpty: Bool { headlines.isEmpty }

    /// The whole answer: the headlines in one paragraph, then the details.
    var whole: String {
        ([headlines.joined(separator: " ")] + details).filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
