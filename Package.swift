// swift-tools-version: 6.2
import PackageDescription

/// Every own target is held to the same language: Swift 6, strict memory safety, no warnings.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "ecopy",
  products: [
    .library(name: "CopyEngine", targets: ["CopyEngine", "ExtendedCopy", "SCSI", "ISCSIProtocol"]),
    .library(name: "DeviceServers", targets: ["DeviceServers", "Devices", "SAM", "Uring"]),
    .executable(name: "ecopy", targets: ["ecopy"]),
    .executable(name: "ecopyd", targets: ["ecopyd"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Top to bottom: nothing imports what stands below it.
    .target(name: "CUring", linkerSettings: [.linkedLibrary("uring")]),
    .target(
      name: "CDigests", linkerSettings: [.linkedLibrary("isal"), .linkedLibrary("crypto")]),
    .target(name: "CRegion"),
    module("Uring", ["CUring"]),
    module("Digests", ["CDigests"]),
    module("SCSI"),
    module("ExtendedCopy", ["SCSI"]),
    module("Devices", ["Uring", "CUring", "SCSI", "Digests"]),
    module("SAM", ["Uring", "SCSI"]),
    module("ISCSIProtocol", ["SCSI", "Digests"]),
    module("ISCSI", ["Uring", "CUring", "SCSI", "Digests", "Devices", "SAM", "ISCSIProtocol"]),
    module("Transfer", ["Uring", "Devices", "Digests", "SCSI"]),
    module("CopyManager", ["Uring", "SCSI", "ExtendedCopy", "Devices", "Transfer"]),
    module(
      "CopyEngine",
      [
        "Uring", "SCSI", "ExtendedCopy", "Devices", "Digests", "Transfer", "CopyManager", "ISCSI",
        "ISCSIProtocol",
      ]),
    module(
      "DeviceServers",
      ["Uring", "SCSI", "ExtendedCopy", "Devices", "Digests", "SAM", "Transfer", "CopyManager"]),
    module("Region", ["CRegion"]),
    module(
      "Fabric",
      [
        "Uring", "SCSI", "ExtendedCopy", "Devices", "SAM", "ISCSI", "ISCSIProtocol",
        "DeviceServers", "CopyManager",
      ]),
    module(
      "DiskSystem",
      [
        "Uring", "SCSI", "Digests", "Devices", "SAM", "ISCSI", "ISCSIProtocol", "DeviceServers",
        "Transfer", "Fabric",
        .product(name: "Yams", package: "Yams"),
      ]),
    .executableTarget(
      name: "ecopy",
      dependencies: [
        "CopyEngine", "ExtendedCopy", "SCSI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "ecopyd",
      dependencies: [
        "DiskSystem", "Uring",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "embed", dependencies: ["CopyEngine"], path: "examples/embed", swiftSettings: strict),

    // An independent statement of the rules of EXTENDED COPY, for the tests to hold the engine to.
    .target(name: "CopyModel", path: "Tests/CopyModel", swiftSettings: strict),
    tests("CopyModelTests", ["CopyModel"]),
    .target(name: "CTestSupport", path: "Tests/CTestSupport"),
    tests("UringTests", ["Uring", "CUring", "CTestSupport"]),
    tests("RegionTests", ["Region", "CRegion"]),
    tests("SCSITests", ["SCSI"]),
    tests("ExtendedCopyTests", ["ExtendedCopy", "SCSI"]),
    tests("DevicesTests", ["Devices", "Uring", "SCSI", "Digests"]),
    tests("ISCSIProtocolTests", ["ISCSIProtocol", "SCSI", "Digests"]),
    tests(
      "ISCSITests",
      ["ISCSI", "ISCSIProtocol", "SAM", "Devices", "Uring", "CUring", "SCSI", "Digests"]),
    tests(
      "DeviceServersTests",
      [
        "DeviceServers", "SAM", "Devices", "Uring", "SCSI", "ExtendedCopy", "CopyManager",
        "CopyModel",
      ]),
    tests("FabricTests", ["Fabric", "ExtendedCopy", "ISCSIProtocol", "SCSI", "Uring"]),
    .testTarget(
      name: "DiskSystemTests",
      dependencies: [
        "DiskSystem", "ecopy", "ecopyd", "DeviceServers", "ISCSI", "ISCSIProtocol", "SAM",
        "Devices", "Uring", "SCSI",
      ], exclude: ["Snapshots"], swiftSettings: strict),
    // Programs that we did not write, against ours.
    .testTarget(
      name: "PeerTests", dependencies: ["ecopy", "ecopyd"], swiftSettings: strict),
    tests("TransferTests", ["Transfer", "Devices", "Uring", "Digests"]),
    tests(
      "CopyManagerTests",
      ["CopyManager", "CopyModel", "Transfer", "Devices", "Uring", "ExtendedCopy", "SCSI"]),
    .testTarget(
      name: "CommandLineTests", dependencies: ["ecopy"], exclude: ["Snapshots"],
      swiftSettings: strict),
    // What is a defect wherever it stands, found by reading the files themselves.
    tests("TidyTests", []),
  ]
)
