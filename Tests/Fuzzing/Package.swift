// swift-tools-version: 6.2
import PackageDescription

// A package of its own: the sanitizer must not reach the ordinary build.
let package = Package(
  name: "Fuzzing",
  dependencies: [.package(name: "ecopy", path: "../..")],
  targets: [
    .executableTarget(
      name: "Fuzzers",
      dependencies: [
        .product(name: "CopyEngine", package: "ecopy"),
        .product(name: "DeviceServers", package: "ecopy"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
        .unsafeFlags(["-parse-as-library"]),
      ])
  ]
)
