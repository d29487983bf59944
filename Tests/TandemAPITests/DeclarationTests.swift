import TandemCore
import TandemJSON
import Testing

@testable import TandemAPI

struct DeclarationTests {
    @Test func idsAndPlacesAreUnique() {
        #expect(Set(APIRoute.all.map(\.id)).count == APIRoute.all.count)
        #expect(Set(APIRoute.all.map { "\($0.method.rawValue) \($0.path.text)" }).count == APIRoute.all.count)
    }

    @Test(arguments: APIRoute.all.map(\.id))
    func compilesWhatItDeclares(id: String) throws {
        let route = try #require(APIRoute.all.first { $0.id == id })
        let faults = route.parameters.filter { !$0.isSound }.map(\.name)
        #expect(faults.isEmpty)
        #expect(Set(route.path.names) == Set(route.parameters.filter { $0.place == .path }.map(\.name)))
        if let body = route.body {
            let schema = try JSONSchema(compiling: body.schema, formatAssertion: true)
            #expect(schema.validate(body.example) == [])
            #expect(!schema.isValid(["unknown_member": 1]))
        }
        #expect(!route.answers.isEmpty)
    }

    @Test func everyNameThatAnswersReferToIsThere() {
        func references(_ value: JSON) -> [String] {
            switch value {
            case .object(let object):
                object.flatMap { key, value -> [String] in
                    key == "$ref" ? [value.stringValue ?? ""] : references(value)
                }
            case .array(let items): items.flatMap(references)
            default: []
            }
        }
        let document = OpenAPIDocument.json(APIRoute.all, publicAddress: "", version: "1")
        for reference in references(document) {
            var place: JSON? = document
            for part in reference.dropFirst(2).split(separator: "/") { place = place?[String(part)] }
            #expect(place != nil, "\(reference)")
        }
    }

    @Test func describesEveryKindOfError() {
        let page = String(decoding: DocumentationPage.html(APIRoute.all, version: "1"), as: UTF8.self)
        for kind in Set(APIRoute.all.flatMap(\.problems)) { #expect(page.contains("id=\"problem-\(kind.name)\"")) }
        #expect(ProblemKind.all.count == Set(ProblemKind.all.map(\.name)).count)
    }
}
