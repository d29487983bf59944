public import TandemCore
public import TandemStorage

/// The class of every column: the one place that says it. Sealing (which columns a new key seals anew), export (what a
/// person gets, and what no export holds), logs (under which names values are masked) and docs/data.md follow it.
///
/// System tables are listed; a test fails for a column that is not. Declared tables, of the host and of plugins alike, go by
/// rule: what the host adds is internal, what is declared is personal, sealed where its definition says so.
public enum DataCatalogue {
    private static let week = DataRetention.days(7, setting: nil)
    private static let month = DataRetention.days(30, setting: nil)

    public static let system: [TableRule] =
        storage + accounts + channels + models + search + plugins + connections + queue

    private static let storage: [TableRule] = [
        TableRule("tandem_migrations", "which migrations ran", .installation, "ordinal name checksum applied_at"),
        TableRule(
            "tandem_tables", "the declared tables", .installation,
            "name owner definition definition_hash created_at updated_at"),
        TableRule("tandem_copy", "the mark of an unfinished copy", .installation, "name definition"),
        TableRule("master_keys", "which master keys there were", .installation, "version proof:s# created_at"),
        TableRule(
            "user_keys", "people's keys, wrapped by a master key", person: "user_id", .account,
            "user_id version master_version wrapped:s! created_at"),
        TableRule(
            "key_rotations", "how far rotations of keys are", .installation,
            """
            kind phase person done total cursor_person cursor_table cursor_row started_at phase_at updated_at finished_at \
            holder lease_until
            """),
        TableRule(
            "row_journal", "what rows were before a change, for undo", person: "user_id",
            .days(7, setting: "TANDEM_RETAIN_UNDO_DAYS"),
            "user_id id turn step table_name row_id version_before version_after before_image:p! is_undone created_at"),
        TableRule(
            "row_turns", "what can be taken back", person: "user_id", .days(7, setting: "TANDEM_RETAIN_UNDO_DAYS"),
            "user_id turn title:p! created_at"),
        TableRule("row_usage", "how much is kept", person: "user_id", .account, "user_id owner row_count byte_count"),
        TableRule(
            "audit_entries", "what was done to whose account", .days(400, setting: "TANDEM_RETAIN_AUDIT_DAYS"),
            "chain sequence at previous hash body:p!"),
        TableRule(
            "audit_heads", "where the chains of the audit end", .installation,
            "chain sequence hash pruned_to pruned_hash closed_at proof"),
        TableRule(
            "erasure_proofs", "which accounts were erased", .installation,
            "id account erased_at actor key_names row_counts total_rows"),
    ]

    private static let accounts: [TableRule] = [
        TableRule(
            "users", "accounts", person: "id", .account,
            "id email:p email_key:p full_name:p role status created_at updated_at"),
        TableRule(
            "phone_index", "whose a number is", person: "user_id", .account, "phone_hash:p# user_id phone_id"),
        TableRule(
            "phone_opt_outs", "numbers that want no messages", .installation, "phone_hash:p# is_opted_out updated_at"),
        TableRule(
            "phone_states", "whether a number still is its owner's", person: "user_id", .account,
            "phone_hash:p# user_id last_seen_at:p suspended_at suspension"),
        TableRule(
            "account_credentials", "passwords", person: "user_id", .account, "user_id password_hash:s# changed_at"),
        TableRule("verified_emails", "verified addresses", person: "user_id", .account, "user_id verified_at"),
        TableRule(
            "known_devices", "devices that signed in before", person: "user_id", .expiry,
            "token_hash:s# user_id created_at:p last_used_at:p expires_at"),
        TableRule(
            "login_throttles", "failed attempts, by hashes", .expiry,
            "kind target_hash:p# source_hash:p# attempts blocked_until updated_at"),
        TableRule(
            "token_keys", "keys that sign access tokens", .expiry,
            "id kid sealed:s! active_from replaced_at created_at"),
        TableRule(
            "account_sessions", "sessions, with device and network", person: "user_id", .expiry,
            """
            id user_id detail:p! methods:p created_at:p last_seen_at:p proved_at:p expires_at ended_at:p end_reason:p \
            refresh_generation refresh_hash:s# previous_hash:s# successor:s! rotated_at
            """),
        TableRule(
            "channel_proofs", "proofs of presence", person: "user_id", .expiry, "user_id channel:p proved_at:p"),
        TableRule(
            "one_time_codes", "codes that were sent", person: "user_id", .expiry,
            "id user_id purpose target_hash:p# code_hash:s# detail:p! attempts_left expires_at created_at"),
        TableRule(
            "login_challenges", "sign-ins that wait for a second factor", person: "user_id", .expiry,
            "token_hash:s# user_id attempts_left expires_at created_at"),
        TableRule(
            "totp_secrets", "authenticator apps", person: "user_id", .account,
            "id user_id sealed:s! is_confirmed last_step created_at:p"),
        TableRule(
            "recovery_codes", "recovery codes", person: "user_id", .account,
            "user_id code_hash:s# created_at:p used_at:p"),
        TableRule(
            "mail_outbox", "mail to be sent", person: "user_id", .expiry,
            "id user_id sealed:s! attempts due_at created_at"),
        TableRule(
            "sign_ups", "sign-ups under way", .expiry,
            "id token_hash:s# email_hash:p# invitation_hash:s# sealed:s! expires_at created_at"),
        TableRule(
            "phone_invitations", "invitations of unknown numbers", .expiry,
            "id phone_hash:p# token_hash:s# sealed:p! expires_at created_at"),
        TableRule("invitation_days", "how many invitations were sent", .expiry, "day sent"),
        TableRule(
            "api_keys", "API keys", person: "user_id", .account,
            "id user_id public_id secret_hash:s# name:p scopes:p created_at:p expires_at:p last_used_at:p revoked_at:p"),
    ]

