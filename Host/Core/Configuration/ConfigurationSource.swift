import Glibc
import TandemJSON

/// Finds the text of each setting: environment, then `NAME_FILE`, then the configuration file; collects what is wrong.
struct ConfigurationSource {
    static let longestFile = 65_536

    let environment: [String: String]
    private(set) var file: [String: String] = [:]
    private(set) var problems: [ConfigurationError.Problem] = []
    var warnings: [String] = []

    init(environment: [String: String]) {
        self.environment = environment
        if let path = environment["TANDEM_CONFIG"], !path.isEmpty { readFile(path) }
        warnAboutUnknownNames()
    }

    mutating func refuse(_ variable: String, _ reason: String, _ advice: String) {
        problems.append(.init(variable: variable, reason: reason, advice: advice))
    }

    /// The setting's text without spaces around it; nil where it is not set, or empty.
    mutating func text(_ name: String) -> String? {
        // The environment as a whole stands before the file, in either form.
        value(of: name, in: environment) ?? value(of: name, in: file)
    }

    /// The file that a secret is read from, if it is.
    func path(ofSecret name: String) -> String? {
        for values in [environment, file] {
            if let path = values[name + "_FILE"], !path.isEmpty { return absolutePath(path) }
            if let value = values[name], !trimmed(value).isEmpty { return nil }
        }
        return nil
    }

    mutating func secret(_ name: String) -> Secret? { text(name).map(Secret.init) }

    private mutating func value(of name: String, in values: [String: String]) -> String? {
        let direct = values[name].map(trimmed) ?? ""
        guard Setting.all.contains(where: { $0.name == name && $0.isSecret }), let path = values[name + "_FILE"],
            !path.isEmpty
        else { return direct.isEmpty ? nil : direct }
        guard direct.isEmpty else {
            refuse(name, "is given both directly and as \(name)_FILE", "Keep one of the two.")
            return nil
        }
        switch contents(of: path) {
        case .failure(let reason):
            refuse("\(name)_FILE", reason.text, "Give the path of a readable file that holds the value.")
            return nil
        case .success(let (bytes, mode)):
            if mode & 0o007 != 0 {
                warnings.append("\(name)_FILE: other users of this machine can read the file; chmod 600 it.")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                refuse(
                    "\(name)_FILE", "the file is not UTF-8 text", "Write the value as text, without a byte order mark.")
                return nil
            }
            // A file of master keys has one on each line.
            let value =
                name == "TANDEM_MASTER_KEY"
                ? text.split(whereSeparator: \.isWhitespace).joined(separator: ",") : trimmed(text)
            guard !value.isEmpty else {
                refuse("\(name)_FILE", "the file is empty", "Write the value into it, or unset \(name)_FILE.")
                return nil
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                refuse("\(name)_FILE", "the file holds more than one line", "Write only the value into it.")
                return nil
            }
            return value
        }
    }

    private mutating func readFile(_ path: String) {
        let bytes: [UInt8]
        switch contents(of: path) {
        case .failure(let reason):
            refuse("TANDEM_CONFIG", reason.text, "Give the path of a JSON file, or unset it.")
            return
        case .success(let (read, mode)):
            bytes = read
            if mode & 0o007 != 0 {
                warnings.append("TANDEM_CONFIG: other users of this machine can read the file; chmod 600 it.")
            }
        }
        let object: JSONObject
        do {
            guard let parsed = try JSON(parsing: bytes).objectValue else {
                refuse("TANDEM_CONFIG", "the file is no JSON object", "Write {\"NAME\": \"value\", ...}.")
                return
            }
            object = parsed
        } catch {
            refuse("TANDEM_CONFIG", "the file is no valid JSON: \(error.message)", "Correct it at that place.")
            return
        }
        let known = Set(Setting.all.flatMap { $0.isSecret ? [$0.name, $0.name + "_FILE"] : [$0.name] })
        for (key, value) in object {
            guard known.contains(key), key != "TANDEM_CONFIG" else {
                refuse("TANDEM_CONFIG", "the file has the unknown name \(shown(key))", suggestion(for: key, known))
                continue
            }
            switch value {
            case .string(let text): file[key] = text
            case .integer(let number): file[key] = String(number)
            case .bool(let truth): file[key] = truth ? "true" : "false"
            case .null: continue
            default:
                refuse(key, "is no text in the configuration file", "Write it as a JSON string.")
            }
        }
    }

