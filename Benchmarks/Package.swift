// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that whoever uses ecopy never fetches what only a benchmark needs.
let package = Package(
  name: "EcopyBenchmarks",
  dependencies: [
    .package(name: "ecopy", path: "../"),
    // Without its default traits: jemalloc is not needed for what is counted here.
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .executableTarget(
      name: "CodeBenchmarks",
      dependencies: [
        .product(name: "CopyEngine", package: "ecopy"),
        .product(name: "Benchmark", package: "benchmark"),
      ],
      path: "CodeBenchmarks",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
  ]
)
