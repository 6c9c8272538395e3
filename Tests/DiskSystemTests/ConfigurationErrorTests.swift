import DiskSystem
import Testing
import Uring

/// One mistake: the place and words of the message.
struct Mistake: Sendable, CustomTestStringConvertible {
  let place: String
  let words: String
  let yaml: String
  var secrets: [String: SecretFile] = [:]

  init(_ place: String, _ words: String, _ yaml: String, secrets: [String: SecretFile] = [:]) {
    self.place = place
    self.words = words
    self.yaml = yaml
    self.secrets = secrets
  }

  var testDescription: String { "\(place) \(words)" }
}

@Suite("A mistake in a configuration is refused with its place and what to write instead")
struct ConfigurationErrorTests {
  static let document = [
    Mistake("1:1", "the file is empty", ""),
    Mistake("1:1", "key: value", "- a"),
    Mistake("1:1", "has no portals", Sample.units + Sample.targets),
    Mistake("1:1", "has no units", "portals: [127.0.0.1]\n" + Sample.targets),
    Mistake("1:1", "has no targets", "portals: [127.0.0.1]\n" + Sample.units),
    Mistake(
      "1:1", "'portal' is not known in the configuration; write one of portals, ports, groups",
      "portal: x\n" + Sample.whole),
    Mistake("1:1", "stands here twice", "portals: [127.0.0.1]\nportals: [127.0.0.1]\n"),
    Mistake("2:4", "mapping values", "a: b\n  c: d: e\n"),
    Mistake("1:10", "127.0.0.1:3260", "portals: {a: b}\n" + Sample.units + Sample.targets),
    Mistake("1:11", "127.0.0.1:3260", "portals: [example.org]\n" + Sample.units),
    Mistake("1:22", "twice", "portals: [127.0.0.1, 127.0.0.1:3260]\n"),
    Mistake("1:10", "1 to 64 portals", "portals: []\n"),
    Mistake("1:9", "16 MiB to 1 TiB", "memory: 1 MiB\n" + Sample.whole),
    Mistake("1:9", "such as 512 MiB", "memory: lots\n" + Sample.whole),
    Mistake("2:4", "write that text out", "a: &a 1\nb: *a\n"),
    Mistake("2:1", "remove the second", "a: b\n---\nc: d\n"),
  ]

  static func unit(_ text: String) -> String {
    "portals: [127.0.0.1]\nunits:\n  disk: \(text)\n" + Sample.targets
  }

  static let units = [
    Mistake("3:9", "has no place", unit("{size: 1 MiB}")),
    Mistake("3:9", "key: value", unit("disk.img")),
    Mistake("3:27", "not both", unit("{file: a, device: /dev/a}")),
    Mistake("3:18", "absolute path", unit("{device: sdb}")),
    Mistake("3:16", "instead of ..", unit("{file: a/../../b}")),
    Mistake("3:25", "512 MiB", unit("{file: a, size: 1 QiB}")),
    Mistake("3:25", "512 MiB", unit("{file: a, size: -1}")),
    Mistake("3:25", "write 512", unit("{file: a, size: 513}")),
    Mistake("3:25", "write 4 KiB", unit("{file: a, size: 512, block-length: 4096}")),
    Mistake("3:25", "1 EiB", unit("{file: a, size: 2048 PiB}")),
    Mistake("3:25", "512 MiB", unit("{file: a, size: 99999999999 PiB}")),
    Mistake("3:33", "512 or 4096", unit("{file: a, block-length: 1000}")),
    Mistake("3:25", "true or false", unit("{file: a, thin: yes}")),
    Mistake("3:28", "leave size out", unit("{device: /d, size: 1 MiB}")),
    Mistake("3:28", "not thin", unit("{device: /d, thin: true}")),
    Mistake(
      "3:19", "'Size' is not known in unit disk; write one of file, device, size",
      unit("{file: a, Size: 1 MiB}")),
    Mistake(
      "3:3", "cannot name a unit",
      "portals: [127.0.0.1]\nunits:\n  ../disk: {file: a, size: 1 MiB}\n" + Sample.targets),
    Mistake(
      "4:3", "same place",
      "portals: [127.0.0.1]\nunits:\n  a: {file: a}\n  b: {file: a}\n" + Sample.targets),
    Mistake("2:8", "1 to 1024", "portals: [127.0.0.1]\nunits: {}\n" + Sample.targets),
  ]

