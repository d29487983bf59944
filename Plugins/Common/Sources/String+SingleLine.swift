extension StringProtocol {
    /// One line without control and invisible format characters, white space collapsed, cut to `limit` characters.
    ///
    /// What people and language models write reaches short messages through this: no line break or direction override
    /// of theirs may change how the rest of a message reads. A cut text ends in `...`.
    public func singleLine(limit: Int) -> String {
        var view = String.UnicodeScalarView()
        var isPending = false
        for scalar in unicodeScalars {
            if scalar.value == 0x20 || (scalar.value != 0x20 && scalar.properties.isWhitespace) {
                isPending = true
                continue
            }
            switch scalar.properties.generalCategory {
            case .control, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                isPending = true
                continue
            case .format where scalar.value != 0x200D:
                continue
            default: break
            }
            if isPending, !view.isEmpty { view.append(" ") }
            isPending = false
            view.append(scalar)
            // Enough scalars for any text of `limit` characters that people write; the rest is not looked at.
            if view.count > limit * 8 { break }
        }
        return String(view).cut(to: limit)
    }

    /// At most `limit` characters; a cut text ends in `...`.
    public func cut(to limit: Int) -> String {
        guard utf8.count > limit, count > limit else { return String(self) }
        return limit > 3 ? String(prefix(limit - 3)) + "..." : String(prefix(limit))
    }
}