    private static let channels: [TableRule] = [
        TableRule(
            "turn_queue", "messages to be answered", person: "user_id", .expiry,
            "turn user_id holder lease_until times_left"),
        TableRule(
            "api_requests", "requests that are not done twice", person: "user_id", .expiry,
            "user_id key_hash:s# id request_hash:p# state subject sealed:s! created_at begun_at"),
        TableRule("sms_receipts", "which messages were received", week, "sid received_at"),
        TableRule(
            "sms_consents", "numbers that must not be sent to", .installation, "number:p# state changed_at source"),
        TableRule("sms_invitations", "which unknown numbers were answered", week, "day number:p#"),
        TableRule(
            "sms_outbox", "messages to be sent", person: "user_id", month,
            """
            id user_id turn ordinal state due_at:p created_at:p number:p# sender sealed_to:p! sealed_text:p! segments:p \
            attempts checks retries tried_at lease_until lease_owner sid status:p error_code:p usage_id sent_at:p followed_up
            """),
        TableRule("sms_reports", "reports of delivery", week, "sid status error_code received_at"),
    ]

    private static let models: [TableRule] = [
        TableRule(
            "llm_days", "what language models were asked for each day", person: "user_id", .days(400, setting: nil),
            "user_id day requests:p tokens:p micros:p silent_requests silent_tokens silent_micros"),
        TableRule(
            "llm_totals", "what they were asked by all together", .days(400, setting: nil), "day requests tokens micros"
        ),
    ]

    private static let search: [TableRule] = [
        TableRule(
            "search_vectors", "what texts mean, as numbers, by a service", person: "user_id", .account,
            "user_id model row_id id source stamp vector:p!"),
        TableRule(
            "search_models", "how far these are", person: "user_id", .account,
            "user_id model is_ready last_id source after_row updated_at"),
    ]

    private static let plugins: [TableRule] = [
        TableRule(
            "plugin_values", "small values that plugins keep", person: "user_id", .account,
            "user_id plugin:p key:p id version value:p! byte_count expires_at"),
        TableRule(
            "plugin_value_usage", "how many of them", person: "user_id", .account,
            "user_id plugin entries bytes last_version"),
        TableRule(
            "plugin_secrets", "secrets that a person entered for plugins", person: "user_id", .account,
            "user_id plugin:p name:p id value:s! entered_at:p"),
        TableRule(
            "plugin_operator_secrets", "secrets that the operator entered for plugins", .installation,
            "plugin name id value:s! entered_at"),
        TableRule(
            "plugin_timers", "timers of plugins", person: "user_id", .account,
            """
            user_id id plugin:p name:p handler data:p! due_at:p repeat_unit:p repeat_every:p anchor_local:p occurrence missed \
            next_at:p attempts turn holder lease_until
            """),
        TableRule(
            "plugin_deliveries", "events on their way to plugins", person: "user_id", .expiry,
            """
            user_id id event publisher:p plugin:p topic:p handler data:p! published_at:p depth next_at attempts turn holder \
            lease_until
            """),
        TableRule(
            "plugin_event_keys", "events that were told already", person: "user_id", .expiry,
            "user_id plugin:p topic:p key:p event published_at"),
        TableRule(
            "plugin_versions", "which version of a plugin served a person", person: "user_id", .account,
            "user_id plugin:p version:p pending turn attempts next_at"),
        TableRule(
            "plugin_settings", "settings of plugins", person: "user_id", .account, "user_id plugin:p id settings:p!"),
        TableRule("plugin_operator_settings", "the operator's settings of plugins", .installation, "plugin settings"),
        TableRule("plugin_settings_state", "whether settings have changed", .installation, "id generation"),
    ]

    private static let queue: [TableRule] = [
        TableRule(
            "jobs", "work to be done in the background", person: "user_id", .expiry,
            """
            user_id id kind:p lane:p job_key:p payload:p! details run_at:p attempts holder lease_until gave_up_at failure:p \
            created_at:p
            """)
    ]

