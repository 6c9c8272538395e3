import Testing

@Suite("The repository is tidy")
struct TidyTests {
  @Test("no file breaks a rule", arguments: Rule.all.map(\.name))
  func noFileBreaksARule(name: String) throws {
    let rule = try #require(Rule.all.first { $0.name == name })
    let findings = try SourceFile.all().flatMap(rule.findings)
    #expect(findings.isEmpty, "\(findings.joined(separator: "\n"))")
  }

  @Test("the files of every folder are found")
  func theFilesOfEveryFolderAreFound() throws {
    let paths = Set(try SourceFile.all().map(\.path))
    for path in [
      "Package.swift", "Makefile", ".ci/run", "Sources/ecopy/main.swift", "Benchmarks/bench",
      "Benchmarks/slowdev/slowdev.c", "examples/demo.sh", "Tests/TidyTests/Rule.swift",
    ] {
      #expect(paths.contains(path), "\(path)")
    }
  }
}

@Suite("Each rule of tidiness can fail")
struct RuleTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    let rule: String
    let path: String
    let text: String
    let isDefect: Bool

    var testDescription: String { "\(isDefect ? "refused" : "allowed") in \(path): \(text)" }
  }

  static let device = "Sources/Devices/Device.swift"
  static let refused: [(String, String, String)] = [
    ("a bare Task", device, "    Task { await copy() }"),
    ("a bare Task", device, "let job = Task<Void, Never> { }"),
    ("a bare Task", device, "Task(priority: .high) {"),
    ("Task.detached", device, "Task.detached { }"),
    ("Task.sleep", device, "try await Task.sleep(for: .seconds(1))"),
    ("Task.sleep", device, "try await Task<Never, Never>.sleep(nanoseconds: 1)"),
    ("try!", device, "let ring = try! Ring()"),
    ("as!", device, "let disk = device as! Disk"),
    ("Foundation", device, "import Foundation"),
    ("Foundation", device, "internal import FoundationEssentials"),
    ("Foundation", "examples/embed/main.swift", "import Foundation"),
    ("a reminder", device, "// TODO: later"),
    ("a reminder", "README.md", "FIXME"),
    ("a path of somebody's own machine", "README.md", "see `/home/me/ecopy`"),
    ("a path of somebody's own machine", "Makefile", "include /data/me/rules"),
    ("a path of somebody's own machine", "README.md", "see ../elsewhere/DESIGN.md"),
  ]
  static let allowed: [(String, String, String)] = [
    ("a bare Task", "Sources/Uring/Processor.swift", "Task { await turn() }"),
    ("a bare Task", device, "// A bare `Task {` leaves the thread."),
    ("a bare Task", device, "struct CopyTask {"),
    ("a bare Task", device, "Task(executorPreference: processor)"),
    ("Task.sleep", device, "let text = \"Task.sleep\""),
    ("try!", device, "let ring = try Ring()  // not try!"),
    ("Foundation", "Sources/ecopy/Copy.swift", "import Foundation"),
    ("Foundation", "Tests/DevicesTests/FileTests.swift", "import Foundation"),
    ("a path of somebody's own machine", "Tests/UringTests/LossTests.swift", "\"/tapes/a\""),
    ("a path of somebody's own machine", "README.md", "https://example.org/home/page"),
    ("a path of somebody's own machine", "README.md", "/dev/nst0 and /usr/share/doc"),
    ("a path of somebody's own machine", "README.md", "read/write/verify, 1 MB/s /GiB"),
    ("a path of somebody's own machine", "Benchmarks/Package.swift", "path: \"../\""),
  ]
  static let samples =
    refused.map { Sample(rule: $0.0, path: $0.1, text: $0.2, isDefect: true) }
    + allowed.map { Sample(rule: $0.0, path: $0.1, text: $0.2, isDefect: false) }

  @Test("a rule finds what it forbids, and nothing else", arguments: samples)
  func aRuleFindsWhatItForbids(sample: Sample) throws {
    let rule = try #require(Rule.all.first { $0.name == sample.rule })
    let file = SourceFile(path: sample.path, text: sample.text + "\n")
    #expect(rule.findings(in: file).isEmpty != sample.isDefect)
  }

  @Test("every rule has a sample that breaks it")
  func everyRuleHasASampleThatBreaksIt() {
    #expect(Set(RuleTests.refused.map(\.0)) == Set(Rule.all.map(\.name)))
  }

  @Test("the text of a long string is not code, and the code after it is")
  func theTextOfALongStringIsNotCode() {
    let text = "let a = \"\"\"\n  try! b\n  \"\"\"\ntry! c\n"
    let findings = Rule.forcedTry.findings(in: SourceFile(path: RuleTests.device, text: text))
    #expect(findings.count == 1)
    #expect(findings.first?.contains(":4:") == true)
  }
}
