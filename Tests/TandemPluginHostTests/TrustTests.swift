import Foundation
import TandemCore
import TandemJSON
import Testing

@testable import TandemPluginHost

/// Keys, signatures and rotations by themselves.
@Suite
struct SigningTests {
    static let now = Timestamp(millisecondsSinceEpoch: 1_790_000_000_000)

    @Test(arguments: [0, 1, 2, 3, 31, 32, 33, 64])
    func encodesBase64BothWays(count: Int) {
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255) }
        let text = Base64.text(bytes)
        #expect(text == Data(bytes).base64EncodedString())
        #expect(Base64.bytes(text, count: count) == bytes)
        #expect(Base64.bytes(text, count: count + 3) == nil)
    }

    @Test(arguments: ["AA=", "AAA", "AB==", "A===", "AA==\n", "AA -", "====", "A=AA", "QQ"])
    func refusesOtherBase64(text: String) {
        #expect(Base64.bytes(text, count: 1) == nil)
    }

    @Test func verifiesTheVectorsOfTheStandard() throws {
        // RFC 8032, section 7.1, TEST 2.
        let key = try #require(
            VerifyingKey(bytes: hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")))
        let signature = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
        #expect(key.isValid(signature, for: [0x72]))
        #expect(!key.isValid(signature, for: [0x73]))
        #expect(!key.isValid(Array(signature.dropLast()), for: [0x72]))
        #expect(!key.isValid([], for: []))
    }

    private func hex(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// The points of small order in every encoding, with either sign: under them a signature of nothing holds.
    @Test(arguments: [
        "00" + String(repeating: "00", count: 31), "01" + String(repeating: "00", count: 31),
        "ec" + String(repeating: "ff", count: 30) + "7f", "ed" + String(repeating: "ff", count: 30) + "7f",
        "ee" + String(repeating: "ff", count: 30) + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ])
    func refusesKeysUnderWhichAnybodyCanSign(text: String) {
        let digits = Array(text)
        var bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 }
        #expect(bytes.count == 32)
        #expect(VerifyingKey(bytes: bytes) == nil)
        bytes[31] |= 0x80
        #expect(VerifyingKey(bytes: bytes) == nil)
        bytes[15] ^= 1
        #expect(VerifyingKey(bytes: bytes) != nil)
    }

    @Test func signsExactlyTheseBytesAtThisTime() throws {
        let key = SigningKey(name: "a", created: Self.now)
        let other = SigningKey(name: "b", created: Self.now)
        let manifest = Array("{\"manifest\":1}\n".utf8)
        let signature = try #require(ManifestSignature(of: manifest, with: key, at: Self.now))
        #expect(try ManifestSignature(reading: signature.text) == signature)
        #expect(signature.isValid(for: manifest, by: key.verifying))
        #expect(!signature.isValid(for: manifest + [0x20], by: key.verifying))
        #expect(!signature.isValid(for: manifest, by: other.verifying))
        var later = signature
        later.time = Self.now.advanced(by: .seconds(1))
        #expect(!later.isValid(for: manifest, by: key.verifying))
        var posed = signature
        posed.key = other.id
        #expect(!posed.isValid(for: manifest, by: other.verifying))
    }

    @Test func leadsFromATrustedKeyOverItsSuccessors() throws {
        let first = SigningKey(name: "a", created: Self.now)
        let second = try #require(first.successor(at: Self.now))
        let third = try #require(second.successor(at: Self.now))
        let stranger = try #require(SigningKey(name: "x", created: Self.now).successor(at: Self.now))
        #expect(third.rotations.count == 2)
        #expect(
            KeyRotation.path(from: first.verifying, to: third.id, over: third.rotations)?.map(\.id)
                == [first.id, second.id, third.id])
        #expect(KeyRotation.path(from: second.verifying, to: third.id, over: third.rotations)?.count == 2)
        #expect(KeyRotation.path(from: third.verifying, to: third.id, over: [])?.count == 1)
        #expect(KeyRotation.path(from: third.verifying, to: first.id, over: third.rotations) == nil)
        #expect(KeyRotation.path(from: first.verifying, to: third.id, over: Array(third.rotations.dropFirst())) == nil)
        #expect(KeyRotation.path(from: first.verifying, to: stranger.id, over: stranger.rotations) == nil)
        // A statement that somebody else signed in the old key's name.
        var forged = try #require(stranger.rotations.first)
        forged.old = first.id
        #expect(KeyRotation.path(from: first.verifying, to: stranger.id, over: [forged]) == nil)
    }

    @Test func keepsKeysForTheirOwnerOnly() throws {
        let folder = TemporaryFolder("keys")
        let keys = KeyFolder(path: folder.path + "/keys")
        let key = try keys.make("mine", at: Self.now)
        var status = stat()
        #expect(stat(folder.path + "/keys/mine.key", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(stat(folder.path + "/keys", &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(try keys.key("mine").id == key.id)
        #expect(try keys.key(nil).id == key.id)
        #expect(keys.publicKeys().map(\.key) == [key.verifying])
        let shared = String(decoding: try folder.read("keys/mine.pub"), as: UTF8.self)
        #expect(!shared.contains("private"))
        #expect(throws: KeyFolder.Failure.self) { try keys.make("mine", at: Self.now) }
        for name in ["", "../x", "a/b", ".a", "A", "a b", String(repeating: "a", count: 41)] {
            #expect(throws: KeyFolder.Failure.self) { try keys.make(name, at: Self.now) }
            #expect(throws: KeyFolder.Failure.self) { try keys.key(name) }
        }
        chmod(folder.path + "/keys/mine.key", 0o644)
        #expect(throws: KeyFolder.Failure.self) { try keys.key("mine") }
    }

    @Test func rotatesAndKeepsTheOldKey() throws {
        let folder = TemporaryFolder("keys")
        let keys = KeyFolder(path: folder.path)
        let first = try keys.make("mine", at: Self.now)
        let (old, new) = try keys.rotate("mine", at: Self.now)
        #expect(old.id == first.id && new.id != first.id)
        #expect(try keys.key("mine").id == new.id)
        #expect(try keys.key("mine").rotations.map(\.old) == [first.id])
        let kept = folder.path + "/mine.key." + first.id.dropFirst(8)
        var status = stat()
        #expect(stat(kept, &status) == 0 && status.st_mode & 0o777 == 0o600)
        for _ in 1..<KeyRotation.maxChain { _ = try keys.rotate("mine", at: Self.now) }
        #expect(throws: KeyFolder.Failure.self) { try keys.rotate("mine", at: Self.now) }
    }

    @Test(arguments: [
        ("1.0.0", "2.0.0", true), ("1.9.0", "1.10.0", true), ("1.0.0-alpha", "1.0.0", true), ("1.0.0", "1.0.0", false),
        ("1.0.0-alpha", "1.0.0-alpha.1", true), ("1.0.0-alpha.1", "1.0.0-alpha.beta", true),
        ("1.0.0-beta.2", "1.0.0-beta.11", true), ("1.0.0-rc.1", "1.0.0", true), ("1.0.1", "1.0.0-rc.1", false),
        ("1.0.0+a", "1.0.0+b", false), ("1.0.0-9", "1.0.0-a", true), ("10.0.0", "9.0.0", false),
    ])
    func ordersVersions(left: String, right: String, isEarlier: Bool) {
        #expect(VersionOrder.precedes(left, right) == isEarlier)
    }
}

