// swift-tools-version: 6.2
// A plugin outside of the host's package: it needs the SDK and nothing else (docs/plugins/tutorial-swift.md).
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "Water",
    products: [.library(name: "Water", type: .dynamic, targets: ["WaterEntry"])],
    dependencies: [.package(name: "PluginSDK", path: "../..")],
    targets: [
        .target(
            name: "Water", dependencies: [.product(name: "TandemSDK", package: "PluginSDK")], path: "Sources",
            swiftSettings: settings),
        // The entry stands alone: two of them cannot be linked into one test binary.
        .target(
            name: "WaterEntry", dependencies: ["Water", .product(name: "TandemSDK", package: "PluginSDK")],
            path: "Entry", swiftSettings: settings,
            linkerSettings: [
                // It exports its entry and is never unmapped.
                .unsafeFlags([
                    "-Xlinker", "-z", "-Xlinker", "nodelete",
                    "-Xlinker", "--version-script=\(Context.packageDirectory)/../../C/plugin.version",
                ])
            ]),
    ]
)
