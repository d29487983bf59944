import Foundation
import Testing

@testable import TandemPluginHost

@Suite(.timeLimit(.minutes(8)))
struct ELFImageTests {
    private func library(_ fixture: String) async throws -> [UInt8] {
        let path = try await FixtureLibrary.compile(fixture, FixtureLibrary.names("test.elf", "elf"))
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test func readsWhatALibraryExportsAndNeeds() async throws {
        let image = try ELFImage(try await library("echo"))
        #expect(image.hasEntry)
        #expect(image.exported == ["tandem_plugin_entry"])
        #expect(image.needed.contains { $0.hasPrefix("libc.so") })
        #expect(!image.hasSwiftMetadata)
        #expect(image.sections.contains(".dynsym"))
    }

    @Test func survivesAnyDamage() async throws {
        // Each byte of the headers changed, and many of the rest: an error or an image, never a trap.
        let library = try await library("echo")
        var random = SystemRandomNumberGenerator()
        for round in 0..<4000 {
            var damaged = library
            let index = round < 1024 ? round : Int.random(in: 0..<library.count, using: &random)
            for offset in 0..<(round % 3 + 1) where index + offset < damaged.count {
                damaged[index + offset] = UInt8.random(in: 0...255, using: &random)
            }
            if round % 7 == 0 { damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random)) }
            _ = try? ELFImage(damaged)
        }
    }

    @Test func survivesHugeOffsets() async throws {
        let library = try await library("echo")
        for offset in stride(from: 0, to: min(library.count - 8, 1200), by: 8) {
            for value in [UInt64.max, UInt64(Int64.max), 1 << 40, 1 << 32, 0] {
                var damaged = library
                withUnsafeBytes(of: value.littleEndian) { bytes in
                    for (index, byte) in bytes.enumerated() { damaged[offset + index] = byte }
                }
                _ = try? ELFImage(damaged)
            }
        }
    }
}