/// `trust.json`, `manifest.sig` and `revocations.json` as documents.
@Suite
struct TrustDocumentTests {
    private static let key = SigningKey(name: "a", created: SigningTests.now)

    private func document(_ edit: (inout JSONObject) -> Void) -> [UInt8] {
        guard
            case .object(var entry) = TrustedKey(Self.key.verifying, name: "Somebody", tier: .verified).json
        else { return [] }
        edit(&entry)
        let document: JSON = ["version": 1, "keys": [.object(entry)]]
        return Array(document.pretty().utf8)
    }

    @Test func readsWhatItWrites() throws {
        var store = TrustStore()
        store.trust(TrustedKey(Self.key.verifying, name: "A", tier: .operator, plugins: ["org.a.*"]))
        store.trust(TrustedKey(Self.key.verifying, name: "B", tier: .verified, signsRevocations: true))
        #expect(store.keys.map(\.name) == ["B"])
        #expect(try TrustStore(reading: store.text) == store)
    }

    @Test(
        arguments: [
            ("tier", JSON.string("first-party"), "must be one of verified, operator, developer", 8),
            ("id", "ed25519:00000000000000000000000000000000", "is not the id of this key", 5),
            ("id", "x", "must look like ed25519:0123...", 5),
            ("public", "AAAA", "must be the 32 bytes of an Ed25519 public key in Base64", 6),
            ("name", "", "must be one line of 1 to 80 characters", 7),
            ("plugins", ["*.x"], "must be a plugin's id, or the beginning of one and *", 10),
            ("plugins", ["org.example*"], "must be a plugin's id, or the beginning of one and *", 10),
            ("revocations", "yes", "must be true or false", 9),
            ("teir", "verified", "unknown member", 9),
        ] as [(String, JSON, String, Int)])
    func refusesWrongTrustFile(member: String, value: JSON, message: String, line: Int) throws {
        let error = #expect(throws: DocumentError.self) {
            try TrustStore(reading: document { $0[member] = value })
        }
        let problem = try #require(error?.problems.first)
        #expect(problem.message == message)
        #expect(problem.line == line, "\(problem)")
        #expect(problem.pointer.hasPrefix("/keys/0/\(member)"))
    }

    @Test func limitsAKeyToItsPlugins() {
        let key = TrustedKey(Self.key.verifying, name: "A", tier: .verified, plugins: ["org.a.*", "com.b.c"])
        #expect(key.maySign(plugin: "org.a.x") && key.maySign(plugin: "com.b.c"))
        #expect(!key.maySign(plugin: "org.ab.x") && !key.maySign(plugin: "com.b.cd") && !key.maySign(plugin: "org.a"))
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"version":2}"#,
        #"{"version":1,"algorithm":"rsa","key":"x","time":"now","signature":"","seal":""}"#,
    ])
    func refusesWrongSignatureFile(text: String) {
        #expect(throws: DocumentError.self) { try ManifestSignature(reading: Array(text.utf8)) }
        #expect(throws: DocumentError.self) { try SignedRevocations(reading: Array(text.utf8)) }
    }

    @Test func readsTheRevocationListThatWasSigned() throws {
        let list = RevocationList(
            sequence: 3, issued: SigningTests.now, expires: SigningTests.now.advanced(by: .seconds(60)),
            keys: [.init(id: Self.key.id, reason: "lost")],
            plugins: [.init(id: "org.a.b", versions: ["1.0.0"], before: "0.9.0", reason: "leaks")],
            manifests: [.init(checksum: "sha256:" + String(repeating: "a", count: 64), reason: "bad")])
        let signed = try #require(SignedRevocations(list, signedWith: Self.key))
        let read = try SignedRevocations(reading: signed.text)
        #expect(read.list == list)
        #expect(read.isSigned(by: Self.key.verifying))
        let text = String(decoding: signed.text, as: UTF8.self)
        for (old, new) in [("lost", "list"), ("\"sequence\": 3", "\"sequence\": 4"), ("0.9.0", "0.8.0")] {
            let changed = try SignedRevocations(reading: Array(text.replacing(old, with: new).utf8))
            #expect(!changed.isSigned(by: Self.key.verifying), "\(old)")
        }
        #expect(list.reason(manifest: "", plugin: "org.a.b", version: "1.0.0+x", keys: []) != nil)
        #expect(list.reason(manifest: "", plugin: "org.a.b", version: "0.8.9", keys: []) != nil)
        #expect(list.reason(manifest: "", plugin: "org.a.b", version: "1.0.1", keys: []) == nil)
        #expect(list.reason(manifest: "", plugin: "org.a.bc", version: "1.0.0", keys: []) == nil)
    }

    @Test(arguments: [
        #""sequence":0,"issued":"2026-01-01T00:00:00.000Z","expires":"2026-02-01T00:00:00.000Z""#,
        #""sequence":1,"issued":"2026-03-01T00:00:00.000Z","expires":"2026-02-01T00:00:00.000Z""#,
        #""sequence":1,"issued":"yesterday","expires":"2026-02-01T00:00:00.000Z""#,
        #""sequence":1,"issued":"2026-01-01T00:00:00.000Z","expires":"2026-02-01T00:00:00.000Z","more":1"#,
        #""sequence":1,"issued":"2026-01-01T00:00:00.000Z","expires":"2026-02-01T00:00:00.000Z","keys":[{"id":"x","reason":"y"}]"#,
    ])
    func refusesWrongLists(members: String) {
        let signature = Base64.text([UInt8](repeating: 0, count: 64))
        let text = #"{"version":1,"list":{\#(members)},"key":"\#(Self.key.id)","signature":"\#(signature)"}"#
        #expect(throws: DocumentError.self) { try SignedRevocations(reading: Array(text.utf8)) }
    }
}

