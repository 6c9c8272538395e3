import Foundation
import Testing

/// Programs that we did not write, against ours. One at a time: each has daemons, and some have a
/// clock.
@Suite("With other people's programs", .serialized)
struct PeerTests {
  @Test("our initiator and tgtd", arguments: Script.all(in: "initiator"))
  func initiator(script: Script) throws { try expect(script, seconds: 240) }

  @Test("our target and their initiators", arguments: Script.all(in: "target"))
  func target(script: Script) throws { try expect(script, seconds: 240) }

  /// Linux itself, in a machine of its own.
  @Test("Linux in a guest", arguments: Script.all(in: "guest") { $0.hasPrefix("kernel-") })
  func guest(script: Script) throws { try expect(script, seconds: 900) }

  @Test("every kind has tests, and a script that fails is seen to fail")
  func everyKindHasTests() throws {
    #expect(Script.all(in: "initiator").count >= 9)
    #expect(Script.all(in: "target").count >= 8)
    #expect(Script.all(in: "guest") { $0.hasPrefix("kernel-") }.count == 2)
    let fails = Script(name: "false", url: Script.folder.appending(path: "no-such-script.sh"))
    #expect(try fails.run(seconds: 10).status != 0)
  }

  private func expect(_ script: Script, seconds: Int) throws {
    let answer = try script.run(seconds: seconds)
    #expect(answer.status == 0, "\(script.name):\n\(answer.output.suffix(8000))")
  }
}
