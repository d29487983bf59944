// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

/// A plugin's entry exports one symbol and stays mapped: a Swift image must never be unmapped.
let pluginLinker: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "-z", "-Xlinker", "nodelete", "-Xlinker", "--version-script=PluginSDK/C/plugin.version",
    ]),
    // Two thirds of the file, which the host reads and checks at each start. Names of functions stay.
    .unsafeFlags(["-Xlinker", "--strip-debug"], .when(configuration: .release)),
]

func host(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(
        name: "Tandem\(name)", dependencies: dependencies, path: "Host/\(name)", exclude: exclude,
        swiftSettings: settings)
}

func library(_ name: String, _ providers: [SystemPackageProvider], pkgConfig: String? = nil) -> Target {
    .systemLibrary(name: name, path: "Host/Clib/\(name)", pkgConfig: pkgConfig, providers: providers)
}

func plugin(_ name: String, _ more: [Target.Dependency] = []) -> [Target] {
    [
        .target(
            name: name, dependencies: ["TandemSDK", "PluginCommon"] + more, path: "Plugins/\(name)/Sources",
            swiftSettings: settings),
        .target(
            name: "\(name)Entry", dependencies: [.byName(name: name)], path: "Plugins/\(name)/Entry",
            swiftSettings: settings, linkerSettings: pluginLinker),
    ]
}

let bundledPlugins: [Target] = ["Grocery", "Recipes", "Expenses", "DuckDuckGo", "Notion", "YouTube"].flatMap {
    plugin($0)
}

/// Those that work with mail, and what they share.
let mailPlugins: [Target] =
    [
        .target(
            name: "MailCommon", dependencies: ["TandemSDK", "PluginCommon"], path: "Plugins/MailCommon/Sources",
            swiftSettings: settings)
    ] + plugin("Gmail", ["MailCommon"]) + plugin("Graph", ["MailCommon"])

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", exclude: exclude,
        swiftSettings: settings)
}

