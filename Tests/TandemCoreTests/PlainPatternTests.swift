import TandemJSON
import Testing

@testable import TandemCore

struct PlainPatternTests {
    private static let patterns = [
        "^-?[0-9]{1,18}(\\.[0-9]{1,18})?$", "^[A-Z]{3}$", "^[1-9][0-9]{0,18}$", "^\\d{4}-\\d{2}-\\d{2}$", "^$",
        "^a*b+c?$",
        "^[a-z_]+(?:@[a-z]{2,})?$", "^x{2,3}y$", "^ab?c{0}d$",
    ]
    private static let texts = [
        "", "0", "-1", "12.50", "12.", ".5", "1.2.3", "EUR", "EURO", "eur", "120", "01", "2026-11-21", "2026-11-2",
        "abc",
        "aabbc", "bc", "b", "a", "me@ab", "me@a", "me@", "@ab", "me", "xxy", "xy", "xxxxy", "abd", "ad", "1\n",
        "\u{e9}",
        "123456789012345678", "1234567890123456789", "12345678901234567890",
    ]

    /// The search is the authority: both must agree on every text.
    @Test(arguments: patterns) func agreesWithTheSearch(pattern: String) throws {
        let plain = try #require(PlainPattern(pattern))
        // A group around it is another kind of expression, with the same meaning.
        let searched = try SchemaPattern("(?:\(pattern))")
        #expect(PlainPattern("(?:\(pattern))") == nil)
        for text in Self.texts {
            var scratch = SchemaPattern.Scratch(SchemaLimits())
            let isFound = searched.isFound(in: text, &scratch)
            let matches = Array(text.utf8).withUnsafeBufferPointer { plain.matches($0) }
            #expect(matches == isFound, "\(pattern) on \(text.debugDescription)")
        }
    }

    @Test(arguments: [
        "a", "^a", "a$", "^a|b$", "^(a)$", "^(a?)?$", "^[^a]$", "^a+a$", "^a?b?a$", "^[a-c]*b$", "^.$", "^a+?b$",
        "^\\w+$",
        "^[\\d]$", "^a{2", "^(ab)+$", "^(a)?b$", "^\u{e9}$", "^a+(ab)?$", "^a++$", "^(?=a)?$", "^a\\$", "^[a-]$",
        "^[]$",
    ])
    func leavesTheRestToTheSearch(pattern: String) {
        #expect(PlainPattern(pattern) == nil)
    }
}
