public import Testing

/// The database engine that a test runs on.
public enum TestEngine: String, CaseIterable, Sendable {
    case sqlite, postgres

    /// That of the test that is running; SQLite where the test has no `eachEngine`.
    @TaskLocal public static var current = TestEngine.sqlite
}

/// Runs each test of a suite once for every engine: `TestDatabase` then is a database of that engine.
public struct EachEngine: SuiteTrait, TestTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        for engine in TestEngine.allCases {
            // An issue says on which engine it came up.
            let marked = IssueHandlingTrait.compactMapIssues { issue in
                var issue = issue
                issue.comments.append(Comment(rawValue: "on \(engine.rawValue)"))
                return issue
            }
            let databases = TestDatabase.Made()
            try await marked.provideScope(for: test, testCase: testCase) {
                await TestEngine.$current.withValue(engine) {
                    await TestDatabase.$made.withValue(databases) {
                        do {
                            try await function()
                        } catch is ExpectationFailedError {
                            // Was recorded.
                        } catch {
                            Issue.record(error, sourceLocation: test.sourceLocation)
                        }
                    }
                }
            }
            await databases.drop()
        }
    }
}

extension Trait where Self == EachEngine {
    /// Runs the tests on SQLite and on PostgreSQL.
    public static var eachEngine: EachEngine { EachEngine() }
}
