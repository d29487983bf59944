import PostgreSQLServer
import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemApplication

/// What the database itself does for isolation, on the tables of the whole application.
@Suite(.timeLimit(.minutes(8)))
struct PostgreSQLIsolationTests {
    /// Runs raw SQL as the role that serves, with the application's own checks out of the way.
    private struct Raw: Sendable {
        let server: PostgreSQLServer
        let database: String
        let user: UserID

        func rows(_ statement: String, marker: String = "user") async throws -> [[String?]] {
            try await server.administer(
                [
                    "BEGIN",
                    "SELECT set_config('tandem.user', '\(user)', true), set_config('tandem.scope', '\(marker)', true)",
                    "SET LOCAL ROLE tandem_rows", statement,
                ], as: "tandem", database: database)
        }
    }

    @Test func everyTableWithAUserIsUnderAForcedPolicyAndRefusesOthers() async throws {
        let server = try await PostgreSQLServer.shared()
        let configuration = try await server.database()
        let name = configuration.address.database
        try await Household.run(environment: server.environment(name)) { (household) async throws in
            for scope in [household.ann, household.bob] {
                _ = try await WholeLife(household: household, scope: scope).live()
            }
            let all = try await server.administer(
                [
                    """
                    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, (SELECT a.attname FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND NOT a.attisdropped
                    AND a.attname = CASE c.relname WHEN 'users' THEN 'id' ELSE 'user_id' END),
                    EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tandem_user'),
                    pg_get_userbyid(c.relowner), (SELECT string_agg(a.attname, ' ') FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname ~ 'user|account|person|owner_id')
                    FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
                    """
                ], database: name)
            #expect(all.count > 50)
            let (ann, bob) = (household.ann.user, household.bob.user)
            let raw = Raw(server: server, database: name, user: bob)
            for row in all {
                let table = try #require(row[0])
                #expect(row[4] == "tandem_owner" || row[4] == "tandem_owner_domains", "\(table)")
                guard let column = row[2] else {
                    // A job's own cursor, and the ids of accounts that are no more.
                    if ["key_rotations", "erasure_proofs"].contains(table) { continue }
                    #expect(row[5] == nil, "\(table) names people in \(row[5] ?? ""): call the column user_id")
                    continue
                }
                #expect(row[1] == "t", "\(table) does not force row-level security")
                #expect(row[3] == "t", "\(table) has no policy")
                let theirs = try await server.administer(
                    ["SELECT count(*) FROM \(table) WHERE \(column) = \(ann)"], database: name)
                #expect(theirs != [["0"]], "\(table) has no row of the person that is looked for")
                let seen = try await raw.rows("SELECT count(*) FROM \(table) WHERE \(column) IS DISTINCT FROM \(bob)")
                #expect(seen == [["0"]], "\(table) shows others' rows")
                let changed = try await raw.rows(
                    "WITH x AS (UPDATE \(table) SET \(column) = \(column) WHERE \(column) = \(ann) RETURNING 1) "
                        + "SELECT count(*) FROM x")
                #expect(changed == [["0"]], "\(table) lets others' rows be changed")
                let gone = try await raw.rows(
                    "WITH x AS (DELETE FROM \(table) WHERE \(column) = \(ann) RETURNING 1) SELECT count(*) FROM x")
                #expect(gone == [["0"]], "\(table) lets others' rows be deleted")
                do {
                    _ = try await raw.rows("UPDATE \(table) SET \(column) = \(ann) WHERE \(column) = \(bob)")
                    Issue.record("\(table) lets rows be given to others")
                } catch let failure as PostgreSQLServer.Failure {
                    #expect(
                        ["row-level security", "permission denied"].contains { failure.description.contains($0) },
                        "\(table): \(failure)")
                }
                let nobody = try await raw.rows("SELECT count(*) FROM \(table)", marker: "")
                let own = try await raw.rows("SELECT count(*) FROM \(table)")
                #expect(nobody == own, "\(table): a scope without a name is no more than the person's")
            }
        }
    }
}
