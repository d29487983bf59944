import TandemAgent
import TandemCore
import TandemJSON
import TandemMemory
import TandemPluginHost
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// The one search over memories, notes, messages and rows of plugins, in the whole program.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct SearchEverywhereTests {
    private func found(_ question: String, _ household: Household, of scope: UserScope? = nil) async throws
        -> [FoundText]
    {
        try await household.application.memory.search.find(question, limit: 8, in: scope ?? household.ann)
    }

    @Test func findsWhereverItIs() async throws {
        try await Household.run { (household) async throws in
            try await household.say("remember that the quinoa shop opens at nine")
            try await household.say("note: quinoa salad needs lemon")
            try await household.say("add quinoa to my grocery list")
            let hits = try await found("quinoa", household)
            #expect(Set(hits.map(\.kind)).isSuperset(of: ["memory", "note", "plugin"]))
            #expect(hits.first { $0.kind == "plugin" }?.owner == "Grocery list")
            #expect(hits.allSatisfy { $0.trust <= .system })
            #expect(try await found("quinoa", household, of: household.bob).isEmpty)
            // In words, over REST, and as a part of what is known.
            let answer = try await household.say("search everything for quinoa")
            #expect(answer.calls.map(\.tool) == ["memory.search"])
            #expect(answer.text.hasPrefix("Found "))
            let known = try await household.say("what do you know about quinoa")
            #expect(known.text.contains("the quinoa shop opens at nine"))
            // What is taken back is gone at once; what is off is not searched.
            try await household.say("undo")
            #expect(try await found("quinoa", household).contains { $0.kind == "plugin" } == false)
        }
    }

    @Test func messagesAreFoundButNoQuestions() async throws {
        try await Household.run { (household) async throws in
            try await household.say("the plumber Zebulon comes on friday, I think, or maybe not")
            try await household.say("what did I say about Zebulon?")
            let hits = try await found("Zebulon", household).filter { $0.kind == "message" && !$0.text.contains("\"") }
            #expect(hits.contains { $0.text.hasPrefix("the plumber Zebulon") })
            #expect(!hits.contains { $0.text.hasSuffix("?") })
        }
    }

    @Test func valuesOfPluginsKeepTheirLabels() async throws {
        try await Household.run { (household) async throws in
            let values = StoredValues(database: household.application.database)
            let place = PluginPlace(plugin: "acme.box", scope: household.ann)
            let quota = PluginQuota.standard
            let outer = CallProvenance(trust: .untrusted)
            try await CallProvenance.$current.withValue(outer) {
                _ = try await values.set(
                    Array("Eve wrote this".utf8), for: "mail", expected: nil, lifetimeMilliseconds: 0, quota: quota,
                    in: place)
            }
            let own = CallProvenance(trust: .owner)
            try await CallProvenance.$current.withValue(own) {
                _ = try await values.set(
                    Array("mine".utf8), for: "own", expected: nil, lifetimeMilliseconds: 0, quota: quota, in: place)
                _ = try await values.value(of: "own", in: place)
            }
            #expect(own.written == .owner)
            try await CallProvenance.$current.withValue(own) {
                _ = try await values.value(of: "mail", in: place)
                // What is made of it has its label, too.
                _ = try await values.set(
                    Array("copied".utf8), for: "copy", expected: nil, lifetimeMilliseconds: 0, quota: quota, in: place)
            }
            #expect(own.written == .untrusted)
            let reader = CallProvenance(trust: .owner)
            _ = try await CallProvenance.$current.withValue(reader) { try await values.value(of: "copy", in: place) }
            #expect(reader.written == .untrusted)
            let lister = CallProvenance(trust: .owner)
            _ = try await CallProvenance.$current.withValue(lister) {
                try await values.keys(prefix: "m", after: "", limit: 10, in: place)
            }
            #expect(lister.labelled(ToolValue(value: [:], message: "mail")).trust == .untrusted)
        }
    }
}
