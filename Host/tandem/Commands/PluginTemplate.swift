/// What `tandem plugin new` writes: a plugin with one tool, in each language, and how to build it.
enum PluginTemplate {
    struct File {
        var path: String
        var text: String
    }

    struct Names {
        /// `tides`
        var name: String
        var id: String
        /// The absolute path of PluginSDK.
        var sdk: String
        /// The absolute path of this program.
        var tandem: String

        /// `Tides`
        var title: String { name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() }

        func fill(_ text: String) -> String {
            var out = ""
            var rest = text[...]
            while let mark = rest.firstIndex(of: "@") {
                out += rest[..<mark]
                rest = rest[rest.index(after: mark)...]
                guard let end = rest.firstIndex(of: "@") else { return out + "@" + rest }
                switch rest[..<end] {
                case "name": out += name
                case "Name": out += title
                case "id": out += id
                case "sdk": out += sdk
                case "tandem": out += tandem
                default:
                    // No mark of ours.
                    out += "@"
                    continue
                }
                rest = rest[rest.index(after: end)...]
            }
            return out + rest
        }
    }

    private static func files(_ names: Names, _ parts: KeyValuePairs<String, String>) -> [File] {
        parts.map { File(path: names.fill($0.key), text: names.fill($0.value)) }
    }

    private static let common = """
        .PHONY: all check record run clean
        # The program and the SDK that this folder was made with.
        TANDEM ?= @tandem@
        SDK ?= @sdk@


        """

    private static let targets = """

        check: all
        \t"$(TANDEM)" plugin check bundle
        # What the tools answer now is what they have to answer from now on: read transcript.json.
        record: all
        \t"$(TANDEM)" plugin check bundle --record
        run: all
        \t"$(TANDEM)" plugin run bundle @name@.hello '{"name":"Ann"}'

        """

    /// What a plugin in C or Rust declares.
    private static let manifest = """
        {
          "manifest": 1, "id": "@id@", "namespace": "@name@", "name": "@Name@", "version": "0.1.0",
          "summary": "Says hello.", "license": "Apache-2.0", "publisher": {"name": "Somebody"},
          "abi": {"major": 1, "minor": 0},
          "tools": [
            {
              "id": "@name@.hello", "title": "Say hello",
              "description": "Says hello to somebody. Use it when the person wants to greet.",
              "parameters": {
                "type": "object",
                "properties": {
                  "name": {"type": "string", "minLength": 1, "maxLength": 40, "examples": ["Ann"]}
                },
                "additionalProperties": false
              },
              "result": {
                "type": "object", "properties": {"greeted": {"type": "string"}},
                "required": ["greeted"], "additionalProperties": false
              },
              "effect": "read", "undo": "none", "trust": "system",
              "utterances": [{"text": "@name@ say hello to {name}"}, {"text": "greet {name} with @name@"}],
              "slots": {"name": {"kind": "text", "hints": ["name"]}}
            }
          ],
          "limits": {"maxInFlight": 16}
        }

        """

    // MARK: C

    static func c(_ names: Names) -> [File] {
        files(
            names,
            [
                "Makefile": common + """
                    all: bundle/plugin.json
                    bundle/plugin.json: @name@.so
                    \t"$(TANDEM)" plugin pack @name@.so --into . --name bundle
                    # The manifest as a C string.
                    manifest.h: manifest.json
                    \tsed 's/\\\\/&&/g; s/"/\\\\&/g; s/^/"/; s/$$/\\\\n"/' manifest.json >$@
                    # A plugin exports its entry point and nothing else, and stays mapped.
                    @name@.so: @name@.c manifest.h
                    \t$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \\
                    \t  -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,--version-script="$(SDK)"/C/plugin.version \\
                    \t  -I"$(SDK)"/C/include -o $@ @name@.c
                    clean:
                    \trm -rf @name@.so manifest.h bundle

                    """ + targets,
                "manifest.json": manifest,
                "@name@.c": cSource,
                ".gitignore": "bundle/\n*.so\nmanifest.h\n",
            ])
    }

    private static let cSource = #"""
        /* @name@.c - a plugin with one tool. The headers in PluginSDK/C/include/tandem say what everything means. */
        #include <tandem/easy.h>

        /* What it declares: manifest.json. The host compares it with plugin.json. */
        static const char MANIFEST[] =
        #include "manifest.h"
            ;

        /* One plugin for one person. The table comes first: a pointer to it is a pointer to all of it. */
        struct self {
            tandem_instance table;
            const tandem_host *host;
        };

        static const tandem_host *host_of(tandem_instance *instance) { return ((struct self *)instance)->host; }

