import Foundation
import OAuthSimulator
import TandemCore
import TandemEgress
import TandemJSON
import TestDatabases
import Testing

@testable import TandemOAuth

/// Every refusal of a token endpoint that the vendors' samples show: what the person is told, and whether it is tried again.
@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct GoldenRefusalTests {
    struct Known: Sendable, CustomTestStringConvertible {
        /// Below `../shared/contracts`.
        var sample: String
        var provider: String
        var body: JSON
        var status = 400

        var testDescription: String { sample }

        /// The vendor's sample where the contracts are at hand, otherwise the same words.
        func answer() throws -> OAuthSimulator.Fault {
            let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../../shared/contracts/\(sample).json").standardized
            guard let data = FileManager.default.contents(atPath: file.path) else {
                print("skipped: ../shared/contracts is not at hand; \(sample) is made up")
                return .answer(status, body)
            }
            let response = try #require(try JSON(parsing: data)["response"])
            #expect(response["status"] == .integer(Int64(status)))
            for (name, value) in body.objectValue ?? [:] { #expect(response["json"]?[name] == value) }
            return .answer(status, try #require(response["json"]))
        }

        var place: (grant: String, path: String, name: String) {
            switch provider {
            case "microsoft": ("mail", "/v1.0/me", "Microsoft")
            case "google": ("gmail", "/gmail/v1/users/me/profile", "Google")
            default: ("notes", "/v1/users/me", "Notion")
            }
        }
    }

    /// The grant is over.
    static let ended = [
        Known(
            sample: "google-oauth/samples/token-error-invalid-grant", provider: "google",
            body: ["error": "invalid_grant"]),
        Known(
            sample: "microsoft-graph/samples/oauth-error-revoked", provider: "microsoft",
            body: ["error": "invalid_grant"]),
        Known(
            sample: "microsoft-graph/samples/oauth-error-expired-refresh", provider: "microsoft",
            body: ["error": "invalid_grant"]),
        Known(
            sample: "microsoft-graph/samples/oauth-error-consent", provider: "microsoft",
            body: ["error": "invalid_grant", "suberror": "consent_required"]),
        Known(
            sample: "microsoft-graph/samples/oauth-error-interaction", provider: "microsoft",
            body: ["error": "interaction_required"]),
        Known(
            sample: "notion/samples/oauth-error-invalid-grant", provider: "notion", body: ["error": "invalid_grant"]),
    ]

    /// The program is not known there.
    static let unknown = [
        Known(
            sample: "google-oauth/samples/token-error-invalid-client", provider: "google",
            body: ["error": "invalid_client"], status: 401),
        Known(
            sample: "microsoft-graph/samples/oauth-error-client", provider: "microsoft",
            body: ["error": "invalid_client"], status: 401),
        Known(
            sample: "notion/samples/oauth-error-invalid-client", provider: "notion",
            body: ["error": "invalid_client"], status: 401),
    ]

    private func expire(_ world: OAuthWorld, _ known: Known) {
        world.clock.advance(by: .seconds(7200))
        if known.provider == "notion" { world.simulator.endAccess(at: .notion) }
    }

    @Test(arguments: ended)
    func thePersonIsAskedOnceToSignInAgainAndNothingIsTriedAgain(_ known: Known) async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let (grant, path, name) = known.place
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect(known.provider, world.ada)
            expire(world, known)
            let answer = try known.answer()
            // Another one would be given, too.
            world.simulator.fail(.token, answer, answer, answer)
            for _ in 0..<2 {
                guard case .failure(let failure) = await host.call(path, grant, world.ada) else {
                    Issue.record("an answer")
                    continue
                }
                #expect(failure.code == "connection_needed")
            }
            world.clock.advance(by: .seconds(7200))
            _ = try await host.connections.upkeep()
            #expect(world.simulator.count("\(known.provider).token.status_\(known.status)") == 1)
            #expect(world.events.notices.count == 1)
            let text = world.events.notices.first?.text ?? ""
            #expect(text.hasPrefix("\(name) asks you to sign in again. Office waits until then. https://"), "\(text)")
        }
    }

    @Test(arguments: unknown)
    func nobodyIsAskedForWhatTheOperatorHasToMend(_ known: Known) async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            let (grant, path, name) = known.place
            world.directory.set(.readOnly, "test.office", for: world.ada)
            try await host.connect(known.provider, world.ada)
            expire(world, known)
            world.simulator.fail(.token, try known.answer())
            guard case .failure(let failure) = await host.call(path, grant, world.ada) else {
                Issue.record("an answer")
                return
            }
            #expect(failure.kind == .unavailable)
            #expect(world.events.notices == [])
            #expect(try await host.row(known.provider, world.ada)?.state == .connected)
            // It is tried again later, and the connection has stayed.
            world.clock.advance(by: .seconds(3600))
            #expect(await host.call(path, grant, world.ada) == .success(200))
            #expect(world.simulator.count("\(known.provider).token.status_\(known.status)") == 1)

            // Somebody who connects is told whose business it is.
            world.simulator.fail(.token, try known.answer())
            let error = await #expect(throws: OAuthError.self) {
                try await host.connect(known.provider, world.bob, plugin: "test.office")
            }
            #expect(error?.code == .misconfigured)
            #expect(
                error?.message
                    == "\(name) does not know this assistant. Whoever runs it has to check its registration there.")
        }
    }

    /// A code that was used already, or is not ours.
    @Test(arguments: [
        Known(
            sample: "google-oauth/samples/token-error-code-reused", provider: "google",
            body: ["error": "invalid_grant"]),
        Known(
            sample: "notion/samples/oauth-error-invalid-grant", provider: "notion", body: ["error": "invalid_grant"]),
    ])
    func aCodeThatIsNotTakenConnectsNothing(_ known: Known) async throws {
        try await OAuthWorld.run { world in
            let host = try await world.host()
            world.simulator.fail(.token, try known.answer())
            let error = await #expect(throws: OAuthError.self) {
                try await host.connect(known.provider, world.ada, plugin: "test.office")
            }
            #expect(error?.code == .refused)
            #expect(error?.message == "\(known.place.name) no longer takes this answer. Start again.")
            #expect(try await host.row(known.provider, world.ada) == nil)
            #expect(world.simulator.count("\(known.provider).token.status_400") == 1)
        }
    }
}
