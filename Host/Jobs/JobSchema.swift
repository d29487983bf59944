import TandemStorage

/// The table of the queue. A job that is done leaves no row; one that was given up stays for a while, for operators.
enum JobSchema {
    static let migrations: [Migration] = [
        Migration("jobs/1-queue") { builder in
            builder.createTable("jobs") { table in
                // 0: the program's own.
                table.column("user_id", .integer)
                table.column("id", .integer)
                table.column("kind", .text)
                table.column("lane", .text, nullable: true)
                table.column("job_key", .text, nullable: true)
                table.column("payload", .blob, nullable: true)
                // Of the program's own jobs, which have nothing to hide.
                table.column("details", .text, nullable: true)
                table.column("run_at", .integer)
                table.column("attempts", .integer, default: "0")
                // Who works on it, and until when nobody else may.
                table.column("holder", .text, nullable: true)
                table.column("lease_until", .integer, default: "0")
                table.column("gave_up_at", .integer, nullable: true)
                table.column("failure", .text, nullable: true)
                table.column("created_at", .integer)
                table.primaryKey("user_id", "id")
            }
            builder.createIndex(
                "jobs_due", on: "jobs", ["kind", "run_at", "id"], where: "holder IS NULL AND gave_up_at IS NULL")
            builder.createIndex("jobs_held", on: "jobs", ["holder"], where: "holder IS NOT NULL")
            builder.createIndex(
                "jobs_lane", on: "jobs", ["user_id", "lane", "id"], where: "lane IS NOT NULL AND gave_up_at IS NULL")
            builder.createIndex(
                "jobs_key", on: "jobs", ["user_id", "kind", "job_key"], unique: true,
                where: "job_key IS NOT NULL AND gave_up_at IS NULL")
            builder.createIndex("jobs_given_up", on: "jobs", ["gave_up_at"], where: "gave_up_at IS NOT NULL")
        }
    ]
}
