import ISCSIProtocol
import Testing

@Suite("Names") struct NameTests {
  @Test("the three types are read and become lower case") func types() throws {
    let name = try ISCSIName("IQN.2026-11.org.Ecopy:Disks")
    #expect(name.description == "iqn.2026-11.org.ecopy:disks" && name.kind == .iqn)
    #expect(try ISCSIName("eui.02004567A425678D").kind == .eui)
    #expect(try ISCSIName("naa.52004567BA64678D").kind == .naa)
    #expect(try ISCSIName("naa.62004567BA64678D0123456789ABCDEF").kind == .naa)
  }

  @Test(
    "hostile names are refused",
    arguments: [
      "", "iqn.", "iqn.2026-13.org:a", "iqn.2026-11.", "iqn.2026-11.org/../../etc",
      "iqn.2026-11.org:\u{1B}[2J", "iqn.2026-11.org:a b", "iqn.2026-11.org:ü",
      "eui.02004567A425678",
      "eui.02004567A425678G", "naa.5", "xyz.1", "iqn.2026-11.o_g",
      "iqn.2026-11.org:" + String(repeating: "a", count: 208),
    ])
  func hostile(text: String) {
    #expect(throws: NameError.self) { try ISCSIName(text) }
  }

  @Test("port names carry ISID and portal group tag") func ports() throws {
    let name = try ISCSIName("iqn.2026-11.org.ecopy:disks")
    let isid = InitiatorSessionID(rawValue: 0x0002_3D00_0001)
    #expect(PortName.initiator(name, isid: isid) == "\(name),i,0x00023d000001")
    #expect(PortName.target(name, portalGroupTag: 1) == "\(name),t,0x0001")
    #expect(PortName.parseInitiator("\(name),i,0x00023d000001")?.isid == isid)
    #expect(PortName.parseInitiator("\(name),t,0x0001") == nil)
  }

  @Test("portals are read in all their forms") func portals() throws {
    #expect(PortalAddress("10.0.0.1:3261,2")?.description == "10.0.0.1:3261,2")
    #expect(PortalAddress("[fe80::1]")?.description == "[fe80::1]:3260")
    #expect(PortalAddress("disks.example.org")?.port == 3260)
    for text in ["", "a:0", "a:65536", "[::1", "::1", "a b", "a,70000", "a:1,2,3", "[abc]", "a/b"] {
      #expect(PortalAddress(text) == nil, "\(text)")
    }
  }

  @Test("discovery reads what it writes, and refuses bad records") func discovery() throws {
    let targets = try (0..<100).map {
      DiscoveredTarget(
        name: try ISCSIName("iqn.2026-11.org.ecopy:\($0)"),
        addresses: PortalAddress("[::1]:3260,1").map { [$0] } ?? [])
    }
    #expect(try SendTargets.decode(SendTargets.encode(targets)) == targets)
    #expect(throws: DiscoveryError.badAddress) {
      try SendTargets.decode(Array("TargetAddress=1.2.3.4\0".utf8))
    }
    #expect(throws: DiscoveryError.self) {
      try SendTargets.decode(Array("TargetName=../../etc/passwd\0".utf8))
    }
  }

  @Test("a URL is taken apart, and never shows its passwords") func url() throws {
    let url = try ISCSIURL(
      "iscsi://me%secret1@[::1]:3261/iqn.2026-11.org.ecopy:disks/2"
        + "?header-digest=crc32c&target-user=it&target-password=sec%72et2")
    #expect(url.user == "me" && url.password == "secret1" && url.logicalUnit == 2)
    #expect(url.headerDigest == .crc32c && url.targetPassword == "secret2")
    var dumped = ""
    dump(url, to: &dumped)
    for shown in ["\(url)", String(reflecting: url), dumped] {
      #expect(!shown.contains("secret"), "\(shown)")
    }
    #expect("\(url)" == "iscsi://me%…@[::1]:3261/iqn.2026-11.org.ecopy:disks/2")
  }

  @Test(
    "bad URLs are refused",
    arguments: [
      "http://a/b/1", "iscsi://", "iscsi://a", "iscsi://a/iqn.2026-11.org:a", "iscsi://a/b/1",
      "iscsi://a/iqn.2026-11.org:a/x", "iscsi://a/iqn.2026-11.org:a/99999",
      "iscsi://a/iqn.2026-11.org:a%4/1", "iscsi://a/iqn.2026-11.org:a/1?x=1",
      "iscsi://a/iqn.2026-11.org:a/1?data-digest=md5",
    ])
  func badURL(text: String) {
    #expect(throws: URLError.self) { try ISCSIURL(text) }
  }
}