  static let rules = [
    Mistake(
      "3:10", "begin each with - name:",
      "portals: [127.0.0.1]\n" + Sample.units + "targets: {}\n"),
    Mistake("3:10", "1 to 256", "portals: [127.0.0.1]\n" + Sample.units + "targets: []\n"),
    Mistake(
      "4:5", "has no name", "portals: [127.0.0.1]\n" + Sample.units + "targets:\n  - alias: x\n"),
    Mistake(
      "4:11", "iqn.2026-01.org.example:host1",
      "portals: [127.0.0.1]\n" + Sample.units + "targets:\n  - name: disks\n"),
    Mistake(
      "5:11", "stands here twice",
      "portals: [127.0.0.1]\n" + Sample.units
        + "targets:\n  - name: iqn.2026-11.org.example:a\n  - name: iqn.2026-11.org.example:A\n"),
    Mistake(
      "5:12", "one line",
      "portals: [127.0.0.1]\n" + Sample.units
        + "targets:\n  - name: iqn.2026-11.org.example:a\n    alias: \"a\\nb\"\n"),
    Mistake("6:9", "add initiators", Sample.rule("authentication: none")),
    Mistake("6:9", "add authentication", Sample.rule("initiators: any\nunits: {0: disk}")),
    Mistake("6:9", "add units", Sample.rule("initiators: any\nauthentication: none")),
    Mistake("6:21", "write one such as", Sample.rule("initiators: host1")),
    Mistake("6:22", "any stands alone", Sample.rule("initiators: [any]")),
    Mistake("6:21", "needs no rule", Sample.rule("initiators: []")),
    Mistake(
      "7:22", "the groups are hosts",
      Sample.rule(
        "initiators: [guests]", head: "initiators: {hosts: [iqn.2026-01.org.example:b]}\n")),
    Mistake(
      "3:14", "another name",
      Sample.rule("", head: "initiators: {any: [iqn.2026-01.org.example:b]}\n")),
    Mistake("3:22", "write one such as", Sample.rule("", head: "initiators: {hosts: [b]}\n")),
    Mistake(
      "7:18", "one of 127.0.0.1:3260",
      Sample.rule("initiators: any\nportals: 127.0.0.2:3260")),
    Mistake("7:25", "none, or chap:", Sample.rule("initiators: any\nauthentication: off")),
    Mistake(
      "8:17", "0 to 255",
      Sample.rule("initiators: any\nauthentication: none\nunits: {256: disk}")),
    Mistake(
      "8:20", "there is no unit 'tape'; the units are disk",
      Sample.rule("initiators: any\nauthentication: none\nunits: {0: tape}")),
    Mistake(
      "8:26", "stands here twice",
      Sample.rule("initiators: any\nauthentication: none\nunits: {0: disk, 00: disk}")),
    Mistake(
      "8:16", "at least one unit",
      Sample.rule("initiators: any\nauthentication: none\nunits: {}")),
    Mistake(
      "9:9", "never used",
      Sample.whole
        + "      - {initiators: any, authentication: none, units: {0: disk}}\n"),
  ]

  static func chap(_ text: String) -> String {
    Sample.rule("initiators: any\nauthentication: {chap: \(text)}\nunits: {0: disk}")
  }