let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "tandem",
    products: [
        .executable(name: "tandem", targets: ["tandem"]),
        .library(name: "WaterExample", type: .dynamic, targets: ["WaterEntry"]),
        .library(name: "EchoBench", type: .dynamic, targets: ["EchoPluginEntry"]),
        .library(name: "PantryFixture", type: .dynamic, targets: ["PantryEntry"]),
        .library(name: "OfficeFixture", type: .dynamic, targets: ["OfficeEntry"]),
        .library(name: "CourierFixture", type: .dynamic, targets: ["CourierEntry"]),
        .library(name: "TandemSDK", targets: ["TandemSDK"]),
        .library(name: "TandemTesting", targets: ["TandemTesting"]),
        .library(name: "GroceryPlugin", type: .dynamic, targets: ["GroceryEntry"]),
        .library(name: "RecipesPlugin", type: .dynamic, targets: ["RecipesEntry"]),
        .library(name: "ExpensesPlugin", type: .dynamic, targets: ["ExpensesEntry"]),
        .library(name: "GmailPlugin", type: .dynamic, targets: ["GmailEntry"]),
        .library(name: "GraphPlugin", type: .dynamic, targets: ["GraphEntry"]),
        .library(name: "DuckDuckGoPlugin", type: .dynamic, targets: ["DuckDuckGoEntry"]),
        .library(name: "NotionPlugin", type: .dynamic, targets: ["NotionEntry"]),
        .library(name: "YouTubePlugin", type: .dynamic, targets: ["YouTubeEntry"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The plugin SDK: usable without the host.
        .systemLibrary(name: "CTandemPlugin", path: "PluginSDK/C"),
        .target(name: "TandemJSON", path: "PluginSDK/Swift/JSON", swiftSettings: settings),
        .target(
            name: "TandemSDK", dependencies: ["CTandemPlugin", "TandemJSON"], path: "PluginSDK/Swift/SDK",
            swiftSettings: settings),
        .target(
            name: "TandemTesting", dependencies: ["CTandemPlugin", "TandemJSON", "TandemSDK"],
            path: "PluginSDK/Testing", swiftSettings: settings),

        // The example of docs/plugins/swift.md.
        .target(
            name: "Water", dependencies: ["TandemSDK"], path: "PluginSDK/Examples/Swift/Sources",
            swiftSettings: settings),
        .target(
            name: "WaterEntry", dependencies: ["Water"], path: "PluginSDK/Examples/Swift/Entry",
            swiftSettings: settings, linkerSettings: pluginLinker),

        // C libraries from Debian.
        library("CSQLite", [.apt(["libsqlite3-dev"])], pkgConfig: "sqlite3"),
        library("CPostgreSQL", [.apt(["libpq-dev"])], pkgConfig: "libpq"),
        library("CCurl", [.apt(["libcurl4-openssl-dev"])], pkgConfig: "libcurl"),
        library("CPCRE2", [.apt(["libpcre2-dev"])], pkgConfig: "libpcre2-8"),
        .systemLibrary(name: "CLinux", path: "Host/Clib/CLinux"),
        .target(
            name: "CRunner", path: "Host/Clib/CRunner",
            cSettings: strictC + [.headerSearchPath("../../../PluginSDK/C/include")]),
        library("CEdit", [.apt(["libedit-dev"])], pkgConfig: "libedit"),
        library("CSodium", [.apt(["libsodium-dev"])], pkgConfig: "libsodium"),
        library("CHiredis", [.apt(["libhiredis-dev"])]),
        .target(
            name: "CTLS", path: "Host/Clib/CTLS", cSettings: strictC,
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        library("CArchive", [.apt(["libarchive-dev"])], pkgConfig: "libarchive"),
        library("CQREncode", [.apt(["libqrencode-dev"])], pkgConfig: "libqrencode"),

        // The token-embedding table (Tools/embedding makes it) and arithmetic on vectors of bytes, always optimised.
        .target(
            name: "CEmbedding", path: "Host/Clib/CEmbedding", exclude: ["table.bin"],
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]),

        // What the embedded planner has learned (Tools/planner makes it).
        .target(name: "CPlannerModel", path: "Host/Clib/CPlannerModel", exclude: ["model.bin"], cSettings: strictC),

        // Plain C libraries as plugins: libffi calls them, within the runner.
        .target(
            name: "TandemForeign", path: "Host/Runner/foreign",
            cSettings: [.unsafeFlags(["-std=c11", "-Wall", "-Wextra", "-Werror", "-IPluginSDK/C/include"])],
            // Linked in: the runner needs no libraries of its own at run time, and starts sooner.
            linkerSettings: [.linkedLibrary(":libffi.a"), .linkedLibrary(":libjansson.a")]),

        // The host, in the order of its imports.
        host("Core", ["TandemJSON", "CPCRE2", log]),
        host("Storage", ["TandemCore", "TandemJSON", "CSQLite", "CPostgreSQL", "CSodium", crypto]),
        host("Cache", ["TandemCore", "CHiredis", "CTLS", crypto, log]),
        host("Egress", ["TandemCore", "CCurl"]),
        host("Accounts", ["TandemCore", "TandemStorage", "CCurl", "CSodium", "CQREncode", crypto]),
        host("OAuth", ["TandemCore", "TandemStorage", "TandemEgress", "TandemJSON", crypto]),
        host("PluginHost", ["TandemCore", "TandemEgress", "CTandemPlugin", "CLinux", "CRunner", crypto, log]),
        host("Embedding", ["CEmbedding"]),
        host("Language", ["TandemCore", "TandemEmbedding", "CEmbedding", "CPlannerModel"]),
        host("Memory", ["TandemCore", "TandemEmbedding", "TandemStorage"]),
        .target(
            name: "TandemModels", dependencies: ["TandemCore", "TandemJSON", "TandemEgress", "TandemLanguage"],
            path: "Host/Models",
            // Part of the program's one file.
            resources: [
                "Prompts/Texts/assistant.1.txt", "Prompts/Texts/extract.1.txt", "Prompts/Texts/summary.1.txt",
                "Budget/prices.json",
            ].map { .embedInCode($0) },
            swiftSettings: settings),
        host("Jobs", ["TandemCore", "TandemStorage", log]),
        host("Life", ["TandemCore", "TandemStorage", "TandemAccounts", "TandemMemory"]),
        host(
            "Agent",
            [
                "TandemCore", "TandemStorage", "TandemAccounts", "TandemEmbedding", "TandemMemory", "TandemLanguage",
                "TandemModels", "TandemLife", log,
            ]),
        host("SMS", ["TandemCore", "TandemStorage", "TandemAccounts", "TandemEgress", "TandemAgent", crypto, log]),
        host(
            "API",
            [
                "TandemCore", "TandemJSON", "TandemStorage", "TandemAccounts", "TandemOAuth", "TandemPluginHost",
                "TandemMemory",
                "TandemLife", "TandemAgent", httpTypes, crypto, log,
            ]),
        host(
            "HTTP",
            [
                "TandemCore", "TandemSMS", "TandemAPI", "TandemAccounts", "TandemOAuth", "TandemStorage", hummingbird,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                httpTypes, lifecycle, crypto, log,
            ]),

        host(
            "Application",
            [
                "TandemCore", "TandemStorage", "TandemCache", "TandemEgress", "TandemAccounts", "TandemJobs",
                "TandemPluginHost",
                "TandemLanguage", "TandemModels", "TandemMemory", "TandemLife", "TandemAgent", "TandemSMS",
                "TandemOAuth", "TandemAPI",
                "TandemHTTP", "CArchive", "CLinux", lifecycle, unixSignals, crypto, log,
            ]),

        // What authors check and try their plugins with.
        .executableTarget(
            name: "tandem-plugin-check-worker", dependencies: ["CTandemPlugin", "CRunner", "TandemForeign"],
            path: "Host/PluginCheckWorker",
            cSettings: [
                .headerSearchPath("../../PluginSDK/C/include"),
                .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-pthread"]),
            ],
            linkerSettings: [
                .linkedLibrary("dl"), .linkedLibrary("m"), .linkedLibrary("pthread"),
                // Plugins get these functions of the C library from the worker (interpose.c), and nothing else of it.
                .unsafeFlags(
                    ["getenv", "pthread_create", "socket", "fork", "system", "sigaction", "setlocale"].flatMap {
                        ["-Xlinker", "--export-dynamic-symbol=\($0)"]
                    }),
            ]),
        host("PluginCheck", ["TandemCore", "TandemStorage", "TandemPluginHost"]),

        // The process that isolated plugins live in: C only, without the Swift runtime.
        .executableTarget(
            name: "tandem-plugin-runner", dependencies: ["CTandemPlugin", "CRunner", "TandemForeign"],
            path: "Host/Runner",
            exclude: ["foreign"],
            cSettings: strictC + [
                .define("_GNU_SOURCE"), .headerSearchPath("../../PluginSDK/C/include"), .unsafeFlags(["-std=c11"]),
            ],
            linkerSettings: [
                .unsafeFlags([
                    "-nostartfiles", "-static-stdlib", "-Xlinker", "--as-needed", "-Xlinker", "-z", "-Xlinker", "now",
                ])
            ]),

        // The bundled plugins.
        .target(
            name: "PluginCommon", dependencies: ["TandemSDK"], path: "Plugins/Common/Sources", swiftSettings: settings),
    ] + bundledPlugins + mailPlugins + [
        .executableTarget(
            name: "tandem",
            dependencies: [
                "TandemApplication", "TandemAccounts", "TandemAgent", "TandemCore", "TandemJSON", "TandemMemory",
                "TandemEgress", "TandemJobs", "TandemOAuth", "TandemPluginCheck", "TandemPluginHost", "TandemStorage",
                "CEdit",
                "CRunner", arguments,
            ],
            path: "Host/tandem", swiftSettings: settings),

        // What `make bench` runs.
        .target(
            name: "EchoPluginLogic", dependencies: ["TandemSDK"], path: "Benchmarks/EchoPlugin/Sources",
            swiftSettings: settings),
        .target(
            name: "EchoPluginEntry", dependencies: ["EchoPluginLogic"], path: "Benchmarks/EchoPlugin/Entry",
            swiftSettings: settings, linkerSettings: pluginLinker),
        .executableTarget(
            name: "tandem-benchmarks",
            dependencies: [
                "TandemApplication", "TandemAgent", "TandemAccounts", "TandemCore", "TandemEgress", "TandemJSON",
                "TandemJobs", "TandemMemory", "TandemPluginHost", "TandemStorage", "TandemLanguage", "TandemModels",
                "TandemLife", "TandemCache", "TandemOAuth", "PostgreSQLServer", crypto, log,
            ],
            path: "Benchmarks/Sources", swiftSettings: settings),

        .target(
            name: "TwilioSimulator", dependencies: [hummingbird, crypto, log], path: "Tests/Support/TwilioSimulator",
            swiftSettings: settings),
        .target(
            name: "ChildProcess", dependencies: ["CLinux"], path: "Tests/Support/ChildProcess", swiftSettings: settings),
        .target(
            name: "PostgreSQLServer", dependencies: ["ChildProcess", "TandemStorage", "CPostgreSQL"],
            path: "Tests/Support/PostgreSQLServer",
            swiftSettings: settings),
        .target(
            name: "RedisServer", dependencies: ["ChildProcess"], path: "Tests/Support/RedisServer",
            swiftSettings: settings),
        .target(
            name: "TestDatabases", dependencies: ["PostgreSQLServer", "TandemStorage", "TandemCore"],
            path: "Tests/Support/TestDatabases", swiftSettings: settings),
        .target(
            name: "MailServer", dependencies: ["ChildProcess", "TandemJSON"], path: "Tests/Support/MailServer",
            swiftSettings: settings),
        .target(name: "RawSocket", path: "Tests/Support/RawSocket", swiftSettings: settings),
        .target(name: "ScriptServer", path: "Tests/Support/ScriptServer", swiftSettings: settings),
        .target(
            name: "ModelSimulators", dependencies: ["ScriptServer", "TandemCore", "TandemJSON"],
            path: "Tests/Support/ModelSimulators", swiftSettings: settings),
        .target(
            name: "VendorSimulator", dependencies: ["ScriptServer", "TandemCore", "TandemJSON"],
            path: "Tests/Support/VendorSimulator", swiftSettings: settings),
        .target(
            name: "VendorClient", dependencies: ["VendorSimulator", "TandemTesting", "TandemSDK"],
            path: "Tests/Support/VendorClient", swiftSettings: settings),
        .target(
            name: "GmailSimulator", dependencies: ["VendorSimulator", "TandemJSON"],
            path: "Tests/Support/GmailSimulator", swiftSettings: settings),
        .target(
            name: "GraphSimulator", dependencies: ["VendorSimulator", "TandemJSON"],
            path: "Tests/Support/GraphSimulator", swiftSettings: settings),
        .target(
            name: "DuckDuckGoSimulator", dependencies: ["TandemJSON"], path: "Tests/Support/DuckDuckGoSimulator",
            swiftSettings: settings),
        .target(
            name: "YouTubeSimulator", dependencies: ["ScriptServer", "TandemCore", "TandemJSON"],
            path: "Tests/Support/YouTubeSimulator", swiftSettings: settings),
        .target(
            name: "NotionSimulator", dependencies: ["ScriptServer", "TandemCore", "TandemJSON"],
            path: "Tests/Support/NotionSimulator", swiftSettings: settings),
        .target(
            name: "Pantry", dependencies: ["TandemSDK"], path: "Tests/Fixtures/swift/Pantry/Sources",
            swiftSettings: settings),
        .target(
            name: "PantryEntry", dependencies: ["Pantry"], path: "Tests/Fixtures/swift/Pantry/Entry",
            swiftSettings: settings, linkerSettings: pluginLinker),
        .target(
            name: "Office", dependencies: ["TandemSDK"], path: "Tests/Fixtures/swift/Office/Sources",
            swiftSettings: settings),
        .target(
            name: "OfficeEntry", dependencies: ["Office"], path: "Tests/Fixtures/swift/Office/Entry",
            swiftSettings: settings, linkerSettings: pluginLinker),
        .target(
            name: "Courier", dependencies: ["TandemSDK"], path: "Tests/Fixtures/swift/Courier/Sources",
            swiftSettings: settings),
        .target(
            name: "CourierEntry", dependencies: ["Courier"], path: "Tests/Fixtures/swift/Courier/Entry",
            swiftSettings: settings, linkerSettings: pluginLinker),
        // What `make test-crash` runs.
        .target(
            name: "CrashHarness",
            dependencies: [
                "TandemApplication", "TandemAgent", "TandemAccounts", "TandemCore", "TandemEgress", "TandemJSON",
                "TandemPluginHost",
                "TandemStorage", "TwilioSimulator", "ScriptServer", "PostgreSQLServer", "ChildProcess",
            ], path: "Tests/Support/CrashHarness", swiftSettings: settings),
        .executableTarget(
            name: "tandem-crash",
            dependencies: [
                "CrashHarness", "PostgreSQLServer", "TandemJSON", "TandemPluginHost", "TandemStorage", arguments,
            ],
            path: "Tests/Support/CrashProgram", swiftSettings: settings),
        .executableTarget(
            name: "tandem-simulators",
            dependencies: [
                "OAuthSimulator", "ModelSimulators", "ScriptServer", "VendorSimulator", "GmailSimulator",
                "GraphSimulator", "NotionSimulator", "YouTubeSimulator", "DuckDuckGoSimulator",
            ], path: "Tests/Support/Simulators",
            swiftSettings: settings),
        .target(
            name: "OAuthSimulator", dependencies: ["ScriptServer", "TandemJSON", crypto],
            path: "Tests/Support/OAuthSimulator", swiftSettings: settings),
        tests("TandemJSON", ["TandemJSON"]),
        tests("TandemSDK", ["TandemSDK", "TandemTesting", "TandemJSON", "CTandemPlugin", "Water", "Pantry"]),
        tests("TandemCore", ["TandemCore", "TandemJSON", log]),
        tests(
            "TandemStorage",
            ["TandemStorage", "TandemCore", "TandemJSON", "CSQLite", "CPostgreSQL", "PostgreSQLServer", crypto]),
        tests("TandemCache", ["TandemCache", "TandemCore", "RedisServer"]),
        tests("TandemJobs", ["TandemJobs", "TandemStorage", "TandemCore", "TandemJSON", "TestDatabases"]),
        tests("TandemEgress", ["TandemEgress", "TandemCore", "ScriptServer", hummingbird, log]),
        tests(
            "TandemAccounts",
            ["TandemAccounts", "TandemStorage", "TandemCore", "TandemJSON", "TestDatabases", "MailServer", crypto]),
        tests(
            "TandemOAuth",
            [
                "TandemOAuth", "OAuthSimulator", "ScriptServer", "TandemStorage", "TandemEgress", "TandemCore",
                "TandemJSON", "TestDatabases", log,
            ]),
        tests(
            "TandemPluginHost",
            [
                "TandemPluginHost", "TandemEgress", "TandemStorage", "TandemCore", "TandemJSON", "CTandemPlugin",
                "CRunner", log,
            ]),
        tests(
            "TandemHostile",
            [
                "TandemApplication", "TandemPluginHost", "TandemStorage", "TandemCore", "TandemJSON",
                "tandem-plugin-runner", log,
            ]),
        tests(
            "TandemForeign",
            [
                "TandemForeign", "TandemPluginHost", "TandemCore", "TandemTesting", "TandemSDK", "TandemJSON",
                "CTandemPlugin",
            ]),
        tests(
            "TandemPluginCheck",
            [
                "TandemPluginCheck", "TandemPluginHost", "TandemCore", "TandemJSON", "VendorSimulator",
                "GmailSimulator", "GraphSimulator", "NotionSimulator", "YouTubeSimulator", "DuckDuckGoSimulator",
                crypto,
            ]),
        tests("TandemLanguage", ["TandemLanguage", "TandemCore", "TandemJSON"]),
        tests("TandemEmbedding", ["TandemEmbedding", "TandemJSON"], exclude: ["Fixtures"]),
        tests(
            "TandemModels",
            [
                "TandemModels", "ModelSimulators", "ScriptServer", "TandemEgress", "TandemLanguage", "TandemCore",
                "TandemJSON",
            ]),
        tests("TandemMemory", ["TandemMemory", "TandemStorage", "TandemCore", "TandemJSON", "TestDatabases"]),
        tests(
            "TandemLife",
            [
                "TandemLife", "TandemMemory", "TandemAccounts", "TandemStorage", "TandemCore", "TandemJSON",
                "TestDatabases",
            ]),
        tests(
            "TandemSMS",
            [
                "TandemSMS", "TandemAccounts", "TandemCore", "TandemJSON", "TandemStorage", "TandemEgress",
                "TandemAgent",
                "TwilioSimulator", "TestDatabases",
            ]),
        tests(
            "TandemHTTP",
            [
                "TandemHTTP", "TandemSMS", "TandemCore", "TandemStorage", "TandemEgress", "TandemAgent",
                "TwilioSimulator", "RawSocket", lifecycle, hummingbird, log,
            ]),
        tests("TandemAPI", ["TandemAPI", "TandemCore", "TandemJSON"]),
        tests(
            "TandemAgent",
            [
                "TandemAgent", "TandemAccounts", "TandemCore", "TandemJSON", "TandemLanguage", "TandemStorage",
                "TestDatabases",
            ]),
        tests(
            "TandemApplication",
            [
                "TandemApplication", "TandemAPI", "TandemAccounts", "TandemAgent", "TandemCache", "TandemCore",
                "TandemEgress", "TandemJSON", "TandemLife", httpTypes, "RedisServer",
                "TandemPluginHost", "TandemStorage", "TwilioSimulator", "DuckDuckGoSimulator", "NotionSimulator",
                "YouTubeSimulator", "GmailSimulator", "GraphSimulator", "VendorSimulator",
                "ScriptServer",
                "PostgreSQLServer", "TestDatabases", "OAuthSimulator", "TandemOAuth", "RawSocket", "MailServer",
                "ChildProcess",
                "ModelSimulators", "TandemModels", "TandemLanguage", "CrashHarness", crypto,
            ]),
        tests("PluginCommon", ["PluginCommon", "TandemSDK"]),
        tests("Grocery", ["Grocery", "Expenses", "PluginCommon", "TandemSDK", "TandemTesting"]),
        tests("Recipes", ["Recipes", "Grocery", "Expenses", "PluginCommon", "TandemSDK", "TandemTesting"]),
        tests(
            "DuckDuckGo",
            ["DuckDuckGo", "DuckDuckGoSimulator", "PluginCommon", "TandemSDK", "TandemTesting", "TandemJSON"]),
        tests("MailCommon", ["MailCommon", "TandemSDK"]),
        tests(
            "Gmail",
            [
                "Gmail", "MailCommon", "GmailSimulator", "VendorSimulator", "VendorClient", "PluginCommon", "TandemSDK",
                "TandemTesting", "TandemJSON",
            ]),
        tests(
            "Graph",
            [
                "Graph", "MailCommon", "GraphSimulator", "VendorSimulator", "VendorClient", "PluginCommon", "TandemSDK",
                "TandemTesting", "TandemJSON",
            ]),
        tests(
            "YouTube",
            ["YouTube", "YouTubeSimulator", "PluginCommon", "TandemSDK", "TandemTesting", "TandemJSON"]),
        tests(
            "Notion",
            ["Notion", "NotionSimulator", "PluginCommon", "TandemSDK", "TandemTesting", "TandemJSON"]),
        tests("Expenses", ["Expenses", "Grocery", "PluginCommon", "TandemSDK", "TandemTesting"]),
    ]
)
