import Foundation
import Synchronization
import TandemAccounts
import TandemAgent
import TandemCore
import TandemJSON
import TandemPluginHost

/// The plugin host as the agent calls it: with the person's zone and currency at hand before the plugin asks for them.
struct LocatedPlugins: ToolProvider {
    let plugins: PluginHost
    let people: PersonDirectory
    let steps: ConnectionSteps
    let reader: SortingReader

    func tools(for scope: UserScope) async throws -> [ToolDefinition] { try await plugins.tools(for: scope) }

    func refusal(of arguments: JSON, tool: String) -> ToolFailure? { plugins.refusal(of: arguments, tool: tool) }

    func call(_ call: ToolCall, in scope: UserScope) async -> ToolOutcome {
        do {
            try await people.refresh(scope)
        } catch {
            return .failure(
                ToolFailure(
                    status: -62, code: "unavailable", message: "I cannot reach your settings just now. Try again soon.",
                    isRetryable: true))
        }
        var outcome = await plugins.call(call, in: scope)
        if case .inputRequired(let request) = outcome, SortingReader.isAsked(request) {
            var again = call
            var answers = call.answers?.objectValue ?? [:]
            answers[request.field] = await reader.answer(request, turn: call.origin.turn, scope: scope)
            again.answers = .object(answers)
            again.resumeState = request.resumeState
            outcome = await plugins.call(again, in: scope)
            // It has its answer: nobody is asked what only a reader can read.
            if case .inputRequired(let other) = outcome, SortingReader.isAsked(other) {
                return .failure(
                    ToolFailure(status: -99, code: "bad_outcome", message: "That did not work. Try it in other words."))
            }
        }
        let plugin = String(call.tool.prefix { $0 != "." })
        // The plugin knows that something is missing; where the person goes is ours to say.
        switch outcome {
        case .authRequired(let grant, let message):
            guard let step = try? await steps.next(of: plugin, grant: grant, in: scope) else { return outcome }
            return .authRequired(
                grant: grant,
                message: LocatedPlugins.joined("Connect \(step.service) first: \(step.link)", reason: message))
        case .failure:
            // The call that finds a connection lost may be ended by the pause of its own plugin.
            guard (try? await steps.isWaiting(plugin, in: scope)) == true,
                let step = try? await steps.next(of: plugin, grant: nil, in: scope)
            else { return outcome }
            return .authRequired(
                grant: step.grant,
                message: "\(step.service) has to be connected again first: \(step.link)\nNothing was done.")
        case .value, .inputRequired, .accepted: return outcome
        }
    }

    /// What the plugin gives as the reason, without its own sentences that something has to be connected: that was said.
    static func joined(_ step: String, reason: String) -> String {
        let asking: Set<Substring> = ["connect", "connected", "reconnect", "reconnected"]
        let sentences = reason.split(whereSeparator: \.isNewline).flatMap { line in
            line.split(separator: ". ").map { $0.hasSuffix(".") ? String($0) : $0 + "." }
        }
        let left = sentences.filter { sentence in
            asking.isDisjoint(with: sentence.lowercased().split { !$0.isLetter })
        }
        return ([step] + (left.isEmpty ? [] : [left.joined(separator: " ")])).joined(separator: "\n")
    }
}

/// Where people are and what they pay with, as last read; answers without waiting, from any thread.
final class PersonDirectory: Sendable {
    private struct Entry {
        var profile: UserProfile
        var context: PersonContext
    }

    private static let capacity = 20_000
    private let accounts: Accounts
    private let entries = Mutex<[UserScope: Entry]>([:])
    private let zones = Mutex<[String: TimeZone]>([:])

    init(accounts: Accounts) { self.accounts = accounts }

    /// Reads the person's settings again; costs nothing when they did not change.
    func refresh(_ scope: UserScope) async throws {
        let profile = try await accounts.profile(of: scope)
        if entries.withLock({ $0[scope]?.profile == profile }) { return }
        let zone = zone(named: profile.timeZone)
        let context = PersonContext(
            timeZone: profile.timeZone, currency: profile.currency, language: profile.language,
            utcOffsetSeconds: { milliseconds in
                Int32(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(milliseconds) / 1000)))
            })
        entries.withLock { entries in
            if entries.count >= PersonDirectory.capacity { entries.removeAll(keepingCapacity: true) }
            entries[scope] = Entry(profile: profile, context: context)
        }
    }

    /// As of the last `refresh`; UTC and euros for somebody who was never read.
    func context(of scope: UserScope) -> PersonContext {
        entries.withLock { $0[scope]?.context } ?? PersonContext()
    }

    private func zone(named name: String) -> TimeZone {
        zones.withLock { zones in
            if let zone = zones[name] { return zone }
            let zone = TimeZone(identifier: name) ?? .gmt
            zones[name] = zone
            return zone
        }
    }
}
