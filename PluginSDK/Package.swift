// swift-tools-version: 6.2
// The SDK by itself, for plugins outside of this repository: no dependencies, nothing of the host.
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "PluginSDK",
    products: [
        .library(name: "TandemSDK", targets: ["TandemSDK"]),
        .library(name: "TandemTesting", targets: ["TandemTesting"]),
    ],
    targets: [
        .systemLibrary(name: "CTandemPlugin", path: "C"),
        .target(name: "TandemJSON", path: "Swift/JSON", swiftSettings: settings),
        .target(
            name: "TandemSDK", dependencies: ["CTandemPlugin", "TandemJSON"], path: "Swift/SDK", swiftSettings: settings
        ),
        .target(
            name: "TandemTesting", dependencies: ["CTandemPlugin", "TandemJSON", "TandemSDK"], path: "Testing",
            swiftSettings: settings),
    ]
)
