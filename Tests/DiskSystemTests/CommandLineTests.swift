import Foundation
import Testing

@Suite("The command line of ecopyd")
struct EcopydCommandLineTests {
  /// With ECOPY_RECORD=1 in the environment the snapshot is written, not compared.
  @Test("its help is its snapshot")
  func helpIsItsSnapshot() throws {
    let answer = try Daemon.run("--help", in: try Scratch())
    #expect(answer.status == 0)
    #expect(answer.errors.isEmpty)
    let snapshot = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots").appending(path: "ecopyd.txt")
    if ProcessInfo.processInfo.environment["ECOPY_RECORD"] == "1" {
      try FileManager.default.createDirectory(
        at: snapshot.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(answer.output.utf8).write(to: snapshot)
    }
    #expect(try String(contentsOf: snapshot, encoding: .utf8) == answer.output)
  }

  @Test(
    "what is not understood exits with 1 and one line",
    arguments: [
      [], ["--config", "a.yaml"], ["--config", "a.yaml", "--state", "s", "--bogus"],
      ["--config", "a.yaml", "--state", "s", "--listen", "localhost"],
      [
        "--config", "a.yaml", "--state", "s", "--listen", "127.0.0.1", "--listen", "127.0.0.1:3260",
      ],
    ])
  func syntaxErrorsExitWithOne(arguments: [String]) throws {
    let answer = try Daemon(arguments, in: try Scratch()).end()
    #expect(answer.status == 1)
    #expect(answer.complaints.count == 1, "\(answer.errors)")
    #expect(answer.errors.contains("(see ecopyd --help)"))
  }

  @Test("--check says what a configuration means, and makes nothing")
  func checkSaysWhatItMeans() throws {
    let scratch = try Scratch()
    try scratch.write("a.yaml", Sample.whole)
    let answer = try Daemon.run(
      "--config", "a.yaml", "--state", "s", "--check", "--listen", "127.0.0.7:1", in: scratch)
    #expect(answer.status == 0)
    #expect(
      answer.output == """
        portal 1: 127.0.0.7:1
        unit disk: file disk.img, 1 MiB, blocks of 512 bytes
        target iqn.2026-11.org.example:a: any initiator; no authentication; units 0 disk

        """)
    #expect(!FileManager.default.fileExists(atPath: scratch.path("s")))
    #expect(try Daemon.run("--config", "a.yaml", "--check", in: scratch).status == 0)
  }

  @Test("a mistake in the configuration exits with 1 and names its place")
  func mistakesNameTheirPlace() throws {
    let scratch = try Scratch()
    try scratch.write("a.yaml", Sample.whole + "tapes: 1\n")
    let answer = try Daemon.run("--config", "a.yaml", "--check", in: scratch)
    #expect(answer.status == 1)
    #expect(answer.errors.hasPrefix("ecopyd: a.yaml:9:1: 'tapes' is not known"), "\(answer.errors)")
    let none = try Daemon.run("--config", "b.yaml", "--check", in: scratch)
    #expect(none.status == 15)
    #expect(none.errors.contains("b.yaml: there is no such file"))
  }

  @Test("secrets are read beside the configuration, and only where nobody else may read them")
  func secretsAreRead() throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      at: scratch.url.appending(path: "etc"), withIntermediateDirectories: false)
    let rule = """
      initiators: any
      authentication: {chap: {user: u, secret-file: in.secret}}
      units: {0: disk}
      """
    try scratch.write("etc/a.yaml", Sample.rule(rule))
    try scratch.write("etc/in.secret", "abcdefghijkl\n", mode: 0o640)
    let refused = try Daemon.run("--config", "etc/a.yaml", "--check", in: scratch)
    #expect(refused.status == 1)
    #expect(refused.errors.contains("chmod 600 etc/in.secret"), "\(refused.errors)")
    try scratch.write("etc/in.secret", "abcdefghijkl\n")
    let accepted = try Daemon.run("--config", "etc/a.yaml", "--check", in: scratch)
    #expect(accepted.status == 0, "\(accepted.errors)")
    #expect(accepted.output.contains("CHAP") && !accepted.output.contains("abc"))
  }

  @Test("a configuration with secrets that others may read is warned of")
  func openSecretsAreWarnedOf() throws {
    let scratch = try Scratch()
    let rule = """
      initiators: any
      authentication: {chap: {user: u, secret: abcdefghijkl}}
      units: {0: disk}
      """
    try scratch.write("a.yaml", Sample.rule(rule), mode: 0o644)
    let answer = try Daemon.run("--config", "a.yaml", "--check", in: scratch)
    #expect(answer.status == 0)
    #expect(answer.errors.contains("warning: a.yaml: holds secrets"), "\(answer.errors)")
  }
}
