import DiskSystem
import Testing
import Uring

/// Configurations without files.
enum Sample {
  static let units = "units: {disk: {file: disk.img, size: 1 MiB}}\n"
  static let targets = """
    targets:
      - name: iqn.2026-11.org.example:a
        access:
          - initiators: any
            authentication: none
            units: {0: disk}

    """
  static let whole = "portals: [127.0.0.1:3260]\n" + units + targets

  static func decode(
    _ yaml: String, portals: [SocketAddress]? = nil, secrets: [String: SecretFile] = [:]
  ) throws(ConfigurationError) -> Configuration {
    try Configuration(
      yaml: Array(yaml.utf8), file: "a.yaml", portals: portals,
      secrets: { secrets[$0] ?? .refused("\($0): there is no such file") })
  }

  /// A target with one rule, whose lines from `authentication` on are given.
  static func rule(_ text: String, head: String = "") -> String {
    "portals: [127.0.0.1:3260]\n" + units + head + """
      targets:
        - name: iqn.2026-11.org.example:a
          access:
            - \(text.split(separator: "\n").joined(separator: "\n        "))

      """
  }
}

@Suite("Configuration")
struct ConfigurationTests {
  @Test("a configuration says what is in it")
  func aConfigurationSaysWhatIsInIt() throws {
    let yaml = """
      portals: ["[::1]:3261", 127.0.0.1]
      memory: 32 MiB
      initiators:
        hosts: [iqn.2026-01.org.example:B, iqn.2026-01.org.example:c]
      units:
        a: {file: x/a.img, size: 1 GiB, thin: true}
        b: {file: /srv/b.img, block-length: 4096, read-only: true}
        c: {device: /dev/sdz}
      targets:
        - name: iqn.2026-11.org.example:A
          alias: "the first"
          access:
            - initiators: [hosts, eui.0123456789ABCDEF]
              portals: 127.0.0.1:3260
              authentication:
                chap:
                  user: u
                  secret-file: in
                  mutual: {user: t, secret: of-the-target}
                  allow-legacy: true
              units: {0: a, "255": c}
            - initiators: any
              authentication: none
              units: {1: b}
        - name: iqn.2026-11.org.example:shut
      """
    let configuration = try Sample.decode(
      yaml, secrets: ["in": .bytes(Array("of-the-initiator\n".utf8))])
    #expect(configuration.portals.map(\.description) == ["[::1]:3261", "127.0.0.1:3260"])
    #expect(configuration.arenaByteCount == 32 << 20)
    #expect(configuration.holdsSecrets)
    let units = configuration.units
    #expect(units.map(\.name) == ["a", "b", "c"])
    #expect(units.map(\.place) == [.file("x/a.img"), .file("/srv/b.img"), .device("/dev/sdz")])
    #expect(units.map(\.byteCount) == [1 << 30, nil, nil])
    #expect(units.map(\.blockLength) == [512, 4096, 512])
    #expect(units.map(\.isThin) == [true, false, false])
    #expect(units.map(\.isReadOnly) == [false, true, false])
    let target = try #require(configuration.targets.first)
    #expect(target.name == "iqn.2026-11.org.example:a")
    #expect(target.alias == "the first")
    let rule = try #require(target.access.first)
    #expect(
      rule.initiators
        == .named([
          "iqn.2026-01.org.example:b", "iqn.2026-01.org.example:c", "eui.0123456789abcdef",
        ]))
    #expect(rule.portals == [2])
    #expect(rule.units == [0: "a", 255: "c"])
    guard case .chap(let chap) = rule.authentication else {
      Issue.record("CHAP was asked for")
      return
    }
    #expect(chap.initiator.user == "u")
    #expect(chap.initiator.secret.bytes == Array("of-the-initiator".utf8))
    #expect(chap.target?.secret.bytes == Array("of-the-target".utf8))
    #expect(chap.allowsLegacy)
    #expect(configuration.targets.last?.access.isEmpty == true)
  }

  @Test("the example of the laboratory is what the issue asks for")
  func theExampleIsWhatWasAskedFor() throws {
    let configuration = try Configuration(
      yaml: try Repository.bytes("examples/lab.yaml"), file: "lab.yaml",
      secrets: { .refused($0) })
    #expect(
      configuration.summary == [
        "portal 1: 127.0.0.1:3260",
        "unit thin: file thin.img, 512 MiB, blocks of 512 bytes, thin, removable",
        "unit big-blocks: file big-blocks.img, 256 MiB, blocks of 4096 bytes",
        "unit read-only: file read-only.img, 64 MiB, blocks of 512 bytes, read-only",
        "target iqn.2026-11.org.ecopy:disks: any initiator; no authentication; "
          + "units 0 thin, 1 big-blocks, 2 read-only",
      ])
  }

  @Test("portals of the command line replace those of the file")
  func portalsAreReplaced() throws {
    let other = try #require(SocketAddress(portal: "127.0.0.2:0"))
    #expect(try Sample.decode(Sample.whole, portals: [other]).portals == [other])
    let without = Sample.units + Sample.targets
    #expect(try Sample.decode(without, portals: [other]).portals == [other])
  }

  @Test("a rule counts for its initiators and portals only")
  func aRuleCountsForItsOwn() throws {
    let yaml = """
      portals: [127.0.0.1, 127.0.0.2]
      units: {disk: {file: a}}
      targets:
        - name: iqn.2026-11.org.example:a
          access:
            - initiators: iqn.2026-11.org.example:b
              portals: 127.0.0.2
              authentication: none
              units: {0: disk}
      """
    let rule = try #require(try Sample.decode(yaml).targets.first?.access.first)
    #expect(rule.covers("iqn.2026-11.org.example:b", portalGroupTag: 2))
    #expect(!rule.covers("iqn.2026-11.org.example:b", portalGroupTag: 1))
    #expect(!rule.covers("iqn.2026-11.org.example:c", portalGroupTag: 2))
  }

  @Test("a secret is never shown")
  func aSecretIsNeverShown() throws {
    let secret = try #require(Secret(Array("abcdefghijkl".utf8)))
    var dumped = ""
    dump(secret, to: &dumped)
    for text in ["\(secret)", String(reflecting: secret), dumped] {
      #expect(!text.contains("abc") && !text.contains("97"))
    }
  }

  @Test(
    "addresses of portals",
    arguments: [
      ("127.0.0.1", "127.0.0.1:3260"), ("0.0.0.0:1", "0.0.0.0:1"), ("[::]:0", "[::]:0"),
      ("[fe80::1]", "[fe80::1]:3260"),
    ])
  func addressesOfPortals(text: String, meaning: String) {
    #expect(SocketAddress(portal: text)?.description == meaning)
  }

  @Test(
    "what is no address",
    arguments: [
      "", "localhost", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1", "[::1", "[::1]x",
      "1.2.3", "1.2.3.4.5", "256.0.0.1", "[127.0.0.1]:1", "cafe", "1.2.3.+4", ":3260", "[]:1",
    ])
  func noAddresses(text: String) {
    #expect(SocketAddress(portal: text) == nil)
  }
}
