import TandemCore
import TandemJSON
import Testing

@Suite struct SchemaPipeTests {
    @Test(
        arguments: [
            (#"{"schema":{"type":"integer","minimum":1},"data":3}"#, #"{"valid":true}"#),
            (
                #"{"schema":{"properties":{"a":{"minimum":1}}},"data":{"a":0}}"#,
                #"{"valid":false,"errors":[{"instance":"/a","keyword":"/properties/a/minimum","message":"must be at least 1"}]}"#
            ),
            (#"{"schema":true,"data":null}"#, #"{"valid":true}"#),
            (
                #"{"schema":{"type":1},"data":null}"#,
                #"{"error":{"code":"invalid_keyword","location":"/type","message":"must be one of null, boolean, integer, number, string, array, object, or a list of these"}}"#
            ),
            (
                #"{"schema":true}"#,
                #"{"error":{"code":"invalid_line","location":"","message":"must be an object with the members schema and data"}}"#
            ),
            (#"{"schema":{"format":"date"},"data":"x"}"#, #"{"valid":true}"#),
        ] as [(String, String)])
    func validatesLines(line: String, answer: String) throws {
        #expect(try SchemaPipe.validate(line: JSON(parsing: line)).text == answer)
    }

    @Test func convertsLines() throws {
        let line = try JSON(
            parsing: #"{"name":"a.b","description":"d","parameters":{"properties":{"x":{"type":"string"}}}}"#)
        #expect(
            SchemaPipe.gemini(line: line) == [
                "name": "a.b", "description": "d",
                "parameters": ["type": "OBJECT", "properties": ["x": ["type": "STRING"]], "propertyOrdering": ["x"]],
            ])
        #expect(SchemaPipe.gemini(line: ["description": "d"])["error"] != nil)
        #expect(SchemaPipe.gemini(line: ["name": "a", "parameters": ["type": "array"]])["error"] != nil)
    }
}
