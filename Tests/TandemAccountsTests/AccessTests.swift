import TandemCore
import TandemStorage
import TestDatabases
import Testing

@testable import TandemAccounts

@Suite(.timeLimit(.minutes(8)), .eachEngine)
struct AccessTests {
    @Test func everyRoleHasOneProfile() {
        #expect(AccessProfile.all.map(\.role) == Account.Role.allCases)
        for role in Account.Role.allCases { #expect(!AccessProfile.of(role).permissions.all.isEmpty) }
    }

    @Test func theProfilesAreTheFourOfTheDesign() {
        func may(_ role: Account.Role, _ permission: Permission) -> Bool {
            AccessProfile.of(role).permissions.contains(permission)
        }
        for permission in [Permission.conversation, .planning, .goals, .ownData, .integrations] {
            #expect(may(.user, permission) && may(.premium, permission) && may(.administrator, permission))
        }
        for permission in [Permission.analytics, .extendedIntegrations] {
            #expect(may(.premium, permission) && !may(.user, permission) && !may(.administrator, permission))
        }
        for permission in [Permission.logs, .maintenance, .userSupport] {
            #expect(may(.administrator, permission) && !may(.premium, permission) && !may(.service, permission))
        }
        #expect(may(.service, .backup) && may(.service, .synchronisation) && !may(.service, .conversation))
        #expect(!may(.service, .ownData) && !may(.administrator, .backup))
    }

    @Test func setsOfPermissionsReadAndWriteTheirNames() {
        let all = PermissionSet(Permission.allCases)
        #expect(PermissionSet(all.text) == all)
        #expect(Set(Permission.allCases.map(\.bit)).count == Permission.allCases.count)
        #expect(PermissionSet("backup metrics")?.text == "metrics backup")
        #expect(PermissionSet("backup nonsense") == nil)
        #expect(PermissionSet("")?.all.isEmpty == true)
        #expect(PermissionSet([.backup]).isSubset(of: all) && !all.isSubset(of: [.backup]))
    }

    /// Databases of the first release say `admin`.
    @Test func administratorsOfOlderDatabasesStayAdministrators() async throws {
        let database = try await TestDatabase().open()
        try await database.migrate(Array(Accounts.migrations.prefix(2)))
        try await database.write(.system) { transaction in
            for (id, role) in [(1, "admin"), (2, "user"), (3, "something newer")] {
                try transaction.execute(
                    """
                    INSERT INTO users (id, email, email_key, full_name, role, status, created_at, updated_at)
                    VALUES (\(id), \("u\(id)@example.org"), \("u\(id)@example.org"), \("U"), \(role), \("active"), 0, 0)
                    """)
            }
        }
        try await database.migrate(Accounts.migrations)
        let accounts = Accounts(database: database)
        try await accounts.prepare()
        #expect(try await accounts.users().map(\.role) == [.administrator, .user, .user])
    }
}
