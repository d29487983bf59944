/// The tables of the audit: what was done, in chains that only grow.
///
/// `audit_entries` has an entry for each event, `audit_heads` where each chain ends and up to where it was pruned. The
/// engines refuse changes: triggers on both, and on PostgreSQL the role that serves has no right to delete an entry or to
/// change one. Whoever gets around that is found by `verifyAudit`.
enum AuditSchema {
    static let entries = "audit_entries"
    static let heads = "audit_heads"

    static let migration = Migration("storage/4-audit") { builder in
        builder.createTable(heads) { table in
            table.column("chain", .integer)
            table.column("sequence", .integer)
            table.column("hash", .blob)
            table.column("pruned_to", .integer)
            table.column("pruned_hash", .blob)
            table.column("closed_at", .integer, nullable: true)
            table.column("proof", .blob)
            table.primaryKey("chain")
            table.isWithoutRowID = true
        }
        builder.createTable(entries) { table in
            table.column("chain", .integer)
            table.column("sequence", .integer)
            table.column("at", .integer)
            table.column("previous", .blob)
            table.column("hash", .blob)
            table.column("body", .blob)
            table.primaryKey("chain", "sequence")
            table.isWithoutRowID = true
        }
        switch builder.dialect {
        case .sqlite: for statement in sqliteTriggers { builder.sql(statement) }
        case .postgres: for statement in postgresGuards { builder.sql(statement) }
        }
    }

    private static let refusal = "the audit only grows"

    /// Not while the database is the target of a copy, which replaces pieces of it, and which nobody can serve.
    private static let isServing = """
        NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE "name" = '\(CopyMark.table)')
        """

    private static let sqliteTriggers = [
        """
        CREATE TRIGGER "audit_entries_update" BEFORE UPDATE ON "audit_entries" WHEN \(isServing)
        BEGIN SELECT RAISE(ABORT, '\(refusal)'); END
        """,
        """
        CREATE TRIGGER "audit_entries_delete" BEFORE DELETE ON "audit_entries"
        WHEN \(isServing) AND NOT EXISTS (SELECT 1 FROM "audit_heads" WHERE "chain" = OLD."chain" AND "pruned_to" >= OLD."sequence")
        BEGIN SELECT RAISE(ABORT, '\(refusal)'); END
        """,
        """
        CREATE TRIGGER "audit_heads_update" BEFORE UPDATE ON "audit_heads"
        WHEN \(isServing) AND (NEW."chain" <> OLD."chain" OR NEW."sequence" < OLD."sequence"
        OR NEW."pruned_to" < OLD."pruned_to" OR (OLD."closed_at" IS NOT NULL AND NEW."closed_at" IS NULL))
        BEGIN SELECT RAISE(ABORT, '\(refusal)'); END
        """,
        """
        CREATE TRIGGER "audit_heads_delete" BEFORE DELETE ON "audit_heads" WHEN \(isServing)
        BEGIN SELECT RAISE(ABORT, '\(refusal)'); END
        """,
    ]

    /// A chain is a person's: only they and the program see it, and everybody may add to the system's.
    private static let visible = """
        chain <= 0 OR chain = NULLIF(current_setting('tandem.user', true), '')::bigint
        OR current_setting('tandem.scope', true) IN ('system', 'maintenance')
        """

    private static let postgresGuards: [String] = [
        """
        CREATE FUNCTION tandem_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            IF to_regclass('\(CopyMark.table)') IS NOT NULL THEN
                RETURN COALESCE(NEW, OLD);
            END IF;
            IF TG_TABLE_NAME = 'audit_entries' AND TG_OP = 'DELETE' AND EXISTS (
                SELECT 1 FROM audit_heads h WHERE h.chain = OLD.chain AND h.pruned_to >= OLD.sequence) THEN
                RETURN OLD;
            END IF;
            IF TG_TABLE_NAME = 'audit_heads' AND TG_OP = 'UPDATE' THEN
                IF NEW.chain = OLD.chain AND NEW.sequence >= OLD.sequence AND NEW.pruned_to >= OLD.pruned_to
                    AND (OLD.closed_at IS NULL OR NEW.closed_at IS NOT NULL) THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '\(refusal)' USING ERRCODE = 'insufficient_privilege';
        END $body$
        """,
        """
        CREATE TRIGGER audit_entries_change BEFORE UPDATE OR DELETE ON audit_entries
        FOR EACH ROW EXECUTE FUNCTION tandem_audit_refuse()
        """,
        """
        CREATE TRIGGER audit_entries_truncate BEFORE TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION tandem_audit_refuse()
        """,
        """
        CREATE TRIGGER audit_heads_change BEFORE UPDATE OR DELETE ON audit_heads
        FOR EACH ROW EXECUTE FUNCTION tandem_audit_refuse()
        """,
        """
        CREATE TRIGGER audit_heads_truncate BEFORE TRUNCATE ON audit_heads
        FOR EACH STATEMENT EXECUTE FUNCTION tandem_audit_refuse()
        """,
        // The one deletion that there is: what lies before a chain's checkpoint. As the owner, so that the role that serves
        // needs no right to delete.
        """
        CREATE FUNCTION tandem_audit_prune(wanted bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
        SET search_path FROM CURRENT AS $body$
        DECLARE removed bigint;
        BEGIN
            DELETE FROM audit_entries e USING audit_heads h
            WHERE e.chain = wanted AND h.chain = wanted AND e.sequence <= h.pruned_to;
            GET DIAGNOSTICS removed = ROW_COUNT;
            RETURN removed;
        END $body$
        """,
        "ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY",
        "CREATE POLICY tandem_audit ON audit_entries USING (\(visible)) WITH CHECK (\(visible))",
        "ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY",
        "CREATE POLICY tandem_audit ON audit_heads USING (\(visible)) WITH CHECK (\(visible))",
    ]
}