  static let secrets = [
    Mistake("7:32", "add user", chap("{secret: abcdefghijkl}")),
    Mistake("7:32", "add secret-file", chap("{user: u}")),
    Mistake("7:50", "12 to 255 bytes, this one has 11", chap("{user: u, secret: abcdefghijk}")),
    Mistake("7:77", "keep one", chap("{user: u, secret: abcdefghijkl, secret-file: a}")),
    Mistake(
      "7:55", "chmod 600 a", chap("{user: u, secret-file: a}"),
      secrets: ["a": .refused("a: others may use it; say: chmod 600 a")]),
    Mistake(
      "7:55", "this one has 3", chap("{user: u, secret-file: a}"),
      secrets: ["a": .bytes([65, 66, 67, 10])]),
    Mistake(
      "7:90", "one of its own",
      chap("{user: u, secret: abcdefghijkl, mutual: {user: t, secret: abcdefghijkl}}")),
    Mistake("7:78", "true or false", chap("{user: u, secret: abcdefghijkl, allow-legacy: 1}")),
    Mistake("7:39", "printable ASCII", chap("{user: \"\\x01\", secret: abcdefghijkl}")),
  ]

  @Test("a mistake has its place and its words", arguments: document + units + rules + secrets)
  func aMistakeHasItsPlace(mistake: Mistake) throws {
    let error = #expect(throws: ConfigurationError.self) {
      try Sample.decode(mistake.yaml, secrets: mistake.secrets)
    }
    let text = try #require(error).description
    #expect(text.hasPrefix("a.yaml:\(mistake.place): "), "\(text)\n\(mistake.yaml)")
    #expect(text.contains(mistake.words), "\(text)")
    #expect(!text.contains("\n"))
  }

  @Test("a secret of an initiator does not prove another target")
  func secretsAreNotShared() throws {
    let account = "{user: u, secret: abcdefghijkl, mutual: {user: t, secret: lkjihgfedcba}}"
    let other = "{user: t, secret: lkjihgfedcba}"
    let yaml =
      Self.chap(account)
        + """
          - name: iqn.2026-11.org.example:b
            access:
              - {initiators: any, authentication: {chap: \(other)}, units: {0: disk}}

        """
    #expect(throws: ConfigurationError.self) { try Sample.decode(yaml) }
    #expect(throws: Never.self) { try Sample.decode(Self.chap(account)) }
  }

  @Test("a later rule for others, or through another portal, is used")
  func laterRulesAreUsed() throws {
    let yaml = """
      portals: [127.0.0.1, 127.0.0.2]
      units: {disk: {file: a}}
      targets:
        - name: iqn.2026-11.org.example:a
          access:
            - {initiators: any, portals: 127.0.0.1, authentication: none, units: {0: disk}}
            - {initiators: iqn.2026-11.org.example:b, authentication: none, units: {1: disk}}
            - {initiators: any, authentication: none, units: {2: disk}}
      """
    #expect(try Sample.decode(yaml).targets.first?.access.count == 3)
  }

  static let hostile = [
    String(repeating: "[", count: 1 << 20), String(repeating: "{a: ", count: 200_000),
    String(repeating: "- ", count: 500_000), String(repeating: "? ", count: 500_000),
    "a: &a [x]\n" + String(repeating: "? *a\n", count: 100),
    "a: " + String(repeating: "x", count: 1 << 20),
    "%YAML 9.9\n---\na: b", "\u{FEFF}a: b", "a: !!binary x", "? [a]\n: b", "a: \"\\uD800\"", "\0",
    "targets: !!set {a, b}", "units: ~", "portals: [~]", "a: |\n  x\n", "<<: {a: b}",
  ]

  @Test("hostile text is refused, and ends", arguments: hostile)
  func hostileTextIsRefused(yaml: String) {
    #expect(throws: ConfigurationError.self) { try Sample.decode(yaml) }
  }

  @Test("bytes that are not text, and every cut of a configuration, do no harm")
  func anyBytesDoNoHarm() {
    let whole = Array(Sample.whole.utf8)
    func decode(_ bytes: [UInt8]) {
      _ = try? Configuration(yaml: bytes, file: "a.yaml", secrets: { .refused($0) })
    }
    decode([0xFF, 0xFE, 0x00])
    for index in whole.indices {
      decode(Array(whole[..<index]))
      for byte in [0x00, 0x09, 0x26, 0x2A, 0x5B, 0x7B, 0x80, 0xFF] as [UInt8] {
        var bytes = whole
        bytes[index] = byte
        decode(bytes)
      }
    }
  }
}