    private static let connections: [TableRule] = [
        TableRule("held_locks", "what a process works on alone", .expiry, "name owner fence lease_until"),
        TableRule(
            "oauth_tokens", "tokens of other services", person: "user_id", .account,
            """
            id user_id provider:p state:p access_token:s! refresh_token:s! scopes:p version fence obtained_at:p expires_at \
            refresh_at idle_at used_at:p failures retry_at reason:p pending created_at:p updated_at
            """),
        TableRule(
            "oauth_states", "connections being made", person: "user_id", .expiry,
            "state_hash:s# id user_id session_hash:s# provider:p redirect scopes:p verifier:s! expires_at"),
        TableRule(
            "oauth_links", "links for connecting", person: "user_id", .expiry,
            "link_hash:s# id user_id provider:p plugin:p level:p expires_at"),
        TableRule(
            "oauth_revocations", "tokens to be given back", .expiry,
            "id provider token:s! attempts due_at created_at"),
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: system.map { ($0.name, $0) })

    public static func rule(of table: String) -> TableRule? { byName[table] }

    /// The rules of a declared table.
    public static func rules(of table: TableDefinition) -> [ColumnRule] {
        let implied = ["user_id", "id", "created_at", "updated_at", "#version"].map {
            ColumnRule(name: $0, dataClass: .internalUse, form: .plain)
        }
        return implied
            + table.columns.flatMap { column in
                let rule = ColumnRule(
                    name: column.name, dataClass: .personal, form: column.isSealed ? .sealed : .plain)
                guard column.isSealed else { return [rule] }
                return [rule, ColumnRule(name: "\(column.name)#hash", dataClass: .personal, form: .hashed)]
            }
    }

    // MARK: Sealing

    /// Tables of the storage, which seals them itself.
    private static let ofStorage = Set(storage.map(\.name)).subtracting(["erasure_proofs"])

    static func isOfStorage(_ table: String) -> Bool { ofStorage.contains(table) }

    /// What `KeyRotation` seals anew.
    public static let sealedColumns: [SealedColumn] = system.filter { !ofStorage.contains($0.name) }.flatMap { table in
        table.columns.filter { $0.form == .sealed }.map { SealedColumn(table.name, $0.name, user: table.person) }
    }

    // MARK: Logs

    /// Names under which no value is logged: of columns that are secret, or sealed.
    public static let maskedNames: Set<String> = Set(
        system.flatMap(\.columns).filter { $0.dataClass == .secret || ($0.dataClass == .personal && $0.form != .plain) }
            .map(\.name)
    ).union(["email", "email_key", "full_name"]).subtracting(["value", "data", "settings", "detail", "number", "body"])

    // MARK: Documentation

    /// docs/data.md.
    public static func document(declared: [TableDefinition]) -> String {
        var text = """
            # Data

            What the program keeps, column by column. Generated by `tandem admin data --markdown`; the source is
            `Host/Application/Data/DataCatalogue.swift`, which sealing, export, logs and this page follow.

            | class | meaning | in the database | in an export | in logs |
            |---|---|---|---|---|
            | public | could stand on a web page | as it is | yes | yes |
            | internal | ids, times, states, counters | as it is | no, but for ids and times of rows | yes |
            | personal | says something of a person | sealed where it is content or an address | yes | no |
            | secret | opens something | sealed or hashed, always | never | never |

            *sealed*: AES-256-GCM with the person's key (with the program's where a table is nobody's), bound to table, column,
            row and person. *hashed*: one way, or keyed for finding. Erasing a person deletes the rows and destroys the key.

            ## System tables


            """
        for table in system {
            text += "### \(table.name)\n\n\(table.purpose.prefix(1).uppercased() + table.purpose.dropFirst()). "
            text += table.person == nil ? "Nobody's in particular" : "A person's"
            text += "; kept \(table.retention.words).\n\n| column | class | form |\n|---|---|---|\n"
            for column in table.columns {
                text += "| `\(column.name)` | \(column.dataClass.rawValue) | \(column.form.rawValue) |\n"
            }
            text += "\n"
        }
        text += """
            ## Declared tables

            Tables of the host's domains and of plugins. `user_id`, `id`, `created_at`, `updated_at` and `#version` are
            internal; every declared column is personal, and a sealed one has a keyed hash beside it (`NAME#hash`). They are
            kept as long as the account, but for what a setting below says.

            | table | what a row is | sealed columns | other columns |
            |---|---|---|---|

            """
        for table in declared.sorted(by: { $0.name < $1.name }) {
            let sealed = table.columns.filter(\.isSealed).map { "`\($0.name)`" }.joined(separator: ", ")
            let plain = table.columns.filter { !$0.isSealed }.map { "`\($0.name)`" }.joined(separator: ", ")
            text += "| `\(table.name)` | \(table.purpose) | \(sealed) | \(plain) |\n"
        }
        return text
    }
}