        static tandem_status activate(tandem_instance *instance) {
            (void)instance;
            return TANDEM_OK;
        }

        /* Return within 5 ms; what takes longer belongs to a thread of your own, which quiesce has to see end. */
        static tandem_status invoke(tandem_instance *instance, const tandem_request *request) {
            const tandem_host *host = host_of(instance);
            tandem_status status = tandem_check_request(request);
            if (status != TANDEM_OK) return status;
            if (!tandem_slice_is(request->tool, "@name@.hello")) return TANDEM_E_UNSUPPORTED;

            char name[4 * 40 + 1];
            if (tandem_json_text(tandem_json_member(request->arguments, "name"), name, sizeof name) <= 0)
                strcpy(name, "you");
            char quoted[6 * sizeof name + 3], value[sizeof quoted + 16], message[sizeof name + 16];
            tandem_json_quote(name, quoted, sizeof quoted);
            snprintf(value, sizeof value, "{\"greeted\":%s}", quoted);
            snprintf(message, sizeof message, "Hello, %s.", name);
            tandem_complete_value(host, request->call, value, message);
            return TANDEM_OK;
        }

        /* Calls are over before invoke returns: there is nothing to cancel and nothing to wait for. */
        static void cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason) {
            (void)instance, (void)call, (void)reason;
        }

        static tandem_status quiesce(tandem_instance *instance) {
            (void)instance;
            return TANDEM_OK;
        }

        static void destroy(tandem_instance *instance) { free(instance); }

        static tandem_status check_health(tandem_instance *instance, const tandem_request *request) {
            return tandem_complete_healthy(host_of(instance), request);
        }

        static const void *get_extension(tandem_instance *instance, const char *id) {
            static const tandem_health HEALTH = {.header = {.size = sizeof HEALTH}, .check = check_health};
            (void)instance;
            return strcmp(id, TANDEM_EXT_HEALTH) == 0 ? &HEALTH : NULL;
        }

        static tandem_status create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **instance) {
            (void)plugin;
            *instance = NULL;
            if (host->header.size < TANDEM_HOST_SIZE_1_0) return TANDEM_E_SIZE_TOO_SMALL;
            struct self *self = calloc(1, sizeof *self);
            if (self == NULL) return TANDEM_E_NO_MEMORY;
            self->host = host;
            self->table = (tandem_instance){
                .header = {.size = sizeof self->table},
                .activate = activate,
                .invoke = invoke,
                .cancel = cancel,
                .quiesce = quiesce,
                .destroy = destroy,
                .get_extension = get_extension,
            };
            *instance = &self->table;
            return TANDEM_OK;
        }

        static tandem_slice manifest(const tandem_plugin *plugin) {
            (void)plugin;
            return tandem_slice_of(MANIFEST);
        }

        const tandem_plugin *tandem_plugin_entry(uint32_t host_major, uint32_t host_minor) {
            static const tandem_plugin PLUGIN = {
                .header = {.size = sizeof PLUGIN},
                .abi_major = TANDEM_ABI_MAJOR,
                .abi_minor = TANDEM_ABI_MINOR,
                .manifest = manifest,
                .create = create,
            };
            (void)host_minor;
            return host_major == TANDEM_ABI_MAJOR ? &PLUGIN : NULL;
        }

        """#

    // MARK: Rust

    static func rust(_ names: Names, bindings: String) -> [File] {
        files(
            names,
            [
                "Makefile": common + """
                    all: bundle/plugin.json
                    bundle/plugin.json: Cargo.toml build.rs manifest.json $(wildcard src/*.rs)
                    \tcargo build --release --offline
                    \t"$(TANDEM)" plugin pack target/release/lib@name@_plugin.so --into . --name bundle
                    clean:
                    \trm -rf target bundle

                    """ + targets,
                "Cargo.toml": """
                [package]
                name = "@name@-plugin"
                version = "0.1.0"
                edition = "2021"
                rust-version = "1.63"
                license = "Apache-2.0"
                publish = false

                [lib]
                name = "@name@_plugin"
                crate-type = ["cdylib"]

                # None: it builds without a network.
                [dependencies]

                [profile.release]
                strip = true

                """,
                "build.rs": """
                fn main() {
                    // Hosts never unmap a plugin; other tools that open it must not either.
                    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
                }

                """,
                "manifest.json": manifest,
                "src/lib.rs": """
                //! A plugin with one tool. `tandem.rs` is a copy of PluginSDK/Rust/tandem.rs.
                mod tandem;

                use tandem::{json, Call, Host, Outcome, Plugin, Status};

                /// One plugin for one person.
                struct Greeter;

                impl Plugin for Greeter {
                    const MANIFEST: &'static str = include_str!("../manifest.json");
                    /// Calls take microseconds and ask the host for nothing: no thread is needed.
                    const INLINE: bool = true;

                    fn new(_host: Host) -> Result<Self, Status> {
                        Ok(Greeter)
                    }

                    fn call(&self, call: &Call) -> Outcome {
                        match call.tool.as_str() {
                            "@name@.hello" => {
                                let name = call.argument("name").as_str().unwrap_or("you");
                                Outcome::value(json::object(&[("greeted", json::text(name))]), &format!("Hello, {}.", name))
                            }
                            _ => Outcome::unsupported(),
                        }
                    }
                }

                tandem::export!(Greeter);

                """,
                ".gitignore": "bundle/\ntarget/\n",
            ]) + [File(path: "src/tandem.rs", text: bindings)]
    }

    // MARK: Swift

    static func swift(_ names: Names) -> [File] {
        files(
            names,
            [
                "Makefile": common + """
                    # Where Swift builds: plugins that share a folder compile the SDK once.
                    SCRATCH ?= .build

                    all: bundle/plugin.json
                    bundle/plugin.json: Package.swift $(wildcard Sources/*.swift Entry/*.swift)
                    \tswift build -c release --scratch-path "$(SCRATCH)"
                    \t"$(TANDEM)" plugin pack "$(SCRATCH)"/release/lib@Name@Plugin.so --into . --name bundle
                    clean:
                    \trm -rf .build bundle

                    """ + targets,
                "Package.swift": """
                // swift-tools-version: 6.2
                import PackageDescription

                let package = Package(
                    name: "@Name@",
                    products: [.library(name: "@Name@Plugin", type: .dynamic, targets: ["@Name@Entry"])],
                    dependencies: [.package(path: "@sdk@")],
                    targets: [
                        .target(
                            name: "@Name@Tools", dependencies: [.product(name: "TandemSDK", package: "PluginSDK")], path: "Sources"),
                        // The entry stands alone: two of them cannot be linked into one test binary.
                        .target(
                            name: "@Name@Entry", dependencies: ["@Name@Tools"], path: "Entry",
                            linkerSettings: [
                                .unsafeFlags([
                                    "-Xlinker", "-z", "-Xlinker", "nodelete", "-Xlinker", "--version-script=plugin.version",
                                ])
                            ]),
                        .testTarget(
                            name: "@Name@Tests",
                            dependencies: ["@Name@Tools", .product(name: "TandemTesting", package: "PluginSDK")], path: "Tests"),
                    ]
                )

                """,
                "plugin.version": """
                # A plugin exports its entry point and nothing else.
                {
                    global: tandem_plugin_entry;
                    local: *;
                };

                """,
                "Sources/@Name@.swift": """
                public import TandemSDK

                /// Says hello.
                public struct @Name@Plugin: Plugin {
                    public static let definition = PluginDefinition(
                        id: "@id@", namespace: "@name@", name: "@Name@", version: "0.1.0", summary: "Says hello.",
                        publisher: .init(name: "Somebody", contact: "somebody@example.org"), license: "Apache-2.0",
                        tools: [SayHello.self])
                }

                struct SayHello: Tool {
                    static let declaration = ToolDeclaration(
                        "@name@.hello", "Say hello", effect: .read,
                        "Says hello to somebody. Use it when the person wants to greet.",
                        utterances: ["@name@ say hello to {name}", "greet {name} with @name@"])

                    @Argument("Whom to greet", schema: ["maxLength": 40, "examples": ["Ann"]]) var name = "you"

                    func run(_ context: Context) async throws -> Reply<String> {
                        Reply("Hello, \\(name).", value: name)
                    }
                }

                """,
                "Entry/Entry.swift": """
                import @Name@Tools
                import TandemSDK

                /// The only symbol of the library.
                @c(tandem_plugin_entry)
                public func entry(_ hostMajor: UInt32, _ hostMinor: UInt32) -> UnsafeRawPointer? {
                    @Name@Plugin.entry(hostMajor, hostMinor)
                }

                """,
                "Tests/@Name@Tests.swift": """
                import TandemTesting
                import Testing

                @testable import @Name@Tools

                @Test func greets() async throws {
                    let host = try TestHost(@Name@Plugin.self)
                    #expect(await host.person().say("@name@.hello", ["name": "Ann"]) == "Hello, Ann.")
                }

                """,
                ".gitignore": "bundle/\n.build/\n",
            ])
    }
}
