import Foundation
import TandemCore

/// The instructions that models get: texts with a version, part of the program; an operator's folder may replace each.
///
/// A file `NAME.VERSION.txt` in the folder stands for the text of that name; of several the highest version. Texts are read
/// once, when the library is made: within a process a prompt never changes, so that a service's cache keeps hitting.
public struct PromptLibrary: Sendable {
    public struct Prompt: Sendable, Hashable {
        public var name: String
        public var version: Int
        public var text: String
        /// `assistant.1`, with `*` when it is the operator's: for logs and metrics.
        public var label: String
    }

    /// Of the operator's texts; the program's own are much shorter.
    static let longestText = 65_536

    private var prompts: [String: Prompt] = [:]

    /// The program's own.
    static let own: [Prompt] = [
        prompt("assistant", 1, PackageResources.assistant_1_txt), prompt("extract", 1, PackageResources.extract_1_txt),
        prompt("summary", 1, PackageResources.summary_1_txt),
    ]

    private static func prompt(_ name: String, _ version: Int, _ bytes: [UInt8]) -> Prompt {
        Prompt(name: name, version: version, text: String(decoding: bytes, as: UTF8.self), label: "\(name).\(version)")
    }

    /// The program's own texts alone.
    public static let builtIn = PromptLibrary(texts: own)

    private init(texts: [Prompt]) {
        for prompt in texts where prompt.version > (prompts[prompt.name]?.version ?? 0) {
            prompts[prompt.name] = prompt
        }
    }

    /// - Parameter folder: The operator's; files that are no text of a known name are an error, so that a slip is seen.
    public init(folder: String? = nil) throws(PromptError) {
        self.init(texts: Self.own)
        guard let folder else { return }
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw PromptError(message: "the folder of prompts cannot be read")
        }
        var own: [String: Prompt] = [:]
        for file in files.sorted() where file.hasSuffix(".txt") {
            let words = file.split(separator: ".")
            guard words.count == 3, let version = Int(words[1]), version > 0, prompts[String(words[0])] != nil else {
                throw PromptError(
                    message: "\(file.prefix(80)) is no NAME.VERSION.txt with one of the names "
                        + prompts.keys.sorted().joined(separator: ", "))
            }
            let name = String(words[0])
            guard let data = FileManager.default.contents(atPath: folder + "/" + file), !data.isEmpty,
                data.count <= Self.longestText, let text = String(validating: data, as: UTF8.self)
            else { throw PromptError(message: "\(file) is empty, too long or no UTF-8 text") }
            if version > (own[name]?.version ?? 0) {
                own[name] = Prompt(name: name, version: version, text: text, label: "\(name).\(version)*")
            }
        }
        prompts.merge(own) { _, own in own }
    }

    /// For conversations.
    public var assistant: Prompt { self["assistant"] }
    /// For reading what others wrote: no tools, an object by a schema.
    public var extract: Prompt { self["extract"] }
    /// For folding old conversation.
    public var summary: Prompt { self["summary"] }

    subscript(name: String) -> Prompt { prompts[name] ?? Prompt(name: name, version: 0, text: "", label: name) }

    /// Every prompt in use, by name.
    public var all: [Prompt] { prompts.values.sorted { $0.name < $1.name } }

    /// Content for `extract`: between marks that it cannot contain.
    public static func quoted(_ content: String) -> String {
        // A mark within would seem to end the data.
        let safe = content.replacing("data>>>", with: "data> > >").replacing("<<<data", with: "< < <data")
        return "<<<data\n\(safe)\ndata>>>"
    }
}

/// Why the operator's prompts cannot be used.
public struct PromptError: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var description: String { message }
}