/// Bundles of every tier before a host: who is taken and who is refused, and why.
@Suite(.timeLimit(.minutes(8)))
struct TrustTests {
    /// A host with one bundle `test.tides` of a tier, a good plugin beside it, and keys.
    struct Setting {
        let test: TestHost
        let verified = SigningKey(name: "verified", created: SigningTests.now)
        let own = SigningKey(name: "own", created: SigningTests.now)
        let author = SigningKey(name: "author", created: SigningTests.now)

        init(tier: String, pins: Bool = false) async throws {
            test = try TestHost()
            let packed = try await test.pack("tides", "echo")
            try await test.pack("good", "echo")
            try test.register(["tides", "good"]) { name, entry in
                guard name == "tides" else { return }
                entry["trust"] = .string(tier)
                entry["isolation"] = "runner"
                entry["default"] = "offered"
                if pins { entry["pins"] = [PluginHostConfiguration.ownPlatform: .string(packed.checksum)] }
            }
            try trust(
                TrustedKey(verified.verifying, name: "The publisher", tier: .verified, signsRevocations: true),
                TrustedKey(own.verifying, name: "The operator", tier: .operator),
                TrustedKey(author.verifying, name: "An author", tier: .developer, plugins: ["test.*"]))
        }

        var bundle: String { test.bundles + "/tides" }