    /// Only names that could be meant for us: `TANDEM_…` and the vendors' prefixes are others' business, too.
    private mutating func warnAboutUnknownNames() {
        let known = Set(Setting.all.flatMap { $0.isSecret ? [$0.name, $0.name + "_FILE"] : [$0.name] })
        for name in environment.keys.sorted() where name.hasPrefix("TANDEM_") && !known.contains(name) {
            guard let near = nearest(to: name, in: known) else { continue }
            warnings.append("\(shown(name)) is no setting; did you mean \(near)?")
        }
    }

    private func suggestion(for key: String, _ known: Set<String>) -> String {
        nearest(to: key, in: known).map { "Did you mean \($0)?" } ?? "Remove it; the README lists the names."
    }

    private func shown(_ name: String) -> String {
        Redaction.masked(String(name.prefix(64).filter { $0.isASCII && $0 > " " && $0 != "\u{7F}" }))
    }

    private func trimmed(_ text: String) -> String {
        var bytes = Substring(text).utf8
        while let first = bytes.first, first <= 0x20 { bytes.removeFirst() }
        while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
        return String(Substring(bytes))
    }
}

/// Why a file could not be read.
private struct ReadFailure: Error {
    let text: String
}

/// A whole regular file of at most 64 KiB, and its permission bits.
private func contents(of path: String) -> Result<([UInt8], UInt32), ReadFailure> {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return .failure(ReadFailure(text: "cannot be opened (\(errorText(errno)))")) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
        return .failure(ReadFailure(text: "cannot be read (\(errorText(errno)))"))
    }
    // A pipe is allowed: a shell's `<(...)` hands a secret over without a file on disk.
    guard status.st_mode & S_IFMT == S_IFREG || status.st_mode & S_IFMT == S_IFIFO else {
        return .failure(ReadFailure(text: "is not a file"))
    }
    if status.st_mode & S_IFMT == S_IFIFO { _ = fcntl(descriptor, F_SETFL, 0) }
    var bytes = [UInt8]()
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return .failure(ReadFailure(text: "cannot be read (\(errorText(errno)))")) }
        if count == 0 { break }
        bytes.append(contentsOf: chunk[0..<count])
        guard bytes.count <= ConfigurationSource.longestFile else {
            return .failure(ReadFailure(text: "is longer than 64 KiB"))
        }
    }
    return .success((bytes, UInt32(status.st_mode & S_IFMT == S_IFIFO ? 0 : status.st_mode)))
}

private func errorText(_ code: Int32) -> String {
    switch code {
    case ENOENT: "no such file"
    case EACCES: "permission denied"
    case EISDIR: "is a folder"
    default: "errno \(code)"
    }
}

/// The known name at an edit distance of at most 2, if any (Levenshtein).
private func nearest(to name: String, in known: Set<String>) -> String? {
    let word = Array(name.utf8.prefix(64))
    var best: (name: String, distance: Int)?
    for candidate in known.sorted() {
        let other = Array(candidate.utf8)
        guard abs(other.count - word.count) <= 2 else { continue }
        var row = Array(0...other.count)
        for (i, byte) in word.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, otherByte) in other.enumerated() {
                let cost = byte == otherByte ? diagonal : diagonal + 1
                diagonal = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, diagonal + 1)
            }
        }
        if row[other.count] <= 2, row[other.count] < best?.distance ?? .max { best = (candidate, row[other.count]) }
    }
    return best?.name
}
