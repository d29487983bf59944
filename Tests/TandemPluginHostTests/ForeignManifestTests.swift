import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// The `foreign` section of a manifest: what is derived from signatures, and where what is wrong stands.
@Suite
struct ForeignManifestTests {
    /// A manifest with one tool and one function; `tool` adds members to the tool, `foreign` to the section.
    private func manifest(
        _ function: String, tool: String = "", foreign: String = "", effect: String = "read", more: String = ""
    ) -> String {
        """
        {"manifest": 1, "id": "a.b", "namespace": "t", "name": "N", "version": "1.0.0", "summary": "S",
         "abi": {"major": 1, "minor": 0},\(more)
         "tools": [{"id": "t.f", "title": "T", "description": "D", "effect": "\(effect)"\(tool)}],
         "foreign": {"library": {"system": "libx.so.1"}\(foreign),
          "functions": {"t.f":
        \(function)
        }}}
        """
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try PluginManifest(reading: Array(text.utf8), packaged: false)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    private func tool(_ function: String, tool: String = "") throws -> ToolDefinition {
        let text = manifest(function, tool: tool)
        return try #require(try PluginManifest(reading: Array(text.utf8), packaged: false).tools.first)
    }

    @Test func derivesSchemasFromSignatures() throws {
        let tool = try tool(
            """
            {"symbol": "f", "message": "{sum}", "parameters": [
              {"name": "a", "type": "int8", "unit": "cm", "description": "A side."},
              {"name": "b", "type": "double", "default": 2.5},
              {"name": "who", "type": "string", "maxBytes": 20, "argument": "/person/name"},
              {"name": "how", "type": "uint16", "values": {"soft": 1, "hard": 2}},
              {"name": "data", "type": "bytes", "encoding": "base64", "maxBytes": 30},
              {"type": "uint64", "lengthOf": "data"},
              {"name": "rest", "type": "int64", "direction": "out"},
              {"name": "note", "type": "string", "direction": "out", "borrowed": true, "nullable": true}],
             "returns": {"name": "sum", "type": "float"}}
            """)
        #expect(
            tool.parameters == [
                "type": "object",
                "properties": [
                    "a": ["type": "integer", "minimum": -128, "maximum": 127, "description": "A side. In cm."],
                    "b": ["type": "number", "default": 2.5],
                    "person": [
                        "type": "object", "properties": ["name": ["type": "string", "maxLength": 20]],
                        "required": ["name"], "additionalProperties": false,
                    ],
                    "how": ["type": "string", "enum": ["soft", "hard"]],
                    "data": ["type": "string", "maxLength": 40, "contentEncoding": "base64"],
                ],
                "required": ["a", "person", "how", "data"], "additionalProperties": false,
            ])
        #expect(
            tool.result == [
                "type": "object",
                "properties": [
                    "rest": ["type": "integer"], "note": ["type": "string", "maxLength": 16384],
                    "sum": ["type": "number"],
                ],
                "required": ["rest", "sum"], "additionalProperties": false,
            ])
    }

    @Test func letsTheManifestTightenButNotWiden() throws {
        let function = #"{"symbol": "f", "message": "x", "parameters": [{"name": "a", "type": "uint8"}]}"#
        let tight = try tool(
            function, tool: #", "parameters": {"properties": {"a": {"minimum": 1, "maximum": 9, "title": "A"}}}"#)
        #expect(
            tight.parameters["properties"]?["a"]
                == ["type": "integer", "minimum": 1, "maximum": 9, "title": "A"])
        func places(_ schema: String) -> [String] {
            problems(manifest(function, tool: #", "parameters": "# + schema)).map {
                String($0.drop { $0 != "/" })
            }
        }
        #expect(
            places(#"{"properties": {"a": {"maximum": 256}}}"#) == [
                "/tools/0/parameters/properties/a/maximum: is wider than the function's signature, which has 255"
            ])
        #expect(
            places(#"{"properties": {"a": {"type": "string"}}}"#) == [
                "/tools/0/parameters/properties/a/type: the function's signature makes this integer"
            ])
        #expect(
            places(#"{"properties": {"b": {}}}"#) == [
                "/tools/0/parameters/properties/b: is none of the function's values"
            ])
        #expect(
            places(#"{"properties": {"a": {"anyOf": []}}}"#) == [
                "/tools/0/parameters/properties/a/anyOf: is no keyword that tightens the function's signature"
            ])
        #expect(
            places(#"{"additionalProperties": true}"#) == [
                "/tools/0/parameters/additionalProperties: does not fit: the function's signature makes this schema"
            ])
        #expect(places(#"{"required": ["z"]}"#) == ["/tools/0/parameters/required/0: names no property"])
    }

    @Test(arguments: [
        // Types and directions.
        (#"[{"name": "a", "type": "quad"}]"#, "parameters/0/type", "must be one of int8"),
        (#"[{"name": "a", "type": "string", "direction": "inout"}]"#, "parameters/0/direction", "only a number"),
        (#"[{"name": "a", "type": "strings"}]"#, "parameters/0", "can only come out"),
        (#"[{"name": "A", "type": "int8"}]"#, "parameters/0/name", "must match"),
        (#"[{"type": "int8"}]"#, "parameters/0", "name or argument is missing"),
        (#"[{"name": "a", "type": "int8", "scale": 2}]"#, "parameters/0/scale", "unknown member"),
        (#"[{"name": "a", "type": "double", "scale": 0}]"#, "parameters/0/scale", "other than 0"),
        (#"[{"name": "a", "type": "int8"}, {"name": "a", "type": "int8"}]"#, "parameters/1/name", "has this name"),
        (
            #"[{"name": "a", "type": "int8"}, {"name": "b", "type": "int8", "argument": "/a/b"}]"#, "parameters/1",
            "taken by another"
        ),
        (#"[{"name": "a", "type": "int8", "argument": "/a//b"}]"#, "parameters/0/argument", "JSON Pointer"),
        // Constants and defaults.
        (#"[{"type": "int8", "constant": 200}]"#, "parameters/0/constant", "fits int8"),
        (#"[{"type": "pointer", "constant": 1}]"#, "parameters/0/constant", "must be null"),
        (#"[{"type": "pointer"}]"#, "parameters/0", "constant null"),
        (#"[{"type": "string", "constant": "a\u0000"}]"#, "parameters/0/constant", "NUL"),
        (#"[{"name": "a", "type": "int8", "default": 500}]"#, "parameters/0/default", "does not fit"),
        (#"[{"name": "a", "type": "int8", "values": {"x": 500}}]"#, "parameters/0/values/x", "fits int8"),
        // Lengths.
        (#"[{"name": "a", "type": "bytes"}]"#, "parameters/0", "lengthOf is missing"),
        (#"[{"type": "int32", "lengthOf": "x"}]"#, "parameters/0/lengthOf", "names no parameter"),
        (
            #"[{"name": "a", "type": "string"}, {"type": "double", "lengthOf": "a"}]"#, "parameters/1/type",
            "a length is an integer"
        ),
        (
            #"[{"name": "a", "type": "int8"}, {"type": "int32", "lengthOf": "a"}]"#, "parameters/1/lengthOf",
            "no string, bytes"
        ),
        (
            #"[{"name": "a", "type": "bytes", "direction": "out", "capacity": 8}, {"type": "int32", "capacityOf": "a"}]"#,
            "parameters/0", "nothing tells its length"
        ),
        (
            #"[{"name": "a", "type": "string", "direction": "out", "capacity": 8}]"#, "parameters/0",
            "not told the capacity"
        ),
        (
            #"[{"name": "a", "type": "string", "direction": "out", "borrowed": true}, {"type": "int32", "capacityOf": "a"}]"#,
            "parameters/1/capacityOf", "no capacity of its own"
        ),
        (
            #"[{"name": "a", "type": "strings", "direction": "out", "borrowed": true}]"#, "parameters/0",
            "nothing tells its length"
        ),
        // Ownership.
        (#"[{"name": "a", "type": "string", "direction": "out"}]"#, "parameters/0", "release or borrowed"),
        (
            #"[{"name": "a", "type": "string", "direction": "out", "release": "free", "borrowed": true}]"#,
            "parameters/0/borrowed", "stands beside release"
        ),
        (#"[{"name": "a", "type": "string", "release": "free"}]"#, "parameters/0/release", "does not give"),
        (
            #"[{"name": "a", "type": "int32", "direction": "out", "release": "free"}]"#, "parameters/0/release",
            "does not give"
        ),
        (
            #"[{"name": "a", "type": "string", "direction": "out", "size": 8, "release": "free"}]"#,
            "parameters/0/release", "is not released"
        ),
        (
            #"[{"name": "a", "type": "string", "direction": "out", "release": {"symbol": "f", "parameters": [{"type": "int32"}]}}]"#,
            "parameters/0/release/parameters", "must pass the pointer"
        ),
        (
            #"[{"name": "a", "type": "string", "direction": "out", "release": {"symbol": "f", "parameters": [{"type": "pointer"}, {"type": "int32"}]}}]"#,
            "parameters/0/release", "a length that nothing tells"
        ),
        // Objects and files.
        (#"[{"type": "object", "object": "db"}]"#, "parameters/0/object", "names no object"),
        (#"[{"type": "file", "file": "../x"}]"#, "parameters/0/file", "file beside plugin.json"),
    ])
    func refusesParametersThatDoNotHoldTogether(parameters: String, place: String, message: String) {
        let found = problems(manifest(#"{"symbol": "f", "message": "x", "parameters": \#(parameters)}"#))
        let expected = "/foreign/functions/t.f/\(place): "
        #expect(
            found.contains { $0.contains(expected) && $0.contains(message) }, "\(found)")
    }

    @Test(arguments: [
        (#"{"message": "x"}"#, "", "symbol is missing"),
        (#"{"symbol": "a b", "message": "x"}"#, "/symbol", "name of a C function"),
        (#"{"symbol": "f"}"#, "", "message is missing"),
        (#"{"symbol": "f", "message": "{a}"}"#, "/message", "{a} is no argument"),
        (#"{"symbol": "f", "message": "a {b"}"#, "/message", "{ without }"),
        (#"{"symbol": "f", "message": "a } b"}"#, "/message", "} without {"),
        (#"{"symbol": "f", "message": [{"when": {}, "text": "x"}]}"#, "/message/0/when", "must fit always"),
        (
            #"{"symbol": "f", "message": [{"when": {"z": 1}, "text": "x"}, {"text": "y"}]}"#, "/message/0/when/z",
            "names no"
        ),
        (
            #"{"symbol": "f", "message": "x", "returns": {"type": "object"}}"#, "/returns/type",
            "only an object's create"
        ),
        (
            #"{"symbol": "f", "message": "x", "returns": {"type": "string", "name": "s"}}"#, "/returns",
            "release or borrowed"
        ),
        (#"{"symbol": "f", "message": "x", "error": {"kind": "code"}}"#, "/error/kind", "returns no integer"),
        (#"{"symbol": "f", "message": "x", "error": {"kind": "null"}}"#, "/error/kind", "returns no pointer"),
        (
            #"{"symbol": "f", "message": "x", "error": {"kind": "parameter", "parameter": "q"}}"#, "/error/parameter",
            "names no integer"
        ),
        (#"{"symbol": "f", "message": "x", "error": {"kind": "errno", "ok": 1}}"#, "/error/ok", "unknown member"),
        (
            #"{"symbol": "f", "message": "x", "error": {"kind": "errno", "cases": {"x": "y"}}}"#, "/error/cases/x",
            "must be an integer"
        ),
        (
            #"{"symbol": "f", "message": "x", "error": {"kind": "errno", "text": "{q}"}}"#, "/error/text",
            "is no argument"
        ),
        (
            #"{"symbol": "f", "message": "x", "error": {"kind": "errno", "message": {"symbol": "s", "takes": "all"}}}"#,
            "/error/message/takes", "must be one of"
        ),
        (#"{"symbol": "f", "message": "x", "convention": "stdcall"}"#, "/convention", "unknown member"),
    ])
    func refusesFunctionsThatDoNotHoldTogether(function: String, place: String, message: String) {
        let found = problems(manifest(function))
        #expect(
            found.contains { $0.contains("/foreign/functions/t.f\(place): ") && $0.contains(message) }, "\(found)")
    }

    @Test func saysLineAndColumn() {
        let text = manifest(#"{"symbol": "f", "message": "x", "parameters": [{"name": "a", "type": "bytes"}]}"#)
        #expect(
            problems(text) == [
                "6:48 /foreign/functions/t.f/parameters/0: bytes go in with their length: a parameter with lengthOf is missing"
            ])
    }

    @Test func matchesFunctionsToTools() {
        let function = #"{"symbol": "f", "message": "x"}"#
        let other = manifest(function).replacingOccurrences(of: #""t.f":"#, with: #""t.g":"#)
        let found = problems(other)
        #expect(found.contains { $0.contains("/foreign/functions/t.g: names no tool") })
        #expect(found.contains { $0.contains("/tools/0: has no function") })
        #expect(problems(manifest(function, effect: "write")).contains { $0.contains("/tools/0/effect: must be read") })
        #expect(
            problems(manifest(function, more: #" "extensions": ["tandem.http/1"],"#)).contains {
                $0.contains("/extensions: a plugin with a foreign section has no code")
            })
    }

    @Test(arguments: [
        (#"{"system": "/lib/libm.so.6"}"#, "/system"), (#"{"system": "libm"}"#, "/system"),
        (#"{"system": "libm.so.6x"}"#, "/system"), (#"{"file": "a/b.so"}"#, "/file"),
        (#"{"file": "plugin.json"}"#, "/file"),
        (#"{}"#, ""), (#"{"system": "libm.so.6", "file": "b.so"}"#, ""), (#"{"path": "b.so"}"#, "/path"),
    ])
    func namesOneLibraryWithoutAPath(library: String, place: String) {
        let text = manifest(#"{"symbol": "f", "message": "x"}"#)
            .replacingOccurrences(of: #"{"system": "libx.so.1"}"#, with: library)
        #expect(problems(text).contains { $0.contains(" /foreign/library\(place): ") }, "\(problems(text))")
    }

    @Test func wantsItsFilesInTheBundle() throws {
        let sum = "sha256:" + String(repeating: "0", count: 64)
        func packaged(_ members: String) -> [String] {
            let text = manifest(
                #"{"symbol": "f", "message": "x", "parameters": [{"type": "file", "file": "words.txt"}]}"#,
                more: members)
            do {
                _ = try PluginManifest(reading: Array(text.utf8), packaged: true)
                return []
            } catch {
                return error.problems.map(\.description)
            }
        }
        #expect(packaged(#" "files": {"words.txt": "\#(sum)"},"#).isEmpty)
        #expect(packaged(#" "files": {},"#).contains { $0.contains("/files: does not name words.txt") })
        #expect(
            packaged(#" "library": "x.so", "files": {"words.txt": "\#(sum)"},"#).contains {
                $0.contains("/library: a plugin with a foreign section")
            })
    }

    @Test(arguments: ["ManifestSums", "ManifestSpelling"])
    func readsTheExamples(name: String) throws {
        let path = FixtureLibrary.root + "/PluginSDK/Examples/\(name)/plugin.json"
        let file = try RegularFile(path: path, limit: 1 << 20, requiresPrivateWriting: false)
        let manifest = try PluginManifest(reading: try file.read(), packaged: false)
        #expect(manifest.tools.count > 1)
        #expect(manifest.foreign?.symbols.isEmpty == false)
        for tool in manifest.tools { #expect(!tool.utterances.isEmpty) }
    }

    @Test func isRefusedInTheHostsOwnProcess() async throws {
        let host = try TestHost()
        let function = #"{"symbol": "f", "message": "x"}"#
        let text = manifest(function, more: #" "files": {},"#).replacingOccurrences(of: "a.b", with: "test.plain")
        mkdir(host.bundles + "/plain", 0o755)
        try host.folder.write(text, to: "plugins/plain/plugin.json")
        try host.register(["plain"])
        await host.host.start()
        let refusal = try #require(host.refusal("test.plain"))
        #expect(refusal.code == .needsRunner)
        #expect(refusal.reason.contains("C library"))
        try host.register(["plain"]) { _, entry in
            entry["isolation"] = "runner"
            entry["ceiling"] = ["libraries": ["libm.so.6"]]
        }
        await host.host.reload()
        #expect(host.refusal("test.plain")?.code != nil)
        host.host.shutDown()
    }
}

/// Bundles of manifest-only plugins.
@Suite
struct ForeignBundleTests {
    private func document(_ library: String, _ function: String) -> String {
        """
        {"manifest": 1, "id": "test.plain", "namespace": "plain", "name": "N", "version": "1.0.0", "summary": "S",
         "abi": {"major": 1, "minor": 0},
         "tools": [{"id": "plain.f", "title": "T", "description": "D", "effect": "read"}],
         "foreign": {"library": \(library), "functions": {"plain.f": \(function)}}}
        """
    }

    @Test func packsTheFilesThatTheManifestNames() throws {
        let folder = TemporaryFolder()
        try folder.write("words", to: "words.txt")
        try folder.write(
            document(
                #"{"system": "libm.so.6"}"#,
                #"{"symbol": "f", "message": "x", "parameters": [{"type": "file", "file": "words.txt"}]}"#),
            to: "plugin.json")
        let packed = try BundlePacker.pack(manifest: folder.path, into: folder.path + "/bundle")
        #expect(packed.id == "test.plain")
        let bundle = try Bundle(at: folder.path + "/bundle")
        #expect(bundle.manifest.packaging?.files == ["words.txt": Checksum.of(Array("words".utf8))])
        #expect(bundle.library.isEmpty && bundle.image == nil)
        #expect(bundle.manifest.packaging?.platform == nil)
    }

    @Test func refusesALibraryWithoutTheFunction() async throws {
        let library = try await FixtureLibrary.compile("echo", FixtureLibrary.names("test.plain", "plain"))
        let folder = TemporaryFolder()
        let name = String(library.split(separator: "/").last ?? "")
        for (symbol, code) in [("tandem_plugin_entry", nil), ("no_such", PluginRefusal.Code.noEntry)] {
            try folder.write(
                document(#"{"file": "\#(name)"}"#, #"{"symbol": "\#(symbol)", "message": "x"}"#), to: "plugin.json")
            let outcome = Result { () throws(PluginRefusal) in
                try BundlePacker.pack(manifest: folder.path, into: folder.path + "/bundle", files: [library])
            }
            switch outcome {
            case .success(let packed): #expect(code == nil && packed.id == "test.plain")
            case .failure(let refusal): #expect(refusal.code == code)
            }
        }
    }

    @Test func sendsAPluginWithCodeToItsLibrary() throws {
        let folder = TemporaryFolder()
        try folder.write(
            #"{"manifest": 1, "id": "a.b", "namespace": "t", "name": "N", "version": "1.0.0", "summary": "S", "abi": {"major": 1, "minor": 0}, "tools": []}"#,
            to: "plugin.json")
        do throws(PluginRefusal) {
            _ = try BundlePacker.pack(manifest: folder.path, into: folder.path + "/bundle")
            Issue.record("packed")
        } catch {
            #expect(error.reason.contains("no foreign section"))
        }
    }
}