        func trust(_ keys: TrustedKey...) throws {
            try test.folder.write(TrustStore(keys: keys).text, to: "trust.json")
        }

        @discardableResult
        func sign(_ key: SigningKey) throws -> ManifestSignature {
            try BundleSigner.sign(bundle: bundle, with: key, at: SigningTests.now)
        }

        /// Why the bundle is refused; nil when its trust is in order. The good plugin must answer all the same.
        func refusal() async throws -> PluginRefusal? {
            test.host.statuses().isEmpty ? await test.host.start() : await test.host.reload()
            #expect(await test.call("good.run", ["value": 1]).result != nil)
            for status in test.host.statuses() where status.id == "test.good" { #expect(status.refusal?.reason == nil) }
            let refusal = try test.status("test.tides").refusal
            return refusal?.code == .needsRunner ? nil : refusal
        }

        func revoke(_ list: RevocationList, by key: SigningKey? = nil) throws {
            let signed = try #require(SignedRevocations(list, signedWith: key ?? verified))
            try signed.save(to: test.folder.path + "/revocations.json")
        }

        func list(_ sequence: Int64, expires: Duration = .seconds(90 * 86_400)) -> RevocationList {
            RevocationList(
                sequence: sequence, issued: SigningTests.now, expires: SigningTests.now.advanced(by: expires))
        }
    }

