import TandemCore
import Testing

@testable import TandemSMS

@Suite struct FormParametersTests {
    func parse(_ text: String) throws -> FormParameters { try FormParameters(parsing: Array(text.utf8)) }

    @Test func decodesEscapesAndSpaces() throws {
        let form = try parse("Body=Caf%C3%A9+at+9%3F+%E2%98%95+1%2B1%3D2&From=%2B15555550123&Empty=&Flag&a=b=c")
        #expect(form["Body"] == "Café at 9? ☕ 1+1=2")
        #expect(form["From"] == "+15555550123")
        #expect(form["Empty"] == "")
        #expect(form["Flag"] == "")
        #expect(form["a"] == "b=c")
        #expect(form["body"] == nil)
        #expect(form.fields.count == 5)
    }

    @Test func keepsRepeatedNamesAndSkipsNothings() throws {
        let form = try parse("&&a=2&a=1&&")
        #expect(form.fields.count == 2)
        #expect(form["a"] == "2")
        #expect(try parse("").fields.isEmpty)
        #expect(try parse("=").fields.count == 1)
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%4g", "%"])
    func refusesBrokenEscapes(text: String) {
        #expect(throws: FormParameters.Fault.invalidEscape) { try parse(text) }
    }

    @Test(arguments: ["a=%ff", "a=%C3", "%80=a", "a=%ED%A0%80", "a=%C3&b=%A9", "a=%C0%80"])
    func refusesWhatIsNotUTF8(text: String) {
        #expect(throws: FormParameters.Fault.invalidUTF8) { try parse(text) }
    }

    @Test func refusesTooMuch() {
        #expect(throws: FormParameters.Fault.tooLarge) { try parse(String(repeating: "a", count: 65_537)) }
        #expect(throws: FormParameters.Fault.tooManyParameters) { try parse(String(repeating: "a&", count: 513)) }
        #expect(throws: Never.self) { try parse(String(repeating: "a", count: 65_536)) }
    }

    @Test func writesWhatItReads() throws {
        var body = [UInt8]()
        let texts = ["plain", "Café ☕ 1+1=2 & more", "*-._~", "\u{0}\n", ""]
        for (index, text) in texts.enumerated() { appendFormParameter("n\(index)", text, to: &body) }
        let form = try FormParameters(parsing: body)
        #expect(form["n1"] == texts[1])
        #expect(form["n2"] == texts[2])
        #expect(form["n3"] == texts[3])
        #expect(form["n4"] == "")
    }
}