    @Test(arguments: ["verified", "operator", "developer"])
    func takesABundleThatItsTierSigned(tier: String) async throws {
        let setting = try await Setting(tier: tier)
        let key = ["verified": setting.verified, "operator": setting.own, "developer": setting.author][tier]
        try setting.sign(try #require(key))
        #expect(try await setting.refusal() == nil)
        let verified = try BundleSigner.verify(
            bundle: setting.bundle, paths: TestHost.trust(in: setting.test.folder.path))
        #expect(verified.signature?.key == key?.id)
        #expect(verified.signature?.tier.rawValue == tier)
        #expect(verified.reason == nil)
    }

    @Test(arguments: ["verified", "operator"])
    func refusesWhatNobodySigned(tier: String) async throws {
        // A pin of the registry says which bytes, not who answers for them.
        for pins in [false, true] {
            let refusal = try await Setting(tier: tier, pins: pins).refusal()
            #expect(refusal?.code == .notSigned)
            #expect(refusal?.reason == "it has no signature, which a plugin of the tier \(tier) must have")
        }
    }

    @Test func takesADevelopersBundleByLocalKeyPinOrOwnBuild() async throws {
        let setting = try await Setting(tier: "developer")
        #expect(try await setting.refusal() == nil)
        let local = try KeyFolder(path: setting.test.folder.path + "/keys").make("local", at: SigningTests.now)
        try setting.sign(local)
        #expect(try await setting.refusal() == nil)
        #expect(try await Setting(tier: "developer", pins: true).refusal() == nil)
        // Elsewhere than in the build's folder, and neither signed nor pinned.
        let test = setting.test
        unlink(setting.bundle + "/manifest.sig")
        let host = PluginHost(
            configuration: PluginHostConfiguration(
                registryPath: test.folder.path + "/registry.json", searchPaths: [test.bundles]),
            services: HostServices(rows: RecordingRows()), grants: MemoryGrantStore())
        await host.start()
        #expect(host.statuses().first?.refusal?.code == .notSigned)
    }

    @Test func refusesAKeyOfAnotherTier() async throws {
        for (tier, key) in [("verified", \Setting.own), ("operator", \.verified), ("verified", \.author)] {
            let setting = try await Setting(tier: tier)
            try setting.sign(setting[keyPath: key])
            #expect(try await setting.refusal()?.code == .untrustedKey)
        }
        // Less than its key could vouch for is always allowed.
        let setting = try await Setting(tier: "developer")
        try setting.sign(setting.verified)
        #expect(try await setting.refusal() == nil)
    }

    @Test func refusesAStrangersKeyAndAKeyForOtherPlugins() async throws {
        let setting = try await Setting(tier: "verified")
        let stranger = SigningKey(name: "stranger", created: SigningTests.now)
        try setting.sign(stranger)
        var refusal = try await setting.refusal()
        #expect(refusal?.code == .untrustedKey)
        #expect(refusal?.reason == "it is signed by \(stranger.id), which this host does not trust")
        try setting.trust(TrustedKey(stranger.verifying, name: "S", tier: .verified, plugins: ["org.other.*"]))
        refusal = try await setting.refusal()
        #expect(refusal?.reason == "it is signed by S, which may not sign test.tides")
        try setting.trust(TrustedKey(stranger.verifying, name: "S", tier: .verified, plugins: ["test.tides"]))
        #expect(try await setting.refusal() == nil)
        unlink(setting.test.folder.path + "/trust.json")
        #expect(try await setting.refusal()?.code == .untrustedKey)
    }

    @Test func refusesAManifestThatWasChangedAfterSigning() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        let text = String(decoding: try setting.test.folder.read("plugins/tides/plugin.json"), as: UTF8.self)
        try setting.test.folder.write(
            text.replacing("A fixture.", with: "A Fixture."), to: "plugins/tides/plugin.json")
        #expect(try await setting.refusal()?.code == .wrongSignature)
    }

    @Test func refusesALibraryThatWasChangedAfterSigning() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        let name = try #require(try library(of: setting))
        var bytes = try setting.test.folder.read("plugins/tides/\(name)")
        bytes[bytes.count - 1] ^= 1
        try setting.test.folder.write(bytes, to: "plugins/tides/\(name)")
        #expect(try await setting.refusal()?.code == .wrongChecksum)
    }

    private func library(of setting: Setting) throws -> String? {
        try JSON(parsing: try setting.test.folder.read("plugins/tides/plugin.json"))["library"]?.stringValue
    }

    @Test func refusesASignatureOfAnotherBundle() async throws {
        let setting = try await Setting(tier: "verified")
        let signature = try BundleSigner.sign(
            bundle: setting.test.bundles + "/good", with: setting.verified, at: SigningTests.now)
        try setting.test.folder.write(signature.text, to: "plugins/tides/manifest.sig")
        #expect(try await setting.refusal()?.code == .wrongSignature)
    }

    @Test(arguments: ["", "{}", "\u{0}", "large"])
    func refusesABrokenSignatureFile(what: String) async throws {
        let text = what == "large" ? String(repeating: " ", count: 70_000) : what
        let setting = try await Setting(tier: "verified")
        try setting.test.folder.write(text, to: "plugins/tides/manifest.sig")
        let code = try await setting.refusal()?.code
        #expect(code == (text.count > 60_000 ? .unsafeFile : .wrongSignature))
    }

    @Test(arguments: ["extra.txt", "manifest.sig.old", ".hidden", "sub", "plugin.json.bak"])
    func refusesAnUnlistedFileInASignedBundle(name: String) async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        if name == "sub" {
            mkdir(setting.bundle + "/sub", 0o755)
        } else {
            try setting.test.folder.write("x", to: "plugins/tides/\(name)")
        }
        let refusal = try await setting.refusal()
        #expect(refusal?.code == .unsafeFile)
        #expect(refusal?.reason == "\(name) lies in the bundle but not in the manifest's list of files")
        #expect(throws: PluginRefusal.self) {
            try BundleSigner.sign(bundle: setting.bundle, with: setting.verified, at: SigningTests.now)
        }
    }

    @Test(arguments: ["../outside.so", "sub/x.so", "manifest.sig", "plugin.json", "/etc/passwd", "..", ""])
    func refusesAManifestThatListsOtherPlaces(name: String) async throws {
        let setting = try await Setting(tier: "verified")
        let text = try setting.test.folder.read("plugins/tides/plugin.json")
        guard case .object(var document) = try JSON(parsing: text),
            case .object(var files)? = document["files"]
        else { return }
        files[name] = .string(Checksum.of([]))
        document["files"] = .object(files)
        try setting.test.folder.write(JSON.object(document).pretty(), to: "plugins/tides/plugin.json")
        #expect(try await setting.refusal()?.code == .invalidManifest)
    }

    @Test func refusesLinksOnTheWayToABundleAndInIt() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        let bundle = setting.bundle
        rename(bundle, setting.test.folder.path + "/elsewhere")
        symlink(setting.test.folder.path + "/elsewhere", bundle)
        #expect(try await setting.refusal()?.code == .unsafeFile)
        unlink(bundle)
        rename(setting.test.folder.path + "/elsewhere", bundle)
        #expect(try await setting.refusal() == nil)
        rename(bundle + "/manifest.sig", setting.test.folder.path + "/elsewhere.sig")
        symlink(setting.test.folder.path + "/elsewhere.sig", bundle + "/manifest.sig")
        #expect(try await setting.refusal()?.code == .unsafeFile)
    }

    @Test func loadsTheBytesThatItHashed() async throws {
        let setting = try await Setting(tier: "developer")
        let bundle = try Bundle(at: "tides", in: setting.test.bundles)
        let name = try #require(try library(of: setting))
        let hashed = bundle.library
        // Swapped after the check, before anything is mapped.
        let evil = try await FixtureLibrary.compile("other_manifest", FixtureLibrary.names("test.tides", "tides"))
        let other = Array(try Data(contentsOf: URL(fileURLWithPath: evil)))
        try setting.test.folder.write(other, to: "plugins/tides/\(name)")
        #expect(bundle.library == hashed)
        #expect(bundle.libraryChecksum == Checksum.of(hashed))
        // Without the symbols for debuggers, which come after all that is loaded.
        let size = try #require(bundle.image).loadedSize
        #expect(size > 0 && size < bundle.library.count)
        let image = try LoadedImage.load(bundle.library, size: size, checksum: bundle.libraryChecksum)
        let manifest = String(decoding: try image.outcome.get().manifest, as: UTF8.self)
        #expect(manifest.contains(#""title":"Run","#))
        #expect(try await setting.refusal()?.code == .wrongChecksum)
    }

    @Test func trustsWhatATrustedKeyHandedOverTo() async throws {
        let setting = try await Setting(tier: "verified")
        let next = try #require(setting.verified.successor(at: SigningTests.now))
        let last = try #require(next.successor(at: SigningTests.now))
        try setting.sign(last)
        #expect(try await setting.refusal() == nil)
        // Whoever revokes the key that was lost revokes what it handed over to.
        var list = setting.list(1)
        list.keys = [.init(id: next.id, reason: "stolen")]
        try setting.revoke(list)
        let refusal = try await setting.refusal()
        #expect(refusal?.code == .revoked)
        #expect(refusal?.reason == "the key \(next.id) was revoked: stolen")
        // Unless the operator trusts the new key by itself.
        try setting.trust(
            TrustedKey(setting.verified.verifying, name: "Old", tier: .verified, signsRevocations: true),
            TrustedKey(last.verifying, name: "New", tier: .verified))
        #expect(try await setting.refusal() == nil)
    }

    @Test func keepsTheLastGoodTrustFile() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        #expect(try await setting.refusal() == nil)
        try setting.test.folder.write("{\"version\":1,\n \"keys\":3}", to: "trust.json")
        #expect(try await setting.refusal() == nil)
        #expect(setting.test.host.trustWarnings.first?.contains("trust.json:2:9 /keys: must be an array") == true)
        try setting.trust()
        #expect(try await setting.refusal()?.code == .untrustedKey)
        #expect(setting.test.host.trustWarnings.isEmpty)
    }

    // MARK: Revocation

    @Test(arguments: ["key", "version", "before", "all", "manifest"])
    func refusesWhatWasRevoked(what: String) async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        #expect(try await setting.refusal() == nil)
        var list = setting.list(1)
        switch what {
        case "key": list.keys = [.init(id: setting.verified.id, reason: "lost")]
        case "version": list.plugins = [.init(id: "test.tides", versions: ["1.0.0"], reason: "lost")]
        case "before": list.plugins = [.init(id: "test.tides", before: "1.0.1", reason: "lost")]
        case "all": list.plugins = [.init(id: "test.tides", reason: "lost")]
        default:
            let text = try setting.test.folder.read("plugins/tides/plugin.json")
            list.manifests = [.init(checksum: Checksum.of(text), reason: "lost")]
        }
        try setting.revoke(list)
        let refusal = try await setting.refusal()
        #expect(refusal?.code == .revoked)
        #expect(refusal?.reason.hasSuffix("was revoked: lost") == true)
        #expect(throws: PluginRefusal.self) {
            try BundleSigner.verify(bundle: setting.bundle, paths: TestHost.trust(in: setting.test.folder.path))
        }
        #expect(setting.test.host.revocationSequence == 1)
    }

    @Test func switchesARevokedPluginOffWhileItRuns() async throws {
        let setting = try await Setting(tier: "developer")
        let test = setting.test
        try await test.withRunningHost { _ in
            #expect(await test.call("good.run", ["value": 1]).result != nil)
            var list = setting.list(1)
            list.plugins = [.init(id: "test.good", reason: "it leaks")]
            try setting.revoke(list)
            #expect(await eventually { test.refusal("test.good")?.code == .revoked })
            #expect(test.refusal("test.good")?.reason == "test.good 1.0.0 was revoked: it leaks")
            #expect(await test.call("good.run", ["value": 1]).error?.code == "unknown_tool")
            // A newer list that no longer names it takes it back.
            try setting.revoke(setting.list(2))
            #expect(await eventually { await test.call("good.run", ["value": 1]).result != nil })
            // Nor does a registry that cannot be read keep it alive.
            try test.folder.write("{", to: "registry.json")
            #expect(await eventually { test.host.registryProblem != nil })
            #expect(await test.call("good.run", ["value": 1]).result != nil)
            list.sequence = 3
            try setting.revoke(list)
            #expect(await eventually { test.refusal("test.good")?.code == .revoked })
        }
    }

    @Test func refusesAnOlderListAndAnotherOfTheSameNumber() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        var list = setting.list(5)
        list.plugins = [.init(id: "test.tides", reason: "lost")]
        try setting.revoke(list)
        #expect(try await setting.refusal()?.code == .revoked)
        for (sequence, text) in [
            (Int64(4), "revocations.json is an older list, 4; 5 stays in force"),
            (5, "revocations.json is another list with the number 5, which is in force"),
        ] {
            try setting.revoke(setting.list(sequence))
            #expect(try await setting.refusal()?.code == .revoked)
            #expect(setting.test.host.trustWarnings == [text])
        }
        unlink(setting.test.folder.path + "/revocations.json")
        #expect(try await setting.refusal()?.code == .revoked)
        #expect(
            setting.test.host.trustWarnings == ["revocations.json is gone; the last list, 5, stays in force"])
        // Nor does a restart forget.
        let other = PluginHost(
            configuration: setting.test.host.configuration, services: setting.test.host.services,
            grants: MemoryGrantStore())
        try setting.revoke(setting.list(4))
        await other.start()
        #expect(other.statuses().first?.refusal?.code == .revoked)
        #expect(other.revocationSequence == 5)
        try setting.revoke(setting.list(6))
        #expect(try await setting.refusal() == nil)
    }

    @Test func refusesAListThatNobodyMaySign() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        var list = setting.list(1)
        list.plugins = [.init(id: "test.tides", reason: "lost")]
        for key in [setting.own, SigningKey(name: "x", created: SigningTests.now)] {
            try setting.revoke(list, by: key)
            #expect(try await setting.refusal() == nil)
            #expect(setting.test.host.trustWarnings.count == 1)
        }
        // Signed by the right key, then changed.
        try setting.revoke(setting.list(1))
        let text = String(decoding: try setting.test.folder.read("revocations.json"), as: UTF8.self)
        try setting.test.folder.write(
            text.replacing(#""sequence": 1"#, with: #""sequence": 9"#), to: "revocations.json")
        #expect(try await setting.refusal() == nil)
        #expect(setting.test.host.trustWarnings.first?.contains("was changed after it was signed") == true)
        try setting.test.folder.write("{", to: "revocations.json")
        #expect(try await setting.refusal() == nil)
        #expect(setting.test.host.revocationSequence == nil)
    }

    @Test func warnsOfAListThatExpiresAndKeepsItInForce() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        var list = setting.list(1, expires: .seconds(3 * 86_400))
        list.plugins = [.init(id: "test.tides", reason: "lost")]
        try setting.revoke(list)
        #expect(try await setting.refusal()?.code == .revoked)
        #expect(setting.test.host.trustWarnings.first?.hasPrefix("the revocation list 1 expires on ") == true)
        setting.test.clock.advance(by: .seconds(4 * 86_400))
        #expect(try await setting.refusal()?.code == .revoked)
        #expect(setting.test.host.trustWarnings.first?.hasPrefix("the revocation list 1 expired on ") == true)
    }

    @Test func trustsNoStrangerWhenItsRecordOfRevocationsIsDamaged() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        try setting.test.folder.write("garbage", to: "revocations.accepted.json")
        #expect(try await setting.refusal()?.code == .untrustedKey)
        #expect(setting.test.host.trustWarnings.first?.contains("only first-party plugins are loaded") == true)
        unlink(setting.test.folder.path + "/revocations.accepted.json")
        #expect(try await setting.refusal() == nil)
    }

    @Test func forgetsASignatureWhenABundleIsPackedAnew() async throws {
        let setting = try await Setting(tier: "verified")
        try setting.sign(setting.verified)
        try await setting.test.pack("tides", "echo")
        #expect(try await setting.refusal()?.code == .notSigned)
    }
}
